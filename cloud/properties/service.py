"""Communities and what is in them: reading for all who may see them, changing for administrators."""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.accounts.domain import check_time_zone
from cloud.core import audit
from cloud.core.clock import Clock
from cloud.core.errors import Conflict, Forbidden, NotFound, Refused
from cloud.core.principal import Principal, Role
from cloud.properties import tables
from cloud.properties.domain import (
    DEFAULT_TIME_ZONE,
    Community,
    Place,
    PlaceKind,
    Unit,
    check_address,
    check_name,
)
from cloud.properties.tables import BuildingRow, CommunityRow, PlaceRow, Row, UnitRow
from firmware_configs.look.words import _

_AUDITED: Mapping[type[CommunityRow | BuildingRow | UnitRow | PlaceRow], tuple[str, Sequence[str]]] = {
    CommunityRow: ("community", ("name", "address", "time_zone")),
    BuildingRow: ("building", ("name", "community_id")),
    UnitRow: ("unit", ("name", "building_id")),
    PlaceRow: ("place", ("name", "kind", "community_id", "building_id", "unit_id")),
}
"""What each kind is called in the audit, and the fields that are written down."""


async def list_communities(session: AsyncSession, principal: Principal) -> Sequence[Community]:
    """Return the communities that the principal may see, by name, without what is in them."""
    return [_community(row) for row in await tables.list_rows(session, principal, CommunityRow)]


async def find_community(session: AsyncSession, principal: Principal, community_id: int) -> Community:
    """Return a community without what is in it.

    Raises:
        NotFound: there is none that the principal may see.
    """
    return _community(await _find(session, principal, CommunityRow, community_id))


async def list_places(
    session: AsyncSession, principal: Principal, *, community_id: int | None = None
) -> Sequence[Place]:
    """Return the places that the principal may see, of all communities or of one, by name."""
    rows = await tables.list_rows(session, principal, PlaceRow, community_id=community_id)
    return [row.as_place for row in rows]


async def find_place(session: AsyncSession, principal: Principal, place_id: int) -> Place:
    """Return a place.

    Raises:
        NotFound: there is none that the principal may see.
    """
    return (await _find(session, principal, PlaceRow, place_id)).as_place


async def find_unit(session: AsyncSession, principal: Principal, unit_id: int) -> Unit:
    """Return a unit without the places in it.

    Raises:
        NotFound: there is none that the principal may see.
    """
    row = await _find(session, principal, UnitRow, unit_id)
    return Unit(id=row.id, building_id=row.building_id, name=row.name)


async def labels(session: AsyncSession, principal: Principal, place_ids: Collection[int]) -> dict[int, str]:
    """Return where these places are, by id, e.g. "云杉苑 · 3 栋 · B1 水泵房"; those not to be seen are left out."""
    return await tables.labels(session, principal, place_ids) if place_ids else {}


async def place_label(session: AsyncSession, principal: Principal, place_id: int) -> str:
    """Return where one place is.

    Raises:
        NotFound: there is none that the principal may see.
    """
    found = await labels(session, principal, [place_id])
    if place_id not in found:
        raise NotFound(_("There is no such place."))
    return found[place_id]


async def create_community(
    session: AsyncSession,
    clock: Clock,
    principal: Principal,
    *,
    name: str,
    address: str = "",
    time_zone: str = DEFAULT_TIME_ZONE,
) -> int:
    """Return the id of a new community.

    Raises:
        Forbidden: the principal is no administrator of the whole organisation.
        Refused: name, address or time zone can't be.
        Conflict: the organisation has one of this name.
    """
    principal.require(Role.ADMINISTRATOR)
    if principal.communities is not None:
        raise Forbidden(_("Only who sees all communities may add one."))
    row = CommunityRow(
        organisation_id=principal.organisation_id,
        name=check_name(name),
        address=check_address(address),
        time_zone=check_time_zone(time_zone),
        created_at=clock.now(),
    )
    return await _create(session, clock, principal, row)


