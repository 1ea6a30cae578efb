import re

import pytest

from cloud.core.principal import Role
from tests.cloud.web.conftest import Browser, Site

_FRAGMENT = {"HX-Request": "true", "HX-Target": "things"}


async def test_a_page_for_staff_sends_a_stranger_to_sign_in_and_back(stranger: Browser) -> None:
    response = await stranger.get("/things?sort=-name")
    assert (response.status_code, response.headers["location"]) == (303, "/sign-in?next=/things%3Fsort%3D-name")


async def test_a_fragment_sends_the_whole_page_to_sign_in(stranger: Browser) -> None:
    response = await stranger.get("/things", headers=_FRAGMENT)
    assert (response.status_code, response.headers["hx-redirect"]) == (204, "/sign-in?next=/things")


async def test_a_program_is_told_in_json(stranger: Browser) -> None:
    response = await stranger.get("/things", headers={"Accept": "application/json"})
    assert (response.status_code, response.json()) == (401, {"code": "not_signed_in", "message": "Sign in to go on."})


async def test_a_role_that_may_not_is_told_who_may(site: Site) -> None:
    async with site.browser() as clerk:
        await clerk.sign_in(Role.OFFICE)
        response = await clerk.get("/things", headers={"Accept-Language": "en"})
    assert response.status_code == 403
    assert "Only these roles may do this: Control room." in response.text


async def test_an_administrator_may_open_everything(site: Site) -> None:
    async with site.browser() as boss:
        await boss.sign_in(Role.ADMINISTRATOR)
        assert (await boss.get("/things")).status_code == 200


async def test_a_page_escapes_what_people_wrote(operator: Browser) -> None:
    text = (await operator.get("/things?sort=name")).text
    assert "&lt;b&gt;cellar&lt;/b&gt;" in text
    assert "<b>cellar" not in text


async def test_htmx_gets_the_block_it_aims_at_and_nothing_else(operator: Browser) -> None:
    text = (await operator.get("/things", headers=_FRAGMENT)).text
    assert text.strip().startswith('<section id="things"')
    assert text.strip().endswith("</section>")


async def test_going_back_in_the_browsers_history_gets_the_whole_page(operator: Browser) -> None:
    headers = {**_FRAGMENT, "HX-History-Restore-Request": "true"}
    assert "<!doctype html>" in (await operator.get("/things", headers=headers)).text


async def test_a_fragment_that_did_not_change_is_not_sent_again(operator: Browser) -> None:
    first = await operator.get("/things", headers=_FRAGMENT)
    again = await operator.get("/things", headers={**_FRAGMENT, "If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]


async def test_a_list_shows_its_page_its_count_and_the_way_on(operator: Browser) -> None:
    operator.cookies.set("gatehouse_language", "en")
    text = (await operator.get("/things")).text
    assert re.findall(r'<tr id="(things-\d)"', text) == ["things-3", "things-1"]
    assert "1 to 2 of 3" in text
    assert 'href="/things?page=2" rel="next"' in text


async def test_a_list_that_a_filter_emptied_offers_to_clear_it(operator: Browser) -> None:
    text = (await operator.get("/things?q=nothing&name=x")).text
    assert "没有符合条件的内容。" in text
    assert '<a href="/things">清除筛选</a>' in text


async def test_a_list_is_exported_as_the_view_shows_it(operator: Browser) -> None:
    response = await operator.get("/things?name=o&sort=-name&format=csv&page=2")
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    assert [line.split(",")[0] for line in response.content.decode("utf-8-sig").splitlines()] == ["名称", "roof"]


async def test_a_form_changes_and_says_so_once(operator: Browser, site: Site) -> None:
    response = await operator.send_form("/things/1", page="/things/1", name="valve", level="2")
    assert (response.status_code, response.headers["location"]) == (303, "/things")
    assert (await site.names())[0] == "valve"
    first, second = (await operator.get("/things")).text, (await operator.get("/things")).text
    assert 'data-expires="10"' in first
    assert '<input type="hidden" name="name" value="back">' in first
    assert "data-notice data-expires" not in second


async def test_a_form_over_htmx_leaves_the_page_and_tells_its_live_parts(operator: Browser) -> None:
    headers = {"HX-Request": "true", "HX-Target": "thing"}
    response = await operator.send_form("/things/1", page="/things/1", headers=headers, name="valve", level="2")
    told = {name: response.headers[name] for name in ("hx-retarget", "hx-reswap", "hx-trigger")}
    assert told == {"hx-retarget": "#notices", "hx-reswap": "innerHTML", "hx-trigger": "changed"}
    assert response.text.strip().startswith('<div class="notice"')


async def test_a_change_moves_its_topic(operator: Browser, site: Site) -> None:
    await operator.send_form("/things/1", page="/things/1", name="valve", level="2")
    assert site.hub.versions(site.estate.organisation_id) == {"things": 1}
    told = site.hub.told(site.estate.organisation_id)["things"]
    assert f'data-versions="things:{told}"' in (await operator.get("/things")).text


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"level": "2"}, 'id="name-error"'),
        ({"name": "x", "level": "2"}, "太短：至少 2 个字符。"),
        ({"name": "valve", "level": "two"}, "请输入整数。"),
        ({"name": "valve", "level": "9"}, "必须不大于 4。"),
        ({"name": "taken", "level": "2"}, "已有人先处理"),
        ({"name": "refused", "level": "2"}, '<p class="form-error" role="alert">'),
    ],
    ids=["missing", "too short", "no number", "too large", "a service's word on a field", "a service's word on all"],
)
async def test_a_form_with_a_fault_comes_back_as_typed_and_changes_nothing(
    operator: Browser, site: Site, fields: dict[str, str], error: str
) -> None:
    response = await operator.send_form("/things/1", page="/things/1", note="kept <here>", **fields)
    assert response.status_code in {409, 422}
    assert error in response.text
    assert "kept &lt;here&gt;</textarea>" in response.text
    assert (await site.names())[0] == "pump"


