"""What happened with a ticket, line by line: written once, never changed."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.core.clock import Clock, told_late
from cloud.core.principal import Principal
from cloud.tickets.discretion import BETWEEN_THEM, of_others
from cloud.tickets.domain import Deed
from cloud.tickets.tables import TicketEntryRow, TicketRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A line of a ticket's timeline; `actor` is empty when Gatehouse did it.

    Attributes:
        at: when it happened.
        told_at: when a telephone that had had no network told of it; None for what was told at once.
    """

    at: datetime
    told_at: datetime | None = None
    deed: Deed
    actor: str
    text: str
    is_public: bool


async def tell(
    session: AsyncSession,
    clock: Clock,
    principal: Principal,
    row: TicketRow,
    deed: Deed,
    *,
    text: str = "",
    is_public: bool = True,
) -> None:
    """Write a line into a ticket's timeline; whoever asked for the ticket reads the public ones."""
    session.add(
        TicketEntryRow(
            organisation_id=row.organisation_id,
            ticket_id=row.id,
            at=clock.now(),
            told_at=told_late(clock),
            person_id=principal.person_id,
            actor=principal.name if principal.person_id is not None else "",
            deed=deed,
            text=text,
            is_public=is_public,
        )
    )
    await session.flush()


async def timeline(
    session: AsyncSession, principal: Principal, *, ticket_ids: Collection[int]
) -> dict[int, list[Entry]]:
    """Return the timelines of tickets that the principal has seen, the newest line first.

    An owner reads the public lines; where somebody outside their household asked, not who that was, nor what was said.
    """
    asked = (
        select(TicketEntryRow)
        .where(TicketEntryRow.organisation_id == principal.organisation_id, TicketEntryRow.ticket_id.in_(ticket_ids))
        .order_by(TicketEntryRow.id.desc())
    )
    if not principal.is_staff:
        asked = asked.where(TicketEntryRow.is_public)
    strange = await of_others(session, principal, ticket_ids=ticket_ids)
    lines: dict[int, list[Entry]] = {ticket_id: [] for ticket_id in ticket_ids}
    for row in await session.scalars(asked):
        is_strange = row.ticket_id in strange
        if is_strange and row.deed in BETWEEN_THEM:
            continue
        actor = "" if is_strange and row.deed is Deed.OPENED else row.actor
        lines[row.ticket_id].append(
            Entry(
                at=row.at,
                told_at=row.told_at,
                deed=row.deed,
                actor=actor,
                text=row.text,
                is_public=row.is_public,
            )
        )
    return lines
