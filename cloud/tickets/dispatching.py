"""When the search for people begins, ends and goes on: with a ticket, with what becomes of it, and by itself."""

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.core.clock import Clock
from cloud.core.principal import Principal
from cloud.properties import service as properties
from cloud.tickets.dispatch_rules import pin
from cloud.tickets.dispatch_tables import IS_SEARCHING, DispatchRow, OfferRow, OfferState, Search
from cloud.tickets.domain import Act, Deed, State, TicketMoved, TicketOpened, TicketReclassified
from cloud.tickets.duty import note_whereabouts
from cloud.tickets.searching import alone, let_lapse, search
from cloud.tickets.tables import TicketEntryRow, TicketRow, TicketTypeRow

_ON_THE_SPOT = frozenset({Act.START, Act.START_EMERGENCY, Act.RESOLVE})
"""What somebody does where the work is."""


async def begin_search(session: AsyncSession, clock: Clock, event: TicketOpened) -> None:
    """Look for somebody who does a new ticket: for an emergency at once, else with the next step of the search."""
    principal = Principal.system(event.organisation_id)
    await alone(session, principal)
    found = await _find(session, principal, ticket_id=event.ticket_id)
    if found is None or await _search_of(session, principal, ticket_id=event.ticket_id) is not None:
        return
    ticket, type_row = found
    session.add(await _begun(session, clock, principal, ticket))
    await session.flush()
    if type_row.is_emergency:
        await search(session, clock, principal, ticket_id=ticket.id)


async def follow_ticket(session: AsyncSession, clock: Clock, event: TicketMoved) -> None:
    """Let the search know what became of a ticket: over when somebody has it, begun again when nobody has."""
    principal = Principal.system(event.organisation_id)
    await alone(session, principal)
    found = await _find(session, principal, ticket_id=event.ticket_id)
    if found is None:
        return
    ticket, type_row = found
    row = await _search_of(session, principal, ticket_id=ticket.id)
    if row is None:
        row = await _begun(session, clock, principal, ticket)
        session.add(row)
    is_free = ticket.state is State.OPEN and ticket.assignee_id is None
    if not is_free:
        await _end(session, clock, row)
        await _note_worker(session, clock, principal, ticket, row, event.act)
    elif row.state is Search.OVER:
        row.state, row.since, row.next_at, row.called_at = Search.NEW, clock.now(), clock.now(), None
        await _note_returned(session, clock, ticket)
    await session.flush()
    if is_free and type_row.is_emergency:
        await search(session, clock, principal, ticket_id=ticket.id)
    await _wake(session, clock, principal)


async def follow_type(session: AsyncSession, clock: Clock, event: TicketReclassified) -> None:
    """Look anew for somebody who does a ticket that became another: who is asked about what it was is asked no more."""
    principal = Principal.system(event.organisation_id)
    await alone(session, principal)
    found = await _find(session, principal, ticket_id=event.ticket_id)
    row = await _search_of(session, principal, ticket_id=event.ticket_id)
    if found is None or row is None:
        return
    ticket, type_row = found
    if ticket.state is not State.OPEN or ticket.assignee_id is not None:
        return
    await _end(session, clock, row)
    row.state, row.since, row.next_at = Search.NEW, clock.now(), clock.now()
    await session.flush()
    if type_row.is_emergency:
        await search(session, clock, principal, ticket_id=ticket.id)


async def dispatch_due(session: AsyncSession, clock: Clock) -> set[int]:
    """Go on with an organisation's searches when something is due: an offer has lapsed, a ticket came, time passed.

    A job: returns the organisation, and is to be repeated until there is none.
    """
    # any organisation: a job looks after all of them
    organisation_id = await session.scalar(
        select(DispatchRow.organisation_id)
        .where(DispatchRow.next_at <= clock.now())
        .order_by(DispatchRow.next_at)
        .limit(1)
    )
    if organisation_id is None:
        return set()
    principal = Principal.system(organisation_id)
    await alone(session, principal)
    await let_lapse(session, clock, principal)
    await search(session, clock, principal)
    return {organisation_id}


