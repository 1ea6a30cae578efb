"""The one way to read the wall in the cloud."""

from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldLate:
    """The clock of an act that is told after it happened: it stands at that instant, and knows when it was told."""

    happened: datetime
    told: datetime

    def now(self) -> datetime:
        return self.happened


def told_at(clock: Clock) -> datetime:
    """Return when what is done by this clock came to the cloud: now, but for what is told late."""
    return clock.told if isinstance(clock, ToldLate) else clock.now()


def told_late(clock: Clock) -> datetime | None:
    """Return when an act was told that happened before; None for one that is told as it happens."""
    return clock.told if isinstance(clock, ToldLate) else None


@dataclass(frozen=True, slots=True)
class Stopped:
    """A clock that shows one instant."""

    at: datetime

    def now(self) -> datetime:
        return self.at


def stopped(clock: Clock) -> Clock:
    """Return a clock that stands where this one is, for what happens at once."""
    return clock if isinstance(clock, ToldLate) else Stopped(clock.now())


def to_us(instant: datetime) -> int:
    """Return whole microseconds since 1970-01-01T00:00Z."""
    return (instant - EPOCH) // _MICROSECOND


def from_us(time_us: int) -> datetime:
    """Return the aware UTC instant of microseconds since 1970.

    Raises:
        OverflowError: the instant is outside the years 1 to 9999.
    """
    return EPOCH + timedelta(microseconds=time_us)
