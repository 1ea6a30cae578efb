from math import nan

import msgspec
import pytest
from sqlalchemy import select

from cloud.core.database import Database, Routes
from cloud.core.errors import Malformed, NotSignedIn, Refused
from cloud.fleet import boxes, intake, service
from cloud.fleet.domain import Reading
from cloud.fleet.intake import Intake
from cloud.fleet.series import SeriesStore
from cloud.fleet.tables import SetAsideRow, StoreRow
from protocols.wire import BatchTaken, SetAside
from tests.clocks import FixedClock
from tests.cloud.fleet.boxes import STORE, Yard, batch, device, list_devices
from tests.cloud.fleet.taken import events_of, newest_values, watch

_T = "probe/temperature"
_H = "probe/humidity"
_ALL = {"start_us": 0, "end_us": 2**61}
_OTHER_STORE = "f" * 32


@pytest.fixture
def routes() -> Routes:
    kinds = ("readings_taken", "rows_conflicted", "rows_lost")
    return {f"fleet.{kind}": ("alarms",) for kind in kinds}


async def test_a_batch_is_in_the_series_and_held(
    taker: Intake, store: SeriesStore, clock: FixedClock, yard: Yard, now_us: int
) -> None:
    sent = batch([(1, 3)], [(_T, now_us - 2, 21.5), (_H, now_us - 2, 40.0), (_T, now_us, 21.75)], flags=[0, 2, 4])
    assert await taker.take(yard.box.identity, sent) == BatchTaken(v=1, store=STORE, held=[(1, 3)], time_us=now_us)
    assert await store.read(yard.points[_T], **_ALL) == [
        Reading(time_us=now_us - 2, value=21.5, flags=0),
        Reading(time_us=now_us, value=21.75, flags=4),
    ]
    assert await store.read(yard.points[_H], **_ALL) == [Reading(time_us=now_us - 2, value=40.0, flags=2)]


async def test_live_rows_and_backlog_wait_for_nobody(taker: Intake, yard: Yard, now_us: int) -> None:
    live = await taker.take(yard.box.identity, batch([(8, 9)], [(_T, now_us - 1, 1.0), (_T, now_us, 2.0)], pending=7))
    assert live.held == [(8, 9)]
    backlog = await taker.take(
        yard.box.identity, batch([(1, 2)], [(_T, now_us - 9, 3.0), (_T, now_us - 8, 4.0)], head=9)
    )
    assert backlog.held == [(1, 2), (8, 9)]
    rest = batch([(3, 7)], [(_T, now_us - 7 + step, 5.0) for step in range(5)], head=9)
    assert (await taker.take(yard.box.identity, rest)).held == [(1, 9)]


async def test_a_batch_without_rows_tells_what_is_held(taker: Intake, yard: Yard, now_us: int) -> None:
    await taker.take(yard.box.identity, batch([(1, 1)], [(_T, now_us, 1.0)]))
    assert (await taker.take(yard.box.identity, batch([], [], head=1))).held == [(1, 1)]


async def test_each_store_has_a_ledger_of_its_own(taker: Intake, yard: Yard, now_us: int) -> None:
    await taker.take(yard.box.identity, batch([(1, 1)], [(_T, now_us, 1.0)]))
    other = await taker.take(yard.box.identity, batch([(5, 5)], [(_T, now_us + 1, 1.0)], store=_OTHER_STORE))
    assert (other.store, other.held) == (_OTHER_STORE, [(5, 5)])


async def test_two_boxes_with_one_store_are_kept_apart(taker: Intake, yard: Yard, neighbour: Yard, now_us: int) -> None:
    await taker.take(yard.box.identity, batch([(1, 1)], [(_T, now_us, 1.0)]))
    theirs = await taker.take(neighbour.box.identity, batch([(2, 2)], [(_T, now_us, 2.0)]))
    assert theirs.held == [(2, 2)]


