"""What the frame promises to every screen, tried in a browser on two small ones."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from starlette.types import ASGIApp

from cloud.core.database import Base, Database
from cloud.core.outbox import OutboxEvent
from cloud.core.principal import Role
from tests.clocks import FixedClock
from tests.cloud.estate import PASSWORD
from tests.cloud.web.conftest import Site
from tests.journeys.browsing import LANGUAGES, THEMES, Person, assert_accessible, person, wait_until
from tests.servers.web import WebServer, running_web

pytestmark = pytest.mark.browser


class Stage:
    """A site and the server it stands on."""

    def __init__(self, server: WebServer, site: Site) -> None:
        self.url = server.url
        self.login = site.estate.login
        self._server = server
        self._site = site

    def add(self, name: str) -> None:
        """Add a thing, as an event's handler would, and say that there is news."""
        self._server.call(self._add(name))

    def rename(self, number: int, name: str) -> None:
        """Change a thing, and say that there is news."""
        self._server.call(self._rename(number, name))

    async def _add(self, name: str) -> None:
        site = self._site
        owner = site.estate.organisation_id
        async with site.database.transaction() as session:
            session.add(
                OutboxEvent(organisation_id=owner, kind=name, subject="s", payload="{}", emitted_at=site.clock.now())
            )
        site.hub.bump(owner, "things")

    async def _rename(self, number: int, name: str) -> None:
        async with self._site.database.transaction() as session:
            (await session.get_one(OutboxEvent, number)).kind = name
        self._site.hub.bump(self._site.estate.organisation_id, "things")


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made: list[Site] = []

    async def make() -> ASGIApp:
        database = Database(f"sqlite+aiosqlite:///{tmp_path / 'gatehouse.db'}")
        async with database.engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
        site = Site(database, FixedClock())
        await site.seed()
        made.append(site)
        return site.app

    async def close() -> None:
        await made[0].database.close()

    with running_web(make, close) as server:
        yield Stage(server, made[0])


@pytest.fixture
def operator(chromium: Browser, stage: Stage) -> Iterator[Person]:
    with person(chromium, stage.url, locale="en-GB") as somebody:
        somebody.sign_in(stage.login(Role.OPERATOR), PASSWORD)
        yield somebody
        assert somebody.complaints == []


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("path", ["/", "/things", "/things?q=x&name=y", "/things/1", "/me", "/me/password", "/nowhere"])
def test_pages_of_the_frame_are_accessible(operator: Person, path: str, theme: str, language: str) -> None:
    operator.prefer(theme=theme, language=language)
    operator.open(path)
    assert_accessible(operator.page)
    operator.complaints.clear() if path == "/nowhere" else None  # Chromium logs every 404


@pytest.mark.parametrize("theme", THEMES)
def test_the_sign_in_is_accessible_large_too(chromium: Browser, stage: Stage, theme: str) -> None:
    with person(chromium, stage.url) as somebody:
        somebody.prefer(theme=theme, size="elder")
        somebody.open("/sign-in")
        assert_accessible(somebody.page)


def test_all_of_it_works_without_javascript(chromium: Browser, stage: Stage) -> None:
    with person(chromium, stage.url, java_script_enabled=False, locale="en-GB") as somebody:
        page = somebody.page
        somebody.sign_in(stage.login(Role.OPERATOR), PASSWORD)
        page.get_by_role("link", name="Since").click()
        page.get_by_role("searchbox").fill("roof")
        page.get_by_role("button", name="Search").click()
        page.get_by_role("link", name="roof").click()
        page.get_by_label("name").fill("x")
        page.get_by_role("button", name="save").click()
        expect(page.get_by_text("Too short: at least 2 characters.")).to_be_visible()
        page.get_by_label("name").fill("attic")
        page.get_by_label("level").fill("2")
        page.get_by_role("button", name="save").click()
        expect(page.get_by_role("link", name="attic")).to_be_visible()
        expect(page.get_by_role("button", name="Undo")).to_be_visible()
        page.locator("summary", has_text="Me and how pages look").click()
        page.get_by_label("Language").select_option("zh-Hans")
        page.get_by_role("button", name="Apply", exact=True).click()
        expect(page.locator("html")).to_have_attribute("lang", "zh-Hans")
        page.locator("summary", has_text="我的账户与外观").click()
        page.get_by_role("button", name="退出登录").click()
        expect(page).to_have_url(f"{stage.url}/sign-in")


