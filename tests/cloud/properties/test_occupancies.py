from datetime import date

import pytest
from sqlalchemy import select

from cloud.core.audit import AuditEntry
from cloud.core.database import Database
from cloud.core.errors import Conflict, Forbidden, NotFound, Refused
from cloud.core.principal import Principal, Role
from cloud.properties import occupancies, service
from cloud.properties.domain import OccupancyKind
from tests.clocks import FixedClock
from tests.cloud.estate import Estate

PHONE = "13800000001"
MARCH, MAY, JUNE = date(2026, 3, 1), date(2026, 5, 1), date(2026, 6, 1)


@pytest.fixture
async def units(database: Database, clock: FixedClock, estate: Estate) -> tuple[int, int]:
    """Two flats on one landing."""
    who = estate.administrator
    async with database.transaction() as session:
        community = await service.create_community(session, clock, who, name="云杉苑")
        building = await service.create_building(session, clock, who, community_id=community, name="3 栋")
        first = await service.create_unit(session, clock, who, building_id=building, name="501")
        second = await service.create_unit(session, clock, who, building_id=building, name="502")
    return first, second


async def _move_in(
    database: Database, clock: FixedClock, principal: Principal, unit_id: int, *, name: str = "张三",
    phone: str | None = PHONE, kind: OccupancyKind = OccupancyKind.OWNER, since: date = MARCH,
) -> int:  # fmt: skip
    async with database.transaction() as session:
        return await occupancies.move_in(
            session, clock, principal, unit_id=unit_id, name=name, phone=phone, kind=kind, since=since
        )


async def test_who_moves_in_is_in_the_unit_from_that_day_on(
    database: Database, clock: FixedClock, estate: Estate, units: tuple[int, int]
) -> None:
    desk = estate.principals[Role.DESK]
    occupancy_id = await _move_in(database, clock, desk, units[0])
    async with database.reading() as session:
        found = await occupancies.occupants(session, desk, units)
        before = await occupancies.occupants(session, desk, units, on=date(2026, 2, 28))
    (occupant,) = found[units[0]]
    assert (occupant.id, occupant.name, occupant.phone, occupant.kind) == (
        occupancy_id, "张三", "+8613800000001", OccupancyKind.OWNER,
    )  # fmt: skip
    assert (occupant.since, occupant.until, found[units[1]], before[units[0]]) == (MARCH, None, [], [])


async def test_an_owner_of_two_units_is_one_person(
    database: Database, clock: FixedClock, estate: Estate, units: tuple[int, int]
) -> None:
    desk = estate.principals[Role.DESK]
    for unit_id in units:
        await _move_in(database, clock, desk, unit_id)
    async with database.reading() as session:
        found = await occupancies.occupants(session, desk, units)
        (person_id,) = {occupant.person_id for unit in found.values() for occupant in unit}
        theirs = await occupancies.units_of(session, desk, [person_id])
    assert {occupied.label for occupied in theirs[person_id]} == {"云杉苑 · 3 栋 · 501", "云杉苑 · 3 栋 · 502"}


async def test_moving_out_counts_from_the_day_it_names(
    database: Database, clock: FixedClock, estate: Estate, units: tuple[int, int]
) -> None:
    desk = estate.principals[Role.DESK]
    occupancy_id = await _move_in(database, clock, desk, units[0])
    async with database.transaction() as session:
        await occupancies.move_out(session, clock, desk, occupancy_id=occupancy_id, until=MAY)
        last = await occupancies.occupants(session, desk, [units[0]], on=date(2026, 4, 30))
        gone = await occupancies.occupants(session, desk, [units[0]], on=MAY)
    assert (len(last[units[0]]), gone[units[0]]) == (1, [])


async def test_nobody_is_in_a_unit_twice_at_once(
    database: Database, clock: FixedClock, estate: Estate, units: tuple[int, int]
) -> None:
    desk = estate.principals[Role.DESK]
    first = await _move_in(database, clock, desk, units[0])
    with pytest.raises(Conflict):
        await _move_in(database, clock, desk, units[0], kind=OccupancyKind.FAMILY, since=MAY)
    async with database.transaction() as session:
        await occupancies.move_out(session, clock, desk, occupancy_id=first, until=MAY)
    second = await _move_in(database, clock, desk, units[0], kind=OccupancyKind.FAMILY, since=MAY)
    with pytest.raises(Conflict):
        async with database.transaction() as session:
            await occupancies.correct_occupancy(
                session, clock, desk, occupancy_id=second, kind=OccupancyKind.FAMILY, since=MARCH, until=None
            )


