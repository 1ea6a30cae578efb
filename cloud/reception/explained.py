"""Calls that an open incident explains: answered with its script, or a ticket that joins the others."""

from dataclasses import replace

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.core.clock import Clock
from cloud.core.errors import Conflict
from cloud.core.principal import Principal
from cloud.reception import service
from cloud.reception.domain import Entry
from cloud.reception.tables import InteractionRow
from cloud.tickets import incidents
from cloud.tickets.incident_reading import Incident, incident
from firmware_configs.look.words import _


async def answered(session: AsyncSession, clock: Clock, principal: Principal, entry: Entry, *, incident_id: int) -> int:
    """Write down that an incident answers a call: what was asked is its title and what was told its script.

    What was typed of the two stands instead. Return the line's id.

    Raises:
        Forbidden: the principal takes no calls.
        NotFound: there is no such incident; or person, unit, place or price are not the principal's to see.
        Conflict: the incident is over.
    """
    found = await _open(session, clock, principal, incident_id)
    told = entry.answer.strip() or found.script
    return await service.answered(session, clock, principal, replace(_explained(entry, found), answer=told))


async def opened(session: AsyncSession, clock: Clock, principal: Principal, entry: Entry, *, incident_id: int) -> int:
    """Open a ticket of an incident's type and priority that it explains, and return its id.

    The same entry again opens no second ticket.

    Raises:
        Forbidden: the principal takes no calls.
        NotFound: there is no such incident; or person, unit, place or price are not the principal's to see.
        Conflict: the incident is over.
        Refused: it is not said where.
    """
    found = await _open(session, clock, principal, incident_id)
    ticket_id = await service.opened(
        session, clock, principal, _explained(entry, found), type_code=found.type.code, priority=found.priority
    )
    await incidents.add_ticket(session, clock, principal, incident_id=incident_id, ticket_id=ticket_id)
    return ticket_id


async def count_calls(session: AsyncSession, principal: Principal, *, incident_id: int) -> int:
    """Return how many calls an incident that the principal has seen explained, tickets or not."""
    found = select(func.count()).where(
        InteractionRow.organisation_id == principal.organisation_id,
        InteractionRow.incident_id == incident_id,
        InteractionRow.corrects_id.is_(None),
    )
    return await session.scalar(found) or 0


def _explained(entry: Entry, found: Incident) -> Entry:
    return replace(entry, text=entry.text.strip() or found.title, incident_id=found.id)


async def _open(session: AsyncSession, clock: Clock, principal: Principal, incident_id: int) -> Incident:
    found = await incident(session, clock, principal, incident_id=incident_id)
    if found.closed_at is not None:
        raise Conflict(_("This incident is over."))
    return found
