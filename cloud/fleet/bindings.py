"""Which place a device, or one of its points, measures, and since when."""

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.core import audit
from cloud.core.clock import Clock
from cloud.core.errors import Malformed, NotFound
from cloud.core.principal import Principal, Role
from cloud.fleet.boxes import visible_box
from cloud.fleet.places import check_place
from cloud.fleet.tables import BindingRow, DeviceRow, PointRow
from firmware_configs.look.words import _

LABEL_LENGTH = 120


async def bind_device(
    session: AsyncSession, clock: Clock, principal: Principal, *, device_id: int, place_id: int, label: str = ""
) -> None:
    """Let a device's points measure a place from now on; where it was before ends now.

    Raises:
        Forbidden: the principal is no administrator.
        NotFound: there is no such device, or place in its box's community, that the principal may see.
        Malformed: the label is too long.
    """
    # any organisation: _bind looks at the box as the principal
    device = await session.get(DeviceRow, device_id)
    if device is None:
        raise NotFound(_("There is no device %(device_id)s."), device_id=device_id)
    row = BindingRow(device_id=device_id, place_id=place_id, label=label)
    await _bind(session, clock, principal, row, box_id=device.box_id, before=BindingRow.device_id == device_id)


async def bind_point(
    session: AsyncSession, clock: Clock, principal: Principal, *, point_id: int, place_id: int, label: str = ""
) -> None:
    """Let one point measure another place than its device from now on; where it was before ends now.

    Raises:
        Forbidden: the principal is no administrator.
        NotFound: there is no such point, or place in its box's community, that the principal may see.
        Malformed: the label is too long.
    """
    # any organisation: _bind looks at the box as the principal
    point = await session.get(PointRow, point_id)
    if point is None:
        raise NotFound(_("There is no point %(point_id)s."), point_id=point_id)
    row = BindingRow(point_id=point_id, place_id=place_id, label=label)
    await _bind(session, clock, principal, row, box_id=point.box_id, before=BindingRow.point_id == point_id)


async def _bind(
    session: AsyncSession,
    clock: Clock,
    principal: Principal,
    row: BindingRow,
    *,
    box_id: int,
    before: ColumnElement[bool],
) -> None:
    principal.require(Role.ADMINISTRATOR)
    box = await visible_box(session, principal, box_id=box_id)
    await check_place(session, principal, community_id=box.community_id, place_id=row.place_id)
    row.label = row.label.strip()
    if len(row.label) > LABEL_LENGTH:
        raise Malformed(_("A label has %(most)s characters at most."), "label", most=LABEL_LENGTH)
    ours = BindingRow.organisation_id == principal.organisation_id
    now = clock.now()
    for old in await session.scalars(select(BindingRow).where(ours, before, BindingRow.until_at.is_(None))):
        old.until_at = now
    await session.flush()
    row.organisation_id, row.from_at = principal.organisation_id, now
    session.add(row)
    subject = f"device:{row.device_id}" if row.device_id else f"point:{row.point_id}"
    audit.record(
        session,
        clock,
        principal,
        action="fleet.bound",
        subject=subject,
        after={"place_id": row.place_id, "label": row.label},
    )
