"""What hangs on a box, as the box lists it."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from math import isfinite

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.core.clock import Clock
from cloud.core.errors import Conflict, Malformed, NotSignedIn, TooLarge
from cloud.fleet.domain import BoxIdentity
from cloud.fleet.tables import KEY_LENGTH, BoxRow, DeviceRow, LatestRow, PointRow
from cloud.fleet.versions import check_version
from protocols.errors import UnitRefused
from protocols.readings import PointKind, RowClass
from protocols.units import unit_of
from protocols.wire import WIRE_VERSION, DeviceInfo, Inventory, InventoryTaken, PointInfo

MAXIMUM_POINTS = 20_000
"""Points of one box; a line of meters has some hundred."""

_RESOLUTION_LENGTH = 40


class UnitChanged(Conflict):
    """A point that has readings is listed with another unit: its history would change its meaning."""

    code = "unit_changed"


async def take_inventory(
    session: AsyncSession, clock: Clock, box: BoxIdentity, *, inventory: Inventory
) -> InventoryTaken:
    """Make what hangs on the box be what it lists, and return which of it the cloud watches.

    What is listed no longer is marked gone and keeps its readings; what comes back goes on where it was.

    Raises:
        VersionRefused: the box speaks another version of the wire.
        Malformed: a key, unit, resolution or period is none, or a key comes twice.
        TooLarge: there are more points than a box may have.
        UnitChanged: a point that has readings has another unit now.
        NotSignedIn: the box is no longer let in with its key.
    """
    check_version(inventory.v)
    _check(inventory)
    ours = BoxRow.organisation_id == box.organisation_id
    row = await session.scalar(select(BoxRow).where(ours, BoxRow.id == box.box_id).with_for_update())
    if row is None or row.public_key != box.key:
        raise NotSignedIn("This box is no longer let in with its key: claim it again.")
    row.inventory_revision += 1
    devices = await _enter_devices(session, box, inventory.devices, now=clock.now())
    points = await _enter_points(session, box, inventory.devices, devices, now=clock.now())
    watched = [point.key for point in points if point.watched and point.gone_at is None]
    return InventoryTaken(v=WIRE_VERSION, watched=sorted(watched))


async def _enter_devices(
    session: AsyncSession, box: BoxIdentity, listed: Iterable[DeviceInfo], *, now: datetime
) -> Mapping[str, DeviceRow]:
    of_box = (DeviceRow.organisation_id == box.organisation_id, DeviceRow.box_id == box.box_id)
    rows = {row.key: row for row in await session.scalars(select(DeviceRow).where(*of_box))}
    gone = set(rows)
    for device in listed:
        row = rows.get(device.key)
        if row is None:
            row = DeviceRow(organisation_id=box.organisation_id, box_id=box.box_id, key=device.key)
            rows[device.key] = row
            session.add(row)
        row.profile, row.name, row.gone_at = device.profile, device.name, None
        gone.discard(device.key)
    _mark_gone([rows[key] for key in gone], now)
    await session.flush()
    return rows


async def _enter_points(
    session: AsyncSession,
    box: BoxIdentity,
    listed: Iterable[DeviceInfo],
    devices: Mapping[str, DeviceRow],
    *,
    now: datetime,
) -> Sequence[PointRow]:
    of_box = (PointRow.organisation_id == box.organisation_id, PointRow.box_id == box.box_id)
    rows = {row.key: row for row in await session.scalars(select(PointRow).where(*of_box))}
    await _check_units(session, box, listed, rows)
    gone = set(rows)
    for device in listed:
        for point in device.points:
            row = rows.get(point.key)
            if row is None:
                row = PointRow(organisation_id=box.organisation_id, box_id=box.box_id, key=point.key, watched=False)
                rows[point.key] = row
                session.add(row)
            row.device_id, row.unit, row.gone_at = devices[device.key].id, point.unit, None
            row.kind, row.row_class = PointKind(point.kind), RowClass(point.row_class)
            row.resolution, row.period_s = point.resolution, point.period_s
            gone.discard(point.key)
    _mark_gone([rows[key] for key in gone], now)
    await session.flush()
    return list(rows.values())


async def _check_units(
    session: AsyncSession, box: BoxIdentity, listed: Iterable[DeviceInfo], rows: Mapping[str, PointRow]
) -> None:
    changed = {
        rows[point.key].id: point
        for device in listed
        for point in device.points
        if point.key in rows and rows[point.key].unit != point.unit
    }
    with_readings = await session.scalars(
        select(LatestRow.point_id)
        .where(LatestRow.organisation_id == box.organisation_id, LatestRow.point_id.in_(changed))
        .order_by(LatestRow.point_id)
    )
    for point_id in with_readings:
        point = changed[point_id]
        raise UnitChanged(
            "%(key)s has readings in %(before)s and is listed in %(now)s: give the point or its device another key.",
            "unit",
            key=point.key,
            before=rows[point.key].unit,
            now=point.unit,
        )


def _mark_gone(rows: Iterable[DeviceRow | PointRow], now: datetime) -> None:
    for row in rows:
        row.gone_at = row.gone_at or now


def _check(inventory: Inventory) -> None:
    keys = [device.key for device in inventory.devices]
    keys += [point.key for device in inventory.devices for point in device.points]
    if len(keys) > MAXIMUM_POINTS:
        raise TooLarge(
            "devices: %(count)s devices and points are more than %(most)s.",
            "devices",
            count=len(keys),
            most=MAXIMUM_POINTS,
        )
    seen: set[str] = set()
    for key in keys:
        _demand("key", key, key not in seen, "comes twice")
        seen.add(key)
    for device in inventory.devices:
        _demand("key", device.key, 1 <= len(device.key) <= KEY_LENGTH and "/" not in device.key, "is no device's key")
        for name, text in (("profile", device.profile), ("name", device.name)):
            _demand(f"{device.key}: {name}", text, len(text) <= KEY_LENGTH, f"is longer than {KEY_LENGTH}")
        for point in device.points:
            _check_point(device, point)


def _check_point(device: DeviceInfo, point: PointInfo) -> None:
    name = point.key.removeprefix(f"{device.key}/")
    named = 1 <= len(name) < len(point.key) <= KEY_LENGTH and "/" not in name
    _demand("key", point.key, named, f"is no point's key: write {device.key}/point")
    _demand(f"{point.key}: unit", point.unit, _is_unit(point.unit), "is no unit that this cloud knows")
    _demand(f"{point.key}: period_s", point.period_s, isfinite(point.period_s) and point.period_s >= 0, "is below 0")
    if point.resolution is not None:
        _demand(f"{point.key}: resolution", point.resolution, _is_step(point.resolution), "is no step above 0")
    has_step = point.resolution is not None or point.row_class != "register"
    _demand(f"{point.key}: resolution", point.resolution, has_step, "is missing: a register has one")


def _is_unit(code: str) -> bool:
    try:
        unit_of(code)
    except UnitRefused:
        return False
    return True


def _is_step(text: str) -> bool:
    try:
        step = Decimal(text)
    except InvalidOperation:
        return False
    return step.is_finite() and step > 0 and len(text) <= _RESOLUTION_LENGTH


def _demand(field: str, value: object, holds: bool, demand: str) -> None:  # noqa: FBT001  the one thing it is about
    if not holds:
        raise Malformed("%(name)s: %(value)s %(demand)s.", field, name=field, value=value, demand=demand)
