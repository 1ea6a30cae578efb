"""Which ticket holds the matter of one that was merged, and what of it whoever asked for the other may follow."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.core.clock import Clock
from cloud.core.principal import Principal
from cloud.tickets.discretion import BETWEEN_THEM
from cloud.tickets.domain import Deed, State
from cloud.tickets.reading import Ticket, ticket
from cloud.tickets.tables import TicketRow
from cloud.tickets.timeline import Entry, timeline

_ITS_OWN = BETWEEN_THEM | {Deed.OPENED, Deed.ABSORBED}
"""What the ticket that holds the matter tells of whoever asked for it, and of others who did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """How the matter of a merged ticket stands where it goes on; the newest line first."""

    state: State
    is_undone: bool
    assignee_name: str
    lines: tuple[Entry, ...]


async def last_holder(session: AsyncSession, principal: Principal, *, ticket_id: int) -> int:
    """Return which ticket holds the matter of one, perhaps by another that was merged too; itself for none."""
    into: int | None = ticket_id
    while into is not None:
        ticket_id = into
        into = await session.scalar(
            select(TicketRow.merged_into_id).where(
                TicketRow.organisation_id == principal.organisation_id, TicketRow.id == ticket_id
            )
        )
    return ticket_id


async def held_by(session: AsyncSession, principal: Principal, *, ticket_id: int) -> list[int]:
    """Return the tickets that were merged into one, and those that had been merged into these."""
    found, last = [], [ticket_id]
    while last:
        into = select(TicketRow.id).where(
            TicketRow.organisation_id == principal.organisation_id, TicketRow.merged_into_id.in_(last)
        )
        last = list(await session.scalars(into))
        found += last
    return found


async def followed(session: AsyncSession, clock: Clock, principal: Principal, *, of: Ticket) -> Followed | None:
    """Return how the matter of a merged ticket goes on, for whoever asked for that one; None for one that was not.

    They read of it what they would read of their own: what was done, and nothing of who asked for the other.
    """
    if of.merged_into_id is None:
        return None
    system = Principal.system(principal.organisation_id)
    holder_id = await last_holder(session, system, ticket_id=of.id)
    held = await ticket(session, clock, system, ticket_id=holder_id)
    lines = (await timeline(session, system, ticket_ids=[holder_id]))[holder_id]
    return Followed(
        state=held.state,
        is_undone=held.is_undone,
        assignee_name=held.assignee_name,
        lines=tuple(line for line in lines if line.is_public and line.deed not in _ITS_OWN),
    )
