"""One step of the search for people: everything that waits is looked at, the oldest ticket first.

One search runs at a time in an organisation, so that two never give the last free hour of somebody twice. What is to
be known is read in a number of queries that does not grow with the tickets.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.accounts import people
from cloud.alarms.domain import Priority
from cloud.core.clock import Clock, to_us
from cloud.core.database import hold
from cloud.core.outbox import emit_all
from cloud.core.principal import Principal
from cloud.tickets.dispatch import Choice, Job, Obstacle, choose_all
from cloud.tickets.dispatch_events import TicketDispatched, Told
from cloud.tickets.dispatch_rules import DispatchRules, pin, to_rules
from cloud.tickets.dispatch_tables import IS_OPEN, IS_SEARCHING, TURNED_DOWN, DispatchRow, OfferRow, OfferState, Search
from cloud.tickets.domain import Deed, State
from cloud.tickets.duty import Worker, workers
from cloud.tickets.service import assign
from cloud.tickets.skills import today
from cloud.tickets.tables import TicketEntryRow, TicketRow, TicketTypeRow
from cloud.tickets.verdicts import stored

LOOK_AGAIN = timedelta(minutes=1)
"""A shift that begins, a leave that ends and a new certificate say nothing: how soon they are seen."""

_ROUND = 500
"""Tickets that a step looks at: with 200 workers it holds SQLite's writer for some tenths of a second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """A ticket that nobody has, and how the search for somebody stands."""

    search: DispatchRow
    ticket: TicketRow
    type: TicketTypeRow

    def job(self, asked: Mapping[int, frozenset[int]]) -> Job:
        """Return what of it decides who can do it."""
        return Job(
            ticket_id=self.ticket.id,
            opened_at=self.ticket.opened_at,
            community_id=self.ticket.community_id,
            building_id=self.search.building_id,
            skills=tuple(self.type.skills),
            is_emergency=self.type.is_emergency,
            asked=asked.get(self.ticket.id, frozenset()),
        )


@dataclass(slots=True, kw_only=True)
class _Step:
    """What a step of the search works with, and what it has to say."""

    session: AsyncSession
    clock: Clock
    principal: Principal
    rules_id: int
    rules: DispatchRules
    workers: Mapping[int, Worker]
    events: list[TicketDispatched]
    lines: list[dict[str, object]]
    offers: list[dict[str, object]]

    def begin(self, sought: Sought, state: Search) -> bool:
        """Put the search into a state; return whether that is news."""
        search = sought.search
        search.next_at = self.clock.now() + LOOK_AGAIN
        if search.state is state:
            return False
        search.state, search.since = state, self.clock.now()
        return True

    def tell(self, ticket_id: int, told: Told, *, person_id: int | None = None, is_stretched: bool = False) -> None:
        """Have people told once this is committed."""
        self.events.append(
            TicketDispatched(
                organisation_id=self.principal.organisation_id,
                ticket_id=ticket_id,
                told=told,
                person_id=person_id,
                is_stretched=is_stretched,
                at_us=to_us(self.clock.now()),
            )
        )

    def write(self, ticket_id: int, deed: Deed, text: str = "") -> None:
        """Have an internal line written into a ticket's timeline."""
        self.lines.append(internal_line(self.clock, self.principal, ticket_id=ticket_id, deed=deed, text=text))

    def offer(self, ticket_id: int, person_id: int, state: OfferState, choice: Choice, *, due_at: datetime) -> None:
        """Have it written down that somebody is asked or given a ticket, and why."""
        now = self.clock.now()
        self.offers.append(
            {
                "organisation_id": self.principal.organisation_id,
                "ticket_id": ticket_id,
                "person_id": person_id,
                "rules_id": self.rules_id,
                "state": state,
                "offered_at": now,
                "due_at": due_at,
                "closed_at": now if state is OfferState.GIVEN else None,
                "reason": "",
                "verdicts": stored(choice),
            }
        )

    async def keep(self) -> None:
        """Write everything, each kind of row in one statement."""
        await self.session.flush()
        for table, rows in ((OfferRow, self.offers), (TicketEntryRow, self.lines)):
            if rows:
                await self.session.execute(insert(table), rows)
        await emit_all(self.session, self.clock, self.events)


async def alone(session: AsyncSession, principal: Principal) -> None:
    """Wait until no other step of the organisation's search runs; whoever changes searches does so first of all."""
    await hold(session, f"dispatch {principal.organisation_id}")


