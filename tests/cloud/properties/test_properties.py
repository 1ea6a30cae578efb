from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

import pytest
from sqlalchemy import select

from cloud.core.audit import AuditEntry
from cloud.core.database import Database
from cloud.core.errors import Conflict, Forbidden, NotFound, Refused
from cloud.core.principal import Principal, Role
from cloud.properties import service
from cloud.properties.domain import Building, Community, Place, PlaceKind, Unit
from cloud.properties.tree import read_tree
from tests.clocks import FixedClock
from tests.cloud.estate import Estate


@dataclass(frozen=True, slots=True, kw_only=True)
class Spruce:
    """云杉苑: a building, a flat in it, and a place on each level."""

    community_id: int
    building_id: int
    unit_id: int
    gate_id: int
    pump_room_id: int
    kitchen_id: int


@pytest.fixture
async def spruce(database: Database, clock: FixedClock, estate: Estate) -> Spruce:
    who = estate.administrator
    async with database.transaction() as session:
        community = await service.create_community(session, clock, who, name="云杉苑", address="云杉路 1 号")
        building = await service.create_building(session, clock, who, community_id=community, name="3 栋")
        unit = await service.create_unit(session, clock, who, building_id=building, name="1201")
        gate = await service.create_place(session, clock, who, community_id=community, name="东门", kind=PlaceKind.GATE)
        pump_room = await service.create_place(
            session,
            clock,
            who,
            community_id=community,
            building_id=building,
            name="B1 水泵房",
            kind=PlaceKind.PLANT_ROOM,
        )
        kitchen = await service.create_place(
            session,
            clock,
            who,
            community_id=community,
            building_id=building,
            unit_id=unit,
            name="厨房",
            kind=PlaceKind.ROOM,
        )
    return Spruce(
        community_id=community,
        building_id=building,
        unit_id=unit,
        gate_id=gate,
        pump_room_id=pump_room,
        kitchen_id=kitchen,
    )


async def test_the_tree_shows_everything_where_it_is(database: Database, estate: Estate, spruce: Spruce) -> None:
    async with database.reading() as session:
        tree = await read_tree(session, estate.principals[Role.WORKER], spruce.community_id)
    place = {"community_id": spruce.community_id, "building_id": None, "unit_id": None}
    in_building = place | {"building_id": spruce.building_id}
    assert tree == Community(
        id=spruce.community_id,
        name="云杉苑",
        address="云杉路 1 号",
        time_zone="Asia/Shanghai",
        places=[Place(id=spruce.gate_id, name="东门", kind=PlaceKind.GATE, **place)],
        buildings=[
            Building(
                id=spruce.building_id,
                community_id=spruce.community_id,
                name="3 栋",
                places=[Place(id=spruce.pump_room_id, name="B1 水泵房", kind=PlaceKind.PLANT_ROOM, **in_building)],
                units=[
                    Unit(
                        id=spruce.unit_id,
                        building_id=spruce.building_id,
                        name="1201",
                        places=[
                            Place(
                                id=spruce.kitchen_id,
                                name="厨房",
                                kind=PlaceKind.ROOM,
                                **in_building | {"unit_id": spruce.unit_id},
                            )
                        ],
                    )
                ],
            )
        ],
    )


async def test_a_label_leads_from_the_community_to_the_place(
    database: Database, estate: Estate, spruce: Spruce
) -> None:
    async with database.reading() as session:
        labels = await service.labels(
            session, estate.administrator, [spruce.gate_id, spruce.pump_room_id, spruce.kitchen_id, 999_999]
        )
        assert labels == {
            spruce.gate_id: "云杉苑 · 东门",
            spruce.pump_room_id: "云杉苑 · 3 栋 · B1 水泵房",
            spruce.kitchen_id: "云杉苑 · 3 栋 · 1201 · 厨房",
        }
        assert await service.labels(session, estate.administrator, []) == {}
        assert await service.place_label(session, estate.administrator, spruce.gate_id) == "云杉苑 · 东门"
        with pytest.raises(NotFound):
            await service.place_label(session, estate.administrator, 999_999)


