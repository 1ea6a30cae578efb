"""Where something is and who belongs there, found from the words in which people say it: "1-302", "1号楼302"."""

import re
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import and_, exists, or_
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.accounts import finding, people
from cloud.accounts.domain import Person
from cloud.core.errors import NotFound
from cloud.core.principal import Principal
from cloud.properties import tables
from cloud.properties.tables import BuildingRow, CommunityRow, OccupancyRow, PlaceRow, UnitRow, theirs
from firmware_configs.look.words import _

_SEPARATORS = re.compile(r"[\s·\-–—_/#、,，]+")
_NOUNS = re.compile(r"-?(?:号楼|号院|号|栋|幢|座|单元|室|户|building|bldg|unit)-?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """A building, a unit, or a place that is neither.

    Attributes:
        label: "云杉苑 · 3 栋 · 501".
    """

    community_id: int
    building_id: int | None = None
    unit_id: int | None = None
    place_id: int | None = None
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Some units, and what whoever is in them lives with.

    Attributes:
        place_ids: the places in the units, and those that they share with their building or their community.
    """

    unit_ids: frozenset[int] = frozenset()
    place_ids: frozenset[int] = frozenset()
    community_ids: frozenset[int] = frozenset()


async def find_people(session: AsyncSession, principal: Principal, words: str, *, limit: int) -> list[Person]:
    """Return the people whom the words mean, by name: see accounts.finding.matching.

    Who is limited to some communities finds those who are, were or will be in a unit there, and nobody else.
    """
    # any organisation: matching leaves only the principal's
    found = finding.matching(session, principal, words)
    person_id = found.selected_columns[0]
    if principal.communities is not None:
        lives_there = OccupancyRow.community_id.in_(principal.communities)
        found = found.where(exists().where(OccupancyRow.person_id == person_id, lives_there))
    ids = (await session.scalars(found.order_by(person_id).limit(limit))).all()
    return list(await people.list_people(session, principal, ids=ids)) if ids else []


async def may_see_person(session: AsyncSession, principal: Principal, person_id: int) -> bool:
    """Return whether somebody is the principal's to see: see find_people."""
    if principal.communities is None:
        return bool(await people.names(session, principal, [person_id]))
    return bool(await tables.occupancies(session, principal, person_ids=[person_id]))


async def find_person(session: AsyncSession, principal: Principal, person_id: int) -> Person:
    """Return somebody by their id: see find_people.

    Raises:
        NotFound: there is nobody whom the principal may see.
    """
    found = await people.list_people(session, principal, ids=[person_id])
    if not found or not await may_see_person(session, principal, person_id):
        raise NotFound(_("There is no such person."))
    return found[0]


async def find_units(session: AsyncSession, principal: Principal, words: str, *, limit: int) -> list[Spot]:
    """Return the units that the words mean: the building and the unit, or a unit's whole name, or its label."""
    wanted = _plain(words)
    buildings = await _buildings(session, principal)
    pairs = [
        (building_id, rest)
        for building_id, building, community, _community_id in buildings
        for rest in _rests(wanted, building, community)
    ]
    said = [and_(UnitRow.building_id == building_id, UnitRow.name.endswith(rest[-1])) for building_id, rest in pairs]
    alone = and_(
        UnitRow.building_id.in_([building_id for building_id, *_rest in buildings]), UnitRow.name == words.strip()
    )
    rows = await session.scalars(theirs(principal, UnitRow).where(or_(alone, *said)).order_by(UnitRow.id))
    meant = [row for row in rows if row.name == words.strip() or (row.building_id, _plain(row.name)) in pairs]
    return await _spots_of_units(session, principal, meant[:limit])


async def list_buildings(session: AsyncSession, principal: Principal) -> list[Spot]:
    """Return the buildings, by their labels: "云杉苑 · 3 栋"."""
    spots = [
        Spot(community_id=community_id, building_id=building_id, label=f"{community} · {building}")
        for building_id, building, community, community_id in await _buildings(session, principal)
    ]
    return sorted(spots, key=lambda spot: spot.label)


async def units_in(session: AsyncSession, principal: Principal, building_ids: Collection[int]) -> frozenset[int]:
    """Return the units of buildings."""
    # any organisation: theirs leaves only the principal's
    found = theirs(principal, UnitRow).where(UnitRow.building_id.in_(building_ids)).with_only_columns(UnitRow.id)
    return frozenset(await session.scalars(found))


async def find_places(session: AsyncSession, principal: Principal, words: str, *, limit: int) -> list[Spot]:
    """Return the places that are no units and whose own name holds the last of the words, and their label all."""
    parts = [part for part in re.split(r"\s*·\s*", words.strip()) if part]
    if not parts:
        return []
    found = theirs(principal, PlaceRow).where(PlaceRow.name.icontains(parts[-1], autoescape=True))
    rows = (await session.scalars(found.order_by(PlaceRow.id).limit(limit * 20))).all()
    labels = await tables.labels(session, principal, [row.id for row in rows])
    spots = [Spot(community_id=row.community_id, place_id=row.id, label=labels[row.id]) for row in rows]
    return [spot for spot in spots if all(part in spot.label for part in parts)][:limit]


async def find_spot(session: AsyncSession, principal: Principal, *, unit_id: int | None, place_id: int | None) -> Spot:
    """Return a unit or a place by its id.

    Raises:
        NotFound: there is none that the principal may see.
    """
    if unit_id is not None:
        unit = await tables.find(session, principal, UnitRow, unit_id)
        if unit is not None:
            return (await _spots_of_units(session, principal, [unit]))[0]
    if place_id is not None:
        place = await tables.find(session, principal, PlaceRow, place_id)
        if place is not None:
            labels = await tables.labels(session, principal, [place.id])
            return Spot(community_id=place.community_id, place_id=place.id, label=labels[place.id])
    raise NotFound(_("There is no such place."))


async def address_of(session: AsyncSession, principal: Principal, unit_ids: Collection[int]) -> Address:
    """Return the address that units are, as far as the principal may see it."""
    # any organisation: theirs leaves only the principal's
    units = (await session.scalars(theirs(principal, UnitRow).where(UnitRow.id.in_(unit_ids)))).all()
    communities = {unit.community_id for unit in units}
    shared = or_(
        PlaceRow.building_id.in_({unit.building_id for unit in units}),
        and_(PlaceRow.building_id.is_(None), PlaceRow.community_id.in_(communities)),
    )
    own = PlaceRow.unit_id.in_([unit.id for unit in units])
    found = theirs(principal, PlaceRow).where(or_(own, and_(PlaceRow.unit_id.is_(None), shared)))
    places = await session.scalars(found.with_only_columns(PlaceRow.id))
    return Address(
        unit_ids=frozenset(unit.id for unit in units),
        place_ids=frozenset(places),
        community_ids=frozenset(communities),
    )


async def _buildings(session: AsyncSession, principal: Principal) -> Sequence[tuple[int, str, str, int]]:
    """Return the ids of all buildings, with their names, and the names and ids of their communities."""
    # any organisation: theirs leaves only the principal's
    found = theirs(principal, BuildingRow).join(CommunityRow, CommunityRow.id == BuildingRow.community_id)
    columns = found.with_only_columns(BuildingRow.id, BuildingRow.name, CommunityRow.name, CommunityRow.id)
    return [(row[0], row[1], row[2], row[3]) for row in await session.execute(columns.order_by(BuildingRow.id))]


async def _spots_of_units(session: AsyncSession, principal: Principal, rows: Collection[UnitRow]) -> list[Spot]:
    labels = await tables.unit_labels(session, principal, [row.id for row in rows]) if rows else {}
    return [Spot(community_id=row.community_id, unit_id=row.id, label=labels[row.id]) for row in rows]


def _rests(wanted: str, building: str, community: str) -> list[str]:
    """Return what of the words is left for the unit when they begin with the building; none when they don't."""
    plain_building, plain_community = _plain(building), _plain(community)
    beginnings = (plain_building, f"{plain_community}{plain_building}", f"{plain_community}-{plain_building}")
    return [
        wanted[len(begin) + 1 :] for begin in beginnings if wanted.startswith(f"{begin}-") and wanted != f"{begin}-"
    ]


def _plain(text: str) -> str:
    """Return a name so that all its spellings are one: "1 号楼 302", "1号楼302" and "1-302" are "1-302"."""
    folded = unicodedata.normalize("NFKC", text).casefold().strip()
    return _SEPARATORS.sub("-", _NOUNS.sub("-", _SEPARATORS.sub("-", folded))).strip("-")
