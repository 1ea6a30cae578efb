from datetime import timedelta
from pathlib import Path

import pytest

from cloud.core.clock import SystemClock, to_us
from provisioning.practice.recordings.temperature import Temperature
from provisioning.waiting import until
from tests.replay.backlog import (
    HOT_FROM,
    HOT_UNTIL,
    a_day_without_cloud,
    hot_day,
    newest_row,
    next_backlog_batch,
    publish,
)
from tests.replay.box_log import Line, lines
from tests.replay.installation import Addresses
from tests.replay.rig import PROBE, Rig, running_rig

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1_800)]

_LIVE_VALUES = 3


async def _say(rig: Rig, degf: float) -> Line:
    """Let the probe say a value of now, and return its commit once the cloud holds it."""
    before = len(lines(rig.box_log))
    row = Temperature(at=SystemClock().now(), degf=degf)
    await publish(rig, [row])

    async def held() -> bool:
        return await rig.newest_us(PROBE) == to_us(row.at)

    await until(held, "a live value to reach the cloud", within_s=100, look_every_s=0.01)
    return next(line for line in lines(rig.box_log)[before:] if not line.sent)


def _batches_between(said: list[Line], commit: Line) -> list[Line]:
    """Return the batches that left after a row was committed and before the one that holds it."""
    after = [line for line in said[said.index(commit) + 1 :] if line.sent]
    own = next(line for line in after if line.first <= commit.last <= line.last)
    return after[: after.index(own)]


@pytest.mark.parametrize("addresses", ["sqlite"], indirect=True)
async def test_live_values_leave_before_the_next_batch_of_a_days_backlog_whose_past_episode_opens_no_ticket(
    tmp_path: Path, addresses: Addresses
) -> None:
    end = SystemClock().now() - timedelta(minutes=10)
    day = hot_day(end)
    async with running_rig(tmp_path, addresses, backlog_rows_per_s=1_000) as rig:
        await a_day_without_cloud(rig, day)
        head = newest_row(rig)
        live = []
        for _ in range(_LIVE_VALUES):
            await next_backlog_batch(rig, below=head)
            live.append(await _say(rig, degf=70.0))
        drained_when_live_arrived = await rig.is_quiet()
        await until(rig.is_quiet, "the backlog to drain", within_s=300)
        said = lines(rig.box_log)
        readings = await rig.readings(PROBE)
        alarms, tickets = await rig.alarms(), await rig.tickets()

    assert not drained_when_live_arrived
    assert [_batches_between(said, commit) for commit in live] == [[]] * _LIVE_VALUES
    assert readings[: len(day)] == [(to_us(row.at), row.degf, 0) for row in day]
    assert [(alarm.raised_at, alarm.returned_at) for alarm in alarms] == [(end - HOT_FROM, end - HOT_UNTIL)]
    assert [alarm.announced_at for alarm in alarms] == [None]
    assert tickets == []