Reading = Callable[[Database, Principal, Spruce], Awaitable[object]]


async def _read_tree(database: Database, principal: Principal, spruce: Spruce) -> object:
    async with database.reading() as session:
        return await read_tree(session, principal, spruce.community_id)


async def _find_place(database: Database, principal: Principal, spruce: Spruce) -> object:
    async with database.reading() as session:
        return await service.find_place(session, principal, spruce.gate_id)


async def _find_community(database: Database, principal: Principal, spruce: Spruce) -> object:
    async with database.reading() as session:
        return await service.find_community(session, principal, spruce.community_id)


@pytest.mark.parametrize("read", [_read_tree, _find_place, _find_community])
async def test_neither_a_neighbour_nor_somebody_of_another_community_sees_it(
    database: Database, estate: Estate, neighbour: Estate, spruce: Spruce, read: Reading
) -> None:
    elsewhere = replace(estate.administrator, communities=frozenset({spruce.community_id + 1}))
    for principal in (neighbour.administrator, elsewhere):
        with pytest.raises(NotFound):
            await read(database, principal, spruce)
    here = replace(estate.administrator, communities=frozenset({spruce.community_id}))
    assert await read(database, here, spruce)


async def test_lists_hold_only_what_may_be_seen(
    database: Database, estate: Estate, neighbour: Estate, spruce: Spruce
) -> None:
    elsewhere = replace(estate.administrator, communities=frozenset({spruce.community_id + 1}))
    async with database.reading() as session:
        for principal in (neighbour.administrator, elsewhere):
            assert await service.list_communities(session, principal) == []
            assert await service.list_places(session, principal) == []
            assert await service.labels(session, principal, [spruce.gate_id]) == {}
        assert [c.name for c in await service.list_communities(session, estate.administrator)] == ["云杉苑"]
        assert len(await service.list_places(session, estate.administrator, community_id=spruce.community_id)) == 3


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMINISTRATOR])
async def test_only_an_administrator_changes_places(
    database: Database, clock: FixedClock, estate: Estate, spruce: Spruce, role: Role
) -> None:
    who = estate.principals[role]
    async with database.reading() as session:
        for attempt in (
            service.create_community(session, clock, who, name="x"),
            service.create_building(session, clock, who, community_id=spruce.community_id, name="x"),
            service.create_unit(session, clock, who, building_id=spruce.building_id, name="x"),
            service.create_place(session, clock, who, community_id=spruce.community_id, name="x", kind=PlaceKind.ROOM),
            service.change_community(
                session, clock, who, spruce.community_id, name="x", address="", time_zone="Asia/Shanghai"
            ),
            service.rename_building(session, clock, who, spruce.building_id, name="x"),
            service.rename_unit(session, clock, who, spruce.unit_id, name="x"),
            service.change_place(session, clock, who, spruce.gate_id, name="x", kind=PlaceKind.ROOM),
            service.delete_community(session, clock, who, spruce.community_id),
            service.delete_building(session, clock, who, spruce.building_id),
            service.delete_unit(session, clock, who, spruce.unit_id),
            service.delete_place(session, clock, who, spruce.kitchen_id),
        ):
            with pytest.raises(Forbidden):
                await attempt


async def test_an_administrator_of_one_community_adds_no_other(
    database: Database, clock: FixedClock, estate: Estate, spruce: Spruce
) -> None:
    limited = replace(estate.administrator, communities=frozenset({spruce.community_id}))
    async with database.reading() as session:
        with pytest.raises(Forbidden):
            await service.create_community(session, clock, limited, name="银杏苑")


