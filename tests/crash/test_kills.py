import asyncio
import random
from pathlib import Path

import pytest

from tests.crash.killer import BOX_POINTS, CLOUD_POINTS, Tally, kill_both, plan
from tests.replay.feeding import Valve, feed
from tests.replay.findings import (
    assert_nothing_is_lost_or_counted_twice,
    assert_six_episodes_with_an_alarm_and_a_ticket_each,
)
from tests.replay.installation import Addresses
from tests.replay.rig import Rig, running_rig

pytestmark = [pytest.mark.slow, pytest.mark.soak, pytest.mark.timeout(7_200)]


async def _replay_under_kills(rig: Rig, *, kills: int, at_each: int, rng: random.Random) -> Tally:
    valve = Valve(share=0.0)
    box = plan(BOX_POINTS, count=kills // 2, at_each=at_each, rng=rng)
    cloud = plan(CLOUD_POINTS, count=kills // 2, at_each=at_each, rng=rng)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(feed(rig, valve), name="feed")
        killing = tasks.create_task(kill_both(rig, valve, box=box, cloud=cloud), name="kill")
    return killing.result()


async def test_kills_of_box_and_cloud_lose_nothing_double_nothing_and_raise_six_alarms(
    tmp_path: Path, addresses: Addresses, *, soaking: bool, seed: int
) -> None:
    kills, at_each = (200, 10) if soaking else (10, 1)
    async with running_rig(tmp_path, addresses) as rig:
        tally = await _replay_under_kills(rig, kills=kills, at_each=at_each, rng=random.Random(seed))
        print(f"{tally.deaths.total()} kills: {dict(tally.deaths)}")

        assert tally.deaths.total() >= kills
        assert min(tally.deaths[point] for point in (*BOX_POINTS, *CLOUD_POINTS)) >= at_each
        await assert_nothing_is_lost_or_counted_twice(rig)
        await assert_six_episodes_with_an_alarm_and_a_ticket_each(rig)
