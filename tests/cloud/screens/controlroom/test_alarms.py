import re
from html import unescape

import pytest

from cloud.alarms.domain import Priority, Stage
from cloud.alarms.terms import Equals, Limits, Rate, Silence
from cloud.core.principal import Role
from cloud.core.words import Words
from cloud.tickets.from_alarms import open_for_alarm
from tests.cloud.screens.house import House
from tests.cloud.web.conftest import Browser

ROUTES = [
    ("GET", "/alarms"),
    ("GET", "/alarms/history"),
    ("GET", "/alarms?panel=1"),
    ("GET", "/alarms/1"),
    ("POST", "/alarms/acknowledge"),
    ("POST", "/alarms/unacknowledge"),
    ("POST", "/alarms/1/acknowledge"),
    ("POST", "/alarms/1/notes"),
    ("POST", "/alarms/1/ticket"),
]


@pytest.fixture
async def standing(house: House) -> int:
    """The id of an alarm that asks for somebody."""
    await house.site.rule()
    await house.site.measure((-60, 91.0))
    (alarm,) = await house.site.alarms()
    return alarm.id


def words_of(html: str) -> str:
    """Return what a page says, markup left out."""
    main = html[html.index("<main") :]
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", main)))


async def send(browser: Browser, method: str, path: str, **fields: str) -> int:
    """Send a request as a page of the site would, and return the status."""
    if method == "GET":
        return (await browser.get(path)).status_code
    return (await browser.send_form(path, page="/me", **fields)).status_code


async def test_the_list_says_what_where_how_bad_since_when_and_who_is_on_it(house: House, standing: int) -> None:
    async with house.site.database.transaction() as session:
        await open_for_alarm(session, house.site.clock, house.site.system, alarm_id=standing)
    async with house.signed_in(Role.OPERATOR) as operator:
        said = words_of((await operator.get("/alarms")).text)
    for part in (
        "not acknowledged 1 ", "High", "Office too warm or too cold", "云杉苑 · 3 栋 · 办公室", "91", "above 80",
        "15:59", "Active", "2026-000001", "Open",
    ):  # fmt: skip
        assert part in said, part


async def test_an_empty_list_says_when_the_last_one_cleared(house: House) -> None:
    async with house.signed_in(Role.OPERATOR) as operator:
        assert "No active alarm. There has been none yet." in words_of((await operator.get("/alarms")).text)
        await house.site.rule()
        await house.site.measure((-60, 91.0))
        await house.site.measure((-30, 70.0))
        (alarm,) = await house.site.alarms()
        await operator.send_form(f"/alarms/{alarm.id}/acknowledge", page="/alarms")
        assert "No active alarm. Last one cleared 15:59 ." in words_of((await operator.get("/alarms")).text)


async def test_the_list_speaks_chinese_first(house: House, standing: int) -> None:
    async with house.signed_in(Role.OPERATOR, language="zh-Hans") as operator:
        said = words_of((await operator.get("/alarms")).text)
    assert "办公室温度异常" in said
    assert "高于 80" in said


async def test_the_panel_says_what_to_do_first(house: House, standing: int) -> None:
    async with house.signed_in(Role.OPERATOR) as operator:
        said = words_of((await operator.get(f"/alarms?panel={standing}")).text)
        assert (await operator.get("/alarms?panel=999")).status_code == 404
        assert (await operator.get("/alarms?panel=x")).status_code == 404
    assert "First action Look at the air conditioner" in said
    assert "If nobody acts People suffer and machines may stop" in said


async def test_one_act_acknowledges_and_can_be_undone(house: House, standing: int) -> None:
    async with house.signed_in(Role.OPERATOR) as operator:
        done = await operator.send_form(f"/alarms/{standing}/acknowledge", page="/alarms")
        assert done.status_code == 303
        after = await operator.get(done.headers["location"])
        assert "The alarm is acknowledged." in after.text
        assert 'action="/alarms/unacknowledge"' in after.text
        (alarm,) = await house.site.alarms()
        assert alarm.stage is Stage.ACKNOWLEDGED
        await operator.send_form("/alarms/unacknowledge", page="/alarms", alarms=str(standing))
        (alarm,) = await house.site.alarms()
        assert alarm.stage is Stage.UNACKNOWLEDGED
    assert set(house.hub.versions(house.site.estate.organisation_id)) == {"alarms"}


async def test_acknowledging_what_somebody_has_acknowledged_is_a_conflict(house: House, standing: int) -> None:
    async with house.signed_in(Role.OPERATOR) as operator:
        assert await send(operator, "POST", f"/alarms/{standing}/acknowledge") == 303
        assert await send(operator, "POST", f"/alarms/{standing}/acknowledge") == 409


async def test_many_are_acknowledged_at_once_by_choice_or_all_that_match(house: House, standing: int) -> None:
    await house.site.rule(Limits(high=50.0), unit="%", point="probe/humidity")
    await house.site.rule(Equals(value=1.0), unit="1", point="leak/water")
    await house.site.measure((-50, 60.0), point="probe/humidity")
    await house.site.measure((-50, 1.0), point="leak/water")
    first, second, third = [alarm.id for alarm in await house.site.alarms()]
    async with house.signed_in(Role.OPERATOR) as operator:
        csrf = await operator.token("/alarms")
        data = {"csrf": csrf, "row": [str(first), str(second)]}
        answer = await operator.post("/alarms/acknowledge", data=data)
        assert "2 alarms are acknowledged." in (await operator.get(answer.headers["location"])).text
        await operator.post("/alarms/acknowledge", data={"csrf": csrf, "matching": ""})
    assert {alarm.stage for alarm in await house.site.alarms()} == {Stage.ACKNOWLEDGED}
    assert third


