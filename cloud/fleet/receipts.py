"""The ledger's rows, read and written for many stores at a time."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, field
from datetime import datetime
from typing import cast

from sqlalchemy import Table, bindparam, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.core.database import hold
from cloud.core.principal import Principal
from cloud.fleet import bulk
from cloud.fleet.domain import BoxIdentity, SetAsideReason
from cloud.fleet.ledger import HeldRange, StoreHistory
from cloud.fleet.tables import HeldRangeRow, LostRangeRow, SetAsideRow, StoreRow
from protocols.ranges import Range

StoreKey = tuple[int, str]
"""A box's id, and the name that its buffer file has drawn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Aside:
    """A row that could not be taken, as it came; `value` is Python's repr, since no database keeps every NaN."""

    seq: int
    reason: SetAsideReason
    point_key: str
    time_us: int
    value: str
    flags: int

    @property
    def content(self) -> tuple[str, int, str, int]:
        """Return what makes two rows of one number the same row."""
        return self.point_key, self.time_us, self.value, self.flags


@dataclass(slots=True, kw_only=True)
class OpenStore:
    """A store's entry, locked for the transaction that changes it; `save` writes what has changed."""

    id: int
    head: int
    pending: int
    held: list[HeldRange]
    lost: list[Range]
    asides: dict[int, list[Aside]] = field(default_factory=dict)
    """What is set aside, by number; only of numbers that `load_asides` was asked for."""
    saved_held: Sequence[HeldRange] = ()
    saved_lost: Sequence[Range] = ()

    def held_numbers(self) -> list[Range]:
        """Return what is held, without times."""
        return [part.numbers for part in self.held]


_ASIDE_FIELDS = ("seq", "reason", "point_key", "time_us", "value", "flags")
_ASIDES = cast("Table", SetAsideRow.__table__)
_HELD = cast("Table", HeldRangeRow.__table__)
_LOST = cast("Table", LostRangeRow.__table__)
_STORES = cast("Table", StoreRow.__table__)

# Built once: building a statement costs more than running it.
_ADD_ASIDES = insert(_ASIDES)
_ADD_STORE = insert(_STORES)
_ADD_LOST = insert(_LOST)
_DROP_HELD = delete(_HELD).where(_HELD.c.store_id == bindparam("of"), _HELD.c.first == bindparam("at"))
_DROP_LOST = delete(_LOST).where(_LOST.c.store_id == bindparam("of"), _LOST.c.first == bindparam("at"))
_KEY = ("bigint", "text")
_LOCK_STORES = """
    WITH wanted (box_id, store) AS ({source})
    SELECT box_stores.id FROM (SELECT DISTINCT box_id, store FROM wanted) AS one CROSS JOIN box_stores
    WHERE box_stores.box_id = one.box_id AND box_stores.store = one.store
    ORDER BY box_stores.id FOR UPDATE OF box_stores"""
_FIND_STORES = """
    WITH wanted (box_id, store) AS ({source})
    SELECT box_stores.box_id, box_stores.store, box_stores.id, head, pending,
        held_ranges.first, held_ranges.last, first_us, last_us
    FROM (SELECT DISTINCT box_id, store FROM wanted) AS one CROSS JOIN box_stores
    LEFT JOIN held_ranges ON held_ranges.store_id = box_stores.id
    WHERE box_stores.box_id = one.box_id AND box_stores.store = one.store
    ORDER BY box_stores.id, held_ranges.first"""
_TELL_STORES = """
    WITH told (id, head, pending, now_us) AS ({source})
    UPDATE box_stores SET head = told.head, head_us = now_us, pending = told.pending, last_batch_us = now_us
    FROM told WHERE box_stores.id = told.id"""
_PUT_HELD = """
    INSERT INTO held_ranges (store_id, first, last, first_us, last_us) {source}
    ON CONFLICT (store_id, first) DO UPDATE SET last = excluded.last, last_us = excluded.last_us"""


async def histories(session: AsyncSession, principal: Principal, *, box_id: int) -> list[StoreHistory]:
    """Return all that is known of a box's stores, the oldest first."""
    ours = (StoreRow.organisation_id == principal.organisation_id, StoreRow.box_id == box_id)
    stores = (await session.scalars(select(StoreRow).where(*ours).order_by(StoreRow.first_batch_us, StoreRow.id))).all()
    ids = [store.id for store in stores]
    held = await held_ranges(session, ids)
    lost = await lost_ranges(session, ids)
    return [
        StoreHistory(
            held=held[store.id],
            lost=lost[store.id],
            head=store.head,
            head_us=store.head_us,
            began_us=store.first_batch_us,
        )
        for store in stores
    ]


async def held_ranges(session: AsyncSession, store_ids: Collection[int]) -> defaultdict[int, list[HeldRange]]:
    """Return what is held by store id, in order; an unknown store holds nothing."""
    # any organisation: the ids were found in the principal's own
    chosen = select(*_HELD.c).where(_HELD.c.store_id.in_(store_ids)).order_by(_HELD.c.store_id, _HELD.c.first)
    held: defaultdict[int, list[HeldRange]] = defaultdict(list)
    for row in await session.execute(chosen):
        held[row.store_id].append(HeldRange(row.first, row.last, row.first_us, row.last_us))
    return held


