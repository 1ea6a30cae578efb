"""What an incident concerns: its units and places, who is in them, and the tickets that it may explain."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from hashlib import sha256

from sqlalchemy import or_
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.alarms.domain import Priority
from cloud.core.clock import Clock
from cloud.core.principal import Principal
from cloud.core.words import Words
from cloud.notifications.domain import Kind
from cloud.notifications.service import notify
from cloud.properties import finding, occupancies
from cloud.properties import service as properties
from cloud.tickets.domain import UNDONE
from cloud.tickets.incident_reading import Affected, Incident
from cloud.tickets.reading import Ticket, read
from cloud.tickets.skills import today
from cloud.tickets.tables import IncidentRow, TicketRow, visible_tickets

_OFFERED = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """The units and places that buildings, places and units come to."""

    unit_ids: frozenset[int]
    place_ids: frozenset[int]


async def area_of(session: AsyncSession, principal: Principal, affected: Collection[Affected]) -> Area:
    """Return what an incident concerns, as far as the principal may see it."""
    buildings = {each.building_id for each in affected if each.building_id is not None}
    units = {each.unit_id for each in affected if each.unit_id is not None}
    units |= await finding.units_in(session, principal, buildings) if buildings else set()
    places = {each.place_id for each in affected if each.place_id is not None}
    if buildings or units:
        for place in await properties.list_places(session, principal):
            if place.building_id in buildings or place.unit_id in units:
                places.add(place.id)
    return Area(unit_ids=frozenset(units), place_ids=frozenset(places))


async def tell_occupants(
    session: AsyncSession, clock: Clock, row: IncidentRow, affected: Collection[Affected], *, is_emergency: bool
) -> None:
    """Tell everybody who is in the units that an incident concerns its notice: each notice once."""
    if not row.notice:
        return
    system = Principal.system(row.organisation_id)
    area = await area_of(session, system, affected)
    inside = await occupancies.occupants(session, system, area.unit_ids, on=await today(session, clock, system))
    await notify(
        session,
        clock,
        system,
        person_ids={each.person_id for occupants in inside.values() for each in occupants},
        kind=Kind.INCIDENT,
        subject=Words(zh=row.title, en=row.title),
        text=Words(zh=row.notice, en=row.notice),
        link="/",
        is_urgent=is_emergency or row.priority == Priority.CRITICAL,
        key=f"incident:{row.id}:{sha256(row.notice.encode()).hexdigest()[:16]}",
    )


async def explicable(session: AsyncSession, clock: Clock, principal: Principal, of: Incident) -> Sequence[Ticket]:
    """Return the open tickets of an incident's kind in what it concerns that no incident explains yet, oldest first."""
    area = await area_of(session, principal, of.affected)
    rows = await session.execute(
        visible_tickets(principal)
        .where(TicketRow.state.in_(sorted(UNDONE)), TicketRow.incident_id.is_(None), TicketRow.kind == of.type.kind)
        .where(or_(TicketRow.unit_id.in_(area.unit_ids), TicketRow.place_id.in_(area.place_ids)))
        .order_by(TicketRow.id)
        .limit(_OFFERED)
    )
    return await read(session, clock, principal, rows.all())
