import re
from datetime import timedelta

import pytest

from cloud.core.principal import Role
from cloud.fleet import boxes, presence, service
from cloud.fleet.intake import Intake
from cloud.fleet.presence import Heard
from protocols.wire import Hello, Ping
from tests.cloud.fleet.boxes import STORE, batch
from tests.cloud.screens.controlroom.test_alarms import words_of
from tests.cloud.screens.house import House

_T = "probe/temperature"


async def _open_channel(house: House, *, pending: int = 7, hours_left: float = 71.5) -> None:
    """Let the box be on its channel, with what it says there."""
    site, number, boot = house.site, "1" * 32, "a" * 32
    hello = Hello(v=1, minimum_v=1, boot=boot, store=STORE, head=0, software="gatehouse-edge 1.2", configuration=0)
    ping = Ping(id=1, head=0, pending=pending, buffer_hours_left=hours_left)
    async with site.database.transaction() as session:
        await presence.open_session(session, site.clock, site.box.identity, number=number, hello=hello)
        heard = Heard(box=site.box.identity, session=number, boot=boot, store=STORE, ping=ping)
        await presence.note_heartbeats(session, site.clock, [heard])


async def _send(house: House, *rows: tuple[str, float, float], **said: object) -> None:
    """Let the box send (point, seconds from now, value) rows."""
    site = house.site
    sent = batch([(1, len(rows))], [(key, site.us(seconds), value) for key, seconds, value in rows], **said)
    await Intake(site.database, site.series, site.clock).take(site.box.identity, sent)


async def _said(house: House, path: str, role: Role = Role.OPERATOR, language: str = "en") -> str:
    async with house.signed_in(role, language=language) as browser:
        return words_of((await browser.get(path)).text)


@pytest.fixture
def box(house: House) -> str:
    return f"/boxes/{house.site.box_id}"


async def test_the_list_says_of_a_box_what_matters(house: House) -> None:
    await _open_channel(house)
    await _send(house, (_T, -5, 70.0))
    house.site.clock.advance(seconds=30)
    said = await _said(house, "/boxes")
    assert "3 栋网关 Connected 16:00 16:00 云杉苑 2 of 3 7 71.5" in said
    assert "gatehouse-edge 1.2" in said


async def test_a_box_that_falls_silent_is_away_since_it_was_last_heard(house: House) -> None:
    await _open_channel(house)
    house.site.clock.advance(seconds=46)
    assert "3 栋网关 Away 16:00" in await _said(house, "/boxes")


async def test_a_box_that_only_sends_batches_has_been_heard(house: House) -> None:
    house.site.clock.advance(hours=1)
    await _send(house, (_T, -5, 70.0))
    assert "3 栋网关 Away 17:00 17:00" in await _said(house, "/boxes")


async def test_the_list_is_searched_filtered_sorted_and_exported(house: House) -> None:
    await _open_channel(house)
    async with house.signed_in(Role.OPERATOR) as operator:
        for query, is_there in (
            ("q=栋", True),
            ("q=cellar", False),
            ("connection=connected", True),
            ("connection=away&connection=revoked", False),
            ("stale.from=3", True),
            ("stale.from=4", False),
            ("pending.until=7", False),
            ("buffer_hours_left.until=72", True),
            ("seen_at.from=2026-03-02", True),
            ("seen_at.from=2026-03-03", False),
            ("set_aside.from=1", False),
        ):
            page = (await operator.get(f"/boxes?{query}")).text
            assert (f'id="box_list-{house.site.box_id}"' in page) is is_there, query
        for column in (
            "name",
            "connection",
            "seen_at",
            "stale",
            "pending",
            "buffer_hours_left",
            "set_aside",
            "software",
        ):
            assert (await operator.get(f"/boxes?sort=-{column}")).status_code == 200
        exported = (await operator.get("/boxes?format=csv")).text
    assert "3 栋网关,Connected" in exported


async def test_a_boxs_page_shows_its_points_with_value_time_and_place(house: House, box: str) -> None:
    await house.site.rule()
    await _open_channel(house)
    await _send(house, (_T, -5, 70.0), ("probe/humidity", -3_600, 41.5))
    said = await _said(house, box)
    assert "temperature 70 °F 15:59 云杉苑 · 3 栋 · 办公室 by a rule" in said
    assert "humidity 41.5 % 15:00 silent 云杉苑 · 3 栋 · 办公室 –" in said
    assert "water never a value" in said
    assert "Buffer lasts 71.5 h" in said
    assert "Configuration on its way" in said


