"""What people see of preventive plans: one, the list, and what comes where."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.core.errors import NotFound
from cloud.core.listing import Ask, Found, fetch
from cloud.core.principal import Principal, Role
from cloud.core.words import Words
from cloud.repairs import maintenance_tables as tables
from cloud.repairs.domain import from_milli
from cloud.repairs.maintenance_tables import InspectionRow, MaintenanceRow
from cloud.repairs.rhythm import Rhythm
from firmware_configs.look.words import _


@dataclass(frozen=True, slots=True, kw_only=True)
class Maintenance:
    """A preventive plan as people see it.

    Attributes:
        next_at: when the next inspection is due; None for a meter.
        next_mark: at how much on the meter it is due; None for a calendar.
        last_ticket_id: of the newest inspection; None when there was none.
    """

    id: int
    name: Words
    place_id: int
    place: str
    checklist: tuple[Words, ...]
    repair_type: str
    rhythm: Rhythm
    every: Decimal
    first_on: date | None
    point_id: int | None
    next_at: datetime | None
    next_mark: Decimal | None
    is_active: bool
    version: int
    last_ticket_id: int | None
    last_at: datetime | None


async def list_plans(session: AsyncSession, principal: Principal, ask: Ask) -> Found[Maintenance]:
    """Return the stretch of the preventive plans that `ask` wants, by place."""
    principal.require(Role.MANAGER, Role.DESK, Role.OPERATOR)
    found = await fetch(session, tables.plan_listing(principal), ask)
    return found.of(await _read(session, principal, [row.MaintenanceRow for row in found.rows]))


async def coming(
    session: AsyncSession, principal: Principal, *, place_ids: Collection[int], before: datetime
) -> list[Maintenance]:
    """Return the preventive plans of places whose next turn begins before an instant, the next one first."""
    principal.require(Role.MANAGER, Role.DESK, Role.OPERATOR)
    return await _read(session, principal, await tables.plans_at(session, principal, place_ids, before=before))


async def find_plan(session: AsyncSession, principal: Principal, *, plan_id: int) -> Maintenance:
    """Return a preventive plan.

    Raises:
        NotFound: there is none that the principal may see.
    """
    principal.require(Role.MANAGER, Role.DESK, Role.OPERATOR)
    return (await _read(session, principal, [await find_row(session, principal, plan_id)]))[0]


async def find_row(session: AsyncSession, principal: Principal, plan_id: int) -> MaintenanceRow:
    """Return a preventive plan's row, locked.

    Raises:
        NotFound: there is none that the principal may see.
    """
    row = await tables.find_plan(session, principal, plan_id)
    if row is None:
        raise NotFound(_("There is no such preventive plan."))
    return row


async def _read(session: AsyncSession, principal: Principal, rows: Sequence[MaintenanceRow]) -> list[Maintenance]:
    last = await tables.last_inspections(session, principal, [row.id for row in rows])
    return [_maintenance(row, last.get(row.id)) for row in rows]


def _maintenance(row: MaintenanceRow, last: InspectionRow | None) -> Maintenance:
    is_meter = row.rhythm is Rhythm.METER
    return Maintenance(
        id=row.id,
        name=Words(zh=row.name_zh, en=row.name_en),
        place_id=row.place_id,
        place=row.place,
        checklist=tuple(Words(zh=each["zh"], en=each["en"]) for each in row.checklist),
        repair_type=row.repair_type,
        rhythm=row.rhythm,
        every=from_milli(row.every) if is_meter else Decimal(row.every),
        first_on=row.first_on,
        point_id=row.point_id,
        next_at=row.next_at,
        next_mark=from_milli(row.next_milli) if row.next_milli is not None else None,
        is_active=row.is_active,
        version=row.version,
        last_ticket_id=last.ticket_id if last is not None else None,
        last_at=last.at if last is not None else None,
    )
