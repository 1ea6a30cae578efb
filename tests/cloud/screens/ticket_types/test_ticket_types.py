from dataclasses import replace

import pytest

from cloud.alarms.domain import Priority
from cloud.core.principal import Role
from cloud.screens.admin.type_forms import TypeForm, filled, type_of
from cloud.tickets.default_types import DEFAULT_TYPES
from cloud.tickets.domain import Target, TicketType
from cloud.tickets.learning import LearningRow
from cloud.tickets.types import list_types
from cloud.web.forms import Form
from tests.cloud.screens.house import House


async def known(house: House) -> dict[str, TicketType]:
    async with house.site.database.reading() as session:
        return {each.code: each for each in await list_types(session, house.site.system)}


def fields_of(ticket_type: TicketType, **changes: str) -> dict[str, str]:
    typed = filled(ticket_type).typed
    return {**{name: texts[0] for name, texts in typed.items() if texts and texts[0]}, **changes}


@pytest.mark.parametrize("ticket_type", DEFAULT_TYPES, ids=lambda each: each.code)
def test_a_type_goes_into_its_form_and_comes_out_the_same(ticket_type: TicketType) -> None:
    sent = Form(TypeForm, filled(ticket_type).typed, sent=True)
    assert type_of(sent.value) == ticket_type


async def test_the_tree_is_drawn_with_every_type(house: House) -> None:
    async with house.signed_in(Role.ADMINISTRATOR) as boss:
        html = (await boss.get("/admin/ticket-types")).text
    assert [each.code for each in DEFAULT_TYPES if f'href="/admin/ticket-types/{each.code}"' not in html] == []


async def test_a_change_makes_a_new_version(house: House) -> None:
    light = next(each for each in DEFAULT_TYPES if each.code == "light_public")
    async with house.signed_in(Role.ADMINISTRATOR) as boss:
        fields = fields_of(light, minutes_1_solution="120", procedure="look | 看 | Look\nmend | 修 | Mend")
        await boss.send_form("/admin/ticket-types/light_public", page="/admin/ticket-types/light_public", **fields)
    after = (await known(house))["light_public"]
    assert after.targets[Priority.CRITICAL][Target.SOLUTION] == 120
    assert [step.code for step in after.procedure] == ["look", "mend"]
    assert replace(after, targets=light.targets, procedure=light.procedure) == light


async def test_a_part_of_a_type_begins_like_it(house: House) -> None:
    async with house.signed_in(Role.ADMINISTRATOR) as boss:
        page = "/admin/ticket-types/new?parent=noise"
        assert '<option value="noise" selected>' in (await boss.get(page)).text
        noise = (await known(house))["noise"]
        fields = fields_of(noise, code="noise_night", parent_code="noise", name_zh="夜间噪声", name_en="Noise at night")
        done = await boss.send_form("/admin/ticket-types", page=page, **fields)
    assert done.headers["location"] == "/admin/ticket-types"
    made = (await known(house))["noise_night"]
    assert (made.parent_code, made.kind, made.targets) == ("noise", noise.kind, noise.targets)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        pytest.param({"procedure": "look, then mend"}, "Line 1 is no step", id="a line that is no step"),
        pytest.param({"minutes_2_solution": "0"}, 'id="minutes_2_solution-error"', id="a deadline at once"),
        pytest.param({"parent_code": "noise"}, 'id="parent_code-error"', id="part of another kind"),
    ],
)
async def test_what_is_senseless_is_refused_at_its_field(house: House, changes: dict[str, str], said: str) -> None:
    light = next(each for each in DEFAULT_TYPES if each.code == "light_public")
    async with house.signed_in(Role.ADMINISTRATOR) as boss:
        page = "/admin/ticket-types/light_public"
        answer = await boss.send_form(page, page=page, **fields_of(light, **changes))
    assert answer.status_code in {400, 422}
    assert said in answer.text


async def test_a_retired_type_is_gone_from_the_tree(house: House) -> None:
    async with house.signed_in(Role.ADMINISTRATOR) as boss:
        page = "/admin/ticket-types/noise/retire"
        assert "Retire the type?" in (await boss.get(page)).text
        await boss.send_form(page, page=page)
        assert "noise" not in await known(house)
        assert (await boss.get("/admin/ticket-types/noise")).status_code == 404
        water = "/admin/ticket-types/water/retire"
        assert (await boss.send_form(water, page=water)).status_code == 409


async def test_only_an_administrator_sees_them(house: House) -> None:
    for role in (Role.DESK, Role.WORKER, Role.OPERATOR):
        async with house.signed_in(role) as browser:
            assert (await browser.get("/admin/ticket-types")).status_code == 403


async def try_to_learn(house: House, **what: object) -> None:
    async with house.site.database.transaction() as session:
        session.add(LearningRow(organisation_id=house.site.estate.organisation_id, at=house.site.clock.now(), **what))


async def test_what_was_learnt_from_tickets_stands_with_its_figures(house: House) -> None:
    report = {
        "tickets": 240,
        "support": {"noise": 140, "light_public": 100},
        "accuracy": 0.9,
        "lowest": 0.856,
        "highest": 0.932,
    }
    async with house.signed_in(Role.ADMINISTRATOR) as boss:
        assert "nothing was learnt yet" in (await boss.get("/admin/ticket-types")).text
        await try_to_learn(house, tickets=250, report=report)
        html = (await boss.get("/admin/ticket-types")).text
    assert "90 % were told right (95 % confidence: 86 to 93 %)" in html
    assert html.index(": 140") < html.index(": 100")


async def test_that_too_little_is_there_to_learn_from_is_said(house: House) -> None:
    await try_to_learn(house, tickets=30, reason="Too few closed tickets with words.")
    async with house.signed_in(Role.ADMINISTRATOR) as boss:
        html = (await boss.get("/admin/ticket-types")).text
    assert "Too few closed tickets with words. There were 30 on" in html
