"""A list made one's own: its columns, a view of it that is kept, and the list as a file."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from starlette.types import ASGIApp

from cloud.core.database import Base, Database
from cloud.core.files import FileStore
from cloud.core.principal import Role
from cloud.web import shown
from cloud.web.exporting import build_due
from tests.clocks import FixedClock
from tests.cloud.estate import PASSWORD
from tests.cloud.web.conftest import Site
from tests.journeys.browsing import LANGUAGES, THEMES, assert_accessible, person
from tests.servers.web import WebServer, running_web

pytestmark = pytest.mark.browser

_PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[tuple[WebServer, Site]]:
    made: list[Site] = []

    async def make() -> ASGIApp:
        database = Database(f"sqlite+aiosqlite:///{tmp_path / 'gatehouse.db'}")
        async with database.engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
        site = Site(database, FixedClock())
        await site.seed()
        site.app.state.files = FileStore((tmp_path / "files").as_uri())
        made.append(site)
        return site.app

    async def close() -> None:
        await made[0].database.close()

    with running_web(make, close) as server:
        yield server, made[0]


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
@pytest.mark.parametrize("device", [{}, _PHONE], ids=["desk", "phone"])
def test_columns_are_chosen_a_view_is_kept_and_the_list_is_taken_along(
    chromium: Browser,
    stage: tuple[WebServer, Site],
    monkeypatch: pytest.MonkeyPatch,
    scripts: bool,
    device: dict[str, object],
) -> None:
    monkeypatch.setattr(shown, "AT_ONCE_ROWS", 2)
    server, site = stage
    with person(chromium, server.url, java_script_enabled=scripts, locale="en-GB", **device) as boss:
        boss.sign_in(site.estate.login(Role.ADMINISTRATOR), PASSWORD)
        page = boss.page
        boss.open("/things")
        boss.acts = 0
        boss.click(page.locator("summary", has_text="Columns"))
        boss.click(page.get_by_role("button", name="Move Since forward"))
        expect(page.locator("thead th").nth(2)).to_contain_text("Since")
        boss.click(page.get_by_label("Act", exact=True))
        boss.click(page.get_by_role("button", name="Show these columns"))
        expect(page).to_have_url(f"{server.url}/things?cols=name,at")
        boss.click(page.locator("summary", has_text="Views"))
        boss.type(page.get_by_label("Keep what is shown now as"), "Short")
        boss.click(page.get_by_label("Open the list with it"))
        boss.click(page.get_by_role("button", name="Keep the view"))
        expect(page.locator("summary", has_text="Short")).to_be_visible()
        assert boss.acts <= 9
        boss.open("/things")
        expect(page).to_have_url(f"{server.url}/things?cols=name,at&view=1")
        boss.click(page.locator(".list-menu-end summary"))
        boss.click(page.get_by_role("button", name="CSV text"))
        expect(page.get_by_text("Waits for its turn")).to_be_visible()
        files = site.app.state.files
        server.call(build_due(site.database, site.clock, files=files, hub=site.hub, site=lambda: site.app))
        if not scripts:
            boss.open("/exports")
        with page.expect_download() as waiting:
            boss.click(page.get_by_role("link", name="Fetch the file"))
        assert Path(waiting.value.path()).read_text("utf-8-sig").splitlines()[0] == "Name,Since"
        assert boss.complaints == []


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_its_menus_and_pages_are_accessible(
    chromium: Browser, stage: tuple[WebServer, Site], theme: str, language: str
) -> None:
    server, site = stage
    with person(chromium, server.url) as boss:
        boss.prefer(theme=theme, language=language)
        boss.sign_in(site.estate.login(Role.ADMINISTRATOR), PASSWORD)
        boss.open("/things")
        boss.page.locator(".list-menu summary").first.click()
        boss.page.locator(".list-keep [name=name]").fill("短")
        boss.page.locator(".list-keep button").click()
        for path in ("/things?view=1", "/things?cols=name,gone&view=1", "/views/1", "/views/1/delete", "/exports"):
            boss.open(path)
            assert_accessible(boss.page)


@pytest.mark.parametrize("menu", range(3))
@pytest.mark.parametrize("width", [360, 800, 1280])
def test_no_menu_scrolls_the_page_sideways(
    chromium: Browser, stage: tuple[WebServer, Site], menu: int, width: int
) -> None:
    server, site = stage
    with person(chromium, server.url, viewport={"width": width, "height": 800}) as boss:
        boss.sign_in(site.estate.login(Role.ADMINISTRATOR), PASSWORD)
        boss.open("/things")
        boss.page.locator(".list-menu summary").nth(menu).click()
        assert boss.page.evaluate("document.documentElement.scrollWidth") <= width