async def test_the_newest_value_of_a_point_is_kept_whatever_comes_later(
    database: Database, taker: Intake, yard: Yard, now_us: int
) -> None:
    await taker.take(yard.box.identity, batch([(5, 6)], [(_T, now_us, 3.0), (_T, now_us - 5, 2.0)]))
    await taker.take(yard.box.identity, batch([(1, 2)], [(_T, now_us - 9, 1.0), (_H, now_us - 9, 40.0)], head=6))
    assert await newest_values(database, yard) == {
        _T: Reading(time_us=now_us, value=3.0),
        _H: Reading(time_us=now_us - 9, value=40.0),
    }


async def test_the_same_batch_again_changes_nothing_and_is_answered_the_same(
    database: Database, clock: FixedClock, taker: Intake, yard: Yard, now_us: int
) -> None:
    await watch(database, clock, yard, _T)
    sent = batch([(1, 3)], [(_T, now_us, 1.0), ("probe/gone", now_us, 2.0), (_H, now_us, nan)], lost=[(4, 4)])
    first = await taker.take(yard.box.identity, sent)
    said = await events_of(database)
    assert await taker.take(yard.box.identity, sent) == first
    assert await events_of(database) == said
    async with database.reading() as session:
        assert len((await session.scalars(select(SetAsideRow))).all()) == 2


async def test_rows_that_cant_be_taken_are_set_aside_as_they_came_and_count_as_held(
    database: Database, taker: Intake, yard: Yard, now_us: int
) -> None:
    sent = batch(
        [(11, 12), (20, 22)],
        [("x/y", now_us, 1.5), (_T, now_us, nan), (_T, 2**62, 2.5), (_T, 0, 3.5), (_H, now_us, 40.0)],
        flags=[1, 0, 0, 0, 0],
    )
    taken = await taker.take(yard.box.identity, sent)
    assert taken.held == [(11, 12), (20, 22)]
    assert taken.set_aside == [
        SetAside(seq=11, reason="unknown_point"),
        SetAside(seq=12, reason="not_a_number"),
        SetAside(seq=20, reason="far_future"),
        SetAside(seq=21, reason="far_past"),
    ]
    async with database.reading() as session:
        rows = (await session.scalars(select(SetAsideRow).order_by(SetAsideRow.seq))).all()
    assert [(row.point_key, row.time_us, row.value, row.flags) for row in rows] == [
        ("x/y", now_us, "1.5", 1),
        (_T, now_us, "nan", 0),
        (_T, 2**62, "2.5", 0),
        (_T, 0, "3.5", 0),
    ]
    assert list(await newest_values(database, yard)) == [_H]


async def test_a_row_set_aside_as_unknown_is_not_taken_when_its_point_is_known_later(
    database: Database, clock: FixedClock, taker: Intake, store: SeriesStore, yard: Yard, now_us: int
) -> None:
    sent = batch([(1, 1)], [("probe/pressure", now_us, 1.0)])
    first = await taker.take(yard.box.identity, sent)
    await list_devices(database, clock, yard.box, device("probe", "temperature", "humidity", "pressure"))
    assert await taker.take(yard.box.identity, sent) == first
    assert await events_of(database) == []


async def test_a_point_is_known_from_the_inventory_on(
    database: Database, clock: FixedClock, taker: Intake, yard: Yard, now_us: int
) -> None:
    await taker.take(yard.box.identity, batch([(1, 1)], [(_T, now_us, 1.0)]))
    await list_devices(database, clock, yard.box, device("probe", "temperature", "humidity", "pressure"))
    taken = await taker.take(yard.box.identity, batch([(2, 2)], [("probe/pressure", now_us, 1.0)]))
    assert taken.set_aside == []


async def test_rows_of_a_device_that_is_gone_are_taken(
    database: Database, clock: FixedClock, taker: Intake, yard: Yard, now_us: int
) -> None:
    await list_devices(database, clock, yard.box)
    taken = await taker.take(yard.box.identity, batch([(1, 1)], [(_T, now_us - 60_000_000, 1.0)]))
    assert (taken.held, taken.set_aside) == ([(1, 1)], [])


