"""A day in which the box could not reach its cloud, and values that come while it catches up."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from cloud.core.clock import SystemClock
from firmware_configs.profiles.loader import load_profile
from provisioning.practice.recordings.temperature import Temperature
from provisioning.practice.replay import ReplayClock
from provisioning.practice.sensors import publish_recording
from provisioning.waiting import until
from tests.replay.box_log import Line, lines
from tests.replay.rig import Rig

_PERIOD = timedelta(seconds=10)
_DAY_ROWS = timedelta(hours=24) // _PERIOD
_WITHIN_S = 60.0

HOT_FROM, HOT_UNTIL = timedelta(hours=14), timedelta(hours=13)
"""How long before the day's end the office was too hot."""


def hot_day(end: datetime) -> list[Temperature]:
    """Return a day of temperatures up to `end`, with an hour above the limit in it."""
    instants = [end - place * _PERIOD for place in range(_DAY_ROWS, 0, -1)]
    return [Temperature(at=at, degf=85.0 if end - HOT_FROM <= at < end - HOT_UNTIL else 70.0) for at in instants]


async def publish(rig: Rig, rows: Sequence[Temperature]) -> None:
    """Let the office's probe say these values at once, with their own timestamps."""
    replay = ReplayClock(SystemClock(), start=rows[-1].at)
    profile = load_profile("practice-office-probe")
    await publish_recording(rig.broker.port, profile, "office", rows=rows, replay=replay)


async def a_day_without_cloud(rig: Rig, rows: Sequence[Temperature]) -> None:
    """Take the cloud away, let the box take the day's values, and bring both back: all of it is backlog now."""
    await rig.cloud.kill()
    head = newest_row(rig)
    await publish(rig, rows)

    async def taken() -> bool:
        return newest_row(rig) >= head + len(rows)

    await until(taken, "the box to take a day's values", within_s=_WITHIN_S)
    await rig.box.kill()
    await rig.cloud.begin()
    await rig.box.begin()


def newest_row(rig: Rig) -> int:
    """Return the number of the newest row that the box has committed; 0 before the first."""
    return max((line.last for line in lines(rig.box_log)), default=0)


async def next_backlog_batch(rig: Rig, *, below: int) -> None:
    """Return as soon as one more batch of rows below `below` has left."""
    before = len(_backlog(rig, below=below))

    async def left() -> bool:
        return len(_backlog(rig, below=below)) > before

    await until(left, "the next batch of the backlog", within_s=_WITHIN_S, look_every_s=0.01)


def _backlog(rig: Rig, *, below: int) -> list[Line]:
    return [line for line in lines(rig.box_log) if line.sent and line.last < below]
