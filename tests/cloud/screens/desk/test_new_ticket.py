"""Opening a ticket by hand: finding who asks, and the type that earlier tickets speak for."""

from array import array
from datetime import timedelta

import msgspec

from cloud.core import files
from cloud.core.listing import Ask
from cloud.core.principal import Role
from cloud.properties import occupancies
from cloud.properties.domain import OccupancyKind
from cloud.reception.domain import Channel, Ending
from cloud.reception.service import list_interactions
from cloud.tickets.domain import Origin
from cloud.tickets.learned import Model
from cloud.tickets.learning import LearningRow
from cloud.tickets.reading import Ticket, ticket
from tests.cloud.screens.controlroom.test_alarms import words_of
from tests.cloud.screens.house import House
from tests.cloud.screens.households import Households

NEW = "/tickets/new"
TYPED = {"type": "repair", "subject": "灯不亮", "description": "客厅", "origin": "call"}


async def with_tenant(house: House, households: Households) -> None:
    """Let 钱十 (138 0000 0009) live across the landing."""
    site = house.site
    async with site.database.transaction() as session:
        await occupancies.move_in(
            session, site.clock, site.estate.principals[Role.DESK], unit_id=households.next_door_unit_id, name="钱十",
            phone="13800000009", kind=OccupancyKind.TENANT, since=site.clock.now().date() - timedelta(days=3),
        )  # fmt: skip


async def seen(house: House, ticket_id: int = 1) -> Ticket:
    async with house.site.database.reading() as session:
        return await ticket(session, house.site.clock, house.site.system, ticket_id=ticket_id)


async def test_somebody_is_found_chosen_and_brings_number_and_place(house: House, households: Households) -> None:
    await with_tenant(house, households)
    async with house.signed_in(Role.DESK) as browser:
        found = await browser.send_form("/tickets", page=NEW, act="find", who="0009", **TYPED)
        said = words_of(found.text)
        assert "Take: 钱十" in said
        assert "云杉苑 · 3 栋 · 502" in said
        assert 'value="灯不亮"' in found.text
        assert ">客厅</textarea>" in found.text
        person = found.text.partition('value="person:')[2].partition('"')[0]
        chosen = await browser.send_form("/tickets", page=NEW, act=f"person:{person}", who="0009", **TYPED)
        place = f"unit:{households.next_door_unit_id}"
        assert f'<option value="{place}" selected>' in chosen.text
        assert "13800000009" not in chosen.text
        await browser.send_form("/tickets", page=NEW, requester_id=person, where=place, **TYPED)
    opened = await seen(house)
    assert (opened.requester_id, opened.requester_name, opened.requester_phone, opened.place, opened.unit_id) == (
        int(person), "钱十", "+8613800000009", "云杉苑 · 3 栋 · 502", households.next_door_unit_id,
    )  # fmt: skip
    async with house.site.database.reading() as session:
        [line] = (await list_interactions(session, house.site.estate.principals[Role.DESK], Ask())).rows
    assert (line.channel, line.ending, line.ticket_id, line.person_id) == (Channel.CALL, Ending.TICKET, 1, int(person))


async def test_a_unit_is_found_and_offers_who_lives_there(house: House, households: Households) -> None:
    async with house.signed_in(Role.DESK) as browser:
        found = await browser.send_form("/tickets", page=NEW, act="find", who="3-501", **TYPED)
        unit = f"unit:{households.unit_id}"
        assert f'value="{unit}"' in found.text
        chosen = await browser.send_form("/tickets", page=NEW, act=unit, who="3-501", **TYPED)
    assert f'<option value="{unit}" selected>' in chosen.text
    assert f'value="person:{households.owner.person_id}"' in chosen.text


async def test_a_place_that_was_chosen_stays_when_somebody_is(house: House, households: Households) -> None:
    place = f"place:{house.site.place_id}"
    async with house.signed_in(Role.DESK) as browser:
        act = f"person:{households.owner.person_id}"
        chosen = (await browser.send_form("/tickets", page=NEW, act=act, where=place, **TYPED)).text
        assert f'<option value="{place}" selected>' in chosen
        known = {"requester_id": str(households.owner.person_id), "where": place, **TYPED}
        cleared = (await browser.send_form("/tickets", page=NEW, act="nobody", **known)).text
    assert "Who asks: <b>冯九</b>" in chosen
    assert "<b>冯九</b>" not in cleared


