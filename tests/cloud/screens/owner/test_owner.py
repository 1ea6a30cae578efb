import io
import re

import httpx
import pytest
from PIL import Image

from cloud.core.listing import Ask
from cloud.core.principal import Role
from cloud.reception.domain import Channel, Ending
from cloud.reception.service import list_interactions
from cloud.tickets import service
from cloud.tickets.incidents import open_incident
from tests.cloud.screens.house import House
from tests.cloud.screens.households import Households
from tests.cloud.web.conftest import Browser

KEY = "a-key-of-the-test-page"


def _photo() -> bytes:
    written = io.BytesIO()
    Image.new("RGB", (40, 30), "red").save(written, "PNG")
    return written.getvalue()


async def _report(
    browser: Browser, *photos: tuple[str, bytes], key: str = KEY, text: str = "厨房水龙头漏水", where: str
) -> httpx.Response:
    fields = {"csrf": await browser.token("/my/report"), "key": key, "text": text, "where": where}
    sent = [("photos", (name, content, "image/png")) for name, content in photos]
    return await browser.post("/my/report", data=fields, files=sent or [("photos", ("", b""))])


async def test_home_says_which_unit_and_where_repairs_stand(house: House, households: Households) -> None:
    async with house.signed_in(Role.OWNER) as owner:
        empty = (await owner.get("/my/home")).text
        answer = await _report(owner, where=f"unit:{households.unit_id}")
        page = (await owner.get("/my/home")).text
    assert "501" in empty
    assert "Nothing is open." in empty
    assert answer.headers["location"] == "/my/repairs/1"
    assert "厨房水龙头漏水" in page
    assert "We have your report and are looking for somebody to come." in page


async def test_an_owner_begins_at_home_and_has_the_foot_and_no_staff_menu(house: House, households: Households) -> None:
    async with house.signed_in(Role.OWNER) as owner:
        page = (await owner.get("/my/home")).text
        start = await owner.sign_in(Role.OWNER)
    assert start.headers["location"] == "/my/home"
    assert re.findall(r'class="foot".*?</nav>', page, re.DOTALL)
    assert "bar-nav" not in page
    assert "data-versions" not in page


async def test_a_report_with_a_photo_is_seen_by_owner_and_desk_and_by_no_neighbour(
    house: House, households: Households
) -> None:
    async with house.signed_in(Role.OWNER) as owner:
        await _report(owner, ("水龙头.png", _photo()), where=f"unit:{households.unit_id}")
        page = (await owner.get("/my/repairs/1")).text
        photo = await owner.get("/files/1")
    async with house.signed_in(Role.DESK) as desk:
        seen = await desk.get("/files/1")
        shown = (await desk.get("/tickets/1")).text
    async with house.signed_in_across_the_landing(households) as neighbour:
        hidden = [await neighbour.get(path) for path in ("/files/1", "/my/repairs/1")]
    async with house.signed_in(Role.ADMINISTRATOR, next_door=True) as stranger:
        hidden.append(await stranger.get("/files/1"))
    assert '<img src="/files/1"' in page
    assert '<img src="/files/1"' in shown
    assert (photo.headers["content-type"], photo.content[:2]) == ("image/jpeg", b"\xff\xd8")
    assert photo.headers["x-content-type-options"] == "nosniff"
    assert photo.headers["cache-control"] == "private, max-age=3600"
    assert photo.headers["content-disposition"].startswith("inline; ")
    assert seen.status_code == 200
    assert [answer.status_code for answer in hidden] == [404, 404, 404]


async def test_a_document_is_kept_and_not_shown(house: House, households: Households) -> None:
    async with house.signed_in(Role.OWNER) as owner:
        await _report(owner, ("a.pdf", b"%PDF-1.7 ..."), where=f"unit:{households.unit_id}")
        answer = await owner.get("/files/1")
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["content-disposition"].startswith("attachment; ")


async def test_a_browser_that_has_the_photo_is_not_sent_it_again(house: House, households: Households) -> None:
    async with house.signed_in(Role.OWNER) as owner:
        await _report(owner, ("a.png", _photo()), where=f"unit:{households.unit_id}")
        tag = (await owner.get("/files/1")).headers["etag"]
        again = await owner.get("/files/1", headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")


async def test_a_report_that_comes_twice_is_one_ticket(house: House, households: Households) -> None:
    async with house.signed_in(Role.OWNER) as owner:
        places = [(await _report(owner, where=f"unit:{households.unit_id}")).headers["location"] for _time in range(2)]
    assert places == ["/my/repairs/1", "/my/repairs/1"]


async def test_a_report_is_written_down_at_the_desk_once_as_what_came_by_the_app(
    house: House, households: Households
) -> None:
    async with house.signed_in(Role.OWNER) as owner:
        for _time in range(2):
            await _report(owner, where=f"unit:{households.unit_id}")
    async with house.site.database.reading() as session:
        found = await list_interactions(session, house.site.estate.principals[Role.DESK], Ask())
    [line] = found.rows
    assert (line.channel, line.ending, line.ticket_id, line.person_id, line.unit_id, line.text, line.taken_name) == (
        Channel.APP, Ending.TICKET, 1, households.owner.person_id, households.unit_id, "厨房水龙头漏水", "",
    )  # fmt: skip
    async with house.signed_in(Role.DESK) as desk:
        card = (await desk.get(f"/desk?unit={households.unit_id}")).text
        assert (await desk.get(f"/desk/entries/{line.id}")).status_code == 200
    assert "厨房水龙头漏水 · App" in card


async def test_what_all_share_may_be_reported_too(house: House, households: Households) -> None:
    async with house.signed_in(Role.OWNER) as owner:
        await _report(owner, where=f"place:{house.site.place_id}")
        page = (await owner.get("/my/repairs/1")).text
    assert "办公室" in page


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        pytest.param({"text": ""}, "Say what is broken, or send a photo of it.", id="nothing said"),
        pytest.param({"where": "unit:2"}, "Choose one of the places that are offered.", id="the flat next door"),
        pytest.param({"where": "place:99"}, "Choose one of the places that are offered.", id="no such place"),
    ],
)
async def test_what_is_to_be_mended_is_said_at_its_field_and_what_was_typed_is_kept(
    house: House, households: Households, changes: dict[str, str], said: str
) -> None:
    fields = {"where": f"unit:{households.unit_id}", "text": "水龙头", **changes}
    async with house.signed_in(Role.OWNER) as owner:
        answer = await _report(owner, **fields)
        repairs = (await owner.get("/my/repairs")).text
    assert answer.status_code == 422
    assert said in answer.text
    assert KEY in answer.text
    assert "You have reported nothing yet." in repairs


