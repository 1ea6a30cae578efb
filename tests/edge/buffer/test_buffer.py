import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from edge.buffer.buffer import WAITING_ROWS, Buffer, Opened
from edge.buffer.rows import Row
from edge.buffer.store import Flow, Store
from edge.errors import BufferUnusable
from protocols.readings import RowClass
from tests.edge.buffer.clocks import HandClock
from tests.edge.buffer.stores import OFFSET_US, register, sample


@pytest.fixture
async def buffer(path: Path, hand: HandClock) -> AsyncIterator[Buffer]:
    async with await Buffer.open(path, clock=hand, gather_s=0.05, gather_watched_s=0.01) as buffer:
        yield buffer


async def _values(buffer: Buffer) -> list[float]:
    await buffer.learn_offset(OFFSET_US)
    drawn = await buffer.draw(Flow.LIVE, max_rows=1_000)
    return list(drawn.batch.rows.value) if drawn else []


async def test_registers_are_durable_when_append_returns(buffer: Buffer) -> None:
    await buffer.append([register(1.0, 0)])
    assert buffer.head == 1
    assert await _values(buffer) == [1.0]


async def test_samples_are_committed_together_and_each_append_returns_then(buffer: Buffer) -> None:
    appends = [asyncio.create_task(buffer.append([sample(float(at), 0)])) for at in range(5)]
    await asyncio.sleep(0)
    assert buffer.head == 0
    await asyncio.gather(*appends)
    assert buffer.head == 5


async def test_samples_that_nobody_waits_for_are_committed_with_their_second(buffer: Buffer) -> None:
    buffer.append_soon([sample(1.0, 0)])
    await buffer.append([sample(2.0, 0)])
    assert await _values(buffer) == [1.0, 2.0]


async def test_a_device_without_samples_hands_over_none_and_holds_nobody_up(buffer: Buffer) -> None:
    buffer.append_soon([])
    await asyncio.sleep(0.1)
    await buffer.append([register(1.0, 0)])
    assert await _values(buffer) == [1.0]


async def test_registers_do_not_wait_for_the_samples_they_came_with(path: Path, hand: HandClock) -> None:
    async with await Buffer.open(path, clock=hand, gather_s=30) as buffer:
        append = asyncio.create_task(buffer.append([sample(1.0, 0), register(2.0, 0)]))
        await asyncio.sleep(0)
        await buffer.append([register(3.0, 0)])
        assert await _values(buffer) == [2.0, 3.0]
        assert not append.done()
        append.cancel()


async def test_samples_of_a_source_that_waits_are_committed_at_once(path: Path, hand: HandClock) -> None:
    async with await Buffer.open(path, clock=hand, gather_s=30) as buffer:
        buffer.append_soon([sample(1.0, 0)])
        await asyncio.wait_for(buffer.append([sample(2.0, 0)], at_once=True), timeout=25)
        assert await _values(buffer) == [1.0, 2.0]


async def test_appends_of_one_turn_of_the_loop_share_a_commit(buffer: Buffer, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "edge.buffer"):
        await asyncio.gather(*(buffer.append([register(float(at), 0)]) for at in range(20)))
    assert [message.partition(" of")[0] for message in caplog.messages] == ["committed rows 1..20"]


async def test_no_rows_are_no_commit(buffer: Buffer) -> None:
    await buffer.append([])
    buffer.append_soon([])
    await buffer.append([register(1.0, 0)])
    assert buffer.head == 1


async def test_closing_commits_registers_that_were_just_appended(path: Path, hand: HandClock) -> None:
    async with await Buffer.open(path, clock=hand) as buffer:
        append = asyncio.create_task(buffer.append([register(1.0, 0)]))
        await asyncio.sleep(0)
    await append
    async with await Buffer.open(path, clock=hand) as buffer:
        assert buffer.head == 1


async def test_closing_commits_what_is_gathered(path: Path, hand: HandClock) -> None:
    async with await Buffer.open(path, clock=hand, gather_s=30) as buffer:
        buffer.append_soon([sample(1.0, 0)])
    async with await Buffer.open(path, clock=hand) as buffer:
        assert buffer.head == 1


async def test_closing_twice_is_safe(path: Path, hand: HandClock) -> None:
    buffer = await Buffer.open(path, clock=hand)
    await buffer.close()
    await buffer.close()