async def create_building(
    session: AsyncSession, clock: Clock, principal: Principal, *, community_id: int, name: str
) -> int:
    """Return the id of a new building.

    Raises:
        Forbidden: the principal is no administrator.
        NotFound: there is no such community.
        Refused: the name can't be.
        Conflict: the community has one of this name.
    """
    principal.require(Role.ADMINISTRATOR)
    community = await _find(session, principal, CommunityRow, community_id)
    row = BuildingRow(organisation_id=principal.organisation_id, community_id=community.id, name=check_name(name))
    return await _create(session, clock, principal, row)


async def create_unit(session: AsyncSession, clock: Clock, principal: Principal, *, building_id: int, name: str) -> int:
    """Return the id of a new unit.

    Raises:
        Forbidden: the principal is no administrator.
        NotFound: there is no such building.
        Refused: the name can't be.
        Conflict: the building has one of this name.
    """
    principal.require(Role.ADMINISTRATOR)
    building = await _find(session, principal, BuildingRow, building_id)
    row = UnitRow(
        organisation_id=principal.organisation_id,
        community_id=building.community_id,
        building_id=building.id,
        name=check_name(name),
    )
    return await _create(session, clock, principal, row)


async def create_place(
    session: AsyncSession,
    clock: Clock,
    principal: Principal,
    *,
    community_id: int,
    building_id: int | None = None,
    unit_id: int | None = None,
    name: str,
    kind: PlaceKind,
) -> int:
    """Return the id of a new place in the community, in the building or in the unit.

    Raises:
        Forbidden: the principal is no administrator.
        NotFound: there is no such community, building or unit.
        Refused: the name can't be, or the unit, building and community don't stand in each other.
    """
    principal.require(Role.ADMINISTRATOR)
    community = await _find(session, principal, CommunityRow, community_id)
    building = await _find(session, principal, BuildingRow, building_id) if building_id is not None else None
    unit = await _find(session, principal, UnitRow, unit_id) if unit_id is not None else None
    if building is not None and building.community_id != community.id:
        raise Refused(_("This building is in another community."), field="building_id")
    if unit is not None and (building is None or unit.building_id != building.id):
        raise Refused(_("This unit is in another building."), field="unit_id")
    row = PlaceRow(
        organisation_id=principal.organisation_id,
        community_id=community.id,
        building_id=building_id,
        unit_id=unit_id,
        name=check_name(name),
        kind=kind,
    )
    return await _create(session, clock, principal, row)


async def change_community(
    session: AsyncSession,
    clock: Clock,
    principal: Principal,
    community_id: int,
    *,
    name: str,
    address: str,
    time_zone: str,
) -> None:
    """Change what a community is called, where it is and which local time it keeps.

    Raises:
        Forbidden: the principal is no administrator.
        NotFound: there is no such community.
        Refused: name, address or time zone can't be.
        Conflict: the organisation has another one of this name.
    """
    principal.require(Role.ADMINISTRATOR)
    row = await _find(session, principal, CommunityRow, community_id)
    before = _state(row)
    row.name, row.address = check_name(name), check_address(address)
    row.time_zone = check_time_zone(time_zone)
    await _change(session, clock, principal, row, before)


async def rename_building(
    session: AsyncSession, clock: Clock, principal: Principal, building_id: int, *, name: str
) -> None:
    """Change what a building is called.

    Raises:
        Forbidden: the principal is no administrator.
        NotFound: there is no such building.
        Refused: the name can't be.
        Conflict: the community has another one of this name.
    """
    await _rename(session, clock, principal, BuildingRow, building_id, name=name)


async def rename_unit(session: AsyncSession, clock: Clock, principal: Principal, unit_id: int, *, name: str) -> None:
    """Change what a unit is called.

    Raises:
        Forbidden: the principal is no administrator.
        NotFound: there is no such unit.
        Refused: the name can't be.
        Conflict: the building has another one of this name.
    """
    await _rename(session, clock, principal, UnitRow, unit_id, name=name)


