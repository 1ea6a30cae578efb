"""The practice meter: it shows one recorded hour until somebody says that the hour is kept, then the next."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from decimal import Decimal

from provisioning.practice.modbus import Answer
from provisioning.practice.recordings.electricity import MeterHour
from provisioning.practice.replay import Hold, ReplayClock

Confirmed = Callable[[datetime], Awaitable[None]]
"""Returns once a reading with this timestamp is where no crash can take it from."""


class HourlyMeter:
    """A meter that never goes on before its last hour is safe: a box may die between reading and committing.

    Its clock is the replay's: it shows the stamp of the hour's end beside the register.
    """

    def __init__(self, hours: Sequence[MeterHour], replay: ReplayClock, *, point: str, kept: int = 0) -> None:
        """Go on after the first `kept` hours, which were kept in an earlier life; the last of them is shown first."""
        self._hours = hours[kept:]
        self._shown = hours[kept - 1] if kept else None
        self._replay = replay
        self._point = point
        self._asked = asyncio.Event()

    def answer(self) -> Answer:
        """Return register and time of the hour that is shown; before the first one is due, no value."""
        if self._shown is None:
            return Answer(values={})
        self._asked.set()
        register_kwh = Decimal(self._shown.register_hundredths) / 100
        return Answer(values={self._point: register_kwh}, at=self._replay.stamp(self._shown.at))

    async def run(self, confirmed: Confirmed, *, hold: Hold | None = None) -> None:
        """Show each hour when it is due, until it was read and is `confirmed`; returns after the last."""
        async for hour in self._replay.rows(self._hours, hold=hold):
            self._shown = hour
            self._asked.clear()
            await self._asked.wait()
            await confirmed(self._replay.stamp(hour.at))
