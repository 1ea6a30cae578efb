"""Whose ticket a repair is: how those who work on it, pay for it and decide about it find it."""

from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.accounts import organisations, people
from cloud.core.clock import Clock
from cloud.core.database import hold
from cloud.core.errors import Conflict, Forbidden
from cloud.core.principal import Principal, Role
from cloud.properties import occupancies
from cloud.properties.domain import OccupancyKind
from cloud.tickets.domain import OF_THE_UNIT, UNDONE, Consent, Payer, State
from cloud.tickets.reading import Ticket, ticket
from firmware_configs.look.words import _


@dataclass(frozen=True, slots=True, kw_only=True)
class Decider:
    """Somebody who may agree for those who pay."""

    person_id: int
    name: str


async def held(session: AsyncSession, clock: Clock, principal: Principal, *, ticket_id: int) -> Ticket:
    """Return a ticket whose repair nobody else changes meanwhile.

    Raises:
        NotFound: there is none that the principal may see.
    """
    await hold(session, f"repair of ticket {ticket_id}")
    return await ticket(session, clock, principal, ticket_id=ticket_id)


async def worked_on(
    session: AsyncSession, clock: Clock, principal: Principal, *, ticket_id: int, also_done: bool = False
) -> Ticket:
    """Return a ticket, held, for an act of whoever has it; front desk and control room may do it for them.

    `also_done` lets an emergency pass that is done and that nobody has agreed to yet.

    Raises:
        NotFound: there is none that the principal may see.
        Forbidden: somebody else has it, or the principal asked for it.
        Conflict: it is done or cancelled.
    """
    found = await held(session, clock, principal, ticket_id=ticket_id)
    if not is_working(principal, found):
        raise Forbidden(_("Only whoever has this ticket, the front desk and the control room may do this."))
    is_owed = found.state is State.RESOLVED and found.consent is Consent.NEEDED
    if found.state not in UNDONE and not (also_done and is_owed):
        raise Conflict(_("This ticket is closed."))
    return found


def is_working(principal: Principal, ticket: Ticket) -> bool:
    """Return whether the principal has the ticket, or acts for whoever has it."""
    has_it = ticket.assignee_id is not None and ticket.assignee_id == principal.person_id
    return has_it or principal.has(Role.DESK, Role.OPERATOR)


async def today(session: AsyncSession, clock: Clock, principal: Principal) -> date:
    """Return the day that it is where the organisation is."""
    return clock.now().astimezone(await zone(session, principal)).date()


async def zone(session: AsyncSession, principal: Principal) -> ZoneInfo:
    """Return the time zone of the organisation."""
    return ZoneInfo((await organisations.find_organisation(session, principal)).time_zone)


async def deciders(
    session: AsyncSession, clock: Clock, principal: Principal, ticket: Ticket, payer: Payer
) -> list[Decider]:
    """Return who may agree for those who pay: the unit's owners, or managers for a fund, a warranty or the company."""
    if payer is not Payer.OWNER:
        managers = await people.list_people(session, principal, role=Role.MANAGER)
        return [Decider(person_id=each.id, name=each.name) for each in managers if each.is_active]
    if ticket.unit_id is None:
        return []
    now = await today(session, clock, principal)
    system = Principal.system(principal.organisation_id)
    in_unit = await occupancies.occupants(session, system, [ticket.unit_id], on=now)
    owners = [each for each in in_unit[ticket.unit_id] if each.kind is OccupancyKind.OWNER]
    return [Decider(person_id=each.person_id, name=each.name) for each in owners]


async def concerned(session: AsyncSession, clock: Clock, principal: Principal, ticket: Ticket) -> list[int]:
    """Return the ids of those for whom the work is done: who asked for it, else who is in the unit that it is on."""
    if ticket.requester_id is not None:
        return [ticket.requester_id]
    if ticket.unit_id is None or ticket.kind not in OF_THE_UNIT:
        return []
    now = await today(session, clock, principal)
    system = Principal.system(principal.organisation_id)
    in_unit = await occupancies.occupants(session, system, [ticket.unit_id], on=now)
    return sorted({each.person_id for each in in_unit[ticket.unit_id]})
