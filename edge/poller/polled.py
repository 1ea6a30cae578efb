"""One device that is asked: when, for what, and what follows when it gives nothing."""

import asyncio
import logging
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NoReturn

from edge.backoff import delays_s
from edge.buffer.buffer import Buffer
from edge.clock import Clock
from edge.drivers.driver import PolledDriver
from edge.errors import BufferFull, DeviceError, DeviceRefused
from edge.poller.forever import repeat
from edge.poller.intake import Intake
from edge.poller.presence import Presence
from edge.poller.schedule import Schedule
from protocols.profiles.schema import Point
from protocols.readings import Decoded, RowClass

_TRIES = 3
"""In a row and in vain, before a device counts as silent: one garbled answer is an everyday thing on a bus."""

_SPREAD_S = 10.0
"""Over which devices begin, so that they don't ask in step; a longer period still gives its first value soon."""

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Group:
    """Points of one period."""

    points: tuple[str, ...]
    delays: Iterator[float] = field(default_factory=delays_s)
    refusals: int = 0
    """In a row."""
    said_overlong: bool = False


class PolledDevice:
    """The loop of one device; its points are read in groups of one period each."""

    def __init__(
        self,
        key: str,
        points: Sequence[Point],
        driver: PolledDriver,
        *,
        buffer: Buffer,
        clock: Clock,
        rng: random.Random,
    ) -> None:
        self.key = key
        self.values_taken = 0
        self.tries_failed = 0
        self._driver = driver
        self._buffer = buffer
        self._rng = rng
        self._intake = Intake(key, points, clock=clock)
        self._presence = Presence(key, buffer=buffer, clock=clock)
        self._groups = _grouped(points)
        self._silences = 0
        """Questions of any group in a row that the device did not answer."""

    async def run(self) -> NoReturn:
        """Read the device for ever."""
        jitter_s = self._rng.uniform(0, min(_SPREAD_S, *self._groups))
        schedule = Schedule(self._groups, start_s=asyncio.get_running_loop().time() + jitter_s)
        await repeat(lambda: self._step(schedule), device=self.key)

    async def _step(self, schedule: Schedule) -> None:
        loop = asyncio.get_running_loop()
        due_s, period_s = schedule.next()
        await asyncio.sleep(due_s - loop.time())
        group = self._groups[period_s]
        try:
            values = await self._driver.read(group.points)
        except DeviceError as error:
            schedule.postpone(period_s, until_s=loop.time() + next(group.delays))
            await self._miss(group, error)
        else:
            if not schedule.read(period_s, now_s=loop.time()):
                self._say_overlong(group, period_s)
            await self._take(group, values)

    async def _take(self, group: _Group, values: Sequence[Decoded]) -> None:
        if self._silences or group.refusals:
            self._silences = group.refusals = 0
            group.delays = delays_s()
        rows = self._intake.rows(values)
        await self._presence.there()
        samples = [row for row in rows if row.row_class is RowClass.SAMPLE]
        self._buffer.append_soon(samples)
        if len(samples) < len(rows):
            try:
                await self._buffer.append([row for row in rows if row.row_class is not RowClass.SAMPLE])
            except BufferFull:
                return  # the buffer has said so; the rows do not count as taken
        self._intake.taken(rows)
        self.values_taken += len(rows)

    async def _miss(self, group: _Group, error: DeviceError) -> None:
        self.tries_failed += 1
        if isinstance(error, DeviceRefused):
            group.refusals += 1
        else:
            self._silences += 1
        if self._silences >= _TRIES or all(each.refusals >= _TRIES for each in self._groups.values()):
            await self._presence.missing(error)
        elif group.refusals == _TRIES:
            _log.warning("device refuses %s of its points: %s", len(group.points), error, extra={"device": self.key})

    def _say_overlong(self, group: _Group, period_s: float) -> None:
        if not group.said_overlong:
            _log.warning("reading takes longer than %g s and runs back to back", period_s, extra={"device": self.key})
        group.said_overlong = True


def _grouped(points: Sequence[Point]) -> dict[float, _Group]:
    periods = sorted({point.period_s for point in points})
    return {
        period_s: _Group(tuple(point.name for point in points if point.period_s == period_s)) for period_s in periods
    }
