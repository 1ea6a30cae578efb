import logging
import sqlite3
from pathlib import Path

import pytest

from edge.buffer.buffer import Buffer, Opened
from edge.buffer.store import Flow, Store
from edge.errors import BufferUnusable
from tests.edge.buffer.clocks import HandClock
from tests.edge.buffer.stores import OFFSET_US, lost, register


async def _filled(path: Path, hand: HandClock, commits: int = 50) -> str:
    async with await Buffer.open(path, clock=hand) as buffer:
        await buffer.learn_offset(OFFSET_US)
        for seed in range(commits):
            await buffer.append([register(hash((seed, at)) / 7, hand.mono_us) for at in range(300)])
        return buffer.store_id


def _files(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def _overwrite_from_page(path: Path, page: int) -> None:
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(4_096 * page)
        file.write(b"\xff" * (size - 4_096 * page))


def _cut_in_half(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)


async def test_a_file_that_is_no_database_is_put_aside_and_a_new_store_begins(
    path: Path, hand: HandClock, caplog: pytest.LogCaptureFixture
) -> None:
    _write(path, b"this was a buffer once" * 500)
    async with await Buffer.open(path, clock=hand) as buffer:
        assert buffer.opened is Opened.REPLACED_CORRUPT
        await buffer.append([register(1.0, 0)])
    (aside,) = path.parent.glob("buffer.db.corrupt-*")
    assert aside.read_bytes() == b"this was a buffer once" * 500
    assert [record.levelno for record in caplog.records if "put aside" in record.message] == [logging.ERROR]


async def test_a_second_damaged_file_does_not_overwrite_the_first(path: Path, hand: HandClock) -> None:
    for content in (b"first" * 500, b"second" * 500):
        _write(path, content)
        async with await Buffer.open(path, clock=hand):
            pass
    assert len(list(path.parent.glob("buffer.db.corrupt-*"))) == 2


async def test_damage_that_shows_while_running_is_put_aside_and_the_append_goes_to_the_new_store(
    path: Path, hand: HandClock
) -> None:
    store_id = await _filled(path, hand)
    _overwrite_from_page(path, 4)
    async with await Buffer.open(path, clock=hand) as buffer:
        await buffer.append([register(1.0, hand.mono_us)])
        assert buffer.opened is Opened.REPLACED_CORRUPT
        assert buffer.store_id != store_id
        assert buffer.head == 1
    assert len(list(path.parent.glob("buffer.db.corrupt-*"))) == 1


async def test_a_file_cut_short_is_put_aside(path: Path, hand: HandClock) -> None:
    await _filled(path, hand)
    _cut_in_half(path)
    async with await Buffer.open(path, clock=hand) as buffer:
        await buffer.append([register(1.0, hand.mono_us)])
        assert buffer.opened is Opened.REPLACED_CORRUPT


async def test_an_empty_file_is_a_new_store(path: Path, hand: HandClock) -> None:
    _write(path, b"")
    async with await Buffer.open(path, clock=hand) as buffer:
        await buffer.append([register(1.0, hand.mono_us)])
        assert (buffer.opened, buffer.head) == (Opened.FRESH, 1)


def test_a_damaged_chunk_costs_its_own_rows_and_their_loss_is_declared(
    store: Store, hand: HandClock, caplog: pytest.LogCaptureFixture
) -> None:
    store.learn_offset(OFFSET_US)
    for value in (1.0, 2.0, 3.0):
        store.commit([register(value, hand.mono_us)])
    (packed,) = store._connection.execute("SELECT packed FROM chunks WHERE first_seq = 2").fetchone()
    store._connection.execute("UPDATE chunks SET packed = ? WHERE first_seq = 2", (packed[:-1] + b"\xff",))
    drawn = store.draw(Flow.LIVE, 10)
    assert drawn
    assert (drawn.batch.rows.ranges, drawn.batch.rows.value) == ([(1, 1), (3, 3)], [1.0, 3.0])
    backlog = store.draw(Flow.BACKLOG, 10)
    assert lost(backlog.batch if backlog else None) == [(2, 2)]
    assert "are damaged and lost" in caplog.text


async def test_a_file_of_a_newer_version_is_refused_and_left_alone(path: Path, hand: HandClock) -> None:
    await _filled(path, hand, 1)
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(BufferUnusable, match="schema version 99 was made by a newer gatehouse-edge"):
        await Buffer.open(path, clock=hand)
    assert [file.name for file in _files(path.parent)] == ["buffer.db"]
