import re

import pytest

from cloud.accounts.people import reset_password
from cloud.core.principal import Role
from tests.cloud.estate import PASSWORD
from tests.cloud.web.conftest import Browser, Site


async def _one_time_password(site: Site, role: Role) -> str:
    estate = site.estate
    async with site.database.transaction() as session:
        person_id = estate.principals[role].person_id
        invited = await reset_password(session, site.clock, estate.administrator, person_id)
    return invited.one_time_password


@pytest.mark.parametrize(
    ("role", "wanted", "path"),
    [
        (Role.OPERATOR, "/", "/things"),
        (Role.OPERATOR, "/me", "/me"),
        (Role.OPERATOR, "https://elsewhere.test/", "/things"),
        (Role.ADMINISTRATOR, "/", "/"),
        (Role.OFFICE, "/", "/"),
    ],
    ids=["to the role's first page", "to the page asked for", "nowhere else", "to all there is", "with nothing yet"],
)
async def test_a_sign_in_leads_to_the_work(stranger: Browser, role: Role, wanted: str, path: str) -> None:
    response = await stranger.sign_in(role, then=wanted)
    assert (response.status_code, response.headers["location"]) == (303, path)


async def test_a_session_is_kept_from_scripts_and_other_sites(stranger: Browser) -> None:
    cookie = (await stranger.sign_in(Role.OPERATOR)).headers["set-cookie"]
    assert re.match(r"gatehouse_session=[\w-]{43}; HttpOnly; Path=/; SameSite=lax$", cookie)


async def test_a_session_over_https_stays_on_https(stranger: Browser) -> None:
    stranger.base_url = "https://gatehouse.test"
    assert "Secure" in (await stranger.sign_in(Role.OPERATOR)).headers["set-cookie"]


async def test_a_wrong_password_is_said_without_saying_which_was_wrong(stranger: Browser) -> None:
    response = await stranger.sign_in(Role.OPERATOR, password="wrong horse battery")
    assert response.status_code == 422
    assert 'value="operator-' in response.text
    assert "wrong horse" not in response.text
    assert "gatehouse_session" not in stranger.cookies


async def test_many_wrong_passwords_make_one_wait_and_say_how_long(stranger: Browser, site: Site) -> None:
    for _ in range(5):
        await stranger.sign_in(Role.OPERATOR, password="wrong horse battery")
    response = await stranger.sign_in(Role.OPERATOR)
    assert response.status_code == 429
    assert '<p class="form-error" role="alert">' in response.text
    site.clock.advance(minutes=2)
    assert (await stranger.sign_in(Role.OPERATOR)).status_code == 303


async def test_an_empty_form_marks_its_fields(stranger: Browser) -> None:
    text = (await stranger.send_form("/sign-in", login="", password="")).text
    assert text.count("请填写此项。") == 2


async def test_the_first_page_shows_what_is_open_to_the_role_and_nothing_else(site: Site) -> None:
    async with site.browser() as boss, site.browser() as clerk:
        await boss.sign_in(Role.ADMINISTRATOR)
        await clerk.sign_in(Role.OFFICE)
        assert '<a class="door" href="/things">' in (await boss.get("/")).text
        nothing = (await clerk.get("/")).text
    assert "您还没有可用的页面。" in nothing
    assert "/things" not in nothing


async def test_signing_out_ends_the_session_everywhere(operator: Browser, site: Site) -> None:
    token = operator.cookies["gatehouse_session"]
    response = await operator.send_form("/sign-out", page="/")
    assert response.headers["location"] == "/sign-in"
    assert response.headers["clear-site-data"] == '"cache"'
    async with site.browser() as thief:
        thief.cookies.set("gatehouse_session", token)
        assert (await thief.get("/things")).headers["location"] == "/sign-in?next=/things"


