"""The clocks of tickets: begun, stopped and met with what is done, and judged when something falls due.

A ticket's timers are pinned to the calendar's version in force when it was opened. They stand while the ticket waits
or its plan is with whoever pays, and end when it ends. When it is taken up again, the solution's goes on from what was
used, and so do the others that ended because it was cancelled: the time between is not counted. Retiring a type ends
the timers of its open tickets, which then have no deadline; what was breached before stays breached.

What a telephone told late is judged by when it happened: a breach that was noted meanwhile of what had been done in
time is withdrawn, on the ticket's timeline and in the audit; see docs/decisions/0016.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.alarms.domain import Priority
from cloud.calendars import service as calendars
from cloud.calendars.domain import BusinessCalendar
from cloud.core import audit
from cloud.core.clock import Clock, stopped, told_at
from cloud.core.events import Event
from cloud.core.outbox import emit_all
from cloud.core.principal import Principal
from cloud.tickets import timing
from cloud.tickets.clock_tables import Ending, TimerEventRow, TimerRow, Turn, locked_due_timers, timers_of
from cloud.tickets.domain import (
    CLOCK_STANDS,
    UNDONE,
    Act,
    Deed,
    State,
    Target,
    TargetBreached,
    TargetWarned,
    TicketType,
)
from cloud.tickets.tables import NO_DEADLINE, TicketRow, TicketTypeRow
from cloud.tickets.timeline import tell
from cloud.tickets.timing import BREACH, Crossing, Timer

_AT_ONCE = 200

_MET_BY: Mapping[Act, tuple[Target, ...]] = {
    Act.PROPOSE: (Target.ARRIVAL, Target.PLAN),
    Act.START: (Target.ARRIVAL,),
    Act.START_EMERGENCY: (Target.ARRIVAL,),
}
"""What an act shows to have happened; a first contact is only what somebody wrote down as one."""

Clocked = tuple[TimerRow, BusinessCalendar]


async def begin(
    session: AsyncSession, clock: Clock, principal: Principal, row: TicketRow, ticket_type: TicketType
) -> None:
    """Start the timers of a new ticket."""
    calendar_id = await calendars.pin(session, clock, principal, code=ticket_type.calendar)
    calendar = await calendars.calendar(session, principal, version_id=calendar_id)
    for target, limit in _targets(row, ticket_type).items():
        timer = timing.begun(limit, clock.now(), runs=_runs(row))
        await _add(session, clock, row, target, timer, calendar_id=calendar_id, calendar=calendar)
    await _keep_due(session, row)


async def follow(session: AsyncSession, clock: Clock, principal: Principal, row: TicketRow, act: Act) -> None:
    """Let a ticket's timers do what its new state asks: go on, stand, end, or be taken up again."""
    found = await _clocked(session, principal, row)
    revived = _revived([timer for timer, _calendar in found]) if act is Act.REOPEN else frozenset()
    at_once = stopped(clock)  # what ends together ends at one instant, by which it is known again
    for timer, calendar in found:
        if timer.target in revived:
            _take_up(session, at_once, timer, calendar)
        elif timer.ended_at is None:
            ending = _ending(row, timer, act)
            if ending is not None:
                await _end(session, at_once, principal, row, timer, calendar, ending)
            elif act is not Act.ASSIGN or _runs(row):  # in other hands it waits for whom it waited for
                await _stand_or_run(session, at_once, principal, row, timer, calendar, runs=_runs(row))
    await _keep_due(session, row)


async def run_or_stand(
    session: AsyncSession, clock: Clock, principal: Principal, row: TicketRow, *, runs: bool
) -> None:
    """Let a ticket's timers run, or stand, whatever its state asks for."""
    for timer, calendar in await _clocked(session, principal, row):
        if timer.ended_at is None:
            await _stand_or_run(session, clock, principal, row, timer, calendar, runs=runs)
    await _keep_due(session, row)


