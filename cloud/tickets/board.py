"""What the dispatcher sees: tickets that nobody has, who would be best for each and why, and a choice tried out."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from sqlalchemy import ColumnElement, Table, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.core.clock import Clock
from cloud.core.errors import NotFound, Refused
from cloud.core.listing import Ask, Found, Listing, fetch
from cloud.core.principal import Principal
from cloud.tickets.dispatch import Choice, Job, choose
from cloud.tickets.dispatch_rules import DispatchRules, rules_in_force
from cloud.tickets.dispatch_tables import DispatchRow, OfferRow, OfferState, Search
from cloud.tickets.domain import State
from cloud.tickets.duty import Worker, workers
from cloud.tickets.reading import Ticket, tickets
from cloud.tickets.searching import turned_down
from cloud.tickets.skills import today
from cloud.tickets.tables import IS_UNDONE, TICKET_SEARCH, TicketRow, seen_tickets
from cloud.tickets.verdicts import restored
from firmware_configs.look.words import _

_TICKETS = cast("Table", TicketRow.__table__).c
_SEARCHES = cast("Table", DispatchRow.__table__).c


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A ticket that nobody has.

    Attributes:
        search: where the search for somebody stands.
        called_at: when a supervisor was called.
        choice: the verdict on everybody at this moment.
        offered_to: who is asked now, until `offered_until`; None when nobody is.
    """

    ticket: Ticket
    search: Search
    called_at: datetime | None
    choice: Choice
    offered_to: int | None
    offered_until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """Somebody who was asked for a ticket or given it, what they said, and why it was them."""

    person_id: int
    state: OfferState
    offered_at: datetime
    reason: str
    choice: Choice | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """The tickets that nobody has, and everybody who does repairs."""

    lines: Found[Line]
    workers: Mapping[int, Worker]
    rules: DispatchRules


async def board(session: AsyncSession, clock: Clock, principal: Principal, ask: Ask) -> Board:
    """Return the stretch that `ask` wants of the tickets that nobody has, what must be done first first."""
    found = await fetch(session, _listing(principal), ask)
    rules = (await rules_in_force(session, principal)).rules
    team = {worker.person.id: worker for worker in await workers(session, clock, principal)}
    ids = [row.id for row in found.rows]
    lines = await _lines(session, clock, principal, ids, team, rules)
    rows = [lines[ticket_id] for ticket_id in ids if ticket_id in lines]
    return Board(lines=found.of(rows), workers=team, rules=rules)


async def count_unowned(session: AsyncSession, principal: Principal) -> int:
    """Return how many tickets nobody has."""
    # any organisation: seen_tickets leaves only the principal's
    free = seen_tickets(principal).where(_is_free()).with_only_columns(TicketRow.id)
    return await session.scalar(select(func.count()).select_from(free.subquery())) or 0


async def count_unplaced(session: AsyncSession, principal: Principal) -> int:
    """Return for how many tickets nobody is to be found."""
    # any organisation: seen_tickets leaves only the principal's
    free = seen_tickets(principal).where(_is_free()).with_only_columns(TicketRow.id)
    lost = free.join(DispatchRow, DispatchRow.ticket_id == TicketRow.id).where(DispatchRow.state == Search.NO_CANDIDATE)
    return await session.scalar(select(func.count()).select_from(lost.subquery())) or 0


async def try_out(
    session: AsyncSession, clock: Clock, principal: Principal, *, ticket_id: int, rules: DispatchRules
) -> tuple[Ticket, Choice, Mapping[int, Worker]]:
    """Return whom `rules` would choose for a ticket now, whoever has it, with the verdict on everybody.

    Raises:
        NotFound: there is no such ticket that the principal may see.
    """
    found = await tickets(session, clock, principal, ticket_ids=[ticket_id])
    if not found:
        raise NotFound(_("There is no such ticket."))
    team = {worker.person.id: worker for worker in await workers(session, clock, principal)}
    lines = await _lines(session, clock, principal, [ticket_id], team, rules)
    return found[0], lines[ticket_id].choice, team


