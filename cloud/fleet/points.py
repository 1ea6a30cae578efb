"""Devices and points with where they stand, as one select each; lists and reads of them build on it."""

from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, func, select
from sqlalchemy.orm import aliased

from cloud.core.principal import Principal
from cloud.fleet.domain import Device, Point, Where
from cloud.fleet.tables import BindingRow, BoxRow, DeviceRow, PointRow
from protocols.readings import PointKind, RowClass

_OwnBinding = aliased(BindingRow, name="own_binding")
_DeviceBinding = aliased(BindingRow, name="device_binding")

PLACE_ID: ColumnElement[int | None] = func.coalesce(_OwnBinding.place_id, _DeviceBinding.place_id, BoxRow.place_id)
"""Where a point of select_points stands now: its own binding wins over its device's, and that over the box's place."""

LABEL: ColumnElement[str] = func.coalesce(_OwnBinding.label, _DeviceBinding.label, "")


def visible_boxes(principal: Principal) -> ColumnElement[bool]:
    """Return the condition on BoxRow that leaves what the principal may see."""
    ours = BoxRow.organisation_id == principal.organisation_id
    return ours if principal.communities is None else and_(ours, BoxRow.community_id.in_(principal.communities))


def select_devices(principal: Principal) -> Select[Any]:
    """Return the devices that the principal may see, as rows for `to_device`."""
    return (
        select(
            *DeviceRow.__table__.columns,
            BoxRow.community_id,
            func.coalesce(_DeviceBinding.place_id, BoxRow.place_id).label("place_id"),
            func.coalesce(_DeviceBinding.label, "").label("label"),
        )
        .join_from(DeviceRow, BoxRow, and_(BoxRow.id == DeviceRow.box_id, visible_boxes(principal)))
        .outerjoin(_DeviceBinding, and_(_DeviceBinding.device_id == DeviceRow.id, _DeviceBinding.until_at.is_(None)))
        .where(DeviceRow.organisation_id == principal.organisation_id)
    )


def to_device(row: Row[Any]) -> Device:
    """Return the device of a row of select_devices."""
    return Device(
        id=row.id,
        box_id=row.box_id,
        key=row.key,
        profile=row.profile,
        name=row.name,
        gone_at=row.gone_at,
        where=Where(community_id=row.community_id, place_id=row.place_id, label=row.label),
    )


def select_points(principal: Principal) -> Select[Any]:
    """Return the points that the principal may see, as rows for `to_point`."""
    return (
        select(
            *PointRow.__table__.columns,
            BoxRow.name.label("box_name"),
            BoxRow.community_id,
            DeviceRow.name.label("device_name"),
            DeviceRow.profile,
            PLACE_ID.label("place_id"),
            LABEL.label("label"),
        )
        .join_from(PointRow, BoxRow, and_(BoxRow.id == PointRow.box_id, visible_boxes(principal)))
        .join(DeviceRow, DeviceRow.id == PointRow.device_id)
        .outerjoin(_OwnBinding, and_(_OwnBinding.point_id == PointRow.id, _OwnBinding.until_at.is_(None)))
        .outerjoin(_DeviceBinding, and_(_DeviceBinding.device_id == DeviceRow.id, _DeviceBinding.until_at.is_(None)))
        .where(PointRow.organisation_id == principal.organisation_id)
    )


def to_point(row: Row[Any]) -> Point:
    """Return the point of a row of select_points."""
    return Point(
        id=row.id,
        organisation_id=row.organisation_id,
        box_id=row.box_id,
        box_name=row.box_name,
        device_id=row.device_id,
        device_name=row.device_name,
        profile=row.profile,
        key=row.key,
        unit=row.unit,
        kind=PointKind(row.kind),
        row_class=RowClass(row.row_class),
        resolution=row.resolution,
        period_s=row.period_s,
        watched=row.watched,
        late_us=row.late_us,
        gone_at=row.gone_at,
        where=Where(community_id=row.community_id, place_id=row.place_id, label=row.label),
    )
