"""Every page of the application, in both themes and both languages."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser
from starlette.types import ASGIApp

from cloud.core.principal import Role
from tests.cloud.estate import PASSWORD
from tests.cloud.screens.whole import Whole, make_whole, pages
from tests.journeys.browsing import LANGUAGES, THEMES, assert_accessible, person
from tests.servers.web import running_web

pytestmark = [pytest.mark.browser, pytest.mark.timeout(1_800)]


SIZES = ("normal", "elder")
LOOKS = tuple(zip(LANGUAGES, THEMES, strict=True))
"""Each language and each theme once: words hang on the one, contrasts on the other, and nothing on both."""


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Whole]]:
    made: list[Whole] = []

    async def make() -> ASGIApp:
        made.append(await make_whole(tmp_path_factory.mktemp("cloud")))
        return made[0].app

    async def close() -> None:
        await made[0].close()

    with running_web(make, close) as server:
        yield server.url, made[0]


@pytest.mark.parametrize(("language", "theme"), LOOKS)
def test_every_page_is_accessible_and_the_browser_has_nothing_to_say(
    chromium: Browser, stage: tuple[str, Whole], theme: str, language: str
) -> None:
    url, whole = stage
    with person(chromium, url) as administrator:
        administrator.prefer(theme=theme, language=language)
        administrator.sign_in(whole.login(Role.ADMINISTRATOR), PASSWORD)
        for path in _paths(whole, of_owners=False):
            administrator.open(path)
            assert_accessible(administrator.page)
        assert administrator.complaints == []


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("size", SIZES)
def test_every_page_of_an_owner_is_accessible_on_a_telephone(
    chromium: Browser, stage: tuple[str, Whole], theme: str, language: str, size: str
) -> None:
    url, whole = stage
    with person(chromium, url, viewport={"width": 360, "height": 740}) as owner:
        owner.prefer(theme=theme, language=language, size=size)
        owner.sign_in(whole.login(Role.OWNER), PASSWORD)
        wide = []
        for path in _paths(whole, of_owners=True):
            owner.open(path)
            assert_accessible(owner.page)
            drawn = owner.page.evaluate("document.documentElement.scrollWidth")
            wide += [(path, drawn)] if drawn > 360 else []
        assert (wide, owner.complaints) == ([], [])


@pytest.mark.parametrize("size", ["normal", "elder"])
def test_no_page_scrolls_sideways_on_a_phone_a_tablet_or_a_desk(
    chromium: Browser, stage: tuple[str, Whole], size: str
) -> None:
    url, whole = stage
    with person(chromium, url) as administrator:
        administrator.prefer(size=size)
        administrator.sign_in(whole.login(Role.ADMINISTRATOR), PASSWORD)
        wide = []
        for path in _paths(whole, of_owners=False):
            administrator.open(path)
            for width in (360, 800, 1280):
                administrator.page.set_viewport_size({"width": width, "height": 800})
                drawn = administrator.page.evaluate("document.documentElement.scrollWidth")
                wide += [(path, width, drawn)] if drawn > width else []
        assert wide == []


def _paths(whole: Whole, *, of_owners: bool) -> list[str]:
    """Return the addresses of an owner's pages, or of everybody else's."""
    paths = [whole.path(route) for route in pages(whole.app) if "GET" in route.methods]
    return [path for path in paths if path.startswith("/my/") is of_owners]