async def test_a_one_time_password_opens_nothing_but_the_change_of_it(stranger: Browser, site: Site) -> None:
    first = await _one_time_password(site, Role.OPERATOR)
    response = await stranger.sign_in(Role.OPERATOR, password=first)
    assert response.headers["location"] == "/me/password"
    for path in ("/", "/things"):
        assert (await stranger.get(path)).headers["location"] == "/me/password"
    own = "quiet river stone"
    changed = await stranger.send_form("/me/password", page="/me/password", current=first, password=own)
    assert changed.headers["location"] == "/"
    assert (await stranger.get("/things")).status_code == 200


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"current": "wrong horse battery", "password": "quiet river stone"}, "current"),
        ({"current": PASSWORD, "password": "short"}, "password"),
        ({"current": PASSWORD, "password": PASSWORD}, "password"),
        ({"current": PASSWORD}, "password"),
    ],
    ids=["the present one is wrong", "too short", "the same", "none"],
)
async def test_a_password_that_can_not_be_taken_is_said_at_its_field(
    operator: Browser, fields: dict[str, str], field: str
) -> None:
    response = await operator.send_form("/me/password", page="/me/password", **fields)
    assert response.status_code == 422
    assert f'id="{field}-error"' in response.text
    assert PASSWORD not in response.text


async def test_another_browser_can_be_signed_out_and_ones_own_is_named(operator: Browser, site: Site) -> None:
    async with site.browser() as elsewhere:
        await elsewhere.sign_in(Role.OPERATOR)
        text = (await operator.get("/me")).text
        assert text.count("本浏览器") == 1
        path = re.search(r'action="(/me/sessions/\d+/end)"', text)[1]
        response = await operator.send_form(path, page="/me")
        assert response.headers["location"] == "/me"
        assert (await elsewhere.get("/things")).status_code == 303
        assert (await operator.get("/things")).status_code == 200


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (
            "Mozilla/5.0 (Linux; Android 14; Pixel 7) AppleWebKit/537.36 Chrome/156.0 Mobile Safari/537.36",
            "Chrome, Android",
        ),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/156.0 Safari/537.36 Edg/156.0", "Edge, Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Mobile/15E148 MicroMessenger/8.0", "WeChat, iPhone"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15) AppleWebKit/605.1 Version/17.0 Safari/605.1", "Safari, macOS"),
        ("curl/8.5", "未知浏览器"),
    ],
)
async def test_a_browser_is_called_as_people_call_it(site: Site, agent: str, name: str) -> None:
    async with site.browser() as browser:
        browser.headers["User-Agent"] = agent
        await browser.sign_in(Role.OPERATOR)
        assert f"<div>{name}</div>" in (await browser.get("/me")).text


async def test_nobody_signs_a_colleague_out(operator: Browser, site: Site) -> None:
    async with site.browser() as desk:
        await desk.sign_in(Role.DESK)
        response = await desk.send_form("/me/sessions/1/end", page="/")
        assert response.status_code == 404
        assert (await operator.get("/things")).status_code == 200


async def test_how_pages_look_is_kept_in_the_browser(stranger: Browser) -> None:
    response = await stranger.send_form("/appearance", language="en", theme="dark", size="elder", next="/sign-in")
    assert (response.status_code, response.headers["location"]) == (303, "/sign-in")
    text = (await stranger.get("/sign-in")).text
    assert '<html lang="en" data-bs-theme="dark" data-theme="dark" data-size="elder" data-keys="on"' in text


async def test_what_is_not_chosen_stays(stranger: Browser) -> None:
    await stranger.send_form("/appearance", language="en", keys="off")
    await stranger.send_form("/appearance", theme="dark")
    text = (await stranger.get("/sign-in")).text
    assert '<html lang="en" data-bs-theme="dark" data-theme="dark" data-size="normal" data-keys="off"' in text


@pytest.mark.parametrize("fields", [{"language": "fr"}, {"theme": "pink"}, {"keys": "some"}])
async def test_an_appearance_that_is_none_is_refused(stranger: Browser, fields: dict[str, str]) -> None:
    assert (await stranger.send_form("/appearance", **fields)).status_code == 422


async def test_words_are_chinese_first_and_english_when_asked(stranger: Browser) -> None:
    assert "<h1>登录 Gatehouse</h1>" in (await stranger.get("/sign-in")).text
    english = await stranger.get("/sign-in", headers={"Accept-Language": "en-GB"})
    assert "<h1>Sign in to Gatehouse</h1>" in english.text
