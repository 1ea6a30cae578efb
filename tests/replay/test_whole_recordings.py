from pathlib import Path

import pytest

from tests.replay.feeding import Valve, feed
from tests.replay.findings import (
    assert_nothing_is_lost_or_counted_twice,
    assert_six_episodes_with_an_alarm_and_a_ticket_each,
)
from tests.replay.installation import Addresses
from tests.replay.rig import running_rig

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1_800)]


async def test_both_recordings_arrive_whole_and_raise_the_six_alarms(tmp_path: Path, addresses: Addresses) -> None:
    async with running_rig(tmp_path, addresses) as rig:
        await feed(rig, Valve())

        await assert_nothing_is_lost_or_counted_twice(rig)
        await assert_six_episodes_with_an_alarm_and_a_ticket_each(rig)
