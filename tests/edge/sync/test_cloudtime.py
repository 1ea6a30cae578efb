import pytest

from edge.errors import BufferUnusable
from edge.sync.cloudtime import CloudTime
from tests.edge.buffer.clocks import HandClock

NOW_US = 1_772_438_400_000_000
SECOND = 1_000_000


class Learnt:
    """Takes what a buffer would learn."""

    def __init__(self) -> None:
        self.offsets: list[int] = []

    async def learn(self, offset_us: int) -> None:
        self.offsets.append(offset_us)


async def _look(time: CloudTime, clock: HandClock, time_us: int, round_trip_s: float = 0.0) -> None:
    asked_us = clock.monotonic_us()
    clock.advance(round_trip_s)
    await time.look(time_us, asked_us=asked_us)


async def test_the_first_answer_is_taken_at_half_its_round_trip() -> None:
    clock, learnt = HandClock(mono_us=10 * SECOND), Learnt()
    time = CloudTime(clock, learn=learnt.learn)
    assert time.now_us() is None
    await _look(time, clock, NOW_US, round_trip_s=2)
    assert time.now_us() == NOW_US + SECOND
    assert learnt.offsets == [NOW_US - 11 * SECOND]


@pytest.mark.parametrize(
    ("off_s", "round_trip_s", "taken"),
    [(0.9, 0, False), (-0.9, 0, False), (1.1, 0, True), (-1.1, 0, True), (5, 10, False), (7, 10, True)],
    ids=["jitter", "jitter back", "a step", "a step back", "the line may be to blame", "more than the line explains"],
)
async def test_a_later_answer_is_taken_only_when_the_offset_must_be_wrong(
    off_s: float, round_trip_s: float, taken: bool
) -> None:
    clock, learnt = HandClock(), Learnt()
    time = CloudTime(clock, learn=learnt.learn)
    await _look(time, clock, NOW_US)
    clock.advance(100)
    await _look(time, clock, NOW_US + round((100 + off_s + round_trip_s / 2) * SECOND), round_trip_s=round_trip_s)
    assert len(learnt.offsets) == 1 + taken


async def test_a_wall_clock_that_jumps_changes_nothing() -> None:
    clock = HandClock()
    time = CloudTime(clock)
    await _look(time, clock, NOW_US)
    clock.wall += 10**15
    clock.advance(5)
    assert time.now_us() == NOW_US + 5 * SECOND


async def test_what_the_boot_knew_before_the_program_started_again_is_kept() -> None:
    clock, learnt = HandClock(), Learnt()
    time = CloudTime(clock, offset_us=NOW_US, learn=learnt.learn)
    await _look(time, clock, NOW_US + clock.mono_us + 300_000)
    assert (time.offset_us, learnt.offsets) == (NOW_US, [])


async def test_an_offset_that_the_buffer_could_not_learn_is_learnt_with_the_next_answer() -> None:
    clock, learnt = HandClock(), Learnt()

    async def fail(offset_us: int) -> None:
        raise BufferUnusable("no disk")

    time = CloudTime(clock, learn=fail)
    with pytest.raises(BufferUnusable):
        await _look(time, clock, NOW_US)
    time._learn = learnt.learn
    await _look(time, clock, NOW_US)
    assert learnt.offsets == [NOW_US - clock.mono_us]