async def test_an_append_that_is_cancelled_leaves_its_rows_and_its_neighbours_alone(buffer: Buffer) -> None:
    cancelled = asyncio.create_task(buffer.append([sample(1.0, 0)]))
    waiting = asyncio.create_task(buffer.append([sample(2.0, 0)]))
    await asyncio.sleep(0)
    cancelled.cancel()
    await waiting
    assert await _values(buffer) == [1.0, 2.0]


async def test_a_commit_of_a_watched_point_is_told(buffer: Buffer) -> None:
    buffer.watch(frozenset({"meter/energy"}))
    await buffer.append([sample(1.0, 0)])
    assert not buffer.watched_committed.is_set()
    await buffer.append([register(1.0, 0)])
    assert buffer.watched_committed.is_set()


async def test_a_sample_of_a_watched_point_is_committed_sooner(path: Path, hand: HandClock) -> None:
    async with await Buffer.open(path, clock=hand, gather_s=30, gather_watched_s=0.01) as buffer:
        buffer.watch(frozenset({"meter/power"}))
        buffer.append_soon([Row("meter/voltage", RowClass.SAMPLE, 1.0, 0, 0, None)])
        await asyncio.wait_for(buffer.append([sample(2.0, 0)]), timeout=25)
        assert await _values(buffer) == [1.0, 2.0]


async def test_a_row_that_cannot_be_stored_harms_only_its_own_group(
    buffer: Buffer, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(Exception, match="required argument is not a float"):
        await buffer.append([register("broken", 0)])  # type: ignore[arg-type]
    await buffer.append([register(1.0, 0)])
    assert await _values(buffer) == [1.0]
    assert "rows could not be stored" in caplog.text


async def test_samples_that_memory_has_no_room_for_are_counted(buffer: Buffer) -> None:
    buffer.append_soon([sample(1.0, 0)] * WAITING_ROWS)
    buffer.append_soon([sample(2.0, 0)] * 3)
    assert buffer.samples_not_taken == 3


async def test_a_new_file_and_one_that_goes_on_are_told_apart(path: Path, hand: HandClock) -> None:
    async with await Buffer.open(path, clock=hand) as buffer:
        assert buffer.opened is Opened.FRESH
    async with await Buffer.open(path, clock=hand) as buffer:
        assert buffer.opened is Opened.RESUMED


async def test_a_file_that_another_holds_is_an_error_that_names_it(
    buffer: Buffer, path: Path, hand: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.buffer.database.BUSY_TIMEOUT_S", 0.05)
    with pytest.raises(BufferUnusable, match=r"buffer\.db.*another process may hold it"):
        await Buffer.open(path, clock=hand)


async def test_a_folder_that_is_not_there_is_an_error_that_names_it(tmp_path: Path, hand: HandClock) -> None:
    with pytest.raises(BufferUnusable, match=r"nowhere/buffer\.db.*check that the folder is there"):
        await Buffer.open(tmp_path / "nowhere" / "buffer.db", clock=hand)


async def test_the_offset_that_was_learnt_is_known_after_a_restart_in_the_same_boot(
    path: Path, hand: HandClock
) -> None:
    async with await Buffer.open(path, clock=hand) as buffer:
        assert buffer.offset_us is None
        await buffer.learn_offset(OFFSET_US)
        await buffer.append([register(1.0, 0)])
    async with await Buffer.open(path, clock=hand) as buffer:
        assert buffer.offset_us == OFFSET_US


async def test_the_event_loop_goes_on_while_rows_are_stored(buffer: Buffer, monkeypatch: pytest.MonkeyPatch) -> None:
    """400 meters of 34 points a second must not keep a gate waiting; `make bench` measures for how long they do."""
    turned = threading.Event()
    commit = Store.commit

    def slow_disk(store: Store, rows: Sequence[Row]) -> None:
        assert turned.wait(60), "the loop stood still until the commit was over"
        commit(store, rows)

    monkeypatch.setattr(Store, "commit", slow_disk)
    append = asyncio.create_task(buffer.append([register(1.0, 0)]))
    await asyncio.sleep(0.05)
    assert not append.done()
    turned.set()
    await append
    assert buffer.head == 1