@pytest.mark.parametrize(
    ("photos", "said"),
    [
        pytest.param([("a.png", b"no photo")], "can&#39;t be read", id="no photo"),
        pytest.param([("big.png", bytes(10 * 1024 * 1024 + 1))], "big.png is too large", id="too large"),
        pytest.param([(f"{n}.png", b"x") for n in range(7)], "at most 6 files", id="too many"),
    ],
)
async def test_a_file_that_is_not_taken_is_said_at_its_field(
    house: House, households: Households, photos: list[tuple[str, bytes]], said: str
) -> None:
    async with house.signed_in(Role.OWNER) as owner:
        answer = await _report(owner, *photos, where=f"unit:{households.unit_id}")
    assert answer.status_code == 422
    assert re.search(rf'id="photos-error".*{said}', answer.text)


async def test_a_form_that_is_larger_than_any_of_ours_is_not_read(house: House, households: Households) -> None:
    async with house.signed_in(Role.OWNER) as owner:
        answer = await owner.post("/my/report", headers={"Content-Length": str(65 * 1024 * 1024)}, content=b"x")
    assert answer.status_code == 413


async def test_nobody_unsigned_has_a_file_looked_at(house: House, households: Households) -> None:
    async with house.stranger() as stranger:
        token = await stranger.token()
        sent = [("photos", ("a.png", _photo(), "image/png"))]
        answer = await stranger.post("/my/report", data={"csrf": token}, files=sent)
    assert answer.headers["location"].startswith("/sign-in")


async def test_the_owner_reads_what_concerns_them_and_adds_a_word(house: House, households: Households) -> None:
    site = house.site
    async with house.signed_in(Role.OWNER) as owner:
        await _report(owner, where=f"unit:{households.unit_id}")
        async with site.database.transaction() as session:
            desk = site.estate.principals[Role.DESK]
            await service.note(session, site.clock, desk, ticket_id=1, text="明天上午上门", is_public=True)
            await service.note(session, site.clock, desk, ticket_id=1, text="这家很挑剔", is_public=False)
        answer = await owner.send_form("/my/repairs/1", page="/my/repairs/1", text="下午更方便")
        page = (await owner.get("/my/repairs/1")).text
        empty = await owner.send_form("/my/repairs/1", page="/my/repairs/1", text="")
    assert answer.status_code == 303
    assert "明天上午上门" in page
    assert "下午更方便" in page
    assert "这家很挑剔" not in page
    assert empty.status_code == 422


async def test_the_owner_reads_the_notice_of_an_incident(house: House, households: Households) -> None:
    site = house.site
    async with house.signed_in(Role.OWNER) as owner:
        await _report(owner, where=f"unit:{households.unit_id}")
        async with site.database.transaction() as session:
            await open_incident(
                session,
                site.clock,
                site.estate.principals[Role.DESK],
                type_code="water_burst",
                title="3 栋停水",
                script="对来电者说的话",
                notice="预计 20:00 恢复供水",
                ticket_ids=[1],
            )
        page = (await owner.get("/my/repairs/1")).text
    assert "预计 20:00 恢复供水" in page
    assert "对来电者说的话" not in page


async def test_who_moved_out_sees_the_unit_no_more(house: House, households: Households) -> None:
    async with house.signed_in(Role.OWNER) as owner:
        async with house.signed_in(Role.DESK) as desk:
            today = "2026-03-02"
            path = f"/occupancies/{households.occupancy_id}/move-out"
            assert (await desk.send_form(path, page=path, until=today)).status_code == 303
        page = (await owner.get("/my/home")).text
        answer = await _report(owner, where=f"unit:{households.unit_id}")
    assert "No home is yours here yet." in page
    assert answer.status_code == 422


async def test_me_says_what_is_known(house: House, households: Households) -> None:
    async with house.signed_in(Role.OWNER) as owner:
        page = (await owner.get("/my/account")).text
    assert "since 2026-01-01" in page
    assert 'name="size"' in page
