"""The ladder climbed: each step is told once, while the ticket is not done, and kept on its timeline."""

from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.calendars import service as calendars
from cloud.core.clock import Clock
from cloud.core.database import hold
from cloud.core.principal import Principal
from cloud.core.words import Words
from cloud.notifications import service as notifications
from cloud.notifications.domain import Kind
from cloud.tickets import timing
from cloud.tickets.clock_tables import TimerRow, timers_of
from cloud.tickets.dispatch_rules import DispatchRules, pin, pinned, to_rules
from cloud.tickets.dispatch_tables import DispatchRow, EscalationRow
from cloud.tickets.domain import UNDONE, Deed, Target, TargetBreached, TargetWarned
from cloud.tickets.ladder import BREACH, Rung, above_breach, climbed
from cloud.tickets.reach import reached
from cloud.tickets.tables import TicketRow, TicketTypeRow
from cloud.tickets.timeline import tell

_AT_ONCE = 100
_LOOK_AGAIN = timedelta(minutes=5)
"""How soon a step is looked at again whose clock stands now."""

TARGETS = {
    Target.FIRST_CONTACT: Words(zh="首次联系", en="First contact"),
    Target.ARRIVAL: Words(zh="到场", en="Arrival"),
    Target.PLAN: Words(zh="方案", en="Plan"),
    Target.SOLUTION: Words(zh="解决", en="Solution"),
}


async def climb_warned(session: AsyncSession, clock: Clock, event: TargetWarned) -> None:
    """Tell whom the ladder names for a part of a target that is used up."""
    principal = Principal.system(event.organisation_id)
    await _climb(session, clock, principal, ticket_id=event.ticket_id, target=event.target, percent=event.level)


async def climb_breached(session: AsyncSession, clock: Clock, event: TargetBreached) -> None:
    """Tell whom the ladder names for a target that is missed, and write down when its higher steps are due."""
    principal = Principal.system(event.organisation_id)
    timer = await _timer(session, principal, ticket_id=event.ticket_id, target=event.target)
    if timer is None or timer.breached_at is None:
        return  # it was withdrawn meanwhile
    await _climb(session, clock, principal, ticket_id=event.ticket_id, target=event.target, percent=BREACH)
    found = await _standing(session, principal, ticket_id=event.ticket_id)
    if found is None:
        return
    ticket, is_emergency = found
    rules = await _rules(session, clock, principal, ticket_id=ticket.id)
    for percent in above_breach(rules.ladder, is_emergency=is_emergency):
        await _hold_step(session, clock, principal, ticket_id=ticket.id, target=event.target, percent=percent)


