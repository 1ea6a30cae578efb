"""One household's electricity, hour by hour, as a register that only grows."""

import csv
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import accumulate
from pathlib import Path
from zoneinfo import ZoneInfo

FILE = Path(__file__).with_name("household_electricity_hourly.csv")

_ZONE = ZoneInfo("America/Toronto")
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterHour:
    """What the meter showed when an hour ended."""

    at: datetime
    """The end of the hour, in UTC."""
    consumed_hundredths: int
    """Energy of this hour in 0.01 kWh."""
    register_hundredths: int
    """Energy since the recording began, this hour included, in 0.01 kWh."""


def meter_hours() -> list[MeterHour]:
    """Return the recording's 2,712 hours in their order."""
    with FILE.open(newline="") as file:
        rows = [(row["DateTime"], row["Consumption kWh"]) for row in csv.DictReader(file)]
    consumed = [_hundredths(kwh) for _, kwh in rows]
    return [
        MeterHour(at=hour_end(text), consumed_hundredths=hundredths, register_hundredths=register)
        for (text, _), hundredths, register in zip(rows, consumed, accumulate(consumed), strict=True)
    ]


def hour_end(text: str) -> datetime:
    """Return the instant at which the hour of a `DateTime` cell ended, in UTC.

    00:00 is 24:00 of the date that the cell shows. No cell of the recording falls into a local time that does not
    exist or exists twice: the hour skipped in spring has no row, and the recording ends before autumn.
    """
    local = datetime.strptime(text, "%m/%d/%Y %H:%M:%S").replace(tzinfo=_ZONE)
    # Adding a day to an aware local time moves the wall's date and lets the zone find the offset of the new date.
    return (local + _DAY if local.hour == 0 else local).astimezone(UTC)


def _hundredths(kwh: str) -> int:
    hundredths = Decimal(kwh) * 100
    if hundredths != int(hundredths):
        raise ValueError(f"{FILE.name}: Consumption kWh {kwh} is finer than 0.01 kWh")
    return int(hundredths)
