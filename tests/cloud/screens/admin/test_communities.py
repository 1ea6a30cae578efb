import re

import pytest

from cloud.core.database import Database
from cloud.properties import service as properties
from cloud.properties.domain import Community, PlaceKind
from cloud.properties.tree import read_tree
from tests.clocks import FixedClock
from tests.cloud.estate import Estate
from tests.cloud.web.conftest import Browser

LIST = "/admin/communities"


async def _made(administrator: Browser, path: str, **fields: str) -> None:
    answer = await administrator.send_form(f"{path}/new", page=f"{path}/new", **fields)
    assert answer.status_code == 303, answer.text


async def _trees(database: Database, estate: Estate) -> list[Community]:
    async with database.reading() as session:
        found = await properties.list_communities(session, estate.administrator)
        return [await read_tree(session, estate.administrator, community.id) for community in found]


@pytest.fixture
async def spruce(administrator: Browser, database: Database, estate: Estate) -> Community:
    """云杉苑 as an administrator makes it, page by page."""
    await _made(administrator, LIST, name="云杉苑", address="云杉路 1 号", time_zone="Asia/Shanghai")
    (tree,) = await _trees(database, estate)
    path = f"{LIST}/{tree.id}"
    await _made(administrator, f"{path}/buildings", name="3 栋")
    (building,) = (await _trees(database, estate))[0].buildings
    await _made(administrator, f"{path}/units", building=str(building.id), name="1201")
    await _made(administrator, f"{path}/places", where="", name="东门", kind="gate")
    await _made(administrator, f"{path}/places", where=f"building:{building.id}", name="B1 水泵房", kind="plant_room")
    (unit,) = (await _trees(database, estate))[0].buildings[0].units
    await _made(administrator, f"{path}/places", where=f"unit:{unit.id}", name="厨房", kind="room")
    return (await _trees(database, estate))[0]


def _shape(tree: Community) -> dict[str, object]:
    return {
        "places": [(place.name, place.kind) for place in tree.places],
        "buildings": {
            building.name: (
                [(place.name, place.kind) for place in building.places],
                {unit.name: [(place.name, place.kind) for place in unit.places] for unit in building.units},
            )
            for building in tree.buildings
        },
    }


async def test_a_community_is_built_page_by_page(spruce: Community) -> None:
    assert (spruce.name, spruce.address, spruce.time_zone) == ("云杉苑", "云杉路 1 号", "Asia/Shanghai")
    assert _shape(spruce) == {
        "places": [("东门", PlaceKind.GATE)],
        "buildings": {"3 栋": ([("B1 水泵房", PlaceKind.PLANT_ROOM)], {"1201": [("厨房", PlaceKind.ROOM)]})},
    }


async def test_its_page_shows_all_of_it_with_the_kinds_in_words(administrator: Browser, spruce: Community) -> None:
    page = (await administrator.get(f"{LIST}/{spruce.id}")).text
    assert all(name in page for name in ("云杉苑", "3 栋", "1201", "东门", "B1 水泵房", "厨房", "Plant room", "Gate"))


async def test_the_form_for_a_new_place_begins_where_it_was_asked_for(
    administrator: Browser, spruce: Community
) -> None:
    building = spruce.buildings[0].id
    page = (await administrator.get(f"{LIST}/{spruce.id}/places/new?where=building:{building}")).text
    assert re.search(rf'<option value="building:{building}" selected>', page)


async def test_everything_is_renamed(
    administrator: Browser, database: Database, estate: Estate, spruce: Community
) -> None:
    building = spruce.buildings[0]
    path = f"{LIST}/{spruce.id}"
    for change, fields in (
        (f"{path}/edit", {"name": "云杉雅苑", "address": "", "time_zone": "Asia/Urumqi"}),
        (f"{path}/buildings/{building.id}", {"name": "三栋"}),
        (f"{path}/units/{building.units[0].id}", {"name": "1202"}),
        (f"{path}/places/{spruce.places[0].id}", {"name": "西门", "kind": "garage"}),
    ):
        assert (await administrator.send_form(change, page=change, **fields)).status_code == 303
    (tree,) = await _trees(database, estate)
    assert (tree.name, tree.address, tree.time_zone) == ("云杉雅苑", "", "Asia/Urumqi")
    assert _shape(tree) == {
        "places": [("西门", PlaceKind.GARAGE)],
        "buildings": {"三栋": ([("B1 水泵房", PlaceKind.PLANT_ROOM)], {"1202": [("厨房", PlaceKind.ROOM)]})},
    }


