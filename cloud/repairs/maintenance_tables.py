"""The rows of preventive plans, of the inspections that they made, and of what was checked."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Any, cast

from sqlalchemy import ForeignKey, Select, String, Table, Text, UniqueConstraint, case, func, select, true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from cloud.core.append_only import append_only
from cloud.core.database import Base, Json
from cloud.core.listing import Listing, containing
from cloud.core.principal import Principal
from cloud.repairs.rhythm import Rhythm
from cloud.repairs.tables import CODE_LENGTH, NAME_LENGTH

PLACE_LENGTH = 400


class Checked(StrEnum):
    """What a look at an item came to."""

    PASSED = "passed"
    FAILED = "failed"  # it makes a repair
    SKIPPED = "skipped"  # it could not be looked at, and the note says why


class MaintenanceRow(Base):
    """A preventive plan: what is inspected where, and by what it comes round.

    Attributes:
        checklist: items in their order, each with `code`, `zh` and `en`.
        repair_type: the type of the tickets that failed items make.
        every: weeks or months; thousandths of the point's unit for a meter.
        first_on: the day that turns are reckoned from; None for a meter.
        turn: the number of the turn that is due next.
        next_at: when that turn's day begins, or is tried again where it failed; None for a meter.
        next_milli: at how many thousandths on the point the next one is due; None for a calendar.
        version: grows with every change that people make.
    """

    __tablename__ = "maintenance_plans"

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), index=True)
    community_id: Mapped[int] = mapped_column(ForeignKey("communities.id"))
    place_id: Mapped[int] = mapped_column(ForeignKey("places.id"))
    place: Mapped[str] = mapped_column(String(PLACE_LENGTH))
    name_zh: Mapped[str] = mapped_column(String(NAME_LENGTH))
    name_en: Mapped[str] = mapped_column(String(NAME_LENGTH))
    checklist: Mapped[list[dict[str, str]]] = mapped_column(Json)
    repair_type: Mapped[str] = mapped_column(String(CODE_LENGTH))
    rhythm: Mapped[Rhythm]
    every: Mapped[int]
    first_on: Mapped[date | None]
    turn: Mapped[int]
    next_at: Mapped[datetime | None] = mapped_column(index=True)
    point_id: Mapped[int | None] = mapped_column(ForeignKey("points.id"))
    next_milli: Mapped[int | None]
    is_active: Mapped[bool]
    version: Mapped[int] = mapped_column(default=1)


_PLANS = cast("Table", MaintenanceRow.__table__).c
_COMES = MaintenanceRow.is_active.is_(true())


class InspectionRow(Base):
    """That a turn of a preventive plan made its ticket, with the checklist as it was then; append only.

    Attributes:
        due: the turn's day; for a meter its mark and the plan's version, as a meter that is replaced counts anew.
    """

    __tablename__ = "maintenance_inspections"

    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"), primary_key=True, autoincrement=False)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    plan_id: Mapped[int] = mapped_column(ForeignKey("maintenance_plans.id"))
    due: Mapped[str] = mapped_column(String(40))
    at: Mapped[datetime]
    checklist: Mapped[list[dict[str, str]]] = mapped_column(Json)
    repair_type: Mapped[str] = mapped_column(String(CODE_LENGTH))

    __table_args__ = (UniqueConstraint("plan_id", "due"),)


append_only(cast("Table", InspectionRow.__table__))


class CheckRow(Base):
    """What a look at an item of an inspection came to.

    Attributes:
        repair_ticket_id: the ticket that a failed item made.
    """

    __tablename__ = "maintenance_checks"

    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"), primary_key=True, autoincrement=False)
    code: Mapped[str] = mapped_column(String(CODE_LENGTH), primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    outcome: Mapped[Checked]
    text: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    actor: Mapped[str] = mapped_column(String(NAME_LENGTH))
    repair_ticket_id: Mapped[int | None] = mapped_column(ForeignKey("tickets.id"))


def visible_plans(principal: Principal) -> Select[MaintenanceRow]:
    """Return the preventive plans that the principal may see."""
    asked = select(MaintenanceRow).where(MaintenanceRow.organisation_id == principal.organisation_id)
    if principal.communities is None:
        return asked
    return asked.where(MaintenanceRow.community_id.in_(principal.communities))


def plan_listing(principal: Principal) -> Listing:
    """Return the preventive plans that the principal may see as a list, by place."""
    last_at = select(func.max(InspectionRow.at)).where(
        InspectionRow.organisation_id == principal.organisation_id, InspectionRow.plan_id == MaintenanceRow.id
    )
    return Listing(
        select=cast("Select[Any]", visible_plans(principal)),
        columns={
            "name": func.coalesce(func.nullif(_PLANS.name_zh, ""), _PLANS.name_en),
            "place": _PLANS.place,
            "rhythm": _PLANS.rhythm,
            "next": _PLANS.next_at,
            "mark": _PLANS.next_milli,
            "last": last_at.scalar_subquery(),
            "active": case((_COMES, 1), else_=0),
        },
        key=_PLANS.id,
        order=(_PLANS.place,),
        search=containing(_PLANS.name_zh, _PLANS.name_en, _PLANS.place),
    )


async def plans_at(
    session: AsyncSession, principal: Principal, place_ids: Collection[int], *, before: datetime
) -> Sequence[MaintenanceRow]:
    """Return the plans of some places whose next turn begins before an instant, the next one first."""
    # any organisation: visible_plans leaves only the principal's
    asked = visible_plans(principal).where(
        MaintenanceRow.place_id.in_(place_ids), _COMES, MaintenanceRow.next_at < before
    )
    return (await session.scalars(asked.order_by(MaintenanceRow.next_at, MaintenanceRow.id))).all()


async def find_plan(session: AsyncSession, principal: Principal, plan_id: int) -> MaintenanceRow | None:
    """Return a preventive plan that the principal may see, locked."""
    # any organisation: visible_plans leaves only the principal's
    asked = visible_plans(principal).where(MaintenanceRow.id == plan_id)
    return await session.scalar(asked.with_for_update().execution_options(populate_existing=True))


async def due_by_day(session: AsyncSession, *, now: datetime, limit: int) -> Sequence[MaintenanceRow]:
    """Return plans of any organisation whose next turn has begun, locked, the longest overdue first."""
    found = await session.scalars(
        select(MaintenanceRow)  # any organisation: a job's
        .where(_COMES, MaintenanceRow.next_at <= now)
        .order_by(MaintenanceRow.next_at, MaintenanceRow.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return found.all()


async def by_meter(session: AsyncSession) -> Sequence[MaintenanceRow]:
    """Return the plans of all organisations that go by a meter, locked."""
    found = await session.scalars(
        select(MaintenanceRow)  # any organisation: a job's
        .where(_COMES, MaintenanceRow.rhythm == Rhythm.METER)
        .order_by(MaintenanceRow.id)
        .with_for_update(skip_locked=True)
    )
    return found.all()


async def plan_with_type(session: AsyncSession, organisation_id: int, code: str) -> MaintenanceRow | None:
    """Return a plan, of any community and resting ones too, whose failed items make tickets of a type."""
    return await session.scalar(
        select(MaintenanceRow)
        .where(MaintenanceRow.organisation_id == organisation_id, MaintenanceRow.repair_type == code)
        .order_by(MaintenanceRow.id)
        .limit(1)
    )


async def has_inspection(session: AsyncSession, principal: Principal, plan_id: int, due: str) -> bool:
    """Return whether a plan's turn has made its ticket."""
    made = select(InspectionRow.ticket_id).where(
        InspectionRow.organisation_id == principal.organisation_id,
        InspectionRow.plan_id == plan_id,
        InspectionRow.due == due,
    )
    return await session.scalar(made) is not None


