"""Clocks that stand still until a test moves them."""

from datetime import UTC, datetime, timedelta


class FixedClock:
    """The cloud's clock, held by the test."""

    def __init__(self, now: datetime = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now

    def set(self, now: datetime) -> None:
        self._now = now

    def advance(self, **duration: float) -> None:
        """Move on by timedelta's keywords."""
        self._now += timedelta(**duration)