async def climb_due(session: AsyncSession, clock: Clock) -> set[int]:
    """Climb the steps above a missed target that are due.

    A job: returns the organisations for which there was something, and is to be repeated until there is none.
    """
    # any organisation: a job looks after all of them
    rows = await session.scalars(
        select(EscalationRow)
        .where(EscalationRow.due_at <= clock.now())
        .order_by(EscalationRow.due_at)
        .limit(_AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    due = rows.all()
    for row in sorted(due, key=lambda row: row.ticket_id):  # tickets are locked in one order, whoever locks several
        await _climb_due(session, clock, Principal.system(row.organisation_id), row)
    await session.flush()
    return {row.organisation_id for row in due}


async def _climb_due(session: AsyncSession, clock: Clock, principal: Principal, row: EscalationRow) -> None:
    timer = await _timer(session, principal, ticket_id=row.ticket_id, target=row.target)
    if timer is None or timer.ended_at is not None:
        row.due_at = None
        return
    due_at = await _due_at(session, principal, timer, percent=row.percent)
    if due_at is None or due_at > clock.now():
        row.due_at = due_at or clock.now() + _LOOK_AGAIN  # it waited meanwhile: time that does not count
        return
    row.due_at = None
    await _climb(session, clock, principal, ticket_id=row.ticket_id, target=row.target, percent=row.percent)


async def _climb(
    session: AsyncSession, clock: Clock, principal: Principal, *, ticket_id: int, target: Target, percent: int
) -> None:
    """Tell whom a step names, once."""
    found = await _standing(session, principal, ticket_id=ticket_id)
    if found is None:
        return
    ticket, is_emergency = found
    rules = await _rules(session, clock, principal, ticket_id=ticket_id)
    rungs = climbed(rules.ladder, percent=percent, is_emergency=is_emergency)
    if not rungs:
        return
    step = await _step(session, principal, ticket_id=ticket_id, target=target, percent=percent)
    if step.told_at is not None:
        return
    step.told_at = clock.now()
    ticket.escalated = max(ticket.escalated, percent)
    for rung in rungs:
        await _tell(session, clock, principal, ticket, rules, rung, target=target, is_emergency=is_emergency)


async def _tell(
    session: AsyncSession,
    clock: Clock,
    principal: Principal,
    ticket: TicketRow,
    rules: DispatchRules,
    rung: Rung,
    *,
    target: Target,
    is_emergency: bool,
) -> None:
    people = await reached(session, principal, rules, rung.whom, row=ticket)
    name, owner = TARGETS[target], ticket.assignee_name
    await notifications.notify(
        session,
        clock,
        principal,
        person_ids=[person.id for person in people],
        kind=Kind.TICKET_ESCALATED,
        subject=Words(
            zh=f"工单 {ticket.number}：{name.zh}时限已用 {rung.percent}%",
            en=f"Ticket {ticket.number}: {rung.percent}% of the time for {name.en.lower()} is used",
        ),
        text=Words(
            zh=f"{ticket.place}。处理人：{owner or '无'}。请立即跟进。",
            en=f"{ticket.place}. Owner: {owner or 'nobody'}. Please see to it now.",
        ),
        link=f"/tickets/{ticket.id}",
        is_urgent=is_emergency,
        key=f"ladder:{ticket.id}:{target}:{rung.percent}:{rung.whom}",
    )
    names = "、".join(person.name for person in people)
    await tell(session, clock, principal, ticket, Deed.ESCALATED, text=f"{rung.percent} % → {names}", is_public=False)


async def _standing(session: AsyncSession, principal: Principal, *, ticket_id: int) -> tuple[TicketRow, bool] | None:
    """Return a ticket that is not done, locked, and whether it is an emergency."""
    rows = await session.execute(
        select(TicketRow, TicketTypeRow.is_emergency)
        .join(TicketTypeRow, TicketTypeRow.id == TicketRow.type_id)
        .where(TicketRow.organisation_id == principal.organisation_id, TicketRow.id == ticket_id)
        .where(TicketRow.state.in_(sorted(UNDONE)))
        .with_for_update(of=TicketRow)
        .execution_options(populate_existing=True)
    )
    found = rows.first()
    return None if found is None else (found[0], found[1])


async def _rules(session: AsyncSession, clock: Clock, principal: Principal, *, ticket_id: int) -> DispatchRules:
    """Return the rules that the ticket began with."""
    rules_id = await session.scalar(
        select(DispatchRow.rules_id).where(
            DispatchRow.organisation_id == principal.organisation_id, DispatchRow.ticket_id == ticket_id
        )
    )
    if rules_id is None:
        return to_rules(await pin(session, clock, principal))
    return await pinned(session, principal, rules_id=rules_id)


async def _step(
    session: AsyncSession, principal: Principal, *, ticket_id: int, target: Target, percent: int
) -> EscalationRow:
    """Return a step's row, which is made if there is none; the transaction holds the ticket's ladder."""
    await hold(session, f"ladder of ticket {ticket_id}")
    row = await session.scalar(
        select(EscalationRow)
        .where(EscalationRow.organisation_id == principal.organisation_id, EscalationRow.ticket_id == ticket_id)
        .where(EscalationRow.target == target, EscalationRow.percent == percent)
    )
    if row is None:
        row = EscalationRow(
            organisation_id=principal.organisation_id, ticket_id=ticket_id, target=target, percent=percent
        )
        session.add(row)
        await session.flush()
    return row


async def _hold_step(
    session: AsyncSession, clock: Clock, principal: Principal, *, ticket_id: int, target: Target, percent: int
) -> None:
    """Write down when a step above a missed target is due; it stays as it is when it was written before."""
    timer = await _timer(session, principal, ticket_id=ticket_id, target=target)
    if timer is None or timer.ended_at is not None:
        return
    step = await _step(session, principal, ticket_id=ticket_id, target=target, percent=percent)
    if step.told_at is None and step.due_at is None:
        step.due_at = await _due_at(session, principal, timer, percent=percent) or clock.now() + _LOOK_AGAIN


async def _timer(session: AsyncSession, principal: Principal, *, ticket_id: int, target: Target) -> TimerRow | None:
    found = await timers_of(session, organisation_id=principal.organisation_id, ticket_ids=[ticket_id])
    return next((timer for timer in found if timer.target is target), None)


async def _due_at(session: AsyncSession, principal: Principal, row: TimerRow, *, percent: int) -> datetime | None:
    """Return when so much of a target's time is used up, on its own calendar; None while its clock stands."""
    calendar = await calendars.calendar(session, principal, version_id=row.calendar_id)
    timer = row.timer
    return timing.due_at(replace(timer, limit=timer.limit * percent / 100), calendar)