async def test_what_is_used_is_not_deleted_and_the_rest_is(
    administrator: Browser, database: Database, estate: Estate, spruce: Community
) -> None:
    building = spruce.buildings[0]
    path = f"{LIST}/{spruce.id}"
    for used in (path, f"{path}/buildings/{building.id}", f"{path}/units/{building.units[0].id}"):
        answer = await administrator.send_form(f"{used}/delete", page=f"{used}/delete")
        assert answer.status_code == 409
        assert re.search(r'role="alert">.*is used and can&#39;t be deleted\.', answer.text)
    for place in (spruce.places[0], building.places[0], building.units[0].places[0]):
        free = f"{path}/places/{place.id}/delete"
        assert (await administrator.send_form(free, page=free)).headers["location"] == path
    for free in (
        f"{path}/units/{building.units[0].id}/delete",
        f"{path}/buildings/{building.id}/delete",
        f"{path}/delete",
    ):
        assert (await administrator.send_form(free, page=free)).status_code == 303
    assert await _trees(database, estate) == []


@pytest.mark.parametrize(
    ("fields", "status", "sentence"),
    [
        pytest.param({"name": "云杉苑", "time_zone": "Asia/Shanghai"}, 409, "one of this name", id="a name twice"),
        pytest.param({"name": "银杏苑", "time_zone": "Asia/Atlantis"}, 422, "is no time zone", id="no time zone"),
        pytest.param({"name": "", "time_zone": "Asia/Shanghai"}, 422, "Fill this in.", id="no name"),
    ],
)
async def test_what_cannot_be_is_said_at_its_field(
    administrator: Browser, spruce: Community, fields: dict[str, str], status: int, sentence: str
) -> None:
    answer = await administrator.send_form(f"{LIST}/new", page=f"{LIST}/new", **fields)
    assert answer.status_code == status
    assert sentence in answer.text


async def test_a_neighbours_community_is_not_there(
    administrator: Browser, database: Database, clock: FixedClock, neighbour: Estate
) -> None:
    async with database.transaction() as session:
        community = await properties.create_community(session, clock, neighbour.administrator, name="银杏苑")
        building = await properties.create_building(
            session, clock, neighbour.administrator, community_id=community, name="1 栋"
        )
    path = f"{LIST}/{community}"
    csrf = await administrator.token(LIST)
    for page in (
        path,
        f"{path}/edit",
        f"{path}/delete",
        f"{path}/buildings/new",
        f"{path}/buildings/{building}",
        f"{path}/buildings/{building}/delete",
    ):
        assert (await administrator.get(page)).status_code == 404
        if page != path:
            fields = {"csrf": csrf, "name": "x", "time_zone": "Asia/Shanghai"}
            assert (await administrator.post(page, data=fields)).status_code == 404
    assert "银杏苑" not in (await administrator.get(LIST)).text


async def test_a_unit_is_made_in_a_building_of_its_own_community_alone(
    administrator: Browser, database: Database, clock: FixedClock, estate: Estate, spruce: Community
) -> None:
    async with database.transaction() as session:
        other = await properties.create_community(session, clock, estate.administrator, name="云杉二期")
        building = await properties.create_building(
            session, clock, estate.administrator, community_id=other, name="1 栋"
        )
    path = f"{LIST}/{spruce.id}/units/new"
    answer = await administrator.send_form(path, page=path, building=str(building), name="101")
    assert answer.status_code == 404
    (second,) = [tree for tree in await _trees(database, estate) if tree.id == other]
    assert second.buildings[0].units == []
