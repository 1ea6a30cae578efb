"""The one way to read the wall in the cloud."""

from datetime import UTC, datetime, timedelta
from typing import Protocol

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Clock(Protocol):
    """Where the time comes from; passed to every use case."""

    def now(self) -> datetime:
        """Return the present instant, aware, in UTC."""


class SystemClock:
    """The machine's clock, which the cloud keeps right by NTP."""

    def now(self) -> datetime:
        return datetime.now(UTC)  # noqa: TID251  the one place that reads the wall


def to_us(instant: datetime) -> int:
    """Return whole microseconds since 1970-01-01T00:00Z."""
    return (instant - EPOCH) // _MICROSECOND


def from_us(time_us: int) -> datetime:
    """Return the aware UTC instant of microseconds since 1970.

    Raises:
        OverflowError: the instant is outside the years 1 to 9999.
    """
    return EPOCH + timedelta(microseconds=time_us)