async def test_what_never_came_is_told_apart(house: House, box: str) -> None:
    await _send(house, (_T, -5, 70.0), head=20, pending=12, lost=[(2, 8)])
    said = await _said(house, box)
    assert "lost on the box 15:59 16:00 7" in said
    assert "not come yet 15:59 16:00 12" in said


async def test_a_box_of_which_all_has_come_says_so(house: House, box: str) -> None:
    await _send(house, (_T, -5, 70.0))
    assert "Everything that the box has told of is here." in await _said(house, box)


async def test_rows_that_were_set_aside_are_listed_with_their_reason(house: House, box: str) -> None:
    await _send(house, (_T, -5, 70.0), ("x/y", -4, 1.5), (_T, -3, float("nan")), (_T, 86_400, 2.0))
    assert "Rows set aside 3 rows" in await _said(house, box)
    said = await _said(house, f"{box}/set-aside")
    assert "x/y the box has not listed this point 15:59 1.5 2" in said
    assert "probe/temperature the value is no number 15:59 nan 3" in said
    assert "its time lies in the future" in said
    async with house.signed_in(Role.OPERATOR) as operator:
        only = (await operator.get(f"{box}/set-aside?reason=not_a_number")).text
    assert ("nan" in only, "x/y" in only) == (True, False)


async def test_a_refused_configuration_is_shown_with_the_boxs_reason(house: House, box: str) -> None:
    site = house.site
    async with site.database.transaction() as session:
        row = await boxes.visible_box(session, site.system, box_id=site.box_id)
        row.configuration_error = "watched: no such point"
    assert "Configuration refused: watched: no such point" in await _said(house, box)


async def test_an_administrator_gets_a_code_that_is_shown_once_with_what_to_type(house: House) -> None:
    async with house.signed_in(Role.ADMINISTRATOR) as boss:
        form = (await boss.get("/boxes/new")).text
        assert f'value="community:{house.site.community_id}"' in form
        answer = await boss.send_form(
            "/boxes/new", page="/boxes/new", name="地下室网关", where=f"place:{house.site.place_id}"
        )
        said = words_of(answer.text)
    assert answer.status_code == 200
    code = re.search(r"gatehouse-edge claim (\w{4}-\w{4}-\w{4})", said)[1]
    assert f"Box 地下室网关 Claim code {code} Good until 03-03 16:00" in said


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"where": "community:1"}, "Fill this in."),
        ({"name": "x", "where": "x"}, "can't be read"),
        ({}, "Fill this in."),
    ],
    ids=["no name", "no place", "nothing"],
)
async def test_a_code_without_name_or_place_is_asked_for_again(house: House, fields: dict[str, str], said: str) -> None:
    async with house.signed_in(Role.ADMINISTRATOR) as boss:
        answer = await boss.send_form("/boxes/new", page="/boxes/new", **fields)
    assert answer.status_code == 422
    assert said in words_of(answer.text)


async def test_a_new_code_for_a_box_is_asked_about_first(house: House, box: str) -> None:
    async with house.signed_in(Role.ADMINISTRATOR) as boss:
        assert "Until the code is used the box goes on as it is" in words_of((await boss.get(f"{box}/code")).text)
        answer = await boss.send_form(f"{box}/code", page=f"{box}/code")
    assert "Box 3 栋网关 Claim code" in words_of(answer.text)


async def test_a_box_is_renamed_and_shut_out(house: House, box: str) -> None:
    async with house.signed_in(Role.ADMINISTRATOR) as boss:
        assert 'value="3 栋网关"' in (await boss.get(f"{box}/name")).text
        await boss.send_form(f"{box}/name", page=f"{box}/name", name="3 栋 B1 网关")
        empty = await boss.send_form(f"{box}/name", page=f"{box}/name", name="")
        assert empty.status_code == 422
        assert "no reading of it is taken" in words_of((await boss.get(f"{box}/shut-out")).text)
        done = await boss.send_form(f"{box}/shut-out", page=f"{box}/shut-out")
        said = words_of((await boss.get(done.headers["location"])).text)
        listed = words_of((await boss.get("/boxes")).text)
    assert "The box is shut out." in said
    assert "3 栋 B1 网关 Shut out" in listed
    assert "boxes" in house.hub.versions(house.site.estate.organisation_id)