async def test_a_correction_is_written_down_with_what_it_changed(
    database: Database, clock: FixedClock, estate: Estate, units: tuple[int, int]
) -> None:
    desk = estate.principals[Role.DESK]
    occupancy_id = await _move_in(database, clock, desk, units[0])
    async with database.transaction() as session:
        await occupancies.correct_occupancy(
            session, clock, desk, occupancy_id=occupancy_id, kind=OccupancyKind.TENANT, since=MARCH, until=JUNE
        )
    async with database.reading() as session:
        entry = (await session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc()).limit(1))).one()
    assert (entry.action, entry.subject) == ("properties.occupancy_corrected", f"unit:{units[0]}")
    assert entry.before == {"kind": "owner", "until": None}
    assert entry.after == {"kind": "tenant", "until": "2026-06-01"}


@pytest.mark.parametrize(
    ("since", "until", "field"),
    [
        pytest.param(MAY, MARCH, "until", id="out before in"),
        pytest.param(date(1926, 1, 1), None, "since", id="of another century"),
    ],
)
async def test_a_day_that_cannot_be_is_refused_at_its_field(
    database: Database, clock: FixedClock, estate: Estate, units: tuple[int, int], since: date, until: date | None,
    field: str,
) -> None:  # fmt: skip
    desk = estate.principals[Role.DESK]
    occupancy_id = await _move_in(database, clock, desk, units[0])
    with pytest.raises(Refused) as refused:
        async with database.transaction() as session:
            await occupancies.correct_occupancy(
                session, clock, desk, occupancy_id=occupancy_id, kind=OccupancyKind.OWNER, since=since, until=until
            )
    assert refused.value.field == field


async def test_an_owner_at_home_sees_their_units_and_communities_alone(
    database: Database, clock: FixedClock, estate: Estate, units: tuple[int, int]
) -> None:
    await _move_in(database, clock, estate.administrator, units[0])
    async with database.transaction() as session:
        found = await occupancies.occupants(session, estate.administrator, units)
        owner = Principal(
            organisation_id=estate.organisation_id,
            person_id=found[units[0]][0].person_id,
            name="张三",
            roles=frozenset({Role.OWNER}),
        )
        other = await service.create_community(session, clock, estate.administrator, name="银杏苑")
        before = await occupancies.at_home(session, owner, on=date(2026, 2, 28))
        home = await occupancies.at_home(session, owner, on=MARCH)
        seen = await service.list_communities(session, home)
    assert (before.units, before.communities) == (frozenset(), frozenset())
    assert home.units == {units[0]}
    assert [community.name for community in seen] == ["云杉苑"]
    assert other not in (home.communities or ())


async def test_an_owner_sees_who_is_in_their_own_unit_and_nobody_elses(
    database: Database, clock: FixedClock, estate: Estate, units: tuple[int, int]
) -> None:
    admin = estate.administrator
    await _move_in(database, clock, admin, units[0])
    await _move_in(database, clock, admin, units[1], name="李四", phone="13800000002")
    async with database.reading() as session:
        everybody = await occupancies.occupants(session, admin, units)
        (neighbour,) = everybody[units[1]]
        owner = Principal(
            organisation_id=estate.organisation_id,
            person_id=everybody[units[0]][0].person_id,
            roles=frozenset({Role.OWNER}),
        )
        home = await occupancies.at_home(session, owner, on=MARCH)
        seen = await occupancies.occupants(session, home, units)
        theirs = await occupancies.units_of(session, home, [neighbour.person_id])
    assert [occupant.name for occupant in seen[units[0]]] == ["张三"]
    assert (seen[units[1]], theirs[neighbour.person_id]) == ([], [])


async def test_another_organisation_finds_neither_the_unit_nor_who_is_in_it(
    database: Database, clock: FixedClock, estate: Estate, neighbour: Estate, units: tuple[int, int]
) -> None:
    occupancy_id = await _move_in(database, clock, estate.administrator, units[0])
    with pytest.raises(NotFound):
        await _move_in(database, clock, neighbour.administrator, units[0])
    async with database.transaction() as session:
        assert await occupancies.occupants(session, neighbour.administrator, units) == {units[0]: [], units[1]: []}
        with pytest.raises(NotFound):
            await occupancies.move_out(session, clock, neighbour.administrator, occupancy_id=occupancy_id, until=MAY)


@pytest.mark.parametrize("role", [role for role in Role if role not in {Role.ADMINISTRATOR, Role.DESK}])
async def test_only_desk_and_administrators_move_people_in_and_out(
    database: Database, clock: FixedClock, estate: Estate, units: tuple[int, int], role: Role
) -> None:
    principal = estate.principals[role]
    occupancy_id = await _move_in(database, clock, estate.administrator, units[0])
    with pytest.raises(Forbidden):
        await _move_in(database, clock, principal, units[1])
    async with database.transaction() as session:
        with pytest.raises(Forbidden):
            await occupancies.move_out(session, clock, principal, occupancy_id=occupancy_id, until=MAY)
        with pytest.raises(Forbidden):
            await occupancies.correct_occupancy(
                session, clock, principal, occupancy_id=occupancy_id, kind=OccupancyKind.OWNER, since=MARCH, until=None
            )