async def search(session: AsyncSession, clock: Clock, principal: Principal, *, ticket_id: int | None = None) -> None:
    """Go on with the organisation's searches in which nobody is asked now, or with that of one emergency.

    A step takes the oldest that were not looked at since the minute began: shifts, leave and certificates change with
    a minute, and whoever has less to do makes what waits due. So no ticket overtakes an older one, whatever the
    number of steps.
    """
    await alone(session, principal)
    rules_row = await pin(session, clock, principal)
    step = _Step(
        session=session,
        clock=clock,
        principal=principal,
        rules_id=rules_row.id,
        rules=to_rules(rules_row),
        workers={worker.person.id: worker for worker in await workers(session, clock, principal)},
        events=[],
        lines=[],
        offers=[],
    )
    sought = await _free(session, clock, principal, ticket_id=ticket_id)
    asked = await turned_down(session, principal, ticket_ids=[each.ticket.id for each in sought])
    by_hand = [each for each in sought if _is_by_hand(each, asked, step.rules)]
    by_rule = {each.ticket.id: each for each in sought if each not in by_hand}
    for each in by_hand:
        _queue(step, each)
    day = await today(session, clock, principal)
    candidates = [worker.candidate for worker in step.workers.values()]
    jobs = [each.job(asked) for each in by_rule.values()]
    for choice in choose_all(jobs, candidates, cap=step.rules.cap, day=day):
        await _follow(step, by_rule[choice.ticket_id], choice)
    await step.keep()


async def let_lapse(session: AsyncSession, clock: Clock, principal: Principal) -> None:
    """Close the offers that nobody answered in time; their tickets are looked for again."""
    lapsed = (
        await session.execute(
            update(OfferRow)
            .where(OfferRow.organisation_id == principal.organisation_id, IS_OPEN)
            .where(OfferRow.due_at <= clock.now())
            .values(state=OfferState.LAPSED, closed_at=clock.now())
            .execution_options(synchronize_session=False)
            .returning(OfferRow.ticket_id, OfferRow.person_id)
        )
    ).all()
    names = await people.names(session, principal, {person_id for _ticket_id, person_id in lapsed})
    if lapsed:
        lines = [
            internal_line(clock, principal, ticket_id=ticket_id, deed=Deed.LAPSED, text=names.get(person_id, ""))
            for ticket_id, person_id in lapsed
        ]
        await session.execute(insert(TicketEntryRow), lines)
    await session.execute(
        update(DispatchRow)
        .where(
            DispatchRow.organisation_id == principal.organisation_id, IS_SEARCHING, DispatchRow.state == Search.OFFERED
        )
        .where(DispatchRow.next_at <= clock.now())
        .values(state=Search.NEW, since=clock.now())
        .execution_options(synchronize_session=False)
    )
    await session.flush()


async def turned_down(
    session: AsyncSession, principal: Principal, *, ticket_ids: Collection[int] | None = None
) -> dict[int, frozenset[int]]:
    """Return by ticket, of these or of all that are looked for, who did not take it, or had it and gave it back."""
    searched = select(DispatchRow.ticket_id).where(
        DispatchRow.organisation_id == principal.organisation_id, IS_SEARCHING
    )
    rows = await session.execute(
        select(OfferRow.ticket_id, OfferRow.person_id)
        .where(OfferRow.organisation_id == principal.organisation_id, OfferRow.state.in_(sorted(TURNED_DOWN)))
        .where(OfferRow.ticket_id.in_(searched if ticket_ids is None else ticket_ids))
    )
    found: dict[int, set[int]] = defaultdict(set)
    for ticket_id, person_id in rows:
        found[ticket_id].add(person_id)
    return {ticket_id: frozenset(person_ids) for ticket_id, person_ids in found.items()}


async def look_on(session: AsyncSession, clock: Clock, principal: Principal, *, ticket_ids: Collection[int]) -> None:
    """Have the next one asked, within a second, for tickets whose offer is over."""
    await session.execute(
        update(DispatchRow)
        .where(DispatchRow.organisation_id == principal.organisation_id, DispatchRow.ticket_id.in_(ticket_ids))
        .where(DispatchRow.state == Search.OFFERED)
        .values(state=Search.NEW, since=clock.now(), next_at=clock.now())
        .execution_options(synchronize_session=False)
    )


def internal_line(clock: Clock, principal: Principal, *, ticket_id: int, deed: Deed, text: str) -> dict[str, object]:
    """Return a line of a ticket's timeline that only staff read, as it is written with hundreds of others."""
    return {
        "organisation_id": principal.organisation_id,
        "ticket_id": ticket_id,
        "at": clock.now(),
        "person_id": principal.person_id,
        "actor": principal.name if principal.person_id is not None else "",
        "deed": deed,
        "text": text,
        "is_public": False,
    }


