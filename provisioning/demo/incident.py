"""The practice estate's incident: tomorrow's planned water cut of building 2, with what the desk says about it."""

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.alarms.domain import Priority
from cloud.core.clock import Clock
from cloud.core.principal import Principal
from cloud.properties import finding
from cloud.tickets.incident_reading import Affected
from cloud.tickets.incidents import open_incident
from provisioning.demo.estate import BUILDING_2


async def cut_water(session: AsyncSession, clock: Clock, principal: Principal) -> int:
    """Open the incident, which tells everybody in the building its notice; return its id."""
    [building] = [
        spot for spot in await finding.list_buildings(session, principal) if spot.label.endswith(f" · {BUILDING_2}")
    ]
    return await open_incident(
        session,
        clock,
        principal,
        type_code="water_off",
        title="2 号楼计划停水",
        script="您好，2 号楼明天 9:00 至 12:00 检修二次供水水箱，期间停水。请提前储水，恢复后先放掉浑水再用。",
        notice="2 号楼明天 9:00 至 12:00 检修水箱停水，请提前储水。",
        community_id=building.community_id,
        affected=[Affected(building_id=building.building_id, label=building.label)],
        priority=Priority.LOW,
    )
