import re

import pytest

from cloud.alarms.domain import Priority
from cloud.alarms.rules import rule, rules_at
from cloud.alarms.terms import Equals, Limits, Rate, Silence
from cloud.core.principal import Role
from cloud.core.words import Words
from tests.cloud.alarms.site import OFFICE
from tests.cloud.screens.controlroom.test_alarms import words_of
from tests.cloud.screens.house import House

WORDS = {"name_zh": "太热", "name_en": "Too hot", "priority": "2", "is_enabled": "on"}


def address(house: House, kind: str, point: str = "probe/temperature") -> str:
    return f"/admin/rules/new?point={house.site.points[point]}&kind={kind}"


@pytest.mark.parametrize(
    ("kind", "fields", "terms"),
    [
        ("limits", {"high": "80", "low": "60", "deadband": "2"}, OFFICE),
        ("limits", {"high": "80.5", "on_delay_s": "60"}, Limits(high=80.5, on_delay_s=60)),
        ("rate", {"high": "5", "over_s": "900"}, Rate(high=5, over_s=900)),
        ("state", {"value": "1"}, Equals(value=1)),
        ("silence", {"after_s": "600"}, Silence(after_s=600)),
    ],
)
async def test_a_rule_is_written_by_a_plain_form(
    house: House, kind: str, fields: dict[str, str], terms: object
) -> None:
    async with house.signed_in(Role.ADMINISTRATOR) as browser:
        page = address(house, kind)
        done = await browser.send_form(page, page=page, unit="[degF]", **WORDS, **fields)
        assert done.headers["location"] == "/admin/rules"
        listed = words_of((await browser.get("/admin/rules")).text)
    assert "Too hot" in listed
    assert "3 栋网关 · probe/temperature" in listed
    async with house.site.database.reading() as session:
        (kept,) = await rules_at(session, house.site.system, point_id=house.site.points["probe/temperature"])
    assert (kept.draft.terms, kept.draft.priority) == (terms, Priority.HIGH)
    assert kept.draft.name == Words(zh="太热", en="Too hot")


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"high": "60", "low": "80"}, "high"),
        ({}, "high"),
        ({"high": "80", "low": "60", "deadband": "15"}, "deadband"),
        ({"high": "hot"}, "high"),
        ({"high": "80", "unit": "kW"}, "unit"),
        ({"high": "80", "name_zh": "", "name_en": ""}, "name_zh"),
        ({"high": "inf"}, "high"),
    ],
    ids=["crossed", "no limit", "deadband too wide", "no number", "another quantity", "no name", "infinite"],
)
async def test_a_contradiction_is_named_at_its_field_and_nothing_is_kept(
    house: House, fields: dict[str, str], wrong: str
) -> None:
    async with house.signed_in(Role.ADMINISTRATOR) as browser:
        page = address(house, "limits")
        answer = await browser.send_form(page, page=page, **{"unit": "[degF]", **WORDS, **fields})
    assert answer.status_code == 422
    assert f'id="{wrong}-error"' in answer.text
    async with house.site.database.reading() as session:
        assert await rules_at(session, house.site.system, point_id=house.site.points["probe/temperature"]) == []


async def test_trying_tells_what_it_would_have_raised_and_keeps_nothing(house: House) -> None:
    site = house.site
    day = 86_400
    rows = [(-20 * day, 85.0), (-19 * day, 70.0), (-day, 55.0), (-day + 60, 70.0)]
    point_id = site.points["probe/temperature"]
    await site.series.append([(point_id, site.us(seconds), value, 0) for seconds, value in rows])
    async with house.signed_in(Role.ADMINISTRATOR) as browser:
        page = address(house, "limits")
        answer = await browser.send_form(
            page, page=page, unit="[degF]", high="80", low="60", deadband="2", act="try", **WORDS
        )
        assert answer.status_code == 200
        assert "Would have raised 2 alarms." in words_of(answer.text)
        assert 'value="80"' in answer.text
        quiet = await browser.send_form(page, page=page, unit="[degF]", high="99", act="try", **WORDS)
        assert "Would have raised 0 alarms." in words_of(quiet.text)
    async with site.database.reading() as session:
        assert await rules_at(session, site.system, point_id=point_id) == []


async def test_trying_without_any_values_says_so(house: House) -> None:
    async with house.signed_in(Role.ADMINISTRATOR) as browser:
        page = address(house, "limits")
        answer = await browser.send_form(page, page=page, unit="[degF]", high="80", act="try", **WORDS)
    assert "There are no values of these days to try it on." in answer.text


async def test_a_rule_is_changed_and_a_second_saving_is_refused(house: House) -> None:
    rule_id = await house.site.rule()
    page = f"/admin/rules/{rule_id}"
    async with house.signed_in(Role.ADMINISTRATOR) as browser:
        html = (await browser.get(page)).text
        assert re.search(r'id="high"[^>]*value="80"', html)
        fields = {"unit": "[degF]", "high": "90", "version": "1", **WORDS}
        assert (await browser.send_form(page, page=page, **fields)).status_code == 303
        again = await browser.send_form(page, page=page, **{**fields, "high": "95"})
        assert again.status_code == 409
        assert "Somebody else has saved this rule meanwhile." in again.text
        assert 'value="95"' in again.text
    async with house.site.database.reading() as session:
        assert (await rule(session, house.site.system, rule_id=rule_id)).draft.terms == Limits(high=90)


async def test_removing_asks_once_and_takes_the_rule_off_the_list(house: House) -> None:
    rule_id = await house.site.rule()
    async with house.signed_in(Role.ADMINISTRATOR) as browser:
        asked = await browser.get(f"/admin/rules/{rule_id}/remove")
        assert "Its past alarms stay." in asked.text
        done = await browser.send_form(f"/admin/rules/{rule_id}/remove", page=f"/admin/rules/{rule_id}/remove")
        assert done.headers["location"] == "/admin/rules"
        assert "There is no rule yet." in (await browser.get("/admin/rules")).text


async def test_points_are_found_by_words(house: House) -> None:
    async with house.signed_in(Role.ADMINISTRATOR) as browser:
        for words, keys in (("", 3), ("HUMID", 1), ("办公室", 3), ("leak", 1), ("cellar", 0)):
            html = (await browser.get(f"/admin/rules/points?q={words}")).text
            assert html.count("data-row") == keys, words


async def test_a_state_is_offered_the_form_of_states(house: House) -> None:
    async with house.signed_in(Role.ADMINISTRATOR) as browser:
        html = (await browser.get(f"/admin/rules/new?point={house.site.points['leak/water']}")).text
    assert 'id="value"' in html


async def test_the_neighbour_finds_no_rule_and_no_point(house: House) -> None:
    rule_id = await house.site.rule()
    async with house.signed_in(Role.ADMINISTRATOR, next_door=True) as neighbour:
        token = await neighbour.token("/me")
        for method, path in (
            ("GET", f"/admin/rules/{rule_id}"),
            ("POST", f"/admin/rules/{rule_id}"),
            ("GET", f"/admin/rules/{rule_id}/remove"),
            ("POST", f"/admin/rules/{rule_id}/remove"),
            ("GET", address(house, "limits")),
            ("POST", address(house, "limits")),
        ):
            answer = await neighbour.request(method, path, data={"csrf": token})
            assert answer.status_code == 404, path
        for path in ("/admin/rules", "/admin/rules/points"):
            assert "probe/temperature" not in (await neighbour.get(path)).text
