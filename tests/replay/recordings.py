"""What the two recordings must have become when they have gone the whole way."""

from dataclasses import dataclass
from datetime import UTC, datetime

from cloud.core.clock import to_us
from provisioning.practice.recordings.electricity import meter_hours
from provisioning.practice.recordings.temperature import temperatures


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """A stretch of the temperature recording past a limit: its first value past it, its first value back."""

    start: datetime
    end: datetime
    side: str


def _episode(start: str, end: str, side: str) -> Episode:
    return Episode(start=_instant(start), end=_instant(end), side=side)


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}:00").replace(tzinfo=UTC)


EPISODES = (
    _episode("2013-12-21 18:00", "2013-12-24 11:00", "high"),
    _episode("2013-12-25 02:00", "2013-12-25 05:00", "high"),
    _episode("2014-01-12 20:00", "2014-01-13 05:00", "high"),
    _episode("2014-04-12 23:00", "2014-04-14 09:00", "low"),
    _episode("2014-04-20 09:00", "2014-04-21 08:00", "low"),
    _episode("2014-05-18 12:00", "2014-05-19 09:00", "low"),
)
"""With the limits 60 and 80 and a deadband of 2."""

Readings = list[tuple[int, float, int]]
"""Microseconds since 1970, value and flags."""


def temperature_readings() -> Readings:
    """Return every row of the temperature recording as a good reading, bit for bit."""
    return [(to_us(row.at), row.degf, 0) for row in temperatures()]


def register_readings() -> Readings:
    """Return every hour of the electricity recording as a good reading of the register in kWh."""
    return [(to_us(hour.at), hour.register_hundredths / 100, 0) for hour in meter_hours()]