async def meet(session: AsyncSession, clock: Clock, principal: Principal, row: TicketRow, target: Target) -> None:
    """Note that what a target asks for has happened; said again, it changes nothing but that it was earlier."""
    for timer, calendar in await _clocked(session, principal, row):
        if timer.target is not target:
            continue
        if timer.ended_at is None:
            await _end(session, clock, principal, row, timer, calendar, Ending.MET)
        elif timer.ending is Ending.MET and clock.now() < timer.ended_at:
            await _withdraw(session, clock, principal, row, timer, calendar)
            timer.ended_at = clock.now()


async def retarget(
    session: AsyncSession,
    clock: Clock,
    principal: Principal,
    row: TicketRow,
    *,
    before: TicketType,
    after: TicketType,
) -> None:
    """Put a ticket's timers under the targets of its type and priority now; time that was used stays used.

    A target that the ticket had none of, or had only before, has used what the solution has. Where the types count on
    different calendars, it is the new one's that counts from now on. What ended with a type that was retired counts
    again under another type.
    """
    wanted = _targets(row, after)
    found = await _clocked(session, principal, row)
    if not found:
        return
    calendar_id, calendar = found[0][0].calendar_id, found[0][1]
    if before.calendar != after.calendar:
        calendar_id = await calendars.pin(session, clock, principal, code=after.calendar)
        calendar = await calendars.calendar(session, principal, version_id=calendar_id)
    used = timedelta()
    for timer, old in found:
        if timer.ended_at is None and timer.target not in wanted:
            await _end(session, clock, principal, row, timer, old, Ending.DROPPED)
        elif timer.ended_at is None:
            changed, crossings = timing.retargeted(timer.timer, old, clock.now(), limit=wanted[timer.target])
            await _say(session, clock, row, timer, crossings)
            timer.calendar_id = calendar_id
            _keep(session, clock, timer, changed, calendar, Turn.RETARGETED)
        used = timer.timer.used if timer.target is Target.SOLUTION else used
    for timer in [each for each, _old in found if each.target in wanted and _counts_again(row, each, before, after)]:
        counting = replace(timer.timer, used=used)
        standing, _nothing = timing.retargeted(counting, calendar, clock.now(), limit=wanted[timer.target])
        timer.calendar_id, timer.ended_at, timer.ending = calendar_id, None, None
        again = timing.resumed(standing, clock.now()) if _runs(row) else standing
        _keep(session, clock, timer, again, calendar, Turn.RETARGETED)
    for target in [each for each in wanted if each not in {timer.target for timer, _old in found}]:
        begun = Timer(limit=wanted[target], used=used, since=clock.now() if _runs(row) else None)
        await _add(session, clock, row, target, begun, calendar_id=calendar_id, calendar=calendar)
    await _keep_due(session, row)


async def end_of_type(session: AsyncSession, clock: Clock, principal: Principal, *, code: str) -> None:
    """End the timers of the open tickets of a type that is retired, in every version of it."""
    rows = await session.scalars(
        select(TicketRow)
        .join(TicketTypeRow, TicketTypeRow.id == TicketRow.type_id)
        .where(TicketRow.organisation_id == principal.organisation_id, TicketRow.state.in_(sorted(UNDONE)))
        .where(TicketTypeRow.code == code)
        .order_by(TicketRow.id)
        .with_for_update(of=TicketRow)
    )
    for row in rows.all():
        for timer, calendar in await _clocked(session, principal, row):
            if timer.ended_at is None:
                await _end(session, clock, principal, row, timer, calendar, Ending.RETIRED)
        await _keep_due(session, row)


async def judge_due(session: AsyncSession, clock: Clock) -> set[int]:
    """Say what parts of targets are used up and which deadlines have passed; only what is due is looked at.

    A job: returns the organisations for which there was something, and is to be repeated until there is none.
    """
    due = await locked_due_timers(session, before=clock.now(), limit=_AT_ONCE)
    organisations = {ticket.organisation_id for _timer, ticket in due}
    for organisation_id in sorted(organisations):
        mine = [(timer, ticket) for timer, ticket in due if ticket.organisation_id == organisation_id]
        known = await calendars.calendars(
            session, Principal.system(organisation_id), {timer.calendar_id for timer, _ticket in mine}
        )
        events: list[Event] = []
        for timer, ticket in mine:
            said, crossings = timing.judged(timer.timer, known[timer.calendar_id], clock.now())
            events += await _written(session, clock, ticket, timer, crossings)
            timer.keep(said)
            _look_ahead(timer, known[timer.calendar_id])
        await emit_all(session, clock, events)
    return organisations


