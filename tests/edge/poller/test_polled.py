import asyncio
import logging
import random
from collections.abc import Sequence
from contextlib import suppress

import pytest

from edge.errors import BufferFull, DeviceRefused, DeviceUnreachable
from edge.poller.polled import PolledDevice
from protocols.readings import RowClass
from tests.edge.poller.doubles import FaultyDevice, ListBuffer, LoopClock, point

pytestmark = pytest.mark.looptime

_UNREACHABLE = DeviceUnreachable("no answer within 1 s")
_REFUSED = DeviceRefused("exception code 2")


class _NoJitter(random.Random):
    """Begins at once, and waits as long as back-off allows."""

    def uniform(self, a: float, b: float) -> float:
        return a


async def _run_for(seconds: float, *devices: PolledDevice) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds), asyncio.TaskGroup() as group:
            for device in devices:
                group.create_task(device.run())


def _polled(
    device: FaultyDevice, buffer: ListBuffer, *points: object, rng: random.Random | None = None, key: str = "meter"
) -> PolledDevice:
    chosen = points or (point("power"),)
    return PolledDevice(key, chosen, device, buffer=buffer, clock=LoopClock(), rng=rng or _NoJitter())


async def test_reads_keep_to_the_grid_whatever_they_take() -> None:
    device = FaultyDevice(lambda number, _: 0.3 if number % 2 else 0.7)
    await _run_for(4.5, _polled(device, ListBuffer()))
    assert [at for at, _ in device.asked] == [0, 1, 2, 3, 4]


async def test_devices_do_not_begin_in_step() -> None:
    devices = [FaultyDevice(lambda *_: 0) for _ in range(5)]
    rng = random.Random(1)
    await _run_for(1, *(_polled(device, ListBuffer(), rng=rng) for device in devices))
    assert len({device.asked[0][0] for device in devices}) == 5


async def test_groups_are_read_at_their_own_periods() -> None:
    device = FaultyDevice(lambda *_: 0)
    await _run_for(10.5, _polled(device, ListBuffer(), point("power"), point("energy", period_s=5), point("voltage")))
    asked = [points for _, points in device.asked]
    assert (asked.count(("power", "voltage")), asked.count(("energy",))) == (11, 3)


async def test_values_become_rows_of_their_points() -> None:
    buffer = ListBuffer()
    await _run_for(
        1.5, _polled(FaultyDevice(lambda *_: 0.1), buffer, point("power"), point("energy", row_class=RowClass.REGISTER))
    )
    assert [(row.point, row.row_class, row.value, row.mono_us) for row in buffer.rows] == [
        ("meter/online", RowClass.EVENT, 1.0, 100_000),
        ("meter/power", RowClass.SAMPLE, 1.0, 100_000),
        ("meter/energy", RowClass.REGISTER, 1.0, 100_000),
        ("meter/power", RowClass.SAMPLE, 2.0, 1_100_000),
        ("meter/energy", RowClass.REGISTER, 2.0, 1_100_000),
    ]


async def test_a_read_longer_than_its_period_runs_back_to_back_and_says_so_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    device = FaultyDevice(lambda *_: 1.5)
    await _run_for(6.5, _polled(device, ListBuffer()))
    assert [at for at, _ in device.asked] == [0, 1.5, 3, 4.5, 6]
    assert caplog.messages == ["reading takes longer than 1 s and runs back to back"]


async def test_a_silent_device_is_asked_ever_more_rarely() -> None:
    device = FaultyDevice(lambda *_: _UNREACHABLE)
    await _run_for(3_600, _polled(device, ListBuffer()))
    pauses = [later - earlier for (earlier, _), (later, _) in zip(device.asked, device.asked[1:], strict=False)]
    assert pauses[0] <= 1
    assert 20 < sum(pauses[-50:]) / 50 < 40, "full jitter below a minute"


async def test_silence_is_said_once_and_so_is_its_end(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    buffer = ListBuffer()
    device = FaultyDevice(lambda number, _: _UNREACHABLE if 3 <= number < 9 else 0)
    await _run_for(120, _polled(device, buffer))
    assert buffer.of("meter/online") == [1, 0, 1]
    assert caplog.messages == ["device gives no values: no answer within 1 s", "device gives values"]


async def test_one_lost_answer_is_no_silence() -> None:
    buffer = ListBuffer()
    await _run_for(60, _polled(FaultyDevice(lambda number, _: _UNREACHABLE if number % 3 else 0), buffer))
    assert buffer.of("meter/online") == [1]


async def test_a_silent_device_gives_no_value() -> None:
    buffer = ListBuffer()
    await _run_for(60, _polled(FaultyDevice(lambda *_: _UNREACHABLE), buffer))
    assert [row.point for row in buffer.rows] == ["meter/online"]


async def test_a_refused_group_does_not_hold_up_the_others(caplog: pytest.LogCaptureFixture) -> None:
    def one_refused(_number: int, points: Sequence[str]) -> float | Exception:
        return _REFUSED if "odd" in points else 0.0

    buffer = ListBuffer()
    device = FaultyDevice(one_refused)
    await _run_for(300, _polled(device, buffer, point("power"), point("odd", period_s=2)))
    assert len(buffer.of("meter/power")) == 300
    assert buffer.of("meter/online") == [1]
    assert caplog.messages == ["device refuses 1 of its points: exception code 2"]


async def test_a_device_that_refuses_everything_gives_no_values(caplog: pytest.LogCaptureFixture) -> None:
    buffer = ListBuffer()
    await _run_for(60, _polled(FaultyDevice(lambda *_: _REFUSED), buffer))
    assert buffer.of("meter/online") == [0]
    assert caplog.messages == ["device gives no values: exception code 2"]


async def test_a_fault_in_one_loop_is_logged_and_leaves_the_others_alone(caplog: pytest.LogCaptureFixture) -> None:
    buffer = ListBuffer()
    faulty = FaultyDevice(lambda number, _: ZeroDivisionError("a driver's own fault") if number < 3 else 0)
    sound = FaultyDevice(lambda *_: 0)
    await _run_for(30.5, _polled(faulty, buffer, key="faulty"), _polled(sound, buffer, key="sound"))
    assert len(buffer.of("sound/power")) == 31
    assert len(buffer.of("faulty/power")) > 20
    failures = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert [(record.getMessage(), record.device) for record in failures] == [("loop failed and goes on", "faulty")] * 2
    assert all(record.exc_info for record in failures)


async def test_a_full_buffer_takes_nothing_and_the_loop_goes_on() -> None:
    buffer = ListBuffer()
    buffer.refuses = BufferFull("no space left")
    device = FaultyDevice(lambda *_: 0)
    polled = _polled(device, buffer, point("energy", row_class=RowClass.REGISTER))
    await _run_for(3.5, polled)
    assert (len(device.asked), buffer.rows, polled.values_taken) == (4, [], 0)


async def test_silence_while_the_buffer_is_full_is_said_once_and_written_when_there_is_room(
    caplog: pytest.LogCaptureFixture,
) -> None:
    buffer = ListBuffer()
    buffer.refuses = BufferFull("no space left")
    running = asyncio.create_task(_run_for(300, _polled(FaultyDevice(lambda *_: _UNREACHABLE), buffer)))
    await asyncio.sleep(100)
    buffer.refuses = None
    await running
    assert caplog.messages == ["device gives no values: no answer within 1 s"]
    assert buffer.of("meter/online") == [0]
