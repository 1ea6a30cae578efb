"""What the slices above ask of the fleet: its points, what they measured, where, and how surely."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.core.clock import Clock, to_us
from cloud.core.errors import NotFound
from cloud.core.principal import Principal
from cloud.fleet import ledger
from cloud.fleet.boxes import visible_box
from cloud.fleet.domain import Device, FirstAndLast, Hour, Point, Reading, Where
from cloud.fleet.points import PLACE_ID, select_devices, select_points, to_device, to_point
from cloud.fleet.receipts import histories
from cloud.fleet.series import SeriesStore
from cloud.fleet.tables import BindingRow, BoxRow, DeviceRow, LatestRow, PointRow
from firmware_configs.look.words import _


async def points(
    session: AsyncSession,
    principal: Principal,
    *,
    point_ids: Collection[int] | None = None,
    box_id: int | None = None,
    place_ids: Collection[int] | None = None,
) -> list[Point]:
    """Return the points that the principal may see, by box and key; a condition that is None leaves nothing out."""
    statement = select_points(principal)
    if point_ids is not None:
        statement = statement.where(PointRow.id.in_(point_ids))
    if box_id is not None:
        statement = statement.where(PointRow.box_id == box_id)
    if place_ids is not None:
        statement = statement.where(PLACE_ID.in_(place_ids))
    rows = await session.execute(statement.order_by(BoxRow.name, PointRow.box_id, PointRow.key))
    return [to_point(row) for row in rows]


async def point(session: AsyncSession, principal: Principal, *, point_id: int) -> Point:
    """Return one point.

    Raises:
        NotFound: there is none that the principal may see.
    """
    found = await points(session, principal, point_ids=[point_id])
    if not found:
        raise NotFound(_("There is no point %(point_id)s."), point_id=point_id)
    return found[0]


async def devices(session: AsyncSession, principal: Principal, *, box_id: int) -> list[Device]:
    """Return the devices of a box, by key."""
    # any organisation: select_devices leaves only the principal's
    found = await session.execute(
        select_devices(principal).where(DeviceRow.box_id == box_id).order_by(DeviceRow.key)
    )  # fmt: skip
    return [to_device(row) for row in found]


async def device(session: AsyncSession, principal: Principal, *, device_id: int) -> Device:
    """Return one device.

    Raises:
        NotFound: there is none that the principal may see.
    """
    row = (await session.execute(select_devices(principal).where(DeviceRow.id == device_id))).one_or_none()
    if row is None:
        raise NotFound(_("There is no device %(device_id)s."), device_id=device_id)
    return to_device(row)


async def where(session: AsyncSession, principal: Principal, *, point_id: int, at: datetime) -> Where:
    """Return what the point measured at an instant: its own binding then, else its device's, else the box's place.

    Raises:
        NotFound: there is no point that the principal may see.
    """
    now = await point(session, principal, point_id=point_id)
    bindings = await session.scalars(
        select(BindingRow)
        .where(BindingRow.organisation_id == principal.organisation_id)
        .where(or_(BindingRow.point_id == point_id, BindingRow.device_id == now.device_id))
        .where(BindingRow.from_at <= at, or_(BindingRow.until_at.is_(None), BindingRow.until_at > at))
        .order_by(BindingRow.point_id.is_(None))
    )
    binding = bindings.first()
    if binding is not None:
        return Where(community_id=now.where.community_id, place_id=binding.place_id, label=binding.label)
    of_box = select(BoxRow.place_id).where(BoxRow.id == now.box_id, BoxRow.organisation_id == now.organisation_id)
    return Where(community_id=now.where.community_id, place_id=await session.scalar(of_box))


async def latest(session: AsyncSession, principal: Principal, *, point_ids: Collection[int]) -> dict[int, Reading]:
    """Return the newest reading by point; a point that never had one is left out."""
    rows = await session.execute(
        select(LatestRow.point_id, LatestRow.time_us, LatestRow.value, LatestRow.flags).where(
            LatestRow.organisation_id == principal.organisation_id, LatestRow.point_id.in_(point_ids)
        )
    )
    return {row.point_id: Reading(time_us=row.time_us, value=row.value, flags=row.flags) for row in rows}


async def readings(
    session: AsyncSession,
    store: SeriesStore,
    principal: Principal,
    *,
    point_id: int,
    start: datetime,
    end: datetime,
    limit: int | None = None,
    newest_first: bool = False,
) -> list[Reading]:
    """Return the point's readings from `start` until before `end`, by time, at most `limit`.

    Raises:
        NotFound: there is no point that the principal may see.
    """
    await point(session, principal, point_id=point_id)
    period = {"start_us": to_us(start), "end_us": to_us(end)}
    return await store.read(point_id, **period, limit=limit, newest_first=newest_first)


async def hourly(
    session: AsyncSession, store: SeriesStore, principal: Principal, *, point_id: int, start: datetime, end: datetime
) -> list[Hour]:
    """Return the UTC hours from `start` until before `end` that have readings.

    Raises:
        NotFound: there is no point that the principal may see.
    """
    await point(session, principal, point_id=point_id)
    return await store.hourly(point_id, start_us=to_us(start), end_us=to_us(end))


async def last_minus_first(
    session: AsyncSession,
    store: SeriesStore,
    principal: Principal,
    *,
    point_ids: Collection[int],
    start: datetime,
    end: datetime,
) -> dict[int, FirstAndLast]:
    """Return the first and last reading of the period by point; what the principal may not see is left out."""
    seen = [found.id for found in await points(session, principal, point_ids=point_ids)]
    return await store.last_minus_first(seen, start_us=to_us(start), end_us=to_us(end))


async def watch(session: AsyncSession, clock: Clock, principal: Principal, *, point_ids: Collection[int]) -> None:
    """Watch exactly these of the organisation's points; the boxes that have to do otherwise from now on are told."""
    ours = PointRow.organisation_id == principal.organisation_id
    watched = set(await session.scalars(select(PointRow.id).where(ours, PointRow.watched)))
    changed = watched ^ set(point_ids)
    if not changed:
        return
    await session.execute(update(PointRow).where(ours, PointRow.id.in_(changed)).values(watched=~PointRow.watched))
    boxes = select(PointRow.box_id).where(ours, PointRow.id.in_(changed))
    await session.execute(
        update(BoxRow)
        .where(BoxRow.organisation_id == principal.organisation_id, BoxRow.id.in_(boxes))
        .values(configuration_revision=BoxRow.configuration_revision + 1, changed_at=clock.now())
    )


async def coverage(
    session: AsyncSession, principal: Principal, *, point_id: int, start: datetime, end: datetime
) -> ledger.Coverage:
    """Return which parts of the period are surely complete for the point, and what is absent from the others.

    Raises:
        NotFound: there is no point that the principal may see.
    """
    seen = await point(session, principal, point_id=point_id)
    stores = await histories(session, principal, box_id=seen.box_id)
    return ledger.coverage(stores, late_us=seen.late_us, start_us=to_us(start), end_us=to_us(end))


async def gaps(session: AsyncSession, principal: Principal, *, box_id: int) -> list[ledger.Gap]:
    """Return what never came of a box's stores, or has not come yet, the oldest store first.

    Raises:
        NotFound: there is no such box that the principal may see.
    """
    await visible_box(session, principal, box_id=box_id)
    stores = await histories(session, principal, box_id=box_id)
    return [gap for gap in ledger.gaps(stores) if gap.end_us < ledger.FOR_EVER_US]
