import asyncio
import logging
from contextlib import suppress

import pytest

from edge.errors import BufferFull, DeviceUnreachable
from edge.poller.pushed import PushedDevice, PushedSource
from protocols.readings import Decoded, RowClass
from tests.edge.poller.doubles import FaultySource, ListBuffer, ListPush, LoopClock, point

pytestmark = pytest.mark.looptime

_GONE = DeviceUnreachable("broker gone")


def _says(value: float, *, device: str = "room", time_us: int | None = None) -> ListPush:
    return ListPush(device, [Decoded("temperature", value, time_us=time_us)])


async def _run_for(seconds: float, source: FaultySource, buffer: ListBuffer, *, period_s: float = 10) -> None:
    devices = [
        PushedDevice(key, [point("temperature", period_s=period_s)], buffer=buffer, clock=LoopClock())
        for key in ("room", "cellar")
    ]
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await PushedSource("site", source, devices, buffer=buffer).run()


async def test_messages_become_rows_and_are_confirmed() -> None:
    buffer = ListBuffer()
    pushes = [_says(21.0), _says(22.0, time_us=7)]
    await _run_for(5, FaultySource([1, pushes, 100]), buffer)
    assert [(row.point, row.row_class, row.value, row.device_time_us) for row in buffer.rows] == [
        ("room/temperature", RowClass.SAMPLE, 21.0, None),
        ("room/temperature", RowClass.SAMPLE, 22.0, 7),
        ("room/online", RowClass.EVENT, 1.0, None),
    ]
    assert [push.confirmed for push in pushes] == [True, True]


async def test_what_the_buffer_did_not_take_is_not_confirmed_and_is_new_when_it_comes_again() -> None:
    buffer = ListBuffer()
    buffer.refuses = BufferFull("no space left")
    push, again = _says(21.0, time_us=7), _says(21.0, time_us=7)
    source = FaultySource([[push], 100], [[again], 100])
    running = asyncio.create_task(_run_for(30, source, buffer))
    await asyncio.sleep(0.01)
    buffer.refuses = None
    await running
    assert (push.confirmed, again.confirmed) == (False, True)
    assert buffer.of("room/temperature") == [21.0]


async def test_a_message_that_comes_again_is_confirmed_and_no_new_reading() -> None:
    buffer = ListBuffer()
    again = _says(21.0, time_us=7)
    await _run_for(5, FaultySource([[_says(21.0, time_us=7)], 1, [again], 100]), buffer)
    assert buffer.of("room/temperature") == [21.0]
    assert again.confirmed


async def test_a_message_that_was_not_understood_is_confirmed_counted_and_said_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    buffer = ListBuffer()
    refused = [ListPush("room", [], ["value is no number"]) for _ in range(3)]
    await _run_for(5, FaultySource([refused, [_says(21.0)], [ListPush("room", [], ["is no JSON"])], 100]), buffer)
    assert [push.confirmed for push in refused] == [True] * 3
    assert caplog.messages == ["message not understood: value is no number", "message not understood: is no JSON"]


async def test_a_device_is_silent_after_three_periods_without_a_message() -> None:
    buffer = ListBuffer()
    await _run_for(100, FaultySource([[_says(21.0)], 20, [_says(22.0)], 40, [_says(23.0)], 100]), buffer)
    online = [(row.value, round(row.mono_us / 1e6)) for row in buffer.rows if row.point == "room/online"]
    assert online == [(1, 0), (0, 50), (1, 60), (0, 90)]


async def test_a_device_that_was_never_heard_is_silent_after_three_periods() -> None:
    buffer = ListBuffer()
    await _run_for(100, FaultySource([[_says(21.0)], 200]), buffer)
    assert buffer.of("cellar/online") == [0]


async def test_a_device_that_speaks_only_when_something_happens_may_be_silent() -> None:
    buffer = ListBuffer()
    await _run_for(1_000, FaultySource([[_says(21.0)], 2_000]), buffer, period_s=0)
    assert (buffer.of("room/online"), buffer.of("cellar/online")) == ([1], [])


async def test_a_source_that_is_gone_silences_its_devices_and_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    buffer = ListBuffer()
    caplog.set_level(logging.INFO)
    source = FaultySource([[_says(21.0)], 1, _GONE], *[[_GONE]] * 5, [500])
    await _run_for(500, source, buffer, period_s=0)
    assert (buffer.of("room/online"), buffer.of("cellar/online")) == ([1, 0, 1], [0])
    said = [record.getMessage() for record in caplog.records if hasattr(record, "source")]
    assert said == ["source is gone: broker gone", "source is there again"]


async def test_a_source_is_sought_ever_more_rarely() -> None:
    source = FaultySource()
    await _run_for(3_600, source, ListBuffer())
    pauses = [later - earlier for earlier, later in zip(source.connected_at, source.connected_at[1:], strict=False)]
    assert pauses[0] <= 1
    assert 20 < sum(pauses[-50:]) / 50 < 40, "full jitter below a minute"


async def test_a_source_that_comes_back_at_once_silences_nobody() -> None:
    buffer = ListBuffer()
    await _run_for(60, FaultySource([[_says(21.0)], 1, _GONE], [500]), buffer, period_s=0)
    assert buffer.of("room/online") == [1]
