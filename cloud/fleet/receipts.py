"""The ledger's rows, read and written for many stores at a time."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import cast

from sqlalchemy import Table, bindparam, delete, insert, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.core.clock import to_us
from cloud.core.database import hold
from cloud.core.principal import Principal
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
    saved_held: Sequence[HeldRange] = field(init=False)
    saved_lost: Sequence[Range] = field(init=False)

    def __post_init__(self) -> None:
        self.saved_held = tuple(self.held)
        self.saved_lost = tuple(self.lost)

    def held_numbers(self) -> list[Range]:
        """Return what is held, without times."""
        return [part.numbers for part in self.held]


_ASIDE_FIELDS = ("seq", "reason", "point_key", "time_us", "value", "flags")
_ASIDES = cast("Table", SetAsideRow.__table__)
_HELD = cast("Table", HeldRangeRow.__table__)
_LOST = cast("Table", LostRangeRow.__table__)
_STORES = cast("Table", StoreRow.__table__)

# Built once: building a statement costs more than running it.
_TELL_STORE = (
    update(_STORES)
    .where(_STORES.c.id == bindparam("of"))
    .values({name: bindparam(f"to_{name}") for name in ("head", "head_at", "pending", "last_batch_at")})
)
_GROW_HELD = (
    update(_HELD)
    .where(_HELD.c.store_id == bindparam("of"), _HELD.c.first == bindparam("at"))
    .values({name: bindparam(f"to_{name}") for name in ("last", "last_us")})
)
_ADD_ASIDES = insert(_ASIDES)
_ADD_STORE = insert(_STORES)
_ADD_HELD = insert(_HELD)
_DROP_HELD = delete(_HELD).where(_HELD.c.store_id == bindparam("of"), _HELD.c.first == bindparam("at"))
_ADD_LOST = insert(_LOST)
_DROP_LOST = delete(_LOST).where(_LOST.c.store_id == bindparam("of"), _LOST.c.first == bindparam("at"))


async def histories(session: AsyncSession, principal: Principal, *, box_id: int) -> list[StoreHistory]:
    """Return all that is known of a box's stores, the oldest first."""
    ours = (StoreRow.organisation_id == principal.organisation_id, StoreRow.box_id == box_id)
    stores = (await session.scalars(select(StoreRow).where(*ours).order_by(StoreRow.first_batch_at, StoreRow.id))).all()
    ids = [store.id for store in stores]
    held = await held_ranges(session, ids)
    lost = await lost_ranges(session, ids)
    return [
        StoreHistory(
            held=held[store.id],
            lost=lost[store.id],
            head=store.head,
            head_us=to_us(store.head_at),
            began_us=to_us(store.first_batch_at),
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


async def held_numbers(session: AsyncSession, stores: Collection[StoreKey]) -> dict[StoreKey, list[Range]]:
    """Return the numbers that are held, by store; an unknown store is left out."""
    # any organisation: a store is found by its box, which has proved who it is
    chosen = (
        select(_STORES.c.box_id, _STORES.c.store, _HELD.c.first, _HELD.c.last)
        .join_from(_STORES, _HELD, _HELD.c.store_id == _STORES.c.id)
        .where(tuple_(_STORES.c.box_id, _STORES.c.store).in_(stores))
        .order_by(_STORES.c.id, _HELD.c.first)
    )
    held: defaultdict[StoreKey, list[Range]] = defaultdict(list)
    for row in await session.execute(chosen):
        held[row.box_id, row.store].append((row.first, row.last))
    return dict(held)


async def open_stores(
    session: AsyncSession, owners: Mapping[StoreKey, int], *, now: datetime
) -> dict[StoreKey, OpenStore]:
    """Return the entries of stores, locked until the transaction ends; one that is new is made.

    Args:
        session: of the transaction.
        owners: the organisation of each store.
        now: the cloud's clock.
    """
    found = await _locked(session, owners)
    missing = sorted(owners.keys() - found.keys())
    if not missing:
        return found
    for box_id, store in missing:
        await hold(session, f"store {box_id} {store}")  # another worker may be making it too
    found = await _locked(session, owners)
    times = {"head_at": now, "first_batch_at": now, "last_batch_at": now}
    new = [
        {"organisation_id": owners[key], "box_id": key[0], "store": key[1], "head": 0, "pending": 0, **times}
        for key in missing
        if key not in found
    ]
    if new:
        await session.execute(_ADD_STORE, new)
    return await _locked(session, owners)


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


async def save(session: AsyncSession, stores: Sequence[OpenStore], *, now: datetime) -> None:
    """Write what has changed in the entries."""
    told = {"to_head_at": now, "to_last_batch_at": now}
    await session.execute(
        _TELL_STORE, [{"of": store.id, "to_head": store.head, "to_pending": store.pending, **told} for store in stores]
    )
    dropped, grown, added, found, lost = [], [], [], [], []
    for store in stores:
        before = {part.first: part for part in store.saved_held}
        after = {part.first: part for part in store.held}
        dropped += [{"of": store.id, "at": first} for first in before.keys() - after.keys()]
        added += [{"store_id": store.id, **asdict(after[first])} for first in after.keys() - before.keys()]
        grown += [
            {"of": store.id, "at": part.first, "to_last": part.last, "to_last_us": part.last_us}
            for first, part in after.items()
            if first in before and before[first] != part
        ]
        found += [{"of": store.id, "at": first} for first, _ in set(store.saved_lost) - set(store.lost)]
        lost += [
            {"store_id": store.id, "first": first, "last": last, "declared_at": now}
            for first, last in set(store.lost) - set(store.saved_lost)
        ]
    changes = ((_DROP_HELD, dropped), (_ADD_HELD, added), (_GROW_HELD, grown), (_DROP_LOST, found), (_ADD_LOST, lost))
    for statement, rows in changes:
        if rows:
            await session.execute(statement, rows)


async def _locked(session: AsyncSession, keys: Collection[StoreKey]) -> dict[StoreKey, OpenStore]:
    # any organisation: a store is found by its box, which has proved who it is
    columns = (_STORES.c.id, _STORES.c.box_id, _STORES.c.store, _STORES.c.head, _STORES.c.pending)
    chosen = select(*columns).where(tuple_(_STORES.c.box_id, _STORES.c.store).in_(keys))
    rows = (await session.execute(chosen.order_by(_STORES.c.id).with_for_update())).all()
    held = await held_ranges(session, [row.id for row in rows])
    lost = await lost_ranges(session, [row.id for row in rows])
    return {
        (row.box_id, row.store): OpenStore(
            id=row.id, head=row.head, pending=row.pending, held=held[row.id], lost=lost[row.id]
        )
        for row in rows
    }