async def test_names_change_and_the_audit_says_from_what_to_what(
    database: Database, clock: FixedClock, estate: Estate, spruce: Spruce
) -> None:
    who = estate.administrator
    async with database.transaction() as session:
        await service.change_community(
            session, clock, who, spruce.community_id, name="云杉雅苑", address="", time_zone="Asia/Urumqi"
        )
        await service.rename_building(session, clock, who, spruce.building_id, name="三栋")
        await service.rename_unit(session, clock, who, spruce.unit_id, name="1202")
        await service.change_place(session, clock, who, spruce.kitchen_id, name="客厅", kind=PlaceKind.ROOM)
    async with database.reading() as session:
        assert await service.place_label(session, who, spruce.kitchen_id) == "云杉雅苑 · 三栋 · 1202 · 客厅"
        changes = select(AuditEntry).where(AuditEntry.action.like("%changed")).order_by(AuditEntry.id)
        entries = (await session.scalars(changes)).all()
    assert [(entry.action, entry.before, entry.after) for entry in entries] == [
        (
            "properties.community_changed",
            {"name": "云杉苑", "address": "云杉路 1 号", "time_zone": "Asia/Shanghai"},
            {"name": "云杉雅苑", "address": "", "time_zone": "Asia/Urumqi"},
        ),
        ("properties.building_changed", {"name": "3 栋"}, {"name": "三栋"}),
        ("properties.unit_changed", {"name": "1201"}, {"name": "1202"}),
        ("properties.place_changed", {"name": "厨房"}, {"name": "客厅"}),
    ]


async def test_what_is_used_is_not_deleted_and_the_session_goes_on(
    database: Database, clock: FixedClock, estate: Estate, spruce: Spruce
) -> None:
    who = estate.administrator
    async with database.transaction() as session:
        for attempt, name in (
            (service.delete_community(session, clock, who, spruce.community_id), "云杉苑"),
            (service.delete_building(session, clock, who, spruce.building_id), "3 栋"),
            (service.delete_unit(session, clock, who, spruce.unit_id), "1201"),
        ):
            with pytest.raises(Conflict, match=f"{name} is used"):
                await attempt
        await service.delete_place(session, clock, who, spruce.kitchen_id)
        await service.delete_unit(session, clock, who, spruce.unit_id)
        await service.delete_place(session, clock, who, spruce.pump_room_id)
        await service.delete_building(session, clock, who, spruce.building_id)
        await service.delete_place(session, clock, who, spruce.gate_id)
        await service.delete_community(session, clock, who, spruce.community_id)
    async with database.reading() as session:
        assert await service.list_communities(session, who) == []


async def test_two_of_one_name_are_a_conflict_on_every_level(
    database: Database, clock: FixedClock, estate: Estate, spruce: Spruce
) -> None:
    who = estate.administrator
    for create in (
        lambda session: service.create_community(session, clock, who, name="云杉苑"),
        lambda session: service.create_building(session, clock, who, community_id=spruce.community_id, name="3 栋"),
        lambda session: service.create_unit(session, clock, who, building_id=spruce.building_id, name="1201"),
    ):
        with pytest.raises(Conflict, match="one of this name"):
            async with database.transaction() as session:
                await create(session)


async def test_a_place_stands_in_its_own_building_and_community(
    database: Database, clock: FixedClock, estate: Estate, spruce: Spruce
) -> None:
    who = estate.administrator
    async with database.transaction() as session:
        ginkgo = await service.create_community(session, clock, who, name="银杏苑")
        other = await service.create_building(session, clock, who, community_id=spruce.community_id, name="4 栋")
        for community_id, building_id, unit_id, field in (
            (ginkgo, spruce.building_id, None, "building_id"),
            (spruce.community_id, other, spruce.unit_id, "unit_id"),
            (spruce.community_id, None, spruce.unit_id, "unit_id"),
        ):
            with pytest.raises(Refused) as refused:
                await service.create_place(
                    session,
                    clock,
                    who,
                    community_id=community_id,
                    building_id=building_id,
                    unit_id=unit_id,
                    name="x",
                    kind=PlaceKind.ROOM,
                )
            assert refused.value.field == field


async def test_a_time_zone_that_is_none_is_refused(database: Database, clock: FixedClock, estate: Estate) -> None:
    async with database.reading() as session:
        with pytest.raises(Refused, match="Asia/Atlantis is no time zone"):
            await service.create_community(session, clock, estate.administrator, name="x", time_zone="Asia/Atlantis")