def _targets(row: TicketRow, ticket_type: TicketType) -> dict[Target, timedelta]:
    """Return the targets that a ticket has: none to speak to nobody, none for a plan that nobody needs."""
    has_requester = row.requester_id is not None or row.requester_name or row.requester_phone
    left_out = {
        *(() if has_requester else (Target.FIRST_CONTACT,)),
        *(() if ticket_type.needs_plan else (Target.PLAN,)),
    }
    minutes = ticket_type.targets[Priority(row.priority)]
    return {target: timedelta(minutes=minutes[target]) for target in Target if target in minutes.keys() - left_out}


def _runs(row: TicketRow) -> bool:
    return row.state in UNDONE - CLOCK_STANDS


def _ending(row: TicketRow, timer: TimerRow, act: Act) -> Ending | None:
    if timer.target in _MET_BY.get(act, ()):
        return Ending.MET
    if row.state is State.RESOLVED:
        return Ending.MET if timer.target is Target.SOLUTION else Ending.DROPPED
    return Ending.DROPPED if row.state is State.CANCELLED else None


def _revived(timers: Collection[TimerRow]) -> frozenset[Target]:
    """Return which targets count again with a ticket that is taken up again: all that its cancelling ended."""
    solution = next((timer for timer in timers if timer.target is Target.SOLUTION), None)
    if solution is None or solution.ended_at is None or solution.ending is Ending.RETIRED:
        return frozenset()
    if solution.ending is Ending.MET:
        return frozenset({Target.SOLUTION})
    together = [each for each in timers if each.ending is Ending.DROPPED and each.ended_at == solution.ended_at]
    return frozenset(timer.target for timer in together)


def _counts_again(row: TicketRow, timer: TimerRow, before: TicketType, after: TicketType) -> bool:
    """Return whether a timer ended with a type or priority alone, and not with the ticket."""
    if timer.ending is Ending.RETIRED:
        return after.code != before.code
    return timer.ending is Ending.DROPPED and not row.reopened


async def _clocked(session: AsyncSession, principal: Principal, row: TicketRow) -> list[Clocked]:
    rows = await timers_of(session, organisation_id=principal.organisation_id, ticket_ids=[row.id])
    known = await calendars.calendars(session, principal, {timer.calendar_id for timer in rows})
    return [(timer, known[timer.calendar_id]) for timer in rows]


async def _add(
    session: AsyncSession,
    clock: Clock,
    row: TicketRow,
    target: Target,
    timer: Timer,
    *,
    calendar_id: int,
    calendar: BusinessCalendar,
) -> None:
    made = TimerRow(organisation_id=row.organisation_id, ticket_id=row.id, target=target, calendar_id=calendar_id)
    made.keep(timer)
    session.add(made)
    await session.flush()
    _keep(session, clock, made, timer, calendar, Turn.BEGAN)


async def _stand_or_run(
    session: AsyncSession,
    clock: Clock,
    principal: Principal,
    row: TicketRow,
    timer: TimerRow,
    calendar: BusinessCalendar,
    *,
    runs: bool,
) -> None:
    if runs is (timer.since is not None):
        return
    if runs:
        _keep(session, clock, timer, timing.resumed(timer.timer, clock.now()), calendar, Turn.RESUMED)
        return
    await _withdraw(session, clock, principal, row, timer, calendar)
    standing, crossings = timing.stopped(timer.timer, calendar, clock.now())
    await _say(session, clock, row, timer, crossings)
    _keep(session, clock, timer, standing, calendar, Turn.STOPPED)


async def _end(
    session: AsyncSession,
    clock: Clock,
    principal: Principal,
    row: TicketRow,
    timer: TimerRow,
    calendar: BusinessCalendar,
    ending: Ending,
) -> None:
    await _withdraw(session, clock, principal, row, timer, calendar)
    standing, crossings = timing.stopped(timer.timer, calendar, clock.now())
    await _say(session, clock, row, timer, crossings)
    timer.ended_at, timer.ending = clock.now(), ending
    _keep(session, clock, timer, standing, calendar, Turn.ENDED)


