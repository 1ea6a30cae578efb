"""A community with all that is in it."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.core.principal import Principal
from cloud.properties import tables
from cloud.properties.domain import Building, Community, Place, Unit
from cloud.properties.service import find_community, list_places
from cloud.properties.tables import BuildingRow, UnitRow


async def read_tree(session: AsyncSession, principal: Principal, community_id: int) -> Community:
    """Return a community with its buildings, units and places, each by name.

    Raises:
        NotFound: there is none that the principal may see.
    """
    community = await find_community(session, principal, community_id)
    buildings = await tables.list_rows(session, principal, BuildingRow, community_id=community_id)
    units = await tables.list_rows(session, principal, UnitRow, community_id=community_id)
    places = await list_places(session, principal, community_id=community_id)
    return _tree(community, buildings, units, places)


def _tree(
    community: Community, buildings: Sequence[BuildingRow], units: Sequence[UnitRow], places: Sequence[Place]
) -> Community:
    in_unit: defaultdict[int | None, list[Place]] = defaultdict(list)
    in_building: defaultdict[int | None, list[Place]] = defaultdict(list)
    for place in places:
        if place.unit_id is not None:
            in_unit[place.unit_id].append(place)
        else:
            in_building[place.building_id].append(place)
    of_building: defaultdict[int, list[Unit]] = defaultdict(list)
    for unit in units:
        of_building[unit.building_id].append(
            Unit(id=unit.id, building_id=unit.building_id, name=unit.name, places=in_unit[unit.id])
        )
    return replace(
        community,
        buildings=[
            Building(
                id=building.id,
                community_id=building.community_id,
                name=building.name,
                units=of_building[building.id],
                places=in_building[building.id],
            )
            for building in buildings
        ],
        places=in_building[None],
    )