async def test_another_value_for_a_held_instant_is_a_conflict_and_an_event(
    database: Database, taker: Intake, store: SeriesStore, yard: Yard, now_us: int
) -> None:
    await taker.take(yard.box.identity, batch([(1, 1)], [(_T, now_us, 1.0)]))
    sent = batch([(2, 4)], [(_H, now_us, 40.0), (_T, now_us, 2.0), (_T, now_us, 1.0)])
    taken = await taker.take(yard.box.identity, sent)
    assert (taken.held, taken.set_aside) == ([(1, 4)], [SetAside(seq=3, reason="conflict")])
    assert await store.read(yard.points[_T], **_ALL) == [Reading(time_us=now_us, value=1.0)]
    conflict = ("fleet.rows_conflicted", {"store": STORE, "seqs": [3]})
    assert await events_of(database) == [conflict]
    assert await taker.take(yard.box.identity, sent) == taken
    assert await events_of(database) == [conflict]


@pytest.mark.parametrize(
    "other",
    [(_T, 0, 2.0, 0), (_T, 0, 1.0, 1), (_T, 7, 1.0, 0), (_H, 0, 1.0, 0), ("x/y", 0, 1.0, 0), (_T, 0, nan, 0)],
    ids=["value", "flags", "instant", "point", "unknown point", "no number"],
)
async def test_a_held_number_that_comes_with_other_content_is_kept_aside_and_told(
    database: Database,
    taker: Intake,
    store: SeriesStore,
    yard: Yard,
    now_us: int,
    other: tuple[str, int, float, int],
) -> None:
    await taker.take(yard.box.identity, batch([(1, 2)], [(_T, now_us - 9, 1.0), (_H, now_us, 40.0)]))
    before = await store.read(yard.points[_T], **_ALL), await newest_values(database, yard)
    key, later_us, value, flags = other
    row = (key, now_us - 9 + later_us, value)
    taken = await taker.take(yard.box.identity, batch([(1, 1)], [row], flags=[flags], head=2))
    assert (taken.held, taken.set_aside) == ([(1, 2)], [SetAside(seq=1, reason="conflict")])
    assert (await store.read(yard.points[_T], **_ALL), await newest_values(database, yard)) == before
    assert await events_of(database) == [("fleet.rows_conflicted", {"store": STORE, "seqs": [1]})]


async def test_what_a_box_lost_is_told_once(database: Database, taker: Intake, yard: Yard, now_us: int) -> None:
    await taker.take(yard.box.identity, batch([(1, 1)], [(_T, now_us, 1.0)]))
    await taker.take(yard.box.identity, batch([], [], lost=[(1, 5)], head=9))
    await taker.take(yard.box.identity, batch([], [], lost=[(2, 7)], head=9))
    await taker.take(yard.box.identity, batch([], [], lost=[(2, 7)], head=9))
    assert await events_of(database) == [
        ("fleet.rows_lost", {"store": STORE, "ranges": [[2, 5]]}),
        ("fleet.rows_lost", {"store": STORE, "ranges": [[6, 7]]}),
    ]


async def test_watched_rows_are_handed_on_and_no_others(
    database: Database, clock: FixedClock, taker: Intake, yard: Yard, now_us: int
) -> None:
    await watch(database, clock, yard, _T)
    sent = batch([(1, 3)], [(_T, now_us - 1, 1.0), (_H, now_us, 40.0), (_T, now_us, nan)], pending=5)
    await taker.take(yard.box.identity, sent)
    rows = [[yard.points[_T], now_us - 1, 1.0, 0]]
    assert await events_of(database) == [("fleet.readings_taken", {"rows": rows, "pending": 5})]