async def _withdraw(
    session: AsyncSession,
    clock: Clock,
    principal: Principal,
    row: TicketRow,
    timer: TimerRow,
    calendar: BusinessCalendar,
) -> None:
    """Take a breach back that was none: what ends or stops the clock had happened in time, and is told only now.

    That the deadline was thought missed stays among the timer's turns, and so does who was told of it.
    """
    if timer.breached_at is None or not timing.is_no_breach(timer.breached_at, clock.now()):
        return
    before = {"target": str(timer.target), "breached_at": timer.breached_at.isoformat()}
    timer.breached_at = None
    timer.keep(timing.unbroken(timer.timer, calendar, clock.now()))
    _note(session, timer, Turn.WITHDRAWN, at=told_at(clock))
    await tell(session, clock, principal, row, Deed.BREACH_WITHDRAWN, text=str(timer.target), is_public=False)
    audit.record(
        session, clock, principal, action="tickets.breach_withdrawn", subject=f"ticket:{row.id}", before=before
    )


def _take_up(session: AsyncSession, clock: Clock, timer: TimerRow, calendar: BusinessCalendar) -> None:
    timer.ended_at, timer.ending = None, None
    _keep(session, clock, timer, timing.resumed(timer.timer, clock.now()), calendar, Turn.RESUMED)


def _keep(
    session: AsyncSession, clock: Clock, row: TimerRow, timer: Timer, calendar: BusinessCalendar, turn: Turn
) -> None:
    """Hold what the rules made of a timer, and that it happened."""
    row.keep(timer)
    _look_ahead(row, calendar)
    _note(session, row, turn, at=clock.now())


def _look_ahead(row: TimerRow, calendar: BusinessCalendar) -> None:
    row.next_at = timing.next_at(row.timer, calendar)
    due_at = timing.due_at(row.timer, calendar)
    if due_at is not None and row.breached_at is None:
        row.due_at = due_at


async def _say(
    session: AsyncSession, clock: Clock, row: TicketRow, timer: TimerRow, crossings: Sequence[Crossing]
) -> None:
    await emit_all(session, clock, await _written(session, clock, row, timer, crossings))


async def _written(
    session: AsyncSession, clock: Clock, row: TicketRow, timer: TimerRow, crossings: Sequence[Crossing]
) -> list[Event]:
    """Write down what parts of a target were used up by when, and return what is to be told of it."""
    events: list[Event] = []
    ours, ticket_id, target = row.organisation_id, row.id, timer.target
    for crossing in crossings:
        if crossing.level == BREACH:
            timer.breached_at = crossing.at
            _note(session, timer, Turn.BREACHED, at=crossing.at)
            system = Principal.system(row.organisation_id)
            await tell(session, clock, system, row, Deed.BREACHED, text=str(timer.target), is_public=False)
            events.append(TargetBreached(organisation_id=ours, ticket_id=ticket_id, target=target))
        else:
            _note(session, timer, Turn.WARNED, at=crossing.at, level=crossing.level)
            warned = TargetWarned(organisation_id=ours, ticket_id=ticket_id, target=target, level=crossing.level)
            events.append(warned)
    return events


def _note(session: AsyncSession, timer: TimerRow, turn: Turn, *, at: datetime, level: int = 0) -> None:
    session.add(TimerEventRow(organisation_id=timer.organisation_id, timer_id=timer.id, at=at, turn=turn, level=level))


async def _keep_due(session: AsyncSession, row: TicketRow) -> None:
    """Hold the solution's deadline in the ticket, by which lists are sorted."""
    if row.state not in UNDONE:
        return  # a ticket that is done keeps the deadline that it had
    found = await timers_of(session, organisation_id=row.organisation_id, ticket_ids=[row.id])
    solution = next((timer for timer in found if timer.target is Target.SOLUTION), None)
    if solution is not None:  # a ticket older than the timers keeps the deadline that it was given
        row.due_at = solution.due_at or NO_DEADLINE if solution.since is not None else NO_DEADLINE
