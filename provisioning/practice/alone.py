"""The practice building by itself, for a box that somebody else runs."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from cloud.core.clock import SystemClock
from provisioning.practice.building import PracticeBuilding
from provisioning.practice.recordings.electricity import meter_hours
from provisioning.practice.recordings.temperature import temperatures
from provisioning.practice.replay import ReplayClock


async def run_building(folder: Path, *, speed: float, opened: Callable[[PracticeBuilding], None]) -> None:
    """Serve the building and play both recordings with their own timestamps; the sensors speak for ever.

    Args:
        folder: where the broker keeps its files.
        speed: recorded seconds a second; both recordings begin at once.
        opened: told of the building as soon as it answers.
    """
    clock = SystemClock()
    hours, degrees = meter_hours(), temperatures()
    async with PracticeBuilding.opened(folder, clock) as building:
        opened(building)
        async with asyncio.TaskGroup() as tasks:
            meter = ReplayClock(clock, start=hours[0].at, speed=speed)
            tasks.create_task(building.play_meter(hours, meter), name="meter")
            tasks.create_task(building.live(), name="sensors")
            await building.listened_to(within_s=None)
            probe = ReplayClock(clock, start=degrees[0].at, speed=speed)
            await building.play_probe(degrees, probe)
