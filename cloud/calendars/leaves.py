"""Leave that begins: told once, when whoever goes has finished what they are on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.calendars import shifts
from cloud.calendars.shift_tables import LeaveRow, untold_leaves
from cloud.core.clock import Clock
from cloud.core.events import Event
from cloud.core.outbox import emit
from cloud.core.principal import Principal


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaveBegun(Event):
    """Somebody is away from now on, for some days."""

    kind: ClassVar[str] = "calendars.leave_begun"

    person_id: int
    leave_id: int

    @property
    def subject(self) -> str:
        return f"person:{self.person_id}"


async def begin_leaves(session: AsyncSession, clock: Clock) -> set[int]:
    """Tell of leave that has begun.

    A job: returns the organisations for which there was something, and is to be repeated until there is none.
    """
    rows = await untold_leaves(session, today=clock.now().date())
    told: set[int] = set()
    for organisation_id in sorted({row.organisation_id for row in rows}):
        mine = [row for row in rows if row.organisation_id == organisation_id]
        if await tell_begun(session, clock, Principal.system(organisation_id), mine):
            told.add(organisation_id)
    return told


async def tell_begun(session: AsyncSession, clock: Clock, principal: Principal, rows: Sequence[LeaveRow]) -> bool:
    """Tell of those of an organisation's leaves that have begun by its wall clock; return whether there was one.

    Who finishes a night shift on the first morning is not away yet.
    """
    away = await shifts.away(session, principal, at=clock.now())
    today = await shifts.today(session, principal, at=clock.now())
    begun = [row for row in rows if row.person_id in away and row.as_leave.holds(today)]
    for row in begun:
        row.told_at = clock.now()
        event = LeaveBegun(organisation_id=principal.organisation_id, person_id=row.person_id, leave_id=row.id)
        await emit(session, clock, event)
    return bool(begun)


async def is_on_leave(session: AsyncSession, clock: Clock, principal: Principal, *, leave_id: int) -> bool:
    """Return whether somebody is away by a leave that was told of: it may have been taken back since."""
    row = await session.scalar(
        select(LeaveRow).where(LeaveRow.organisation_id == principal.organisation_id, LeaveRow.id == leave_id)
    )
    return row is not None and row.as_leave.holds(await shifts.today(session, principal, at=clock.now()))
