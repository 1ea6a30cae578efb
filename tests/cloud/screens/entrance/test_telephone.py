import re

import pytest
from sqlalchemy import select

from cloud.accounts import people, telephones
from cloud.core.principal import Role
from cloud.notifications.tables import DeliveryRow
from cloud.properties import occupancies, unit_codes
from cloud.properties.domain import OccupancyKind
from tests.cloud.screens.controlroom.conftest import database, house, routes, series, site
from tests.cloud.screens.house import House
from tests.cloud.screens.households import Households, make_households
from tests.cloud.web.conftest import Browser

__all__ = ["database", "house", "routes", "series", "site"]

PHONE = "138 0000 0001"


@pytest.fixture
async def households(house: House) -> Households:
    site = house.site
    made = await make_households(site.database, site.clock, site.estate, community_id=site.community_id)
    async with site.database.transaction() as session:
        await telephones.change_owner(
            session, site.clock, site.estate.administrator, made.owner.person_id or 0, name="冯九", phone=PHONE
        )
    return made


async def _sent(house: House) -> list[str]:
    """Return the codes in the messages that wait to be sent, oldest first."""
    async with house.site.database.reading() as session:
        rows = (await session.scalars(select(DeliveryRow).order_by(DeliveryRow.id))).all()
    return [re.findall(r"\d{6}", row.text or "")[0] for row in rows]


async def _letter(house: House, unit_id: int) -> str:
    site = house.site
    async with site.database.transaction() as session:
        issued = await unit_codes.issue(
            session, site.clock, site.estate.principals[Role.DESK], unit_id=unit_id, name="许十一",
            kind=OccupancyKind.TENANT,
        )  # fmt: skip
    return unit_codes.read(issued.code)


async def _ask(stranger: Browser, phone: str = PHONE, path: str = "/sign-in/phone") -> str:
    answer = await stranger.send_form(path, page=path, phone=phone)
    assert answer.status_code == 303
    return answer.headers["location"]


async def test_a_number_and_its_code_lead_home_and_stay_for_long(house: House, households: Households) -> None:
    async with house.stranger() as stranger:
        assert await _ask(stranger) == "/sign-in/code?next=/"
        (code,) = await _sent(house)
        answer = await stranger.send_form("/sign-in/code", page="/sign-in/code", code=code)
        page = await stranger.get("/my/home")
    assert answer.headers["location"] == "/my/home"
    assert re.search(r"gatehouse_session=.*Max-Age=31536000", str(answer.headers.get_list("set-cookie")))
    assert "501" in page.text


async def test_the_answer_does_not_tell_whether_a_number_is_known(house: House, households: Households) -> None:
    async with house.stranger() as known, house.stranger() as unknown:
        places = [await _ask(known), await _ask(unknown, "138 0000 0099")]
        pages = [(await browser.get("/sign-in/code")).text for browser in (known, unknown)]
    assert places[0] == places[1]
    assert len(await _sent(house)) == 1
    assert len({re.sub(r"\w{64}", "", page) for page in pages}) == 1


async def test_a_wrong_code_is_said_at_its_field_and_counts(house: House, households: Households) -> None:
    async with house.stranger() as stranger:
        await _ask(stranger)
        (code,) = await _sent(house)
        wrong = f"{(int(code) + 1) % 1_000_000:06}"
        answers = [await stranger.send_form("/sign-in/code", page="/sign-in/code", code=wrong) for _ in range(5)]
        late = await stranger.send_form("/sign-in/code", page="/sign-in/code", code=code)
    assert [answer.status_code for answer in answers] == [422] * 5
    assert "Tries left: 4" in answers[0].text
    assert "no longer good" in late.text


async def test_a_second_code_within_a_minute_must_wait(house: House, households: Households) -> None:
    async with house.stranger() as stranger:
        await _ask(stranger)
        answer = await stranger.send_form("/sign-in/phone", page="/sign-in/phone", phone=PHONE)
    assert answer.status_code == 429


async def test_what_is_no_number_is_said_at_its_field(house: House, households: Households) -> None:
    async with house.stranger() as stranger:
        answer = await stranger.send_form("/sign-in/phone", page="/sign-in/phone", phone="12345")
    assert answer.status_code == 422
    assert 'id="phone-error"' in answer.text


async def test_a_letter_lets_a_new_number_into_its_unit(house: House, households: Households) -> None:
    code = await _letter(house, households.next_door_unit_id)
    async with house.stranger() as stranger:
        welcome = await stranger.get(f"/join/{code}")
        location = await _ask(stranger, "138 0000 0055", f"/join/{code}")
        (sms,) = await _sent(house)
        answer = await stranger.send_form("/sign-in/code", page=location, code=sms, join=code)
        page = (await stranger.get("/my/home")).text
        again = await stranger.get(f"/join/{code}")
    assert " · 502" in welcome.text
    assert location == f"/sign-in/code?join={code}"
    assert answer.headers["location"] == "/my/home"
    assert "Tenant" in page
    assert again.status_code == 400


async def test_a_typed_letters_code_leads_to_what_it_invites_to(house: House) -> None:
    async with house.stranger() as stranger:
        answer = await stranger.get("/join", params={"letter": "7k2m-94qx-otrb"})
    assert answer.headers["location"] == "/join/7K2M94QX0TRB"


async def test_a_number_known_to_two_companies_chooses_after_the_code(house: House, households: Households) -> None:
    site = house.site
    async with site.database.transaction() as session:
        there = await telephones.enrol_owner(
            session, site.clock, house.neighbour.administrator, name="冯九", phone=PHONE
        )
    async with house.stranger() as stranger:
        await _ask(stranger)
        (code,) = await _sent(house)
        answer = await stranger.send_form("/sign-in/code", page="/sign-in/code", code=code)
        page = (await stranger.get("/sign-in/who")).text
        chosen = await stranger.send_form("/sign-in/who", page="/sign-in/who", person_id=str(there))
        home = (await stranger.get("/my/home")).text
    assert answer.headers["location"] == "/sign-in/who?next=/"
    assert "邻家物业" in page
    assert chosen.headers["location"] == "/my/home"
    assert "No home is yours here yet." in home


async def test_a_colleague_who_lives_here_opens_no_page_of_staff_by_a_code(
    house: House, households: Households
) -> None:
    site = house.site
    desk = site.estate.principals[Role.DESK].person_id or 0
    async with site.database.transaction() as session:
        admin = site.estate.administrator
        await people.change_person(
            session, site.clock, admin, desk, name="孙三", roles=frozenset({Role.DESK}), communities=None,
            phone="13800000077",
        )  # fmt: skip
        await occupancies.move_in(
            session, site.clock, admin, unit_id=households.unit_id, name="孙三", phone="13800000077",
            kind=OccupancyKind.FAMILY, since=site.clock.now().date(),
        )  # fmt: skip
    async with house.stranger() as stranger:
        await _ask(stranger, "13800000077")
        (code,) = await _sent(house)
        await stranger.send_form("/sign-in/code", page="/sign-in/code", code=code)
        answers = [(await stranger.get(path)).status_code for path in ("/my/home", "/tickets", "/units", "/live")]
    assert answers == [200, 403, 403, 403]
