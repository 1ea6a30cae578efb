import time as stopwatch
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.buffer.buffer import Buffer
from edge.clock import SystemClock
from edge.sync.uploader import Uploader
from tests.edge.sync.faulty_cloud import FaultyCloud
from tests.edge.sync.uploads import at_work, counted, everything_held, rows


@pytest.fixture
async def backlog(tmp_path: Path) -> None:
    """A thousand rows that a box before this one left in the buffer's file; they are no longer live."""
    async with await Buffer.open(tmp_path / "buffer.db", clock=SystemClock()) as earlier:
        await earlier.append(rows(1_000))


@pytest.fixture
async def buffer(backlog: None, buffer: Buffer) -> Buffer:
    """The buffer, opened over the backlog."""
    return buffer


async def test_live_rows_leave_before_the_next_batch_of_a_backlog(
    make: Callable[..., Uploader], faulty: FaultyCloud, buffer: Buffer
) -> None:
    faulty.watched = ["meter/alarm"]
    buffer.watch(frozenset(faulty.watched))
    faulty.delay_s = 5.0  # and so long the backlog leaves the line free after its first batch
    async with at_work(make(batch_rows=50)):
        await faulty.until(lambda: bool(faulty.batches))
        faulty.delay_s = 0.0
        seen = len(faulty.batches)
        await buffer.append(rows(1, first=9_999, point="meter/alarm"))
        await faulty.until(lambda: 9_999.0 in faulty.values())
    assert [batch.rows.ranges for batch in faulty.batches[seen:]] == [[(1_001, 1_001)]]
    assert faulty.batches[-1].pending >= 800


async def test_a_backlog_leaves_in_order_and_keeps_to_its_rate(
    make: Callable[..., Uploader], faulty: FaultyCloud, buffer: Buffer
) -> None:
    async with at_work(make(batch_rows=100, backlog_rows_per_s=1_000)):
        begun_s = stopwatch.perf_counter()
        await everything_held(buffer)
    assert stopwatch.perf_counter() - begun_s >= 0.85
    firsts = [batch.rows.ranges[0][0] for batch in faulty.batches]
    assert firsts == list(range(1, 1_001, 100))


async def test_a_slow_line_is_left_free_as_long_as_it_was_used(
    make: Callable[..., Uploader], faulty: FaultyCloud, buffer: Buffer
) -> None:
    faulty.delay_s = 0.1
    async with at_work(make(batch_rows=500)):
        begun_s = stopwatch.perf_counter()
        await everything_held(buffer)
    assert stopwatch.perf_counter() - begun_s >= 0.3


async def test_a_cloud_that_was_restored_is_filled_again(
    make: Callable[..., Uploader], faulty: FaultyCloud, buffer: Buffer
) -> None:
    async with at_work(make()):
        await everything_held(buffer)
        for seq in range(400, 1_001):
            del faulty.kept[buffer.store_id][seq]
        await buffer.hold(faulty.held(buffer.store_id), store_id=buffer.store_id)
        await everything_held(buffer)
    assert faulty.values() == counted(1_000)