async def change_place(
    session: AsyncSession, clock: Clock, principal: Principal, place_id: int, *, name: str, kind: PlaceKind
) -> None:
    """Change what a place is called and what it is.

    Raises:
        Forbidden: the principal is no administrator.
        NotFound: there is no such place.
        Refused: the name can't be.
    """
    principal.require(Role.ADMINISTRATOR)
    row = await _find(session, principal, PlaceRow, place_id)
    before = _state(row)
    row.name, row.kind = check_name(name), kind
    await _change(session, clock, principal, row, before)


async def delete_community(session: AsyncSession, clock: Clock, principal: Principal, community_id: int) -> None:
    """Delete a community that nothing is in and nothing speaks of.

    Raises:
        Forbidden: the principal is no administrator.
        NotFound: there is no such community.
        Conflict: it is used.
    """
    await _delete(session, clock, principal, CommunityRow, community_id)


async def delete_building(session: AsyncSession, clock: Clock, principal: Principal, building_id: int) -> None:
    """Delete a building that nothing is in and nothing speaks of; raises as delete_community does."""
    await _delete(session, clock, principal, BuildingRow, building_id)


async def delete_unit(session: AsyncSession, clock: Clock, principal: Principal, unit_id: int) -> None:
    """Delete a unit that nothing is in and nothing speaks of; raises as delete_community does."""
    await _delete(session, clock, principal, UnitRow, unit_id)


async def delete_place(session: AsyncSession, clock: Clock, principal: Principal, place_id: int) -> None:
    """Delete a place that nothing speaks of; raises as delete_community does."""
    await _delete(session, clock, principal, PlaceRow, place_id)


async def _find(session: AsyncSession, principal: Principal, kind: type[Row], row_id: int) -> Row:
    row = await tables.find(session, principal, kind, row_id)
    if row is None:
        raise NotFound(_("There is no such place."))
    return row


async def _create(session: AsyncSession, clock: Clock, principal: Principal, row: Row) -> int:
    session.add(row)
    await _flush(session)
    _record(session, clock, principal, "created", row, after=_state(row))
    return row.id


async def _rename(
    session: AsyncSession, clock: Clock, principal: Principal, kind: type[Row], row_id: int, *, name: str
) -> None:
    principal.require(Role.ADMINISTRATOR)
    row = await _find(session, principal, kind, row_id)
    before = _state(row)
    row.name = check_name(name)
    await _change(session, clock, principal, row, before)


async def _change(session: AsyncSession, clock: Clock, principal: Principal, row: Row, before: audit.State) -> None:
    await _flush(session)
    was, is_now = audit.changed(before, _state(row))
    if is_now:
        _record(session, clock, principal, "changed", row, before=was, after=is_now)


async def _delete(session: AsyncSession, clock: Clock, principal: Principal, kind: type[Row], row_id: int) -> None:
    principal.require(Role.ADMINISTRATOR)
    row = await _find(session, principal, kind, row_id)
    before = _state(row)
    try:
        async with session.begin_nested():
            await session.delete(row)
    except IntegrityError as error:
        raise Conflict(_("%(name)s is used and can't be deleted."), name=before["name"]) from error
    _record(session, clock, principal, "deleted", row, before=before)


async def _flush(session: AsyncSession) -> None:
    try:
        await session.flush()
    except IntegrityError as error:
        raise Conflict(_("There is one of this name already. Choose another."), field="name") from error


def _record(
    session: AsyncSession,
    clock: Clock,
    principal: Principal,
    what: str,
    row: Row,
    *,
    before: audit.State | None = None,
    after: audit.State | None = None,
) -> None:
    noun, _fields = _AUDITED[type(row)]
    audit.record(
        session,
        clock,
        principal,
        action=f"properties.{noun}_{what}",
        subject=f"{noun}:{row.id}",
        before=before,
        after=after,
    )


def _state(row: CommunityRow | BuildingRow | UnitRow | PlaceRow) -> dict[str, object]:
    _noun, fields = _AUDITED[type(row)]
    return {field: getattr(row, field) for field in fields}


def _community(row: CommunityRow) -> Community:
    return Community(id=row.id, name=row.name, address=row.address, time_zone=row.time_zone)