async def lost_ranges(session: AsyncSession, store_ids: Collection[int]) -> defaultdict[int, list[Range]]:
    """Return what was declared lost by store id, in order; an unknown store lost nothing."""
    # any organisation: the ids were found in the principal's own
    chosen = select(*_LOST.c).where(_LOST.c.store_id.in_(store_ids)).order_by(_LOST.c.store_id, _LOST.c.first)
    lost: defaultdict[int, list[Range]] = defaultdict(list)
    for row in await session.execute(chosen):
        lost[row.store_id].append((row.first, row.last))
    return lost


async def held_numbers(session: AsyncSession, stores: Iterable[StoreKey]) -> dict[StoreKey, list[Range]]:
    """Return the numbers that are held, by store; an unknown store is left out.

    A store is found by its box, which has proved who it is.
    """
    held: defaultdict[StoreKey, list[Range]] = defaultdict(list)
    for box_id, store, _, _, _, first, last, _, _ in await bulk.find(session, _FIND_STORES, list(stores), _KEY):
        if first is not None:
            held[box_id, store].append((first, last))
    return dict(held)


async def open_stores(
    session: AsyncSession, owners: Mapping[StoreKey, int], *, losing: Collection[StoreKey], now_us: int
) -> dict[StoreKey, OpenStore]:
    """Return the entries of stores, locked until the transaction ends; one that is new is made.

    Args:
        session: of the transaction.
        owners: the organisation of each store.
        losing: stores whose lost ranges are wanted; those of others are left empty, and stay as they are.
        now_us: the cloud's clock.
    """
    found = await _locked(session, owners)
    if missing := sorted(owners.keys() - found.keys()):
        await hold(session, *(f"store {box_id} {store}" for box_id, store in missing))  # others may be making it too
        found = await _locked(session, owners)
        times = {"head_us": now_us, "first_batch_us": now_us, "last_batch_us": now_us}
        new = [
            {"organisation_id": owners[key], "box_id": key[0], "store": key[1], "head": 0, "pending": 0, **times}
            for key in missing
            if key not in found
        ]
        if new:
            await session.execute(_ADD_STORE, new)
        found = await _locked(session, owners)
    if losing:
        lost = await lost_ranges(session, [found[key].id for key in losing])
        for key in losing:
            found[key].lost = lost[found[key].id]
            found[key].saved_lost = tuple(found[key].lost)
    return found


async def load_asides(session: AsyncSession, store_id: int, seqs: Collection[int]) -> dict[int, list[Aside]]:
    """Return what is set aside among some numbers of a store, by number."""
    # any organisation: the store was found by its box
    chosen = select(*(_ASIDES.c[name] for name in _ASIDE_FIELDS)).where(_ASIDES.c.store_id == store_id)
    asides: dict[int, list[Aside]] = {}
    for row in await session.execute(chosen.where(_ASIDES.c.seq.in_(seqs))):
        asides.setdefault(row.seq, []).append(Aside(**row._asdict()))
    return asides


async def add_asides(
    session: AsyncSession, store: OpenStore, asides: Sequence[Aside], *, box: BoxIdentity, now: datetime
) -> None:
    """Write down rows of a store that could not be taken."""
    whose = {"organisation_id": box.organisation_id, "box_id": box.box_id, "store_id": store.id, "set_aside_at": now}
    await session.execute(_ADD_ASIDES, [{**whose, **asdict(aside)} for aside in asides])


async def save(session: AsyncSession, stores: Collection[OpenStore], *, now_us: int) -> None:
    """Write what has changed in the entries."""
    dropped, put, found, lost = [], [], [], []
    for store in stores:
        before = {part.first: part for part in store.saved_held}
        dropped += [{"of": store.id, "at": first} for first in before.keys() - {part.first for part in store.held}]
        put += [(store.id, *astuple(part)) for part in store.held if before.get(part.first) != part]
        found += [{"of": store.id, "at": first} for first, _ in set(store.saved_lost) - set(store.lost)]
        lost += [
            {"store_id": store.id, "first": first, "last": last, "declared_us": now_us}
            for first, last in set(store.lost) - set(store.saved_lost)
        ]
    for statement, rows in ((_DROP_HELD, dropped), (_DROP_LOST, found), (_ADD_LOST, lost)):
        if rows:
            await session.execute(statement, rows)
    await bulk.run(session, _PUT_HELD, put, ["bigint"] * 5)
    told = [(store.id, store.head, store.pending, now_us) for store in stores]
    await bulk.run(session, _TELL_STORES, told, ["bigint"] * 4)


async def _locked(session: AsyncSession, keys: Iterable[StoreKey]) -> dict[StoreKey, OpenStore]:
    found: dict[StoreKey, OpenStore] = {}
    wanted = sorted(keys)
    await bulk.lock(session, _LOCK_STORES, wanted, _KEY)
    rows = await bulk.find(session, _FIND_STORES, wanted, _KEY)
    for box_id, store, store_id, head, pending, *held in rows:
        entry = found.get((box_id, store))
        if entry is None:
            entry = found[box_id, store] = OpenStore(id=store_id, head=head, pending=pending, held=[], lost=[])
        if held[0] is not None:
            entry.held.append(HeldRange(*held))
    for entry in found.values():
        entry.saved_held = tuple(entry.held)
    return found