async def test_a_point_is_watched_from_the_next_batch_on(
    database: Database, clock: FixedClock, taker: Intake, yard: Yard, now_us: int
) -> None:
    await taker.take(yard.box.identity, batch([(1, 1)], [(_T, now_us - 1, 1.0)]))
    await watch(database, clock, yard, _T)
    await taker.take(yard.box.identity, batch([(2, 2)], [(_T, now_us, 2.0)]))
    assert [said["rows"] for _, said in await events_of(database)] == [[[yard.points[_T], now_us, 2.0, 0]]]


async def test_a_store_that_has_caught_up_says_so_once_even_without_watched_rows(
    database: Database, taker: Intake, yard: Yard, now_us: int
) -> None:
    for number, pending in enumerate((2, 1, 0, 0), start=1):
        await taker.take(yard.box.identity, batch([(number, number)], [(_H, now_us + number, 1.0)], pending=pending))
    assert await events_of(database) == [("fleet.readings_taken", {"rows": [], "pending": 0})]


async def test_a_forged_batch_changes_nothing(database: Database, taker: Intake, yard: Yard, now_us: int) -> None:
    forged = msgspec.structs.replace(batch([(1, 1)], [(_T, now_us, 1.0)]), head=2**62)
    with pytest.raises(Malformed):
        await taker.take(yard.box.identity, forged)
    async with database.reading() as session:
        assert (await session.scalars(select(StoreRow))).all() == []


async def test_a_number_as_large_as_it_may_be_costs_no_more_than_another(
    taker: Intake, yard: Yard, now_us: int
) -> None:
    far = 2**62 - 1
    taken = await taker.take(yard.box.identity, batch([(1, 1), (far, far)], [(_T, now_us, 1.0), (_H, now_us, 1.0)]))
    assert taken.held == [(1, 1), (far, far)]


async def test_numbers_in_too_many_pieces_are_refused_before_anything_is_written(
    database: Database, taker: Intake, store: SeriesStore, yard: Yard, now_us: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "MAXIMUM_RANGES", 3)
    await taker.take(yard.box.identity, batch([(1, 1), (3, 3)], [(_T, now_us, 1.0), (_H, now_us, 1.0)]))
    rows = [(_T, now_us + step, 1.0) for step in (1, 2)]
    with pytest.raises(Refused, match="more than 3 pieces"):
        await taker.take(yard.box.identity, batch([(5, 5), (7, 7)], rows))
    assert len(await store.read(yard.points[_T], **_ALL)) == 1
    assert (await taker.take(yard.box.identity, batch([(2, 2), (5, 5)], rows))).held == [(1, 3), (5, 5)]


async def test_a_box_that_was_shown_out_changes_nothing(
    database: Database, clock: FixedClock, taker: Intake, store: SeriesStore, yard: Yard, now_us: int
) -> None:
    async with database.transaction() as session:
        await boxes.revoke(session, clock, yard.administrator, box_id=yard.box.identity.box_id)
    with pytest.raises(NotSignedIn):
        await taker.take(yard.box.identity, batch([(1, 1)], [(_T, now_us, 1.0)]))
    assert await store.read(yard.points[_T], **_ALL) == []


async def test_a_late_device_is_known_by_its_own_timestamps(
    database: Database, taker: Intake, yard: Yard, now_us: int
) -> None:
    year_us = 365 * 86_400_000_000
    await taker.take(yard.box.identity, batch([(1, 2)], [(_H, now_us, 1.0), (_T, now_us - year_us, 1.0)]))
    await taker.take(yard.box.identity, batch([(3, 4)], [(_H, now_us + 1, 1.0), (_T, now_us - year_us // 2, 1.0)]))
    async with database.reading() as session:
        found = {point.key: point.late_us for point in await service.points(session, yard.administrator)}
    assert found == {_T: year_us, _H: 0}


async def test_a_recording_of_2011_is_taken(taker: Intake, yard: Yard) -> None:
    taken = await taker.take(yard.box.identity, batch([(1, 1)], [(_T, 1_322_200_800_000_000, 0.98)]))
    assert taken.set_aside == []
