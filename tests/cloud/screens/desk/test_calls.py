"""The desk's first screen: whom an incident concerns, what is said to them, and who else takes calls."""

import re

import httpx
import pytest

from cloud.core.listing import Ask
from cloud.core.principal import Role
from cloud.reception.domain import Ending
from cloud.reception.lines import Interaction
from cloud.reception.service import list_interactions
from cloud.tickets.incident_reading import Affected
from cloud.tickets.incidents import open_incident
from cloud.tickets.reading import ticket
from tests.cloud.screens.controlroom.test_alarms import words_of
from tests.cloud.screens.house import House
from tests.cloud.screens.households import Households
from tests.cloud.web.conftest import Browser

SCRIPT = "总管抢修，请先储水"


async def begin(house: House, *affected: Affected, title: str = "3 栋停水") -> int:
    site = house.site
    async with site.database.transaction() as session:
        return await open_incident(
            session, site.clock, site.estate.principals[Role.DESK], type_code="water_off", title=title, script=SCRIPT,
            notice="", community_id=site.community_id, affected=affected,
        )  # fmt: skip


async def lines(house: House) -> list[Interaction]:
    async with house.site.database.reading() as session:
        return list((await list_interactions(session, house.site.estate.principals[Role.DESK], Ask())).rows)


async def send(browser: Browser, page: str, act: str, **typed: str) -> httpx.Response:
    """Send the form of the desk's page as it was drawn, with what is typed in it."""
    drawn = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', (await browser.get(page)).text))
    return await browser.send_form("/desk/entries", page=page, **{**drawn, "act": act, **typed})


async def test_the_front_page_says_what_is_going_on_and_what_to_say(house: House) -> None:
    await begin(house)
    async with house.signed_in(Role.DESK) as browser:
        said = words_of((await browser.get("/desk")).text)
    for part in ("Open incidents", "3 栋停水", SCRIPT, "Answered with this"):
        assert part in said, part


async def test_more_incidents_than_a_page_holds_are_a_link_away(house: House) -> None:
    for number in range(6):
        await begin(house, title=f"停水 {number}")
    async with house.signed_in(Role.DESK) as browser:
        page = (await browser.get("/desk")).text
    assert page.count("explained:") == 5
    assert "All 6 open incidents" in page


async def test_a_card_shows_only_what_concerns_its_address(house: House, households: Households) -> None:
    await begin(house, Affected(unit_id=households.unit_id, label="501"), title="501 停气")
    async with house.signed_in(Role.DESK) as browser:
        concerned = (await browser.get(f"/desk?unit={households.unit_id}")).text
        next_door = (await browser.get(f"/desk?unit={households.next_door_unit_id}")).text
    assert "501 停气" in concerned
    assert "501 停气" not in next_door


async def test_one_button_writes_down_who_called_where_and_what_was_said(house: House, households: Households) -> None:
    incident_id = await begin(house)
    person = households.owner.person_id
    async with house.signed_in(Role.DESK) as browser:
        done = await send(browser, f"/desk?person={person}", f"explained:{incident_id}", where="云杉苑 · 3 栋 · 501")
        assert done.headers["location"] == "/desk"
        [line] = await lines(house)
        assert "3 栋停水" in (await browser.get(f"/desk/entries/{line.id}")).text
        assert "Calls that it explained 1" in words_of((await browser.get(f"/incidents/{incident_id}")).text)
    assert (line.name, line.place, line.answer, line.ending, line.incident_id) == (
        "冯九", "云杉苑 · 3 栋 · 501", SCRIPT, Ending.ANSWERED, incident_id,
    )  # fmt: skip


async def test_a_ticket_for_an_incident_joins_it(house: House, households: Households) -> None:
    incident_id = await begin(house)
    page = f"/desk?person={households.owner.person_id}"
    async with house.signed_in(Role.DESK) as browser:
        wrong = await send(browser, page, f"joined:{incident_id}", where="")
        assert 'id="where-error"' in wrong.text
        done = await send(browser, page, f"joined:{incident_id}", where="云杉苑 · 3 栋 · 501")
        assert done.headers["location"] == "/tickets/1"
    async with house.site.database.reading() as session:
        found = await ticket(session, house.site.clock, house.site.system, ticket_id=1)
    assert (found.incident_id, found.type.code) == (incident_id, "water_off")


@pytest.mark.parametrize("act", ["explained:", "explained:x", "joined:99999999999999999", "delete", ""])
async def test_an_ending_that_no_button_says_is_refused(house: House, act: str) -> None:
    async with house.signed_in(Role.DESK) as browser:
        assert (await send(browser, "/desk", act, text="漏水", where="3-501")).status_code == 422
    assert await lines(house) == []


async def test_a_units_card_stands_beside_what_is_to_be_mended(house: House, households: Households) -> None:
    async with house.signed_in(Role.DESK) as browser:
        answer = await send(browser, f"/desk?unit={households.unit_id}", "ticket", where="云杉苑 · 3 栋 · 501")
    assert answer.status_code == 422
    assert 'id="text-error"' in answer.text
    assert "Who lives there" in answer.text


async def test_the_control_room_takes_a_call_at_night(house: House, households: Households) -> None:
    page = f"/desk?person={households.owner.person_id}"
    async with house.signed_in(Role.OPERATOR) as browser:
        assert 'href="/desk"' in (await browser.get("/alarms")).text
        card = (await browser.get(page)).text
        for kept_from_them in ("/desk/mails", "/desk/entries/", "/desk/hints", "/desk/people/"):
            assert f'"{kept_from_them}' not in card
        done = await send(browser, page, "answered", text="楼道太吵")
        assert done.headers["location"] == "/desk"
        assert (await browser.get(done.headers["location"])).status_code == 200
    assert [line.text for line in await lines(house)] == ["楼道太吵"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/desk/entries"), ("GET", "/desk/entries/1"), ("POST", "/desk/entries/1/correct"),
        ("GET", "/desk/mails"), ("GET", "/desk/callbacks"), ("GET", "/desk/queue"), ("POST", "/desk/queue"),
        ("POST", "/desk/hints"), ("POST", "/desk/hints/1/remove"), ("POST", "/desk/people/1/phone"),
    ],
)  # fmt: skip
async def test_the_rest_of_the_desk_is_not_the_control_rooms(house: House, method: str, path: str) -> None:
    async with house.signed_in(Role.OPERATOR) as browser:
        answer = await browser.request(method, path, data={"csrf": await browser.token("/me")})
    assert answer.status_code == 403


@pytest.mark.parametrize("role", [Role.WORKER, Role.OFFICE, Role.MANAGER, Role.OWNER])
async def test_nobody_else_takes_calls(house: House, role: Role) -> None:
    async with house.signed_in(role) as browser:
        assert (await browser.get("/desk")).status_code == 403
        answer = await browser.send_form("/desk/entries", page="/me", act="answered")
        assert answer.status_code == 403
