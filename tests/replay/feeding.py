"""The recordings on their way into a rig, as fast as it takes them and as patient as real time is.

In real time an episode of the office's temperature stands for hours: whoever must be told is told long before it is
over. A replay is so fast that a whole episode may wait in the box and be history when it arrives, which opens no
ticket, and rightly so. The feeder therefore holds the value that ends an episode back until the cloud holds all that
was published before it, has been told by the box that nothing is left, and has carried every event to its end.
"""

import asyncio
import math
from collections.abc import Mapping, Sequence
from datetime import datetime

from cloud.core.clock import SystemClock, to_us
from firmware_configs.profiles.loader import load_profile
from provisioning.practice.recordings.electricity import MeterHour, meter_hours
from provisioning.practice.recordings.temperature import Temperature, temperatures
from provisioning.practice.replay import ReplayClock
from provisioning.practice.sensors import publish_recording
from provisioning.waiting import until
from tests.replay.recordings import EPISODES
from tests.replay.rig import METER, PROBE, Rig

_QUIET_WITHIN_S = 240.0


class Valve:
    """How much of the recordings may have left; both stop while an episode is held."""

    def __init__(self, *, share: float = 1.0) -> None:
        self._share = share
        self._held = False
        self._moved = asyncio.Condition()

    async def open_by(self, part: float) -> None:
        """Let this part of what is left of every recording leave."""
        async with self._moved:
            self._share += (1 - self._share) * part
            self._moved.notify_all()

    async def hold(self, *, held: bool) -> None:
        """Stop everything, or let it go on."""
        async with self._moved:
            self._held = held
            self._moved.notify_all()

    async def passes(self, share: float) -> None:
        """Return when that much may have left."""
        async with self._moved:
            await self._moved.wait_for(lambda: share <= self._share and not self._held)


async def feed(rig: Rig, valve: Valve) -> None:
    """Play both recordings whole; return when the cloud holds every row and everything it caused has been done."""
    hours, rows = meter_hours(), temperatures()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_feed_meter(rig, hours, valve), name="meter")
        tasks.create_task(_feed_probe(rig, rows, valve), name="probe")
    await _arrived(rig, {METER: to_us(hours[-1].at), PROBE: to_us(rows[-1].at)})


async def _feed_meter(rig: Rig, hours: Sequence[MeterHour], valve: Valve) -> None:
    share = {hour.at: place / len(hours) for place, hour in enumerate(hours)}
    replay = ReplayClock(SystemClock(), start=hours[0].at, speed=math.inf)
    await rig.meter.play(hours, replay, hold=lambda recorded: valve.passes(share[recorded]))


async def _feed_probe(rig: Rig, rows: Sequence[Temperature], valve: Valve) -> None:
    share = {row.at: place / len(rows) for place, row in enumerate(rows)}
    before = {row.at: to_us(rows[place - 1].at) for place, row in enumerate(rows) if place}
    ends = {episode.end for episode in EPISODES}

    async def hold(recorded: datetime) -> None:
        await valve.passes(share[recorded])
        if recorded in ends:
            await valve.hold(held=True)
            await _arrived(rig, {PROBE: before[recorded]})
            await valve.hold(held=False)

    replay = ReplayClock(SystemClock(), start=rows[0].at, speed=math.inf)
    profile = load_profile("practice-office-probe")
    await publish_recording(rig.broker.port, profile, "office", rows=rows, replay=replay, hold=hold)


async def _arrived(rig: Rig, newest_us: Mapping[str, int]) -> None:
    """Return once these are the newest readings that the cloud holds, and it is quiet."""

    async def has_arrived() -> bool:
        held = [await rig.newest_us(key) == time_us for key, time_us in newest_us.items()]
        return all(held) and await rig.is_quiet()

    await until(has_arrived, f"the cloud to hold all that was played; see {rig.folder}", within_s=_QUIET_WITHIN_S)