async def inspection_of(session: AsyncSession, principal: Principal, ticket_id: int) -> InspectionRow | None:
    """Return the inspection that a ticket is; None when it is none."""
    return await session.scalar(
        select(InspectionRow).where(
            InspectionRow.organisation_id == principal.organisation_id, InspectionRow.ticket_id == ticket_id
        )
    )


async def checks_of(session: AsyncSession, principal: Principal, ticket_id: int) -> dict[str, CheckRow]:
    """Return what was checked of an inspection, by item."""
    found = await session.scalars(
        select(CheckRow)
        .where(CheckRow.organisation_id == principal.organisation_id, CheckRow.ticket_id == ticket_id)
        .execution_options(populate_existing=True)
    )
    return {row.code: row for row in found}


async def last_inspections(
    session: AsyncSession, principal: Principal, plan_ids: Collection[int]
) -> dict[int, InspectionRow]:
    """Return the newest inspection of each of these plans that had one."""
    newest = (
        select(func.max(InspectionRow.ticket_id))
        .where(InspectionRow.organisation_id == principal.organisation_id, InspectionRow.plan_id.in_(plan_ids))
        .group_by(InspectionRow.plan_id)
    )
    found = await session.scalars(
        select(InspectionRow).where(
            InspectionRow.organisation_id == principal.organisation_id, InspectionRow.ticket_id.in_(newest)
        )
    )
    return {row.plan_id: row for row in found}
