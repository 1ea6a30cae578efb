"""The replay's clock: which instant of a recording it is now, and when its next row is due."""

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Protocol, TypeVar

from cloud.core.clock import Clock

_LONGEST_SLEEP_S = 60.0
"""A machine that was suspended looks at its clock again within this."""


class Recorded(Protocol):
    """A row of a recording."""

    @property
    def at(self) -> datetime: ...


Row = TypeVar("Row", bound=Recorded)

Hold = Callable[[datetime], Awaitable[None]]
"""Awaited before a row leaves, with the row's recorded instant; returns when it may."""


class ReplayClock:
    """The recording's own time, which runs `speed` times as fast as the world's.

    Attributes:
        shift: what is added to a recorded instant to make the timestamp that a device sends.
    """

    def __init__(self, clock: Clock, *, start: datetime, speed: float = 1.0, shift: timedelta = timedelta(0)) -> None:
        """Let it be `start` in the recording now; at an infinite speed every row is due at once."""
        if not speed > 0:
            raise ValueError(f"speed {speed}: must be above 0")
        self._clock = clock
        self._start = start
        self._started = clock.now()
        self._speed = speed
        self.shift = shift

    @classmethod
    def shifted(cls, clock: Clock, shift: timedelta) -> "ReplayClock":
        """Return a clock on which the recording happens at the world's pace, `shift` later than it did."""
        return cls(clock, start=clock.now() - shift, shift=shift)

    def now(self) -> datetime:
        """Return the instant of the recording that it is."""
        if math.isinf(self._speed):
            return datetime.max.replace(tzinfo=UTC)
        return self._start + (self._clock.now() - self._started) * self._speed

    def stamp(self, recorded: datetime) -> datetime:
        """Return the timestamp that a device sends for a recorded instant."""
        return recorded + self.shift

    async def until(self, recorded: datetime) -> None:
        """Return when it is `recorded`, or at once when that has passed."""
        while (left_s := (recorded - self.now()).total_seconds() / self._speed) > 0:  # noqa: ASYNC110  a clock, no event
            await asyncio.sleep(min(left_s, _LONGEST_SLEEP_S))

    async def rows(self, recording: Sequence[Row], *, hold: Hold | None = None) -> AsyncIterator[Row]:
        """Yield each row when it is due, in order; `hold` may keep one back for longer."""
        for row in recording:
            await self.until(row.at)
            if hold is not None:
                await hold(row.at)
            yield row