async def test_active_and_acknowledged_are_two_filters(house: House, standing: int) -> None:
    async with house.signed_in(Role.OPERATOR) as operator:
        for query, is_there in (
            ("active=yes", True),
            ("active=no", False),
            ("acknowledged=asked", True),
            ("acknowledged=taken", False),
            ("active=yes&acknowledged=asked&priority=2", True),
            ("active=yes&acknowledged=asked&priority=1", False),
            ("q=warm", True),
            ("q=cellar", False),
            ("since.from=2026-03-02", True),
            ("since.from=2026-03-03", False),
        ):
            page = (await operator.get(f"/alarms/history?{query}")).text
            assert (f'id="alarm_list-{standing}"' in page) is is_there, query


async def test_the_export_holds_what_the_view_shows(house: House, standing: int) -> None:
    async with house.signed_in(Role.OPERATOR) as operator:
        answer = await operator.get("/alarms?format=csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    heading, row = answer.text.lstrip("\ufeff").splitlines()
    assert heading.split(",")[:4] == ["Alarm", "Priority", "Place", "Value"]
    assert row.startswith("Office too warm or too cold,High,云杉苑 · 3 栋 · 办公室,")
    assert "2026-03-02 15:59:00+08:00,1,Active,Not acknowledged," in row


async def test_a_part_fetches_itself_alone_and_costs_nothing_while_nothing_changed(house: House, standing: int) -> None:
    async with house.signed_in(Role.OPERATOR) as operator:
        part = {"HX-Request": "true", "HX-Target": "alarm_list"}
        first = await operator.get("/alarms", headers=part)
        assert first.text.lstrip().startswith('<section id="alarm_list"')
        assert "<main" not in first.text
        again = await operator.get("/alarms", headers={**part, "If-None-Match": first.headers["etag"]})
        assert again.status_code == 304


async def test_a_critical_alarm_catches_the_eye_until_somebody_takes_notice(house: House) -> None:
    await house.site.rule(Equals(value=1.0), unit="1", point="leak/water", priority=Priority.CRITICAL)
    await house.site.measure((-5, 1.0), point="leak/water")
    (alarm,) = await house.site.alarms()
    async with house.signed_in(Role.OPERATOR) as operator:
        assert "is-unacknowledged-1" in (await operator.get("/alarms")).text
        await operator.send_form(f"/alarms/{alarm.id}/acknowledge", page="/alarms")
        assert "is-unacknowledged-1" not in (await operator.get("/alarms")).text


async def test_each_kind_of_rule_says_its_limit_in_words(house: House) -> None:
    site = house.site
    await site.rule(Rate(high=5.0, over_s=600))
    await site.rule(Silence(after_s=120), name=Words(zh="无数据", en="Nothing comes"))
    await site.rule(Equals(value=1.0), unit="1", point="leak/water", name=Words(zh="漏水", en="Water"))
    await site.measure((-1200, 70.0), (-600, 75.0), (-120, 75.0))
    await site.measure((-5, 1.0), point="leak/water")
    site.clock.advance(seconds=30)
    await site.look_at_the_clock()
    async with house.signed_in(Role.OPERATOR) as operator:
        said = words_of((await operator.get("/alarms")).text)
    for limit in ("rises faster than 5 °F/h", "no value for 2 min", "is 1"):
        assert limit in said


async def test_ticket_leads_to_the_one_ticket_of_the_alarm(house: House, standing: int) -> None:
    async with house.signed_in(Role.OPERATOR) as operator:
        first = await operator.send_form(f"/alarms/{standing}/ticket", page="/alarms")
        second = await operator.send_form(f"/alarms/{standing}/ticket", page="/alarms")
        assert first.headers["location"] == second.headers["location"] == "/tickets/1"
        assert (await operator.get("/tickets/1")).status_code == 200


async def test_only_the_control_room_opens_its_pages(house: House, standing: int) -> None:
    for role in Role:
        let_in = role in {Role.OPERATOR, Role.ADMINISTRATOR}
        async with house.signed_in(role) as browser:
            answers = {route: await send(browser, *route, alarms=str(standing), text="x") for route in ROUTES}
        refused = {route for route, status in answers.items() if status == 403}
        assert refused == (set() if let_in else set(ROUTES)), role


async def test_the_neighbour_finds_no_alarm_and_moves_none(house: House, standing: int) -> None:
    async with house.signed_in(Role.OPERATOR, next_door=True) as neighbour:
        for method, path in ROUTES:
            if path in {"/alarms", "/alarms/history"}:
                assert "Office too warm" not in (await neighbour.get(path)).text
            else:
                fields = {"alarms": str(standing), "row": str(standing), "text": "x"}
                assert await send(neighbour, method, path, **fields) == 404, path
    (alarm,) = await house.site.alarms()
    assert alarm.stage is Stage.UNACKNOWLEDGED
