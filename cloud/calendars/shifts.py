"""Who is on shift, who is away, whom to call, and what is planned for a person."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.accounts import organisations, people
from cloud.accounts.domain import Person
from cloud.calendars import shift_tables
from cloud.calendars.roster import DatedShift, Duty, Leave, Roster, Shift
from cloud.core.principal import Principal, Role

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class OnDuty:
    """Somebody to call now, and until when they are there."""

    person: Person
    duty: Duty


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """All that is written down for a person from a day on."""

    shifts: Sequence[Shift]
    dated: Sequence[DatedShift]
    leaves: Sequence[Leave]


async def on_duty(
    session: AsyncSession, principal: Principal, *, at: datetime, community_id: int | None = None
) -> frozenset[int]:
    """Return who is on shift at an instant, with `community_id` only those whose shift is there or everywhere.

    Nobody is on shift who is on leave or works here no more.
    """
    return frozenset(each.person.id for each in await duty_list(session, principal, at=at, community_id=community_id))


async def away(session: AsyncSession, principal: Principal, *, at: datetime) -> frozenset[int]:
    """Return who is on leave at an instant; who finishes a night shift on the first morning is not away yet."""
    return (await _roster_around(session, principal, at)).away(at)


async def today(session: AsyncSession, principal: Principal, *, at: datetime) -> date:
    """Return the day that an instant is in for the principal's organisation."""
    organisation = await organisations.find_organisation(session, principal)
    return at.astimezone(ZoneInfo(organisation.time_zone)).date()


async def duty_list(
    session: AsyncSession, principal: Principal, *, at: datetime, community_id: int | None = None
) -> Sequence[OnDuty]:
    """Return the people on shift at an instant by name, each with the shift that ends last."""
    roster = await _roster_around(session, principal, at)
    longest: dict[int, Duty] = {}
    for duty in sorted(roster.on_duty(at), key=lambda each: each.end):
        if community_id is None or duty.community_id in {None, community_id}:
            longest[duty.person_id] = duty
    here = await people.list_people(session, principal, ids=longest)
    return [OnDuty(person=person, duty=longest[person.id]) for person in here if person.is_active]


async def read_roster(session: AsyncSession, principal: Principal, *, first: date, last: date) -> Roster:
    """Return the roster of the days from `first` to `last`, as far as it is in the principal's communities."""
    organisation = await organisations.find_organisation(session, principal)
    return Roster(
        zone=ZoneInfo(organisation.time_zone),
        shifts=await shift_tables.shifts(session, principal.organisation_id, first=first, last=last),
        dated=await shift_tables.dated_shifts(session, principal.organisation_id, first=first, last=last),
        leaves=await shift_tables.leaves(session, principal.organisation_id, first=first, last=last),
        communities=principal.communities,
    )


async def planned(session: AsyncSession, principal: Principal, *, person_id: int, since: date) -> Planned:
    """Return what is written down for a person that still holds on `since` or later.

    Raises:
        Forbidden: the principal plans no shifts.
        NotFound: there is no such person.
    """
    principal.require(Role.MANAGER)
    await people.find_person(session, principal, person_id)
    organisation_id = principal.organisation_id
    return Planned(
        shifts=await shift_tables.shifts(session, organisation_id, first=since, person_id=person_id),
        dated=await shift_tables.dated_shifts(session, organisation_id, first=since, person_id=person_id),
        leaves=await shift_tables.leaves(session, organisation_id, first=since, person_id=person_id),
    )


async def _roster_around(session: AsyncSession, principal: Principal, at: datetime) -> Roster:
    """Return the roster of the day before, whose nights may go on, and of the day; whatever the zone."""
    day = at.date()
    return await read_roster(session, principal, first=day - 2 * _DAY, last=day + _DAY)
