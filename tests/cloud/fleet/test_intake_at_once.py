"""Batches that come at once, and what is left when the taking of one is cut off."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import select

from cloud.core.database import Database, Routes
from cloud.fleet.domain import Reading, SeriesRow
from cloud.fleet.intake import Intake
from cloud.fleet.series import SeriesStore
from cloud.fleet.series_sql import SqlSeries
from cloud.fleet.tables import StoreRow
from protocols.wire import Batch, BatchTaken, SetAside
from tests.clocks import FixedClock
from tests.cloud.fleet.boxes import Yard, batch
from tests.cloud.fleet.taken import events_of, newest_values, watch

_T = "probe/temperature"
_H = "probe/humidity"
_ALL = {"start_us": 0, "end_us": 2**61}


@pytest.fixture
def routes() -> Routes:
    kinds = ("readings_taken", "rows_conflicted", "rows_lost")
    return {f"fleet.{kind}": ("alarms",) for kind in kinds}


async def test_batches_of_many_boxes_at_once_are_each_answered_with_their_own(
    taker: Intake, store: SeriesStore, yard: Yard, neighbour: Yard, now_us: int
) -> None:
    def sent(number: int) -> Batch:
        return batch([(number, number)], [(_T, now_us + number, float(number))], head=40)

    mixed = [(box, number) for number in range(1, 31) for box in (yard, neighbour)]
    answers = await asyncio.gather(*(taker.take(box.box.identity, sent(number)) for box, number in mixed))
    assert all(contains_number(answer, number) for answer, (_, number) in zip(answers, mixed, strict=True))
    for box in (yard, neighbour):
        assert (await taker.take(box.box.identity, batch([], [], head=40))).held == [(1, 30)]
        assert len(await store.read(box.points[_T], **_ALL)) == 30


def contains_number(answer: BatchTaken, number: int) -> bool:
    return any(first <= number <= last for first, last in answer.held)


async def test_one_store_in_two_batches_at_once_counts_each_row_once(
    database: Database, clock: FixedClock, taker: Intake, yard: Yard, now_us: int
) -> None:
    await watch(database, clock, yard, _T)
    rows = [(_T, now_us + step, float(step)) for step in range(6)]
    await asyncio.gather(
        *(taker.take(yard.box.identity, batch([(1, 6)], rows)) for _ in range(5)),
        taker.take(yard.box.identity, batch([(3, 6)], rows[2:])),
    )
    handed_on = [row for _, said in await events_of(database) for row in said["rows"]]
    assert sorted(handed_on) == [[yard.points[_T], now_us + step, float(step), 0] for step in range(6)]


class CutOff(SqlSeries):
    """A fake fault: the process ends when the rows are durable and nothing else is."""

    cut = False

    async def append(self, rows: Sequence[SeriesRow]) -> list[int]:
        clashes = await super().append(rows)
        if self.cut:
            raise asyncio.CancelledError
        return clashes


async def test_a_crash_between_the_series_and_the_ledger_loses_nothing_and_doubles_nothing(
    database: Database, clock: FixedClock, yard: Yard, now_us: int, tmp_path: Any
) -> None:
    store = CutOff(f"sqlite+aiosqlite:///{tmp_path / 'cut.db'}")
    await store.prepare()
    await watch(database, clock, yard, _T)
    sent = batch([(1, 3)], [(_T, now_us, 1.0), (_T, now_us, 2.0), (_H, now_us, 40.0)])
    store.cut = True
    with pytest.raises(asyncio.CancelledError):
        await Intake(database, store, clock).take(yard.box.identity, sent)
    assert (await newest_values(database, yard), await events_of(database)) == ({}, [])
    store.cut = False
    taken = await Intake(database, store, clock).take(yard.box.identity, sent)
    assert (taken.held, taken.set_aside) == ([(1, 3)], [SetAside(seq=2, reason="conflict")])
    assert await store.read(yard.points[_T], **_ALL) == [Reading(time_us=now_us, value=1.0)]
    assert [kind for kind, _ in await events_of(database)] == ["fleet.rows_conflicted", "fleet.readings_taken"]
    assert (await newest_values(database, yard))[_T] == Reading(time_us=now_us, value=1.0)
    await store.close()


async def test_a_transaction_that_fails_leaves_no_half_of_it(
    database: Database, taker: Intake, clock: FixedClock, yard: Yard, now_us: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    await watch(database, clock, yard, _T)

    async def refuse(*_arguments: object, **_named: object) -> None:
        raise RuntimeError("the disk is full")

    sent = batch([(1, 1)], [(_T, now_us, 1.0)])
    with monkeypatch.context() as patched:
        patched.setattr("cloud.fleet.entering.replace_older", refuse)
        with pytest.raises(RuntimeError):
            await taker.take(yard.box.identity, sent)
    async with database.reading() as session:
        assert (await session.scalars(select(StoreRow))).all() == []
    assert (await taker.take(yard.box.identity, sent)).held == [(1, 1)]
    assert len(await events_of(database)) == 1


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_workers_that_take_one_store_at_once_count_each_row_once(
    database: Database,
    database_url: str,
    routes: Routes,
    store: SeriesStore,
    clock: FixedClock,
    yard: Yard,
    now_us: int,
) -> None:
    await watch(database, clock, yard, _T)
    others = [Database(database_url, routes=routes) for _ in range(3)]
    workers = [Intake(each, store, clock) for each in (database, *others)]
    rows = [(_T, now_us + step, float(step)) for step in range(40)]
    sent = [batch([(first, first + 9)], rows[first - 1 : first + 9], head=40) for first in range(1, 32, 3)]
    await asyncio.gather(*(worker.take(yard.box.identity, part) for part in sent for worker in workers))
    answer = await workers[0].take(yard.box.identity, batch([], [], head=40))
    assert (answer.held, answer.set_aside) == ([(1, 40)], [])
    handed_on = [row for _, said in await events_of(database) for row in said["rows"]]
    assert sorted(handed_on) == [[yard.points[_T], now_us + step, float(step), 0] for step in range(40)]
    for each in others:
        await each.close()
