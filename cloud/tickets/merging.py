"""Tickets of the same matter: found, and made one, so that one worker goes and everybody who asked is told."""

from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.core.clock import Clock
from cloud.core.errors import Conflict, Refused
from cloud.core.principal import Principal, Role
from cloud.tickets.domain import UNDONE, Act, Deed
from cloud.tickets.moving import carry, close, locked, seen
from cloud.tickets.reading import Ticket, read, ticket
from cloud.tickets.tables import TicketRow, visible_tickets
from cloud.tickets.timeline import tell
from firmware_configs.look.words import _

NEAR = timedelta(days=7)
"""For how long an open ticket at the same place is offered as the same matter."""

_OFFERED = 5


async def candidates(session: AsyncSession, clock: Clock, principal: Principal, *, of: Ticket) -> list[Ticket]:
    """Return the open tickets that may be of the same matter: of its kind, at its place, opened near its time."""
    if of.place_id is None and of.unit_id is None:
        return []
    where = TicketRow.unit_id == of.unit_id if of.unit_id is not None else TicketRow.place_id == of.place_id
    rows = await session.execute(
        visible_tickets(principal)
        .where(where, TicketRow.id != of.id, TicketRow.kind == of.kind, TicketRow.state.in_(sorted(UNDONE)))
        .where(TicketRow.opened_at.between(of.opened_at - NEAR, of.opened_at + NEAR))
        .order_by(TicketRow.opened_at.desc())
        .limit(_OFFERED)
    )
    return await read(session, clock, principal, rows.all())


async def merge(
    session: AsyncSession, clock: Clock, principal: Principal, *, ticket_id: int, version: int, into_id: int
) -> None:
    """Merge a ticket into another, which holds the matter from then on; both keep their timelines.

    Whoever asked for either reads in it where it goes on. Taken up again, the ticket stands by itself once more.

    Raises:
        Conflict: it changed since `version` was read, or one of the two is closed.
        Refused: it would be merged into itself.
    """
    principal.require(Role.DESK, Role.OPERATOR)
    if into_id == ticket_id:
        raise Refused(_("Choose another ticket than this one."), "into_id")
    for each in sorted((ticket_id, into_id)):  # two who merge each into the other do not wait for each other
        await locked(session, principal, ticket_id=each)
    row = await seen(session, principal, ticket_id=ticket_id, version=version)
    into = await locked(session, principal, ticket_id=into_id)
    if into.state not in UNDONE:
        raise Conflict(_("This ticket is closed: choose one that is open."), "into_id")
    row.merged_into_id = into.id
    await carry(session, clock, principal, row, Act.MERGE, text=into.number)
    row.assignee_id, row.assignee_name = None, ""
    close(row, at=clock.now(), result=into.number, by=None)
    into.version += 1
    await tell(session, clock, principal, into, Deed.ABSORBED, text=row.number)


async def merged_into(session: AsyncSession, clock: Clock, principal: Principal, *, ticket_id: int) -> list[Ticket]:
    """Return the tickets that were merged into one, as far as the principal may see them."""
    rows = await session.execute(visible_tickets(principal).where(TicketRow.merged_into_id == ticket_id))
    return await read(session, clock, principal, rows.all())


async def holder(session: AsyncSession, clock: Clock, principal: Principal, *, of: Ticket) -> Ticket | None:
    """Return the ticket that holds the matter of one that was merged; None for one that was not.

    Raises:
        NotFound: it is not the principal's to see.
    """
    if of.merged_into_id is None:
        return None
    return await ticket(session, clock, principal, ticket_id=of.merged_into_id)
