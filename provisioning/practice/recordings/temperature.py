"""An office's ambient temperature, hour by hour, in degrees Fahrenheit."""

import csv
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

FILE = Path(__file__).with_name("office_ambient_temperature_hourly.csv")


@dataclass(frozen=True, slots=True, kw_only=True)
class Temperature:
    """What the office's probe measured."""

    at: datetime
    """The recording's timestamp, taken as UTC."""
    degf: float
    """Degrees Fahrenheit; the double nearest to the recording's decimal text."""


def temperatures() -> list[Temperature]:
    """Return the recording's 7,267 values in their order."""
    with FILE.open(newline="") as file:
        return [
            Temperature(at=datetime.fromisoformat(row["timestamp"]).replace(tzinfo=UTC), degf=float(row["value"]))
            for row in csv.DictReader(file)
        ]