async def test_a_field_with_a_fault_is_tied_to_its_error_and_its_hint(operator: Browser) -> None:
    text = (await operator.send_form("/things/1", page="/things/1", name="x", level="1")).text
    assert 'aria-describedby="name-hint name-error" aria-invalid="true" required=""' in text


@pytest.mark.parametrize("token", ["", "0" * 64], ids=["no token", "a made-up token"])
async def test_a_form_without_this_browsers_token_changes_nothing(operator: Browser, site: Site, token: str) -> None:
    response = await operator.post("/things/1", data={"csrf": token, "name": "valve", "level": "2"})
    assert response.status_code == 403
    assert (await site.names())[0] == "pump"


async def test_another_browsers_token_is_no_good(operator: Browser, stranger: Browser, site: Site) -> None:
    token = await stranger.token()
    response = await operator.post("/things/1", data={"csrf": token, "name": "valve", "level": "2"})
    assert response.status_code == 403
    assert (await site.names())[0] == "pump"


async def test_the_token_may_come_in_a_header(operator: Browser, site: Site) -> None:
    headers = {"X-CSRF-Token": await operator.token("/things")}
    assert (await operator.post("/things/1", data={"name": "valve", "level": "2"}, headers=headers)).status_code == 303
    assert (await site.names())[0] == "valve"


async def test_what_nobody_foresaw_is_undone_numbered_and_logged(
    operator: Browser, site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    response = await operator.send_form("/things/1/break", page="/things")
    assert response.status_code == 500
    reference = re.search(r"<small>([0-9a-f]{8})</small>", response.text)[1]
    assert [record.reference for record in caplog.records if record.exc_info] == [reference]
    assert (await site.names())[0] == "pump"
    assert "default-src 'none'" in response.headers["content-security-policy"]


@pytest.mark.parametrize("path", ["/nowhere", "/things/x", "/static/gatehouse.00000000.css"])
async def test_what_is_not_there_is_said_plainly(operator: Browser, path: str) -> None:
    response = await operator.get(path)
    assert response.status_code == 404
    assert "<h1>这里什么也没有</h1>" in response.text


async def test_an_error_in_a_fragment_is_said_in_the_pages_notices(operator: Browser) -> None:
    response = await operator.post("/things/1", headers={"HX-Request": "true", "HX-Target": "thing"})
    assert (response.status_code, response.headers["hx-retarget"]) == (403, "#notices")
    assert response.text.strip().startswith('<div class="notice is-wrong"')


async def test_every_answer_carries_the_policy(stranger: Browser) -> None:
    for path in ("/sign-in", "/things", "/nowhere"):
        headers = (await stranger.get(path)).headers
        assert "script-src 'self'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"


async def test_a_page_is_kept_by_nobody_else(operator: Browser) -> None:
    assert (await operator.get("/things")).headers["cache-control"] == "private, no-cache"


async def test_a_file_is_kept_for_ever_and_comes_compressed(stranger: Browser) -> None:
    path = re.search(r'href="(/static/gatehouse\.\w+\.css)"', (await stranger.get("/sign-in")).text)[1]
    response = await stranger.get(path)
    assert response.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert response.headers["content-encoding"] == "gzip"
    plain = await stranger.get(path, headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.text == response.text


async def test_a_session_that_goes_on_is_noted(operator: Browser, site: Site) -> None:
    for _ in range(3):
        site.clock.advance(hours=10)
        assert (await operator.get("/things")).status_code == 200
    site.clock.advance(hours=13)
    assert (await operator.get("/things")).status_code == 303


async def test_a_form_in_a_page_whose_session_ended_keeps_its_page(operator: Browser, site: Site) -> None:
    token = await operator.token("/things")
    site.clock.advance(hours=13)
    headers = {"HX-Request": "true", "HX-Target": "thing", "X-CSRF-Token": token}
    response = await operator.post("/things/1", data={"name": "valve", "level": "2"}, headers=headers)
    assert (response.status_code, response.headers["hx-retarget"]) == (401, "#notices")
    assert "hx-redirect" not in response.headers


async def test_a_bulk_act_takes_what_was_ticked(operator: Browser) -> None:
    response = await operator.send_form("/things/choose", page="/things", row="3")
    assert response.headers["location"] == "/things?3"


async def test_a_bulk_act_takes_all_that_match_on_whatever_page(operator: Browser) -> None:
    text = (await operator.get("/things?sort=-name&page=2")).text
    assert 'name="matching" value="sort=-name" form="things-bulk"' in text
    response = await operator.send_form("/things/choose", page="/things", matching="sort=-name", row="3")
    assert response.headers["location"] == "/things?2,1,3"


@pytest.mark.parametrize("number", ["9223372036854775808", "-9223372036854775809", "9_223_372_036_854_775_808", "1e30"])
async def test_a_number_that_nothing_can_have_is_a_page_that_is_not_there(operator: Browser, number: str) -> None:
    assert (await operator.get(f"/things/{number}")).status_code == 404
    assert (await operator.send_form(f"/things/{number}", page="/things", name="x")).status_code == 404