async def _find(
    session: AsyncSession, principal: Principal, *, ticket_id: int
) -> tuple[TicketRow, TicketTypeRow] | None:
    """Return a ticket as it is now: an event may tell of what was changed again since."""
    rows = await session.execute(
        select(TicketRow, TicketTypeRow)
        .join(TicketTypeRow, TicketTypeRow.id == TicketRow.type_id)
        .where(TicketRow.organisation_id == principal.organisation_id, TicketRow.id == ticket_id)
    )
    found = rows.first()
    return None if found is None else (found[0], found[1])


async def _search_of(session: AsyncSession, principal: Principal, *, ticket_id: int) -> DispatchRow | None:
    return await session.scalar(
        select(DispatchRow)
        .where(DispatchRow.organisation_id == principal.organisation_id, DispatchRow.ticket_id == ticket_id)
        .with_for_update()
    )


async def _begun(session: AsyncSession, clock: Clock, principal: Principal, ticket: TicketRow) -> DispatchRow:
    return DispatchRow(
        ticket_id=ticket.id,
        organisation_id=principal.organisation_id,
        building_id=await _building(session, principal, ticket),
        rules_id=(await pin(session, clock, principal)).id,
        state=Search.NEW,
        since=clock.now(),
        next_at=clock.now(),
    )


async def _building(session: AsyncSession, principal: Principal, ticket: TicketRow) -> int | None:
    if ticket.place_id is not None:
        return (await properties.find_place(session, principal, ticket.place_id)).building_id
    if ticket.unit_id is not None:
        return (await properties.find_unit(session, principal, ticket.unit_id)).building_id
    return None


async def _end(session: AsyncSession, clock: Clock, row: DispatchRow) -> None:
    """End a search, and an offer of it that is open: somebody has the ticket, or nobody needs it now."""
    await session.execute(
        update(OfferRow)
        .where(OfferRow.organisation_id == row.organisation_id, OfferRow.ticket_id == row.ticket_id)
        .where(OfferRow.state == OfferState.OPEN)
        .values(state=OfferState.WITHDRAWN, closed_at=clock.now())
    )
    if row.state is not Search.OVER:
        row.state, row.since = Search.OVER, clock.now()
    row.next_at = None


async def _note_worker(
    session: AsyncSession, clock: Clock, principal: Principal, ticket: TicketRow, row: DispatchRow, act: Act
) -> None:
    if ticket.assignee_id is not None:
        await note_whereabouts(
            session,
            clock,
            principal,
            person_id=ticket.assignee_id,
            building_id=row.building_id,
            was_there=act in _ON_THE_SPOT,
        )


async def _note_returned(session: AsyncSession, clock: Clock, ticket: TicketRow) -> None:
    """Remember who gave a ticket back, so that they are not asked for it again."""
    line = await session.scalar(
        select(TicketEntryRow)
        .where(TicketEntryRow.organisation_id == ticket.organisation_id, TicketEntryRow.ticket_id == ticket.id)
        .where(TicketEntryRow.deed == Deed.RELEASED)
        .order_by(TicketEntryRow.id.desc())
        .limit(1)
    )
    if line is None or line.person_id is None:
        return
    session.add(
        OfferRow(
            organisation_id=ticket.organisation_id,
            ticket_id=ticket.id,
            person_id=line.person_id,
            rules_id=None,
            state=OfferState.RETURNED,
            offered_at=line.at,
            due_at=line.at,
            closed_at=clock.now(),
        )
    )


async def _wake(session: AsyncSession, clock: Clock, principal: Principal) -> None:
    """Have all that waits looked at now, the oldest first: somebody may have less to do."""
    await session.execute(
        update(DispatchRow)
        .where(
            DispatchRow.organisation_id == principal.organisation_id, IS_SEARCHING, DispatchRow.state == Search.WAITING
        )
        .values(next_at=clock.now())
        .execution_options(synchronize_session=False)
    )