async def test_a_device_and_a_point_are_given_their_places(house: House, box: str) -> None:
    site = house.site
    async with site.database.reading() as session:
        point = await service.point(session, site.system, point_id=site.points[_T])
    async with house.signed_in(Role.ADMINISTRATOR) as boss:
        for path in (f"/devices/{point.device_id}/place", f"/points/{point.id}/place"):
            form = (await boss.get(path)).text
            assert f'<option value="{site.place_id}" selected>' in form
            huge = await boss.send_form(path, page=path, place="9" * 30, label="")
            assert huge.status_code == 422
            wrong = await boss.send_form(path, page=path, place=str(site.place_id), label="x" * 121)
            assert wrong.status_code == 422
            done = await boss.send_form(path, page=path, place=str(site.place_id), label=f"北墙 {path[1]}")
            assert done.headers["location"] == box
        said = words_of((await boss.get(box)).text)
    assert "practice-probe · 云杉苑 · 3 栋 · 办公室 · 北墙 d" in said
    assert "云杉苑 · 3 栋 · 办公室 · 北墙 p" in said


async def test_an_operator_sees_all_and_changes_nothing(house: House, box: str) -> None:
    async with house.signed_in(Role.OPERATOR) as operator:
        seen = (await operator.get("/boxes")).text + (await operator.get(box)).text
        assert "/boxes/new" not in seen
        assert f"{box}/shut-out" not in seen
        for path in ("/boxes/new", f"{box}/code", f"{box}/name", f"{box}/shut-out"):
            assert (await operator.get(path)).status_code == 403


async def test_next_door_there_is_no_such_box(house: House, box: str) -> None:
    async with house.signed_in(Role.ADMINISTRATOR, next_door=True) as stranger:
        point_id = house.site.points[_T]
        for path in (
            box,
            f"{box}/set-aside",
            f"{box}/code",
            f"{box}/name",
            f"{box}/shut-out",
            f"/points/{point_id}",
            f"/points/{point_id}/place",
        ):
            assert (await stranger.get(path)).status_code == 404, path
        listed = words_of((await stranger.get("/boxes")).text)
        assert "No box yet." in listed
        assert "Claim the first" in listed
        assert "There is no community yet." in words_of((await stranger.get("/boxes/new")).text)


async def test_an_operator_without_boxes_is_told_who_claims_them(house: House) -> None:
    async with house.signed_in(Role.OPERATOR, next_door=True) as operator:
        assert "An administrator claims the first one." in words_of((await operator.get("/boxes")).text)


async def test_the_pages_speak_chinese_first(house: House, box: str) -> None:
    await _open_channel(house)
    assert "3 栋网关 在线" in await _said(house, "/boxes", language="zh-Hans")
    assert "缓存可维持" in await _said(house, box, language="zh-Hans")


async def test_a_long_silence_of_the_page_is_seen_from_its_dates(house: House, box: str) -> None:
    await _send(house, (_T, -5, 70.0))
    house.site.clock.advance(seconds=timedelta(days=3).total_seconds())
    assert "temperature 70 °F 03-02 15:59 silent" in await _said(house, box)


async def test_a_point_shows_its_newest_value_and_its_last_day(house: House) -> None:
    await house.site.rule()
    await _send(house, (_T, -90_000, 55.0), (_T, -3_600, 66.5), (_T, -5, 70.0))
    said = await _said(house, f"/points/{house.site.points[_T]}")
    assert "Value 70 °F 15:59 Box 3 栋网关 Name on the box probe/temperature" in said
    assert "Kept under watch by a rule" in said
    assert "66.5 °F" in said
    assert "55 °F" not in said


async def test_a_points_last_month_is_drawn_by_the_means_of_its_hours(house: House) -> None:
    await _send(house, (_T, -90_000, 55.0), (_T, -89_990, 56.0), (_T, -5, 70.0))
    said = await _said(house, f"/points/{house.site.points[_T]}?span=month")
    assert "55.5 °F" in said
    assert "Means of each hour." in said


async def test_a_point_without_readings_says_what_to_do(house: House) -> None:
    said = await _said(house, f"/points/{house.site.points[_T]}")
    assert "No reading in this time. Look further back" in said
    assert "Say where it measures" not in said


async def test_open_codes_are_listed_until_they_are_withdrawn(house: House) -> None:
    async with house.signed_in(Role.ADMINISTRATOR) as boss:
        assert "No open claim code." in words_of((await boss.get("/boxes/codes")).text)
        await boss.send_form("/boxes/new", page="/boxes/new", name="地下室网关", where=f"place:{house.site.place_id}")
        listed = (await boss.get("/boxes/codes")).text
        assert "地下室网关 云杉苑 · 3 栋 · 办公室 a new box 16:00" in words_of(listed)
        path = re.search(r"/boxes/codes/\d+/withdraw", listed)[0]
        await boss.send_form(path, page="/boxes/codes")
        again = await boss.send_form(path, page="/boxes/codes")
        assert "No open claim code." in words_of((await boss.get("/boxes/codes")).text)
    assert again.status_code == 404
    async with house.signed_in(Role.OPERATOR) as operator:
        assert (await operator.get("/boxes/codes")).status_code == 403
