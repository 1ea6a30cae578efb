"""Who asks for a ticket that is opened by hand: looked for as the desk looks for callers, and chosen."""

from dataclasses import dataclass

from cloud.accounts.domain import Person
from cloud.properties import finding, occupancies
from cloud.properties.finding import Spot
from cloud.properties.occupancies import Occupant, Occupied
from cloud.reception import card
from cloud.reception.card import Finds
from cloud.reception.catalogue import today_of
from cloud.web.session import Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """Who asks, as far as it is known.

    Attributes:
        person: who was chosen; None while nobody is.
        found: whom and what the words mean that were looked for; None when nothing was.
        occupants: who is in the unit that was chosen, while nobody is.
        units: those of the person, and the one that was chosen.
    """

    person: Person | None
    found: Finds | None
    occupants: list[Occupant]
    units: list[Spot]


async def find(work: Unit, *, who: str, requester_id: str, where: str) -> Asking:
    """Return who and what stands in the form's fields, and whom its words mean.

    Raises:
        NotFound: person or unit are not the principal's to see.
    """
    person, units, occupants = None, list[Spot](), list[Occupant]()
    if requester_id.isdecimal():
        person = await finding.find_person(work.session, work.principal, int(requester_id))
        units = [_spot(unit) for unit in await _units(work, person.id)]
    noun, _colon, number = where.partition(":")
    if noun == "unit" and number.isdecimal():
        there = await finding.find_spot(work.session, work.principal, unit_id=int(number), place_id=None)
        units = units if there in units else [*units, there]
        occupants = [] if person else await _occupants(work, int(number))
    found = await card.find(work.session, work.clock, work.principal, who) if who else None
    return Asking(person=person, found=found, occupants=occupants, units=units)


async def chosen(work: Unit, person_id: int, *, where: str) -> dict[str, object]:
    """Return the fields of the form that are filled in by choosing somebody: where they live, unless a place is chosen.

    Raises:
        NotFound: there is nobody whom the principal may see.
    """
    person = await finding.find_person(work.session, work.principal, person_id)
    units = await _units(work, person.id)
    at_home = f"unit:{units[0].unit_id}" if units else ""
    return {
        "who": "",
        "requester_id": person.id,
        "requester_name": "",
        "requester_phone": "",
        "where": where or at_home,
    }


async def _units(work: Unit, person_id: int) -> list[Occupied]:
    today = await today_of(work.session, work.clock, work.principal)
    return (await occupancies.units_of(work.session, work.principal, [person_id], on=today))[person_id]


async def _occupants(work: Unit, unit_id: int) -> list[Occupant]:
    today = await today_of(work.session, work.clock, work.principal)
    return (await occupancies.occupants(work.session, work.principal, [unit_id], on=today))[unit_id]


def _spot(unit: Occupied) -> Spot:
    return Spot(community_id=unit.community_id, unit_id=unit.unit_id, label=unit.label)