async def test_nobody_found_says_so(house: House) -> None:
    async with house.signed_in(Role.DESK) as browser:
        answer = await browser.get(f"{NEW}?who=没有这人")
    assert "Nobody and no unit is known by these words." in answer.text


async def test_results_come_live_as_a_part_of_the_page(house: House, households: Households) -> None:
    await with_tenant(house, households)
    async with house.signed_in(Role.OPERATOR) as browser:
        headers = {"HX-Request": "true", "HX-Target": "who_found"}
        part = (await browser.get(f"{NEW}?who=0009", headers=headers)).text
    assert part.lstrip().startswith('<div class="mb-3" id="who_found"')
    assert "钱十" in part


async def test_from_the_card_a_new_ticket_knows_who_and_where(house: House, households: Households) -> None:
    person = households.owner.person_id
    async with house.signed_in(Role.DESK) as browser:
        card = (await browser.get(f"/desk?person={person}")).text
        address = f"/tickets/new?person={person}&amp;unit={households.unit_id}"
        assert f'href="{address}"' in card
        page = (await browser.get(address.replace("&amp;", "&"))).text
    assert f'name="requester_id" value="{person}"' in page
    assert f'<option value="unit:{households.unit_id}" selected>' in page


async def test_what_staff_saw_themselves_is_no_call(house: House) -> None:
    fields = {**TYPED, "origin": Origin.STAFF.value, "where": f"place:{house.site.place_id}"}
    async with house.signed_in(Role.DESK) as browser:
        await browser.send_form("/tickets", page=NEW, **fields)
    assert (await seen(house)).origin is Origin.STAFF
    async with house.site.database.reading() as session:
        found = await list_interactions(session, house.site.estate.principals[Role.DESK], Ask())
    assert list(found.rows) == []


async def test_the_neighbour_chooses_nobody_and_nothing_of_ours(house: House, households: Households) -> None:
    async with house.signed_in(Role.DESK, next_door=True) as neighbour:
        for act in (f"person:{households.owner.person_id}", f"unit:{households.unit_id}"):
            assert (await neighbour.send_form("/tickets", page=NEW, act=act, **TYPED)).status_code == 404
        assert "Nobody and no unit is known" in (await neighbour.get(f"{NEW}?who=3-501")).text


async def learnt(house: House, model: Model) -> None:
    """Let the organisation have learnt a model."""
    site, store = house.site, house.app.state.files
    saved = await store.save(msgspec.msgpack.encode(model))
    async with site.database.transaction() as session:
        file_id = await files.add(
            session, site.clock, site.estate.administrator, saved, name="types.msgpack",
            media_type="application/msgpack",
        )  # fmt: skip
        organisation_id = site.estate.organisation_id
        row = LearningRow(organisation_id=organisation_id, at=site.clock.now(), tickets=200, file_id=file_id)
        session.add(row)


def model(weight: float) -> Model:
    """Return one that has heard of 吵 as noise, so surely."""
    return Model(
        types=["noise", "light_public"],
        grams=["吵"],
        idf=array("f", [1.0]).tobytes(),
        weights=array("f", [weight, 0.0]).tobytes(),
        biases=[0.0, 0.0],
    )


async def test_a_type_is_suggested_by_what_was_learnt_with_how_sure_it_is_and_why(house: House) -> None:
    await learnt(house, model(2.0))  # 1 / (1 + exp(-2)) is 88 %
    async with house.signed_in(Role.DESK) as browser:
        page = words_of((await browser.get(f"{NEW}?subject=楼上吵")).text)
        taken = await browser.send_form("/tickets", page=NEW, act="use:noise", **{**TYPED, "subject": "楼上吵"})
    assert "Take: Noise like earlier tickets (88 %): 吵" in page
    assert '<option value="noise" selected>' in taken.text


async def test_it_is_said_in_chinese_too(house: House) -> None:
    await learnt(house, model(2.0))
    async with house.signed_in(Role.DESK, language="zh-Hans") as browser:
        page = words_of((await browser.get(f"{NEW}?subject=楼上吵")).text)
    assert "88 %" in page


async def test_what_is_not_sure_enough_is_not_said(house: House) -> None:
    await learnt(house, model(0.2))
    async with house.signed_in(Role.DESK) as browser:
        page = (await browser.get(f"{NEW}?subject=楼上吵")).text
    assert "like earlier tickets" not in page
