"""Which tickets are about which alarms, and whether an alarm of a ticket stands still."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.alarms import service as alarms
from cloud.alarms.domain import ENDED_BY_NOTICE
from cloud.alarms.service import Alarm
from cloud.core.principal import Principal
from cloud.tickets.domain import State
from cloud.tickets.holding import held_by, last_holder
from cloud.tickets.tables import TicketAlarmRow, TicketRow, alarms_of


async def must_verify(session: AsyncSession, principal: Principal, *, ticket_id: int) -> bool:
    """Return whether a value behind one of the ticket's alarms must become normal before the ticket is done.

    The alarms of tickets that were merged into it are its own. What happened once and has no value that could return
    asks for nothing.
    """
    about = await alarms_of(session, principal, [ticket_id, *await held_by(session, principal, ticket_id=ticket_id)])
    alarm_ids = [alarm_id for of_one in about.values() for alarm_id in of_one]
    if not alarm_ids:
        return False
    system = Principal.system(principal.organisation_id)
    found = await alarms.alarms(session, system, alarm_ids=alarm_ids)
    return any(alarm.is_active and alarm.cause not in ENDED_BY_NOTICE for alarm in found)


async def link(session: AsyncSession, principal: Principal, *, ticket_id: int, alarm: Alarm, is_rework: bool) -> None:
    """Note that the ticket is about the alarm."""
    session.add(
        TicketAlarmRow(
            alarm_id=alarm.id,
            organisation_id=principal.organisation_id,
            ticket_id=ticket_id,
            rule_id=alarm.rule_id,
            point_id=alarm.point_id,
            is_rework=is_rework,
        )
    )
    await session.flush()


async def resolved_before(session: AsyncSession, principal: Principal, alarm: Alarm) -> TicketRow | None:
    """Return, locked, the ticket last resolved by a person for the same rule at the same point; None if there is none.

    Where the alarm's ticket was merged, the work was in the one that holds it. A ticket that nobody worked on proves
    nothing about the work.
    """
    if alarm.rule_id is None or alarm.point_id is None:
        return None
    about = (
        select(TicketRow.id)
        .join(TicketAlarmRow, TicketAlarmRow.ticket_id == TicketRow.id)
        .where(TicketRow.organisation_id == principal.organisation_id)
        .where(TicketAlarmRow.rule_id == alarm.rule_id, TicketAlarmRow.point_id == alarm.point_id)
        .order_by(TicketRow.closed_at.desc())
    )
    own = about.where(TicketRow.state == State.RESOLVED, TicketRow.resolved_by.is_not(None)).limit(1)
    merged = about.where(TicketRow.merged_into_id.is_not(None)).limit(1)
    held = [await last_holder(session, principal, ticket_id=row.id) for row in (await session.execute(merged)).all()]
    candidates = [*(row.id for row in (await session.execute(own)).all()), *held]
    return await session.scalar(
        select(TicketRow)
        .where(TicketRow.organisation_id == principal.organisation_id, TicketRow.id.in_(candidates))
        .where(TicketRow.state == State.RESOLVED, TicketRow.resolved_by.is_not(None))
        .order_by(TicketRow.closed_at.desc())
        .limit(1)
        .with_for_update(of=TicketRow)
        .execution_options(populate_existing=True)
    )
