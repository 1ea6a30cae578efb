"""The ledger's rows: what is known of each store, read and written for many stores at a time."""

from collections import defaultdict
from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.core.clock import to_us
from cloud.core.principal import Principal
from cloud.fleet.ledger import HeldRange, StoreHistory
from cloud.fleet.tables import HeldRangeRow, LostRangeRow, StoreRow
from protocols.ranges import Range


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


async def held_ranges(session: AsyncSession, store_ids: Collection[int]) -> dict[int, list[HeldRange]]:
    """Return what is held by store id, in order; an unknown store holds nothing."""
    # any organisation: the ids were found in the principal's own
    rows = await session.execute(
        select(*HeldRangeRow.__table__.columns)
        .where(HeldRangeRow.store_id.in_(store_ids))
        .order_by(HeldRangeRow.store_id, HeldRangeRow.first)
    )
    held: defaultdict[int, list[HeldRange]] = defaultdict(list)
    for row in rows:
        held[row.store_id].append(HeldRange(row.first, row.last, row.first_us, row.last_us))
    return held


async def lost_ranges(session: AsyncSession, store_ids: Collection[int]) -> dict[int, list[Range]]:
    """Return what was declared lost by store id, in order; an unknown store lost nothing."""
    # any organisation: the ids were found in the principal's own
    rows = await session.execute(
        select(LostRangeRow.store_id, LostRangeRow.first, LostRangeRow.last)
        .where(LostRangeRow.store_id.in_(store_ids))
        .order_by(LostRangeRow.store_id, LostRangeRow.first)
    )
    lost: defaultdict[int, list[Range]] = defaultdict(list)
    for row in rows:
        lost[row.store_id].append((row.first, row.last))
    return lost