async def _free(session: AsyncSession, clock: Clock, principal: Principal, *, ticket_id: int | None) -> list[Sought]:
    """Return the tickets that are looked for, locked; the search of one that is nobody's business any more ends."""
    found = (
        select(DispatchRow, TicketRow, TicketTypeRow)
        .join(TicketRow, TicketRow.id == DispatchRow.ticket_id)
        .join(TicketTypeRow, TicketTypeRow.id == TicketRow.type_id)
        .where(
            DispatchRow.organisation_id == principal.organisation_id, IS_SEARCHING, DispatchRow.state != Search.OFFERED
        )
        .order_by(TicketRow.opened_at, TicketRow.id)
        .with_for_update(of=(DispatchRow, TicketRow))
        .execution_options(populate_existing=True)
    )
    if ticket_id is not None:
        found = found.where(DispatchRow.ticket_id == ticket_id)
    else:
        minute = clock.now().replace(second=0, microsecond=0)
        is_due = or_(DispatchRow.next_at <= clock.now(), DispatchRow.next_at < minute + LOOK_AGAIN)
        found = found.where(is_due).limit(_ROUND)
    free = []
    for search_row, ticket, type_row in await session.execute(found):
        if ticket.state is State.OPEN and ticket.assignee_id is None:
            free.append(Sought(search=search_row, ticket=ticket, type=type_row))
        else:
            search_row.state, search_row.next_at = Search.OVER, None
    return free


def _is_by_hand(sought: Sought, asked: Mapping[int, frozenset[int]], rules: DispatchRules) -> bool:
    if sought.type.is_emergency:
        return False
    return sought.ticket.kind not in rules.kinds or len(asked.get(sought.ticket.id, ())) >= rules.asked_at_most


async def _follow(step: _Step, sought: Sought, choice: Choice) -> None:
    """Do what a choice says: give it, offer it, or say why nobody can be found."""
    if choice.best is not None and sought.type.is_emergency:
        await _give(step, sought, choice, choice.best)
    elif choice.best is not None:
        _offer(step, sought, choice, choice.best)
    else:
        _wait(step, sought, choice)


async def _give(step: _Step, sought: Sought, choice: Choice, person_id: int) -> None:
    ticket, now, best = sought.ticket, step.clock.now(), choice.ranked[0]
    await assign(
        step.session, step.clock, step.principal, ticket_id=ticket.id, version=ticket.version, person_id=person_id
    )
    step.offer(ticket.id, person_id, OfferState.GIVEN, choice, due_at=now)
    step.begin(sought, Search.OVER)
    sought.search.next_at = None
    is_stretched = not best.is_on_duty or best.load >= step.rules.cap
    step.tell(ticket.id, Told.GIVEN, person_id=person_id, is_stretched=is_stretched)


def _offer(step: _Step, sought: Sought, choice: Choice, person_id: int) -> None:
    ticket, now = sought.ticket, step.clock.now()
    due_at = now + timedelta(minutes=step.rules.accept_min[Priority(ticket.priority)])
    step.offer(ticket.id, person_id, OfferState.OPEN, choice, due_at=due_at)
    step.begin(sought, Search.OFFERED)
    sought.search.next_at, sought.search.verdicts = due_at, None
    step.write(ticket.id, Deed.OFFERED, step.workers[person_id].person.name)
    step.tell(ticket.id, Told.OFFERED, person_id=person_id)


def _wait(step: _Step, sought: Sought, choice: Choice) -> None:
    """Keep a ticket for which nobody is found, with the reasons, where people see it."""
    sought.search.verdicts = stored(choice)
    if choice.waits_for_capacity:
        step.begin(sought, Search.WAITING)
        _call_in_time(step, sought)
    elif not sought.type.is_emergency and any(each == (Obstacle.ASKED,) for each in choice.barred.values()):
        _queue(step, sought)
    elif step.begin(sought, Search.NO_CANDIDATE):
        step.write(sought.ticket.id, Deed.NOBODY_FOUND)
        _call(step, sought)


def _queue(step: _Step, sought: Sought) -> None:
    """Give a ticket to the dispatcher, and after a while to a supervisor."""
    if step.begin(sought, Search.QUEUED):
        step.write(sought.ticket.id, Deed.QUEUED)
        step.tell(sought.ticket.id, Told.QUEUED)
    _call_in_time(step, sought)


def _call_in_time(step: _Step, sought: Sought) -> None:
    if step.clock.now() - sought.search.since >= timedelta(minutes=step.rules.queue_min):
        _call(step, sought)


def _call(step: _Step, sought: Sought) -> None:
    """Call a supervisor, once in a search."""
    if sought.search.called_at is None:
        sought.search.called_at = step.clock.now()
        step.tell(sought.ticket.id, Told.CALLED)