def test_news_comes_to_the_page_by_itself(operator: Person, stage: Stage) -> None:
    operator.open("/things")
    expect(operator.page.locator("#live")).to_have_text("Live")
    stage.rename(3, "aaa")
    expect(operator.page.get_by_role("link", name="aaa")).to_be_visible()


def test_news_that_came_before_the_stream_is_not_missed(operator: Person, stage: Stage) -> None:
    operator.page.route("**/live", lambda route: (stage.rename(3, "aaa"), route.continue_()))
    operator.open("/things")
    expect(operator.page.get_by_role("link", name="aaa")).to_be_visible()


def test_one_browser_holds_one_stream_for_all_its_pages(operator: Person, stage: Stage) -> None:
    operator.open("/things")
    expect(operator.page.locator("#live")).to_have_text("Live")
    asked: list[str] = []
    second = operator.page.context.new_page()
    second.on("request", lambda request: asked.append(request.url))
    second.goto(f"{stage.url}/things")
    stage.rename(3, "aaa")
    expect(second.get_by_role("link", name="aaa")).to_be_visible()
    assert not any(url.endswith("/live") for url in asked)


def test_a_page_takes_the_stream_over_when_its_holder_closes(operator: Person, stage: Stage) -> None:
    operator.open("/things")
    second = operator.page.context.new_page()
    second.goto(f"{stage.url}/things")
    operator.page.close()
    stage.rename(3, "aaa")
    expect(second.get_by_role("link", name="aaa")).to_be_visible()


def test_what_is_under_the_hand_keeps_still_and_new_rows_wait(operator: Person, stage: Stage) -> None:
    page = operator.page
    operator.open("/things?sort=name")
    row = page.locator("#things-1")
    row.hover()
    place = row.bounding_box()
    stage.add("aaa")
    expect(page.get_by_role("button", name="1 new")).to_be_visible()
    assert row.bounding_box() == place
    operator.press("n")
    expect(page.get_by_role("link", name="aaa")).to_be_visible()
    expect(page.get_by_role("button", name="1 new")).to_have_count(0)


def test_new_rows_join_when_the_hand_is_off(operator: Person, stage: Stage) -> None:
    page = operator.page
    operator.open("/things?sort=name")
    page.locator("#things-1").hover()
    stage.add("aaa")
    expect(page.get_by_role("button", name="1 new")).to_be_visible()
    page.mouse.move(5, 5)
    expect(page.get_by_role("link", name="aaa")).to_be_visible()


def test_rows_under_the_hand_change_in_place(operator: Person, stage: Stage) -> None:
    page = operator.page
    operator.open("/things?sort=name")
    page.locator("#things-1").hover()
    stage.rename(1, "pomp")
    expect(page.locator("#things-1")).to_contain_text("pomp")


def test_a_row_that_left_the_view_stays_under_the_hand_and_is_marked(operator: Person, stage: Stage) -> None:
    page = operator.page
    operator.open("/things?sort=name")
    page.locator("#things-1").hover()
    stage.rename(1, "zebra")
    expect(page.locator("#things-1.is-stale")).to_be_visible()
    page.mouse.move(5, 5)
    expect(page.locator("#things-1")).to_have_count(0)


def test_a_choice_outlasts_an_update(operator: Person, stage: Stage) -> None:
    page = operator.page
    operator.open("/things?sort=name")
    box = page.locator("#things-1 [data-pick]")
    box.check()
    expect(page.locator("[data-count]")).to_have_text("1")
    page.locator("h1").click()
    stage.rename(1, "pomp")
    expect(page.locator("#things-1")).to_contain_text("pomp")
    expect(box).to_be_checked()


def test_a_page_that_hears_nothing_says_so_and_recovers(operator: Person, stage: Stage) -> None:
    page = operator.page
    page.clock.install()
    operator.open("/things")
    expect(page.locator("#live")).to_have_text("Live")
    operator.page.context.set_offline(True)
    page.clock.fast_forward(25_000)
    expect(page.locator("#live")).to_contain_text("NOT LIVE since")
    expect(page.locator("body[data-lost]")).to_have_count(1)
    operator.page.context.set_offline(False)
    stage.rename(3, "aaa")
    page.clock.fast_forward(4_000)
    expect(page.locator("#live")).to_have_text("Live")
    expect(page.get_by_role("link", name="aaa")).to_be_visible()
    operator.complaints.clear()  # Chromium logs the broken line


