"""Making what a checked table tells, many rows at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.accounts import crowds, people
from cloud.accounts.passwords import OneTime
from cloud.core import audit
from cloud.core.clock import Clock
from cloud.core.errors import Conflict, Forbidden
from cloud.core.principal import Principal
from cloud.properties import import_tables as tables
from cloud.properties.domain import DEFAULT_TIME_ZONE
from cloud.properties.import_checks import NewOccupancy, NewStaff, NewUnit
from cloud.properties.import_tables import Noun
from cloud.properties.tables import BuildingRow, CommunityRow, OccupancyRow, UnitRow
from firmware_configs.look.words import _

Name = TypeVar("Name")


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """Somebody who works here from now on, and the password for their first sign-in; it is shown once."""

    login: str
    name: str
    one_time_password: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What an import made, by kind."""

    items: Mapping[Noun, Sequence[int]]
    invitations: Sequence[Invitation] = field(default=())


async def apply_estate(session: AsyncSession, clock: Clock, principal: Principal, news: Sequence[NewUnit]) -> Applied:
    """Make units, and the buildings and communities around them that are not there yet.

    Raises:
        Forbidden: a community is new, and the principal does not see all of them.
    """
    communities = await _communities(session, clock, principal, news)
    buildings = await _buildings(session, clock, principal, news, communities)
    units = [
        UnitRow(
            organisation_id=principal.organisation_id,
            community_id=communities.ids[new.path[0]],
            building_id=buildings.ids[communities.ids[new.path[0]], new.path[1]],
            name=new.path[2],
        )
        for new in news
    ]
    session.add_all(units)
    await session.flush()
    for unit in units:
        _record(session, clock, principal, "unit", unit.id, name=unit.name, building_id=unit.building_id)
    made = {Noun.COMMUNITY: communities.made, Noun.BUILDING: buildings.made, Noun.UNIT: [unit.id for unit in units]}
    return Applied(items=made)


async def apply_occupants(
    session: AsyncSession, clock: Clock, principal: Principal, news: Sequence[NewOccupancy]
) -> Applied:
    """Move people in; who has a number that is known is that person.

    Raises:
        Conflict: one of the numbers was given to somebody meanwhile.
    """
    enrolled = await crowds.enrol_owners(session, clock, principal, [(new.name, new.phone) for new in news])
    communities = await tables.communities_of_units(session, principal, {new.unit_id for new in news})
    rows = [
        OccupancyRow(
            organisation_id=principal.organisation_id,
            community_id=communities[new.unit_id],
            unit_id=new.unit_id,
            person_id=person.person_id,
            kind=new.kind,
            since=new.since,
        )
        for new, person in zip(news, enrolled, strict=True)
    ]
    session.add_all(rows)
    await session.flush()
    for row in rows:
        after = {"person_id": row.person_id, "kind": row.kind, "since": row.since.isoformat(), "until": None}
        audit.record(
            session, clock, principal, action="properties.moved_in", subject=f"unit:{row.unit_id}", after=after
        )
    return Applied(
        items={
            Noun.OCCUPANCY: [row.id for row in rows],
            Noun.PERSON: sorted({person.person_id for person in enrolled if person.is_new}),
            Noun.OWNER: sorted({person.person_id for person in enrolled if person.has_new_role}),
        }
    )


async def apply_staff(
    session: AsyncSession,
    clock: Clock,
    principal: Principal,
    news: Sequence[NewStaff],
    *,
    drawn: Sequence[OneTime],
) -> Applied:
    """Add staff, each with one of the passwords that were drawn.

    Raises:
        Conflict: a login or a number was taken meanwhile, or there are more people than passwords.
    """
    if len(drawn) < len(news):
        raise Conflict(_("What is there has changed meanwhile. Look at the table again before you import it."))
    added = [
        await people.add_person(
            session,
            clock,
            principal,
            login=new.login,
            name=new.name,
            roles=new.roles,
            communities=new.communities,
            phone=new.phone,
            password=password,
        )
        for new, password in zip(news, drawn, strict=False)
    ]
    invitations = [
        Invitation(login=new.login, name=new.name, one_time_password=person.one_time_password)
        for new, person in zip(news, added, strict=True)
    ]
    return Applied(items={Noun.PERSON: [person.person_id for person in added]}, invitations=invitations)


@dataclass(slots=True)
class _Around(Generic[Name]):
    """Communities or buildings by their names, and those of them that were made just now."""

    ids: dict[Name, int]
    made: list[int] = field(default_factory=list)


async def _communities(
    session: AsyncSession, clock: Clock, principal: Principal, news: Sequence[NewUnit]
) -> _Around[str]:
    around = _Around(await tables.communities_by_name(session, principal))
    addresses: dict[str, str] = {}
    for new in news:
        addresses[new.path[0]] = addresses.get(new.path[0]) or new.address
    missing = [name for name in addresses if name not in around.ids]
    if missing and principal.communities is not None:
        raise Forbidden(_("Only who sees all communities may add one."))
    for name in missing:
        row = CommunityRow(
            organisation_id=principal.organisation_id,
            name=name,
            address=addresses[name],
            time_zone=DEFAULT_TIME_ZONE,
            created_at=clock.now(),
        )
        session.add(row)
        await session.flush()
        around.ids[name] = row.id
        around.made.append(row.id)
        _record(session, clock, principal, "community", row.id, name=name, address=row.address)
    return around


async def _buildings(
    session: AsyncSession, clock: Clock, principal: Principal, news: Sequence[NewUnit], communities: _Around[str]
) -> _Around[tuple[int, str]]:
    around = _Around(await tables.buildings_by_name(session, principal))
    wanted = dict.fromkeys((communities.ids[new.path[0]], new.path[1]) for new in news)
    for community_id, name in wanted:
        if (community_id, name) in around.ids:
            continue
        row = BuildingRow(organisation_id=principal.organisation_id, community_id=community_id, name=name)
        session.add(row)
        await session.flush()
        around.ids[community_id, name] = row.id
        around.made.append(row.id)
        _record(session, clock, principal, "building", row.id, name=name, community_id=community_id)
    return around


def _record(session: AsyncSession, clock: Clock, principal: Principal, noun: str, row_id: int, **after: object) -> None:
    audit.record(
        session,
        clock,
        principal,
        action=f"properties.{noun}_created",
        subject=f"{noun}:{row_id}",
        after=after,
    )