async def ticket_of_number(session: AsyncSession, principal: Principal, *, number: str) -> int:
    """Return the id of the ticket with a number.

    Raises:
        Refused: there is none that the principal may see.
    """
    # any organisation: seen_tickets leaves only the principal's
    seen = seen_tickets(principal).where(TicketRow.number == number.strip()).with_only_columns(TicketRow.id)
    found = await session.scalar(seen)
    if found is None:
        raise Refused(_("There is no ticket %(number)s; one is written like 2026-000123."), "ticket", number=number)
    return found


async def history(session: AsyncSession, principal: Principal, *, ticket_id: int) -> Sequence[Past]:
    """Return who was asked for a ticket that the principal has seen, the newest first."""
    rows = await session.scalars(
        select(OfferRow)
        .where(OfferRow.organisation_id == principal.organisation_id, OfferRow.ticket_id == ticket_id)
        .order_by(OfferRow.id.desc())
    )
    return [
        Past(
            person_id=row.person_id,
            state=row.state,
            offered_at=row.offered_at,
            reason=row.reason,
            choice=restored(ticket_id, row.verdicts) if row.verdicts else None,
        )
        for row in rows
    ]


async def _lines(
    session: AsyncSession,
    clock: Clock,
    principal: Principal,
    ticket_ids: Collection[int],
    team: Mapping[int, Worker],
    rules: DispatchRules,
) -> dict[int, Line]:
    asked = await turned_down(session, principal, ticket_ids=ticket_ids)
    searches = await _searches(session, principal, ticket_ids)
    offers = await _open_offers(session, principal, ticket_ids)
    day = await today(session, clock, principal)
    candidates = [worker.candidate for worker in team.values()]
    lines = {}
    for ticket in await tickets(session, clock, principal, ticket_ids=ticket_ids):
        search, offer = searches.get(ticket.id), offers.get(ticket.id)
        job = _job(ticket, search, asked.get(ticket.id, frozenset()))
        lines[ticket.id] = Line(
            ticket=ticket,
            search=search.state if search else Search.NEW,
            called_at=search.called_at if search else None,
            choice=choose(job, candidates, cap=rules.cap, day=day),
            offered_to=offer.person_id if offer else None,
            offered_until=offer.due_at if offer else None,
        )
    return lines


def _job(ticket: Ticket, search: DispatchRow | None, asked: frozenset[int]) -> Job:
    return Job(
        ticket_id=ticket.id,
        opened_at=ticket.opened_at,
        community_id=ticket.community_id,
        building_id=search.building_id if search else None,
        skills=ticket.type.skills,
        is_emergency=ticket.type.is_emergency,
        asked=asked,
    )


async def _searches(session: AsyncSession, principal: Principal, ticket_ids: Collection[int]) -> dict[int, DispatchRow]:
    rows = await session.scalars(
        select(DispatchRow).where(
            DispatchRow.organisation_id == principal.organisation_id, DispatchRow.ticket_id.in_(ticket_ids)
        )
    )
    return {row.ticket_id: row for row in rows}


async def _open_offers(session: AsyncSession, principal: Principal, ticket_ids: Collection[int]) -> dict[int, OfferRow]:
    rows = await session.scalars(
        select(OfferRow)
        .where(OfferRow.organisation_id == principal.organisation_id, OfferRow.ticket_id.in_(ticket_ids))
        .where(OfferRow.state == OfferState.OPEN)
    )
    return {row.ticket_id: row for row in rows}


def _is_free() -> ColumnElement[bool]:
    return IS_UNDONE & (TicketRow.state == State.OPEN) & TicketRow.assignee_id.is_(None)


def _listing(principal: Principal) -> Listing:
    # any organisation: seen_tickets leaves only the principal's
    ids = seen_tickets(principal).where(_is_free()).with_only_columns(TicketRow.id)
    return Listing(
        select=ids.outerjoin(DispatchRow, DispatchRow.ticket_id == TicketRow.id),
        columns={
            "number": _TICKETS.number,
            "place": _TICKETS.place,
            "priority": _TICKETS.priority,
            "due": _TICKETS.due_at,
            "opened": _TICKETS.opened_at,
            "search": func.coalesce(_SEARCHES.state, Search.NEW.value),
        },
        key=_TICKETS.id,
        order=(_TICKETS.due_at,),
        search=TICKET_SEARCH,
    )
