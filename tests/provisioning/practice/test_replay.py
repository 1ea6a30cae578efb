import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from provisioning.practice.replay import Hold, ReplayClock
from tests.clocks import FixedClock

_RECORDED = datetime(2014, 4, 12, 23, tzinfo=UTC)
_HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class _Row:
    at: datetime


class _LoopClock:
    """The world's clock, driven by the event loop's fake time."""

    def now(self) -> datetime:
        return datetime(2026, 3, 2, 8, tzinfo=UTC) + timedelta(seconds=asyncio.get_running_loop().time())


async def _times(replay: ReplayClock, rows: Sequence[_Row], hold: Hold | None = None) -> list[float]:
    began = asyncio.get_running_loop().time()
    return [asyncio.get_running_loop().time() - began async for _ in replay.rows(rows, hold=hold)]


def test_at_speed_60_an_hour_of_the_recording_lasts_a_minute(clock: FixedClock) -> None:
    replay = ReplayClock(clock, start=_RECORDED, speed=60)
    clock.advance(seconds=60)
    assert replay.now() == _RECORDED + _HOUR


def test_a_stamp_is_the_recorded_instant_and_the_shift_to_the_microsecond(clock: FixedClock) -> None:
    replay = ReplayClock(clock, start=_RECORDED, shift=timedelta(days=4_321, seconds=7))
    assert replay.stamp(_RECORDED) == datetime(2026, 2, 9, 23, 0, 7, tzinfo=UTC)


def test_a_shifted_recording_happens_now(clock: FixedClock) -> None:
    replay = ReplayClock.shifted(clock, clock.now() + timedelta(seconds=30) - _RECORDED)
    assert replay.now() == _RECORDED - timedelta(seconds=30)
    clock.advance(seconds=30)
    assert replay.now() == _RECORDED
    assert replay.stamp(_RECORDED) == clock.now()


@pytest.mark.looptime
async def test_rows_that_are_past_come_at_once_and_the_others_when_they_are_due() -> None:
    replay = ReplayClock(_LoopClock(), start=_RECORDED, speed=60)
    rows = [_Row(_RECORDED - _HOUR), _Row(_RECORDED), _Row(_RECORDED + _HOUR), _Row(_RECORDED + 3 * _HOUR)]
    assert await _times(replay, rows) == pytest.approx([0, 0, 60, 180])


@pytest.mark.looptime
async def test_at_an_infinite_speed_all_rows_come_at_once_with_their_own_instants() -> None:
    replay = ReplayClock(_LoopClock(), start=_RECORDED, speed=math.inf)
    assert await _times(replay, [_Row(_RECORDED + n * _HOUR) for n in range(7_267)]) == [0.0] * 7_267
    assert replay.stamp(_RECORDED) == _RECORDED


@pytest.mark.looptime
async def test_a_hold_keeps_a_row_back_and_those_after_it() -> None:
    async def hold(recorded: datetime) -> None:
        await asyncio.sleep(5 if recorded == _RECORDED + _HOUR else 0)

    replay = ReplayClock(_LoopClock(), start=_RECORDED, speed=math.inf)
    assert await _times(replay, [_Row(_RECORDED + n * _HOUR) for n in range(4)], hold) == [0, 5, 5, 5]


def test_a_speed_must_be_above_0(clock: FixedClock) -> None:
    with pytest.raises(ValueError, match="speed 0: must be above 0"):
        ReplayClock(clock, start=_RECORDED, speed=0)
