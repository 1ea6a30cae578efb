"""Offers as workers answer them: of two answers at once one counts, and none after its time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.core.clock import Clock
from cloud.core.errors import Conflict, NotFound, Refused
from cloud.core.principal import Principal, Role
from cloud.tickets.dispatch_tables import IS_OPEN, OfferRow, OfferState
from cloud.tickets.domain import Deed
from cloud.tickets.reading import Ticket, tickets
from cloud.tickets.searching import alone, internal_line, look_on
from cloud.tickets.service import take
from cloud.tickets.tables import TicketEntryRow
from firmware_configs.look.words import _

_REASON_LENGTH = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A ticket that somebody is asked to take; `due_at` is until when."""

    id: int
    ticket: Ticket
    due_at: datetime


async def open_offers(session: AsyncSession, clock: Clock, principal: Principal) -> Sequence[Offer]:
    """Return what the principal is asked to take now, what must be answered first first."""
    rows = await session.scalars(
        select(OfferRow)
        .where(OfferRow.organisation_id == principal.organisation_id, OfferRow.person_id == principal.person_id)
        .where(IS_OPEN, OfferRow.due_at > clock.now())
        .order_by(OfferRow.due_at, OfferRow.id)
    )
    asked = rows.all()
    found = await tickets(session, clock, principal, ticket_ids=[row.ticket_id for row in asked])
    free = {ticket.id: ticket for ticket in found if ticket.assignee_id is None}
    return [Offer(id=row.id, ticket=free[row.ticket_id], due_at=row.due_at) for row in asked if row.ticket_id in free]


async def count_offers(session: AsyncSession, principal: Principal) -> int:
    """Return how many offers the principal has not answered."""
    counted = select(func.count()).where(
        OfferRow.organisation_id == principal.organisation_id,
        OfferRow.person_id == principal.person_id,
        IS_OPEN,
    )
    return await session.scalar(counted) or 0


async def offered_ticket(session: AsyncSession, principal: Principal, *, offer_id: int) -> int:
    """Return the id of the ticket of an offer to the principal, answered or not.

    Raises:
        NotFound: there is no such offer to the principal.
    """
    ours = OfferRow.organisation_id == principal.organisation_id
    found = await session.scalar(select(OfferRow.ticket_id).where(ours, _mine(principal, offer_id)))
    if found is None:
        raise NotFound(_("There is no such offer to you."))
    return found


async def accept(session: AsyncSession, clock: Clock, principal: Principal, *, offer_id: int) -> int:
    """Take what was offered, and return the ticket's id.

    What was accepted in time and is told late counts, as long as nobody else was asked meanwhile.

    Raises:
        NotFound: there is no such offer to the principal.
        Conflict: its time is over, or somebody else has the ticket.
    """
    principal.require(Role.WORKER)
    ticket_id = await _answer(session, clock, principal, offer_id=offer_id, state=OfferState.ACCEPTED)
    await take(session, clock, principal, ticket_id=ticket_id)
    return ticket_id


async def decline(session: AsyncSession, clock: Clock, principal: Principal, *, offer_id: int, reason: str) -> int:
    """Say no to an offer and why, and return the ticket's id; the next one is asked within a second.

    Raises:
        NotFound: there is no such offer to the principal.
        Conflict: its time is over, or it was answered already.
        Refused: no reason is given.
    """
    principal.require(Role.WORKER)
    said = reason.strip()
    if not said:
        raise Refused(_("Say why you can't take it."), "reason")
    if len(said) > _REASON_LENGTH:
        raise Refused(_("Too long: at most %(length)d characters."), "reason", length=_REASON_LENGTH)
    await alone(session, principal)
    ticket_id = await _answer(session, clock, principal, offer_id=offer_id, state=OfferState.DECLINED, reason=said)
    await look_on(session, clock, principal, ticket_ids=[ticket_id])
    line = internal_line(clock, principal, ticket_id=ticket_id, deed=Deed.DECLINED, text=said)
    await session.execute(insert(TicketEntryRow), [line])
    return ticket_id


def _mine(principal: Principal, offer_id: int) -> ColumnElement[bool]:
    return (OfferRow.id == offer_id) & (OfferRow.person_id == principal.person_id)


async def _answer(
    session: AsyncSession, clock: Clock, principal: Principal, *, offer_id: int, state: OfferState, reason: str = ""
) -> int:
    """Close an open offer to the principal in one statement, so that it is closed once; return its ticket's id."""
    mine = _mine(principal, offer_id) & (OfferRow.organisation_id == principal.organisation_id)
    answered = await session.execute(
        update(OfferRow)
        .where(mine, OfferRow.state == OfferState.OPEN, OfferRow.due_at > clock.now())
        .values(state=state, closed_at=clock.now(), reason=reason)
        .execution_options(synchronize_session=False)
        .returning(OfferRow.ticket_id)
    )
    ticket_id = answered.scalar()
    if ticket_id is not None:
        return ticket_id
    await offered_ticket(session, principal, offer_id=offer_id)
    raise Conflict(_("This offer is over: it was answered, its time is up, or somebody else has the ticket."))