def test_keys_move_open_and_go_back(operator: Person, stage: Stage) -> None:
    page = operator.page
    operator.open("/things?sort=name")
    for key in ("j", "j", "k"):
        operator.press(key)
    expect(page.locator("tr.is-current")).to_have_id("things-3")
    operator.press("x")
    expect(page.locator("#things-3 [data-pick]")).to_be_checked()
    operator.press("j")
    operator.press("Enter")
    expect(page).to_have_url(f"{stage.url}/things/1")
    operator.press("g")
    operator.press("t")
    expect(page).to_have_url(f"{stage.url}/things")
    operator.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    operator.press("j")
    expect(page.get_by_role("searchbox")).to_have_value("j")
    operator.press("Escape")
    operator.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    operator.press("Escape")
    expect(page.get_by_role("dialog", name="Keys")).to_have_count(0)


def test_an_act_by_key_leaves_the_hand_on_its_row(operator: Person) -> None:
    page = operator.page
    operator.open("/things?sort=at")
    for key in ("j", "j", "a"):
        operator.press(key)
    expect(page.locator("#things-2")).to_contain_text("z2")
    expect(page.locator("#things-2 a[data-open]")).to_be_focused()
    expect(page.locator("tr.is-current")).to_have_id("things-2")
    operator.press("k")
    expect(page.locator("tr.is-current")).to_have_id("things-1")


def test_keys_can_be_switched_off(operator: Person) -> None:
    operator.prefer(keys="off")
    operator.open("/things")
    operator.press("j")
    operator.press("?")
    expect(operator.page.locator("tr.is-current")).to_have_count(0)
    expect(operator.page.get_by_role("dialog")).to_have_count(0)


def test_a_form_is_mended_in_place_and_done_in_place(operator: Person) -> None:
    page = operator.page
    operator.open("/things/1")
    page.get_by_label("name").fill("x")
    page.get_by_role("button", name="save").click()
    expect(page.get_by_text("Too short: at least 2 characters.")).to_be_visible()
    operator.complaints.clear()  # Chromium logs every 422
    page.get_by_label("name").fill("valve")
    page.get_by_role("button", name="save").click()
    expect(page.get_by_role("button", name="Undo")).to_be_visible()
    with page.expect_response(lambda answer: answer.request.method == "POST"):
        page.get_by_role("button", name="Undo").click()
    operator.open("/things?q=back")
    expect(page.get_by_role("link", name="back")).to_be_visible()


def test_a_curve_is_drawn_from_its_table_and_follows_the_theme(operator: Person) -> None:
    page = operator.page
    operator.open("/things/1")
    expect(page.locator("#curve canvas")).to_be_visible()
    light = page.locator("#curve canvas").evaluate("canvas => canvas.toDataURL()")
    page.evaluate("document.documentElement.setAttribute('data-bs-theme', 'dark')")
    wait_until(page, "light => document.querySelector('#curve canvas').toDataURL() !== light", light)


def test_a_curve_without_javascript_is_its_table(chromium: Browser, stage: Stage) -> None:
    with person(chromium, stage.url, java_script_enabled=False, locale="en-GB") as somebody:
        somebody.sign_in(stage.login(Role.OPERATOR), PASSWORD)
        somebody.open("/things/1")
        expect(somebody.page.locator("#curve canvas")).to_have_count(0)
        somebody.page.locator("summary", has_text="Values as a table").click()
        expect(somebody.page.locator("#curve tbody tr")).to_have_count(10)
        expect(somebody.page.locator("#curve tbody tr").nth(5)).to_contain_text("no value")


@pytest.mark.parametrize("scheme", THEMES)
def test_without_a_choice_the_page_follows_the_device(chromium: Browser, stage: Stage, scheme: str) -> None:
    with person(chromium, stage.url, color_scheme=scheme) as somebody:
        somebody.open("/sign-in")
        expect(somebody.page.locator("html")).to_have_attribute("data-bs-theme", scheme)


def test_a_first_page_and_a_next_one_weigh_little(chromium: Browser, stage: Stage) -> None:
    with person(chromium, stage.url) as somebody:
        somebody.sign_in(stage.login(Role.OPERATOR), PASSWORD)
        somebody.page.wait_for_load_state("networkidle")
        assert somebody.received <= 60_000
        somebody.received = 0
        somebody.open("/things")
        assert somebody.received <= 12_000
