"""What the desk sees at one glance: whom the words mean, and everything known of one of them."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.accounts.domain import Person
from cloud.core.clock import Clock
from cloud.core.errors import Refused
from cloud.core.principal import Principal
from cloud.properties import finding, occupancies
from cloud.properties.finding import Spot
from cloud.properties.occupancies import Occupant, Occupied
from cloud.reception import callbacks, planned, service
from cloud.reception.callbacks import Callback
from cloud.reception.catalogue import today_of
from cloud.reception.domain import TAKES_CALLS
from cloud.reception.hints import Hint, hints_for
from cloud.reception.lines import Interaction
from cloud.reception.planned import Planned
from cloud.tickets.incident_reading import Incident, incidents_at
from cloud.tickets.numbers import numbers_in, tickets_numbered
from cloud.tickets.reading import Ticket, tickets_asked_by, tickets_of_places, tickets_of_unit
from firmware_configs.look.words import _

FOUND_AT_MOST = 12
"""Of each kind: who sees more than that types another letter."""

_SHORTEST = 2
_TICKETS = 30
_NEARBY = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Finds:
    """Whom and what the words may mean.

    Attributes:
        units: by person, the units that are theirs today.
    """

    people: list[Person]
    units: dict[int, list[Occupied]]
    spots: list[Spot]
    tickets: list[Ticket]

    @property
    def only_person(self) -> Person | None:
        """Return the one person that is meant; None when anything else may be meant."""
        return self.people[0] if len(self.people) == 1 and not self.spots and not self.tickets else None

    @property
    def only_unit(self) -> Spot | None:
        """Return the one unit that is meant; None when anything else may be meant."""
        return self.spots[0] if len(self.spots) == 1 and not self.people and not self.tickets else None

    @property
    def is_empty(self) -> bool:
        """Return whether nothing was found."""
        return not (self.people or self.spots or self.tickets)


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """Everything that the desk needs of a caller.

    Attributes:
        person: None on the card of a unit.
        spot: the unit of the card, or the first of the person's; None when they have none.
        units: those that are the person's, were and will be, the newest first.
        occupants: who is in the unit today.
        open_tickets, past_tickets: what they asked for and what concerns their units, the newest first.
        nearby: what is to be done at the places that they share with others, the newest first.
        incidents: those that are not over and concern their units.
        planned: what is to come there, the next first.
        hints: notes on their units and on the places that they share.
    """

    person: Person | None
    spot: Spot | None
    today: date
    units: list[Occupied]
    occupants: list[Occupant]
    open_tickets: list[Ticket]
    past_tickets: list[Ticket]
    nearby: list[Ticket]
    incidents: list[Incident]
    planned: list[Planned]
    promises: list[Callback]
    contacts: list[Interaction]
    hints: list[Hint]


async def find(session: AsyncSession, clock: Clock, principal: Principal, words: str) -> Finds:
    """Return whom the words mean: a name, a number or its last four digits, a unit, a ticket.

    Raises:
        Forbidden: the principal takes no calls.
    """
    principal.require(*TAKES_CALLS)
    words = words.strip()
    numbers = numbers_in(words)
    if numbers:
        tickets = await tickets_numbered(session, clock, principal, numbers=numbers)
        return Finds(people=[], units={}, spots=[], tickets=tickets)
    if len(words) < _SHORTEST:
        return Finds(people=[], units={}, spots=[], tickets=[])
    today = await today_of(session, clock, principal)
    found = await finding.find_people(session, principal, words, limit=FOUND_AT_MOST)
    return Finds(
        people=found,
        units=await occupancies.units_of(session, principal, [person.id for person in found], on=today),
        spots=await finding.find_units(session, principal, words, limit=FOUND_AT_MOST),
        tickets=[],
    )


def the_one(found: Finds) -> Person:
    """Return the one person whom the words mean.

    Raises:
        Refused: they mean nobody, or several.
    """
    if len(found.people) != 1:
        raise Refused(_("Write a number or a whole name that means one person."), "who")
    return found.people[0]


async def card_of_person(session: AsyncSession, clock: Clock, principal: Principal, person_id: int) -> Card:
    """Return the card of somebody.

    Raises:
        Forbidden: the principal takes no calls.
        NotFound: there is nobody whom the principal may see.
    """
    principal.require(*TAKES_CALLS)
    person = await finding.find_person(session, principal, person_id)
    today = await today_of(session, clock, principal)
    units = (await occupancies.units_of(session, principal, [person_id]))[person_id]
    now_theirs = [unit.unit_id for unit in units if unit.holds(today)]
    return await _card(session, clock, principal, today, person=person, units=units, unit_ids=now_theirs)


async def card_of_unit(session: AsyncSession, clock: Clock, principal: Principal, unit_id: int) -> Card:
    """Return the card of a unit, for whoever calls from it.

    Raises:
        Forbidden: the principal takes no calls.
        NotFound: there is none that the principal may see.
    """
    principal.require(*TAKES_CALLS)
    await finding.find_spot(session, principal, unit_id=unit_id, place_id=None)
    today = await today_of(session, clock, principal)
    return await _card(session, clock, principal, today, person=None, units=[], unit_ids=[unit_id])


async def _card(
    session: AsyncSession,
    clock: Clock,
    principal: Principal,
    today: date,
    *,
    person: Person | None,
    units: list[Occupied],
    unit_ids: list[int],
) -> Card:
    spot = await finding.find_spot(session, principal, unit_id=unit_ids[0], place_id=None) if unit_ids else None
    address = await finding.address_of(session, principal, unit_ids)
    tickets = await _tickets(session, clock, principal, person, unit_ids)
    undone = [ticket for ticket in tickets if ticket.is_undone]
    shared = await tickets_of_places(session, clock, principal, place_ids=address.place_ids, limit=_NEARBY)
    nearby = [ticket for ticket in shared if ticket not in undone]
    occupants = await occupancies.occupants(session, principal, unit_ids[:1], on=today) if unit_ids else {}
    return Card(
        person=person,
        spot=spot,
        today=today,
        units=units,
        occupants=occupants.get(unit_ids[0], []) if unit_ids else [],
        open_tickets=undone,
        past_tickets=[ticket for ticket in tickets if not ticket.is_undone],
        nearby=nearby,
        incidents=await incidents_at(session, clock, principal, address),
        planned=await planned.at(session, clock, principal, address, tickets=[*undone, *nearby]),
        promises=await callbacks.open_for(session, clock, principal, person_id=person.id) if person else [],
        contacts=await service.last_contacts(session, principal, person_id=person.id)
        if person
        else await service.last_contacts(session, principal, unit_id=unit_ids[0]),
        hints=await hints_for(session, clock, principal, unit_ids=unit_ids, place_ids=sorted(address.place_ids)),
    )


async def _tickets(
    session: AsyncSession, clock: Clock, principal: Principal, person: Person | None, unit_ids: list[int]
) -> list[Ticket]:
    """Return what somebody asked for and what concerns their units, each once, the newest first."""
    found: dict[int, Ticket] = {}
    if person is not None:
        asked = await tickets_asked_by(session, clock, principal, person_id=person.id, limit=_TICKETS)
        found |= {ticket.id: ticket for ticket in asked}
    for unit_id in unit_ids:
        there = await tickets_of_unit(session, clock, principal, unit_id=unit_id, limit=_TICKETS)
        found |= {ticket.id: ticket for ticket in there}
    return sorted(found.values(), key=lambda ticket: (ticket.opened_at, ticket.id), reverse=True)
