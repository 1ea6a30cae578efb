import re

import pytest
from sqlalchemy import select

from cloud.accounts.tables import PersonRow
from cloud.core.audit import AuditEntry
from cloud.core.principal import Role
from tests.cloud.screens.controlroom.conftest import database, house, routes, series, site
from tests.cloud.screens.house import House
from tests.cloud.screens.households import Households, make_households

__all__ = ["database", "house", "routes", "series", "site"]


@pytest.fixture
async def households(house: House) -> Households:
    site = house.site
    return await make_households(site.database, site.clock, site.estate, community_id=site.community_id)


async def _last(house: House) -> AuditEntry:
    async with house.site.database.reading() as session:
        return (await session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc()).limit(1))).one()


async def test_the_list_says_who_is_in_which_unit(house: House, households: Households) -> None:
    async with house.signed_in(Role.DESK) as desk:
        page = (await desk.get("/units")).text
        found = (await desk.get("/units?q=502")).text
    assert "冯九" in page
    assert "冯九" not in found
    assert "陈十" in found


async def test_who_moves_in_is_there_with_a_masked_number(house: House, households: Households) -> None:
    path = f"/units/{households.unit_id}"
    fields = {"name": "王家人", "phone": "138 0000 0033", "kind": "family", "since": "2026-03-01"}
    async with house.signed_in(Role.DESK) as desk:
        answer = await desk.send_form(f"{path}/move-in", page=f"{path}/move-in", **fields)
        page = (await desk.get(path)).text
    assert answer.headers["location"] == path
    assert "138****0033" in page
    assert "13800000033" not in page.replace(" ", "")


async def test_a_number_in_full_is_shown_once_and_written_down(house: House, households: Households) -> None:
    path = f"/units/{households.unit_id}"
    fields = {"name": "王家人", "phone": "138 0000 0033", "kind": "family", "since": "2026-03-01"}
    async with house.signed_in(Role.DESK) as desk:
        await desk.send_form(f"{path}/move-in", page=f"{path}/move-in", **fields)
        person_id = re.findall(r'action="/people/(\d+)/phone"', (await desk.get(path)).text)[0]
        shown = await desk.send_form(f"/people/{person_id}/phone", page=path)
    assert "138 0000 0033" in shown.text
    assert shown.headers["cache-control"] == "no-store"
    assert (await _last(house)).action == "accounts.phone_revealed"


async def test_who_sees_other_communities_alone_is_shown_no_number(house: House, households: Households) -> None:
    site = house.site
    owner_id, desk_id = households.owner.person_id, site.estate.principals[Role.DESK].person_id
    async with site.database.transaction() as session:
        (await session.get_one(PersonRow, owner_id)).phone = "+8613800000044"
        (await session.get_one(PersonRow, desk_id)).communities = [site.community_id + 1]
    async with house.signed_in(Role.DESK) as desk:
        answer = await desk.send_form(f"/people/{owner_id}/phone", page="/units")
    assert answer.status_code == 404
    assert "138 0000 0044" not in answer.text


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        pytest.param({"phone": "123"}, "phone", id="no number"),
        pytest.param({"since": "soon"}, "since", id="no day"),
        pytest.param({"since": "1800-01-01"}, "since", id="of another century"),
        pytest.param({"name": ""}, "name", id="nobody"),
    ],
)
async def test_what_is_to_be_mended_is_said_at_its_field(
    house: House, households: Households, changes: dict[str, str], field: str
) -> None:
    path = f"/units/{households.unit_id}/move-in"
    fields = {"name": "王家人", "phone": "", "kind": "owner", "since": "2026-03-01", **changes}
    async with house.signed_in(Role.DESK) as desk:
        answer = await desk.send_form(path, page=path, **fields)
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text


async def test_moving_out_and_correcting_are_told_by_the_page(house: House, households: Households) -> None:
    path = f"/occupancies/{households.occupancy_id}"
    async with house.signed_in(Role.DESK) as desk:
        await desk.send_form(f"{path}/move-out", page=f"{path}/move-out", until="2026-03-01")
        gone = (await desk.get(f"/units/{households.unit_id}")).text
        await desk.send_form(path, page=path, kind="tenant", since="2026-01-01", until="")
        back = (await desk.get(f"/units/{households.unit_id}")).text
    assert "Nobody is entered here." in gone
    assert "Tenant" in back
    assert "Nobody is entered here." not in back


async def test_another_name_and_number_leave_what_is_not_typed(house: House, households: Households) -> None:
    path = f"/occupancies/{households.occupancy_id}/person"
    async with house.signed_in(Role.DESK) as desk:
        await desk.send_form(path, page=path, name="冯九", phone="13800000044")
        await desk.send_form(path, page=path, name="冯久", phone="")
        page = (await desk.get(f"/units/{households.unit_id}")).text
    assert "冯久" in page
    assert "138****0044" in page


async def test_a_letter_shows_its_code_and_qr_this_once(house: House, households: Households) -> None:
    path = f"/units/{households.unit_id}/letter"
    async with house.signed_in(Role.DESK) as desk:
        answer = await desk.send_form(path, page=path, name="王家人", kind="family")
    assert re.search(r"[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}", answer.text)
    assert "<svg" in answer.text
    assert "http://gatehouse.test/join" in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert (await _last(house)).action == "properties.unit_code_issued"


async def test_a_letter_that_is_out_stands_on_its_units_page_until_it_is_taken_back(
    house: House, households: Households
) -> None:
    path = f"/units/{households.unit_id}"
    async with house.signed_in(Role.DESK) as desk:
        letter = await desk.send_form(f"{path}/letter", page=f"{path}/letter", name="赵新人", kind="tenant")
        code = re.search(r'code-large mb-0">([^<]+)<', letter.text)[1]
        page = (await desk.get(path)).text
        revoking = re.search(rf'action="({path}/letters/\d+/revoke)"', page)[1]
        asked = (await desk.get(revoking)).text
        done = await desk.send_form(revoking, page=revoking)
        after = (await desk.get(done.headers["location"])).text
    async with house.stranger() as stranger:
        refused = await stranger.get(f"/join/{code}")
    assert "Letters that are out" in page
    assert "Take back the letter to 赵新人?" in asked
    assert "The letter is taken back: its code lets nobody in." in after
    assert "赵新人" not in after
    assert "This letter was taken back. Ask the front desk for another." in refused.text
    assert (await _last(house)).action == "properties.unit_code_revoked"
