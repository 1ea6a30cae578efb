"""Who owns and lives in which unit, from when to when: moving in and out, and who is there."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.accounts import people, telephones
from cloud.core import audit
from cloud.core.clock import Clock
from cloud.core.database import hold
from cloud.core.errors import Conflict, NotFound
from cloud.core.principal import Principal, Role
from cloud.properties import tables
from cloud.properties.domain import Occupancy, OccupancyKind, check_period
from cloud.properties.finding import may_see_person
from cloud.properties.tables import CommunityRow, OccupancyRow, UnitRow
from firmware_configs.look.words import _


@dataclass(frozen=True, slots=True, kw_only=True)
class Occupant(Occupancy):
    """Somebody in a unit.

    Attributes:
        phone: in E.164, to be masked wherever it is shown.
    """

    name: str
    phone: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Occupied(Occupancy):
    """A unit of somebody's.

    Attributes:
        label: where it is: "云杉苑 · 3 栋 · 501".
    """

    community_id: int
    label: str


async def occupants(
    session: AsyncSession, principal: Principal, unit_ids: Collection[int], *, on: date | None = None
) -> dict[int, list[Occupant]]:
    """Return by unit who is, was and will be in it, the newest first; with `on` only who is there that day."""
    rows = await tables.occupancies(session, principal, unit_ids=unit_ids, on=on)
    found = await people.list_people(session, principal, ids={row.person_id for row in rows})
    known = {person.id: person for person in found}
    units: dict[int, list[Occupant]] = {unit_id: [] for unit_id in unit_ids}
    for row in rows:
        person = known[row.person_id]
        units[row.unit_id].append(Occupant(**_fields(row), name=person.name, phone=person.phone))
    return units


async def units_of(
    session: AsyncSession, principal: Principal, person_ids: Collection[int], *, on: date | None = None
) -> dict[int, list[Occupied]]:
    """Return by person the units that are, were and will be theirs, the newest first; with `on` those of that day."""
    rows = await tables.occupancies(session, principal, person_ids=person_ids, on=on)
    labels = await unit_labels(session, principal, {row.unit_id for row in rows})
    theirs: dict[int, list[Occupied]] = {person_id: [] for person_id in person_ids}
    for row in rows:
        label = labels.get(row.unit_id, "")
        theirs[row.person_id].append(Occupied(**_fields(row), community_id=row.community_id, label=label))
    return theirs


async def at_home(session: AsyncSession, principal: Principal, *, on: date, zone: tzinfo = UTC) -> Principal:
    """Return the principal with their units and household of a day; who is no staff sees their communities alone.

    Every visit begins with it, so that whoever moved out yesterday sees nothing of it today. Days begin in `zone`.
    """
    if Role.OWNER not in principal.roles or principal.person_id is None:
        return principal
    rows = await tables.own_occupancies(session, principal.organisation_id, principal.person_id, on=on)
    communities = principal.communities if principal.is_staff else frozenset(row.community_id for row in rows)
    moved_in = tuple((row.unit_id, datetime.combine(row.since, time(), tzinfo=zone)) for row in rows)
    units = frozenset(row.unit_id for row in rows)
    system = Principal.system(principal.organisation_id)
    beside = await tables.occupancies(session, system, unit_ids=units, on=on) if units else ()
    household = frozenset(row.person_id for row in beside)
    return replace(principal, units=units, moved_in=moved_in, communities=communities, household=household)


async def unit_labels(session: AsyncSession, principal: Principal, unit_ids: Collection[int]) -> dict[int, str]:
    """Return where these units are, by id, e.g. "云杉苑 · 3 栋 · 501"; those not to be seen are left out."""
    return await tables.unit_labels(session, principal, unit_ids) if unit_ids else {}


async def unit_label(session: AsyncSession, principal: Principal, unit_id: int) -> str:
    """Return where a unit is: "云杉苑 · 3 栋 · 501".

    Raises:
        NotFound: there is none that the principal may see.
    """
    labels = await unit_labels(session, principal, [unit_id])
    if unit_id not in labels:
        raise NotFound(_("There is no such unit."))
    return labels[unit_id]


async def today_in(session: AsyncSession, clock: Clock, principal: Principal, *, unit_id: int) -> date:
    """Return the date that it is now where a unit is.

    Raises:
        NotFound: there is none that the principal may see.
    """
    unit = await tables.find(session, principal, UnitRow, unit_id)
    community = await tables.find(session, principal, CommunityRow, unit.community_id) if unit is not None else None
    if community is None:
        raise NotFound(_("There is no such unit."))
    return clock.now().astimezone(ZoneInfo(community.time_zone)).date()


async def find_occupancy(session: AsyncSession, principal: Principal, occupancy_id: int) -> Occupancy:
    """Return one occupancy.

    Raises:
        Forbidden: the principal is neither at the desk nor an administrator.
        NotFound: there is none that the principal may see.
    """
    principal.require(Role.DESK)
    return (await _find(session, principal, occupancy_id)).as_occupancy


async def reveal_phone(session: AsyncSession, clock: Clock, principal: Principal, person_id: int) -> str | None:
    """Return the number in full of somebody who is the principal's to see; see telephones.reveal.

    Raises:
        Forbidden: the principal does not work here.
        NotFound: there is no such person.
    """
    if not await may_see_person(session, principal, person_id):
        raise NotFound(_("There is no such person."))
    return await telephones.reveal(session, clock, principal, person_id)


async def move_in(
    session: AsyncSession,
    clock: Clock,
    principal: Principal,
    *,
    unit_id: int,
    name: str,
    phone: str | None,
    kind: OccupancyKind,
    since: date,
) -> int:
    """Return the id of a new occupancy; who has the number already is the same person, under the name they have.

    Raises:
        Forbidden: the principal is neither at the desk nor an administrator.
        NotFound: there is no such unit.
        Refused: name, phone or day can't be.
        Conflict: that person is in the unit already.
    """
    principal.require(Role.DESK)
    await unit_label(session, principal, unit_id)
    person_id = await telephones.enrol_owner(session, clock, principal, name=name, phone=phone)
    return await settle(session, clock, principal, unit_id=unit_id, person_id=person_id, kind=kind, since=since)


async def settle(
    session: AsyncSession,
    clock: Clock,
    principal: Principal,
    *,
    unit_id: int,
    person_id: int,
    kind: OccupancyKind,
    since: date,
) -> int:
    """Return the id of the occupancy by which somebody known is in a unit from a day on.

    Raises:
        NotFound: there is no such unit.
        Refused: the day can't be.
        Conflict: they are in the unit already.
    """
    check_period(since, None)
    unit = await tables.find(session, principal, UnitRow, unit_id)
    if unit is None:
        raise NotFound(_("There is no such unit."))
    row = OccupancyRow(
        organisation_id=unit.organisation_id,
        community_id=unit.community_id,
        unit_id=unit.id,
        person_id=person_id,
        kind=kind,
        since=since,
    )
    await _check_alone(session, principal, row, since=since, until=None)
    session.add(row)
    await session.flush()
    _record(session, clock, principal, "properties.moved_in", row, after=_state(row))
    return row.id


async def move_out(
    session: AsyncSession, clock: Clock, principal: Principal, *, occupancy_id: int, until: date
) -> None:
    """End an occupancy: from the day `until` on it is no longer so; on the day it began, it never was.

    Raises:
        Forbidden: the principal is neither at the desk nor an administrator.
        NotFound: there is no such occupancy.
        Refused: the day lies before the first one.
    """
    principal.require(Role.DESK)
    row = await _find(session, principal, occupancy_id)
    check_period(row.since, until)
    before = _state(row)
    row.until = until
    was, is_now = audit.changed(before, _state(row))
    if is_now:
        _record(session, clock, principal, "properties.moved_out", row, before=was, after=is_now)


async def correct_occupancy(
    session: AsyncSession,
    clock: Clock,
    principal: Principal,
    *,
    occupancy_id: int,
    kind: OccupancyKind,
    since: date,
    until: date | None,
) -> None:
    """Put right as what and from when to when somebody is in a unit.

    Raises:
        Forbidden: the principal is neither at the desk nor an administrator.
        NotFound: there is no such occupancy.
        Refused: a day can't be.
        Conflict: the person is in the unit at that time by another entry.
    """
    principal.require(Role.DESK)
    row = await _find(session, principal, occupancy_id)
    check_period(since, until)
    await _check_alone(session, principal, row, since=since, until=until)
    before = _state(row)
    row.kind, row.since, row.until = kind, since, until
    was, is_now = audit.changed(before, _state(row))
    if is_now:
        _record(session, clock, principal, "properties.occupancy_corrected", row, before=was, after=is_now)


async def _check_alone(
    session: AsyncSession, principal: Principal, row: OccupancyRow, *, since: date, until: date | None
) -> None:
    """Let an occupancy pass beside which the same person has none in the unit; nobody adds one meanwhile.

    Raises:
        Conflict: they have.
    """
    await hold(session, f"occupancies {row.unit_id}")
    with session.no_autoflush:
        beside = await tables.occupancies(session, principal, unit_ids=[row.unit_id], person_ids=[row.person_id])
    for other in beside:
        overlaps = (until is None or other.since < until) and (other.until is None or since < other.until)
        if other is not row and overlaps and since != until and other.since != other.until:
            raise Conflict(_("This person is in the unit already, since %(since)s."), field="since", since=other.since)


async def _find(session: AsyncSession, principal: Principal, occupancy_id: int) -> OccupancyRow:
    row = await tables.find(session, principal, OccupancyRow, occupancy_id)
    if row is None:
        raise NotFound(_("There is no such entry."))
    return row


def _fields(row: OccupancyRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "unit_id": row.unit_id,
        "person_id": row.person_id,
        "kind": row.kind,
        "since": row.since,
        "until": row.until,
    }


def _state(row: OccupancyRow) -> dict[str, object]:
    return {
        "person_id": row.person_id,
        "kind": row.kind,
        "since": row.since.isoformat(),
        "until": row.until.isoformat() if row.until else None,
    }


def _record(
    session: AsyncSession,
    clock: Clock,
    principal: Principal,
    action: str,
    row: OccupancyRow,
    *,
    before: audit.State | None = None,
    after: audit.State | None = None,
) -> None:
    audit.record(session, clock, principal, action=action, subject=f"unit:{row.unit_id}", before=before, after=after)
