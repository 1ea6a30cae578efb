"""What people see of incidents."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Select, Table, case, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.alarms.domain import Priority
from cloud.core.clock import Clock
from cloud.core.errors import NotFound
from cloud.core.listing import Ask, Filter, Found, Listing, Operator, containing, fetch
from cloud.core.principal import Principal
from cloud.properties.finding import Address
from cloud.tickets.domain import TicketType
from cloud.tickets.reading import Ticket, list_tickets
from cloud.tickets.tables import IncidentPlaceRow, IncidentRow, TicketRow, TicketTypeRow, in_sight
from cloud.tickets.types import to_type
from firmware_configs.look.words import _

_INCIDENTS = cast("Table", IncidentRow.__table__).c


@dataclass(frozen=True, slots=True, kw_only=True)
class Affected:
    """A building, a place or a unit that an incident concerns, and what it is called."""

    building_id: int | None = None
    place_id: int | None = None
    unit_id: int | None = None
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """An incident as people see it.

    Attributes:
        script: what the desk says to whoever calls about it.
        notice: the one line that everybody concerned may read.
        is_late: its deadline has passed, or had before it was over.
    """

    id: int
    type: TicketType
    priority: Priority
    community_id: int | None
    title: str
    script: str
    notice: str
    affected: tuple[Affected, ...]
    opened_at: datetime
    due_at: datetime
    is_late: bool
    closed_at: datetime | None
    result: str
    version: int


async def incident(session: AsyncSession, clock: Clock, principal: Principal, *, incident_id: int) -> Incident:
    """Return one incident.

    Raises:
        NotFound: there is none that the principal may see.
    """
    rows = await session.execute(_with_types(principal).where(IncidentRow.id == incident_id))
    found = await _read(session, clock, principal, rows.all())
    if not found:
        raise NotFound(_("There is no such incident."))
    return found[0]


async def list_incidents(
    session: AsyncSession, clock: Clock, principal: Principal, ask: Ask, *, only_open: bool
) -> Found[Incident]:
    """Return the incidents that the principal may see, those that are due first, or all, the newest first."""
    seen = _with_types(principal)
    is_open = IncidentRow.closed_at.is_(None)
    listing = Listing(
        select=seen.where(is_open) if only_open else seen,
        columns={
            "title": _INCIDENTS.title,
            "opened": _INCIDENTS.opened_at,
            "due": _INCIDENTS.due_at,
            "closed": _INCIDENTS.closed_at,
            "late": case(
                (or_(_INCIDENTS.breached_at.is_not(None), is_open & (_INCIDENTS.due_at < clock.now())), 1), else_=0
            ),
        },
        key=_INCIDENTS.id,
        order=(_INCIDENTS.due_at,) if only_open else (_INCIDENTS.opened_at.desc(),),
        search=containing(_INCIDENTS.title, _INCIDENTS.notice),
    )
    found = await fetch(session, listing, ask)
    return found.of(await _read(session, clock, principal, found.rows))


async def open_incidents(session: AsyncSession, clock: Clock, principal: Principal) -> list[Incident]:
    """Return the incidents that are not over, the newest first."""
    rows = await session.execute(
        _with_types(principal).where(IncidentRow.closed_at.is_(None)).order_by(IncidentRow.opened_at.desc())
    )
    return await _read(session, clock, principal, rows.all())


async def incidents_at(session: AsyncSession, clock: Clock, principal: Principal, address: Address) -> list[Incident]:
    """Return the incidents that are not over and concern an address, those that are due first.

    One that names places concerns whoever shares one of them; one that names none, its community or everybody.
    """
    named = exists().where(
        IncidentPlaceRow.organisation_id == principal.organisation_id,
        IncidentPlaceRow.incident_id == IncidentRow.id,
        or_(IncidentPlaceRow.place_id.is_not(None), IncidentPlaceRow.unit_id.is_not(None)),
    )
    of_it = or_(IncidentPlaceRow.place_id.in_(address.place_ids), IncidentPlaceRow.unit_id.in_(address.unit_ids))
    everywhere = or_(IncidentRow.community_id.is_(None), IncidentRow.community_id.in_(address.community_ids))
    found = _with_types(principal).where(IncidentRow.closed_at.is_(None), or_(named.where(of_it), ~named & everywhere))
    rows = await session.execute(found.order_by(IncidentRow.due_at, IncidentRow.id))
    return await _read(session, clock, principal, rows.all())


async def tickets_of_incident(
    session: AsyncSession, clock: Clock, principal: Principal, ask: Ask, *, incident_id: int
) -> Found[Ticket]:
    """Return the tickets that an incident explains, as far as the principal may see them, the newest first."""
    explained = Filter(column="incident", operator=Operator.IS, values=(incident_id,))
    asked = replace(ask, filters=(*ask.filters, explained))
    return await list_tickets(session, clock, principal, asked, only_undone=False)


async def count_tickets(session: AsyncSession, principal: Principal, incidents: Sequence[Incident]) -> dict[int, int]:
    """Return how many tickets that the principal may see each incident explains."""
    rows = await session.execute(
        select(TicketRow.incident_id, func.count())
        .where(TicketRow.organisation_id == principal.organisation_id, in_sight(principal))
        .where(TicketRow.incident_id.in_([each.id for each in incidents]))
        .group_by(TicketRow.incident_id)
    )
    counted = {incident_id or 0: count for incident_id, count in rows}
    return {each.id: counted.get(each.id, 0) for each in incidents}


def visible_incidents(principal: Principal) -> Select[IncidentRow]:
    """Return the incidents that the principal may see: their communities', and those that concern all."""
    seen = select(IncidentRow).where(IncidentRow.organisation_id == principal.organisation_id)
    if principal.communities is None:
        return seen
    theirs = or_(IncidentRow.community_id.is_(None), IncidentRow.community_id.in_(principal.communities))
    return seen.where(theirs)


def _with_types(principal: Principal) -> Select[Any]:
    # any organisation: visible_incidents leaves only the principal's
    seen = visible_incidents(principal).join(TicketTypeRow, TicketTypeRow.id == IncidentRow.type_id)
    return cast("Select[Any]", seen.add_columns(TicketTypeRow))


async def _read(session: AsyncSession, clock: Clock, principal: Principal, rows: Sequence[Any]) -> list[Incident]:
    places: dict[int, list[Affected]] = {row[0].id: [] for row in rows}
    for place in await session.scalars(
        select(IncidentPlaceRow)
        .where(IncidentPlaceRow.organisation_id == principal.organisation_id)
        .where(IncidentPlaceRow.incident_id.in_(places))
        .order_by(IncidentPlaceRow.id)
    ):
        affected = Affected(
            building_id=place.building_id, place_id=place.place_id, unit_id=place.unit_id, label=place.label
        )
        places[place.incident_id].append(affected)
    return [_incident(row[0], row[1], places[row[0].id], now=clock.now()) for row in rows]


def _incident(row: IncidentRow, type_row: TicketTypeRow, affected: Sequence[Affected], *, now: datetime) -> Incident:
    return Incident(
        id=row.id,
        type=to_type(type_row),
        priority=Priority(row.priority),
        community_id=row.community_id,
        title=row.title,
        script=row.script,
        notice=row.notice,
        affected=tuple(affected),
        opened_at=row.opened_at,
        due_at=row.due_at,
        is_late=row.breached_at is not None or (row.closed_at is None and now > row.due_at),
        closed_at=row.closed_at,
        result=row.result,
        version=row.version,
    )
