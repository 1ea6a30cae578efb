"""What is to come at an address: visits for its tickets, and what is looked after there before long."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.core.clock import Clock
from cloud.core.principal import Principal
from cloud.core.words import Words
from cloud.properties.finding import Address
from cloud.repairs import maintenance, visits
from cloud.repairs.visits import Visit
from cloud.tickets.reading import Ticket

AHEAD = timedelta(days=14)
"""How far the desk looks: who asks about later work asks again."""


class Coming(StrEnum):
    """How sure it is that somebody comes."""

    THERE = "there"  # somebody is there now
    AGREED = "agreed"  # the time was chosen
    OFFERED = "offered"  # times were offered and none is chosen yet
    PREVENTIVE = "preventive"  # a preventive plan's turn


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """Work that is to come.

    Attributes:
        ends_at: None when only its beginning is known.
        ticket_id: the ticket of a visit; None for a preventive plan.
        number: of that ticket; empty for a preventive plan.
        name: what a preventive plan is called; None for a visit.
    """

    coming: Coming
    begins_at: datetime
    ends_at: datetime | None = None
    ticket_id: int | None = None
    number: str = ""
    name: Words | None = None
    place: str


async def at(
    session: AsyncSession, clock: Clock, principal: Principal, address: Address, *, tickets: Collection[Ticket]
) -> list[Planned]:
    """Return the visits for an address's tickets, and the preventive plans of its places, the next first.

    Raises:
        Forbidden: the principal may see no preventive plans.
    """
    by_ticket = await visits.visits(session, principal, ticket_ids=[ticket.id for ticket in tickets])
    coming = [_visit(ticket, visit) for ticket in tickets for visit in by_ticket[ticket.id] if not visit.is_over]
    plans = await maintenance.coming(session, principal, place_ids=address.place_ids, before=clock.now() + AHEAD)
    coming += [
        Planned(coming=Coming.PREVENTIVE, begins_at=plan.next_at, name=plan.name, place=plan.place)
        for plan in plans
        if plan.next_at is not None
    ]
    return sorted((each for each in coming if each is not None), key=lambda each: each.begins_at)


def _visit(ticket: Ticket, visit: Visit) -> Planned | None:
    """Return a visit that is not over; None for one of which nobody knows when."""
    window = visit.chosen or next(iter(visit.windows), None)
    if visit.arrived_at is not None:
        coming, begins_at, ends_at = Coming.THERE, visit.arrived_at, None
    elif window is not None:
        coming = Coming.AGREED if visit.chosen else Coming.OFFERED
        begins_at, ends_at = window.starts_at, window.ends_at
    else:
        return None
    return Planned(
        coming=coming,
        begins_at=begins_at,
        ends_at=ends_at,
        ticket_id=ticket.id,
        number=ticket.number,
        place=ticket.place,
    )
