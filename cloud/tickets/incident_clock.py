"""The clock of incidents: a supervisor is warned before the deadline, and called when it has passed."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.alarms.domain import Priority
from cloud.core.clock import Clock
from cloud.core.principal import Principal
from cloud.core.words import Words
from cloud.notifications.domain import Kind
from cloud.notifications.service import notify
from cloud.tickets.dispatch_rules import rules_in_force
from cloud.tickets.reach import supervisors
from cloud.tickets.tables import IncidentRow

WARNED_AT = 80
"""Percent of the business time until the deadline at which a supervisor is warned."""

_AT_ONCE = 50


async def judge_due(session: AsyncSession, clock: Clock) -> set[int]:
    """Say which open incidents are nearly late and which are late, each once; the longest overdue first.

    A job: returns the organisations for which there was something, and is to be repeated until there is none.
    """
    rows = await session.scalars(
        select(IncidentRow)  # any organisation: a job looks after all of them
        .where(IncidentRow.next_at < clock.now())
        .order_by(IncidentRow.next_at)
        .limit(_AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    due = rows.all()
    for row in due:
        note_breach(row, clock)
        row.next_at = row.due_at if row.breached_at is None else None
        await _tell(session, clock, row)
    return {row.organisation_id for row in due}


def note_breach(row: IncidentRow, clock: Clock) -> None:
    """Keep that an incident's deadline passed before it was over; what is done at its instant is done in time."""
    if row.breached_at is None and row.due_at < clock.now():
        row.breached_at = row.due_at


async def _tell(session: AsyncSession, clock: Clock, row: IncidentRow) -> None:
    system = Principal.system(row.organisation_id)
    told = await supervisors(session, system, (await rules_in_force(session, system)).rules, row=row)
    is_late = row.breached_at is not None
    what = (
        Words(zh="事件已超时", en="An incident is late")
        if is_late
        else Words(zh="事件即将超时", en="An incident is nearly late")
    )
    await notify(
        session,
        clock,
        system,
        person_ids=[person.id for person in told],
        kind=Kind.TICKET_ESCALATED,
        subject=Words(zh=f"{what.zh}：{row.title}", en=f"{what.en}: {row.title}"),
        text=Words(zh="请立即跟进。", en="Please see to it now."),
        link=f"/incidents/{row.id}",
        is_urgent=row.priority == Priority.CRITICAL,
        key=f"incident:{row.id}:{'late' if is_late else 'warned'}",
    )
