"""Devices that speak by themselves: what they say is confirmed once it is committed, and their silence is noticed."""

import asyncio
import logging
import math
from collections.abc import Iterable, Sequence
from contextlib import aclosing
from typing import NoReturn

from edge.backoff import delays_s
from edge.buffer.buffer import Buffer
from edge.clock import Clock
from edge.drivers.driver import Push, PushedDriver
from edge.errors import BufferFull, DeviceError, DeviceUnreachable
from edge.poller.forever import repeat
from edge.poller.intake import Intake
from edge.poller.presence import Presence
from protocols.profiles.schema import Point

_TRIES = 3
"""To reach a source before its devices count as silent: a broker that restarts is an everyday thing."""

_PERIODS_OF_SILENCE = 3
"""Of a device's longest period, after which it counts as silent."""

_WATCH_S = 1.0

_log = logging.getLogger(__name__)


class PushedDevice:
    """What is known of one device of a source."""

    def __init__(self, key: str, points: Sequence[Point], *, buffer: Buffer, clock: Clock) -> None:
        self.key = key
        self.values_taken = 0
        self.messages_refused = 0
        """Messages of which not all could be understood, since the start."""
        self.intake = Intake(key, points, clock=clock)
        self._presence = Presence(key, buffer=buffer, clock=clock)
        self._patience_s = _PERIODS_OF_SILENCE * max(point.period_s for point in points) or math.inf
        """How long it may be silent; for ever if it speaks only when something happens."""
        self._silent_from_s = math.inf
        self._heard = False
        self._understood = True

    def listen(self, *, now_s: float) -> None:
        """Note that from now on the device would be heard."""
        self._silent_from_s = now_s + self._patience_s

    def hear(self, push: Push, *, now_s: float) -> None:
        """Note that the device has spoken, and say once what could not be understood."""
        if push.values:
            self._heard = True
            self.listen(now_s=now_s)
        if push.problems:
            self.messages_refused += 1
            if self._understood:
                _log.warning("message not understood: %s", push.problems[0], extra={"device": self.key})
        self._understood = not push.problems

    async def judge(self, source_gone: DeviceError | None, *, now_s: float) -> None:
        """Say whether the device gives values, where that is known."""
        if source_gone:
            await self._presence.missing(source_gone)
        elif now_s >= self._silent_from_s:
            self._heard = False
            await self._presence.missing(DeviceUnreachable(f"no message for {self._patience_s:g} s"))
        elif self._heard:
            await self._presence.there()


class PushedSource:
    """The loop of one source, which may speak for many devices."""

    def __init__(self, key: str, driver: PushedDriver, devices: Iterable[PushedDevice], *, buffer: Buffer) -> None:
        self.key = key
        self.devices = list(devices)
        self._driver = driver
        self._devices = {device.key: device for device in self.devices}
        self._buffer = buffer
        self._delays = delays_s()
        self._failures = 0
        self._gone: DeviceError | None = None
        """Why nothing can be heard; None while the source is there, or has not been missed for long enough."""

    async def run(self) -> NoReturn:
        """Listen for ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(repeat(self._watch, source=self.key), name=f"watch {self.key}")
            await repeat(self._listen, source=self.key)

    async def _listen(self) -> None:
        try:
            async with aclosing(self._driver.pushes()) as arriving:
                async for pushes in arriving:
                    if pushes:
                        await self._take(pushes)
                    else:
                        self._welcome()
        except DeviceError as error:
            self._miss(error)
            await asyncio.sleep(next(self._delays))
        except BufferFull:  # the buffer has said so; what is not confirmed comes again with the next connection
            await asyncio.sleep(next(self._delays))

    async def _take(self, pushes: Sequence[Push]) -> None:
        told = [
            (push, self._devices[push.device], self._devices[push.device].intake.rows(push.values)) for push in pushes
        ]
        await self._buffer.append([row for _, _, rows in told for row in rows], at_once=True)
        now_s = asyncio.get_running_loop().time()
        for push, device, rows in told:
            device.intake.taken(rows)
            device.values_taken += len(rows)
            push.confirm()
            device.hear(push, now_s=now_s)
            await device.judge(None, now_s=now_s)

    async def _watch(self) -> None:
        await asyncio.sleep(_WATCH_S)
        for device in self._devices.values():
            await device.judge(self._gone, now_s=asyncio.get_running_loop().time())

    def _welcome(self) -> None:
        if self._gone:
            _log.info("source is there again", extra={"source": self.key})
        self._gone = None
        self._failures = 0
        self._delays = delays_s()
        for device in self._devices.values():
            device.listen(now_s=asyncio.get_running_loop().time())

    def _miss(self, error: DeviceError) -> None:
        self._failures += 1
        if self._failures == _TRIES:
            _log.warning("source is gone: %s", error, extra={"source": self.key})
            self._gone = error
