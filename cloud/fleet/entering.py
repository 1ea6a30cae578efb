"""The one transaction of some batches: their stores' entries, rows set aside, newest values, news."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import cast

from sqlalchemy import Table, bindparam, update
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.core.clock import Clock, to_us
from cloud.core.events import Event
from cloud.core.outbox import emit_all
from cloud.fleet.batches import numbers
from cloud.fleet.domain import ReadingsTaken, RowsConflicted, RowsLost, SeriesRow, SetAsideReason
from cloud.fleet.latest import keep_newest, replace_older
from cloud.fleet.receipts import OpenStore, StoreKey, add_asides, load_asides, open_stores, save
from cloud.fleet.received import Arrived, Outcome, receive
from cloud.fleet.tables import PointRow
from protocols.wire import WIRE_VERSION, BatchTaken

_POINTS = cast("Table", PointRow.__table__)
_BEHIND = (
    update(_POINTS)
    .where(_POINTS.c.id == bindparam("of"), _POINTS.c.late_us < bindparam("late"))
    .values(late_us=bindparam("late"))
)


async def enter(session: AsyncSession, clock: Clock, arrivals: Sequence[Arrived]) -> list[BatchTaken]:
    """Enter batches, in their order, into what is known of their stores, and return the answer to each."""
    now = clock.now()
    now_us = to_us(now)
    owners = {_key(arrived): arrived.box.organisation_id for arrived in arrivals}
    losing = {_key(arrived) for arrived in arrivals if arrived.batch.lost}
    stores = await open_stores(session, owners, losing=losing, now_us=now_us)
    await _load_asides(session, stores, arrivals)
    received = [(arrived, receive(stores[_key(arrived)], arrived)) for arrived in arrivals]
    await save(session, stores.values(), now_us=now_us)
    for arrived, outcome in received:
        if outcome.asides:
            await add_asides(session, stores[_key(arrived)], outcome.asides, box=arrived.box, now=now)
    await _keep_newest(session, received, now_us=now_us)
    await _note_lateness(session, arrivals)
    await emit_all(session, clock, [event for arrived, outcome in received for event in _news(arrived, outcome)])
    return [
        BatchTaken(
            v=WIRE_VERSION,
            store=arrived.batch.store,
            held=stores[_key(arrived)].held_numbers(),
            set_aside=outcome.set_aside,
            time_us=now_us,
        )
        for arrived, outcome in received
    ]


def _key(arrived: Arrived) -> StoreKey:
    return arrived.box.box_id, arrived.batch.store


async def _load_asides(
    session: AsyncSession, stores: Mapping[StoreKey, OpenStore], arrivals: Sequence[Arrived]
) -> None:
    wanted: defaultdict[StoreKey, set[int]] = defaultdict(set)
    for arrived in arrivals:
        if arrived.doubtful:
            wanted[_key(arrived)].update(numbers(arrived.batch.rows.ranges, sorted(arrived.doubtful)))
    for key, seqs in wanted.items():
        stores[key].asides = await load_asides(session, stores[key].id, seqs)


async def _keep_newest(session: AsyncSession, received: Sequence[tuple[Arrived, Outcome]], *, now_us: int) -> None:
    newest: dict[int, SeriesRow] = {}
    organisations: dict[int, int] = {}
    for arrived, outcome in received:
        keep_newest(newest, outcome.taken, by_time=arrived.sifted.is_by_time)
        organisations.update(dict.fromkeys((row[0] for row in outcome.taken), arrived.box.organisation_id))
    await replace_older(session, newest, organisations=organisations, received_us=now_us)


async def _note_lateness(session: AsyncSession, arrivals: Sequence[Arrived]) -> None:
    late = [
        {"of": point_id, "late": late_us}
        for arrived in arrivals
        for point_id, late_us in sorted(arrived.sifted.late_us.items())
    ]
    if late:
        await session.execute(_BEHIND, late)


def _news(arrived: Arrived, outcome: Outcome) -> Iterator[Event]:
    box = {"organisation_id": arrived.box.organisation_id, "box_id": arrived.box.box_id}
    conflicts = [aside.seq for aside in outcome.asides if aside.reason is SetAsideReason.CONFLICT]
    if conflicts:
        yield RowsConflicted(**box, store=arrived.batch.store, seqs=conflicts)
    if outcome.lost:
        yield RowsLost(**box, store=arrived.batch.store, ranges=outcome.lost)
    rows = [row for row in outcome.taken if row[0] in arrived.watched] if arrived.watched else []
    if rows or outcome.has_caught_up:
        yield ReadingsTaken(**box, rows=rows, pending=arrived.batch.pending)
