"""An owner with a telephone: in by a code or a letter, a fault with its photo, with and without a network."""

import io
import re
from collections.abc import Iterator
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, expect
from sqlalchemy import select

from cloud.accounts import telephones
from cloud.core.principal import Role
from cloud.notifications.tables import DeliveryRow
from tests.cloud.estate import PASSWORD
from tests.cloud.screens.whole import Whole
from tests.journeys.browsing import Person, person, wait_until
from tests.journeys.whole import running_whole
from tests.servers.web import WebServer

pytestmark = pytest.mark.browser

PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True}
NUMBER = "13800000031"


class Stage:
    """The whole application, and what its gateway for messages would have got."""

    def __init__(self, server: WebServer, whole: Whole) -> None:
        self.url, self.whole, self._server = server.url, whole, server

    def give_number(self) -> None:
        """Let the desk enter the owner's number."""
        self._server.call(self._give_number())

    def code(self) -> str:
        """Return the code that was sent last."""
        code: str = self._server.call(self._code())
        return code

    async def _give_number(self) -> None:
        whole = self.whole
        async with whole.database.transaction() as session:
            await telephones.change_owner(
                session,
                whole.clock,
                whole.site.estate.administrator,
                whole.households.owner.person_id or 0,
                name="冯九",
                phone=NUMBER,
            )

    async def _code(self) -> str:
        async with self.whole.database.reading() as session:
            sent = (await session.scalars(select(DeliveryRow).order_by(DeliveryRow.id.desc()).limit(1))).one()
        return re.findall(r"\d{6}", sent.text or "")[0]


@pytest.fixture
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with running_whole(tmp_path_factory.mktemp("cloud")) as (server, whole):
        yield Stage(server, whole)


def _photo(side: int = 2_400) -> dict[str, Any]:
    written = io.BytesIO()
    Image.effect_noise((side, side * 3 // 4), 40).convert("RGB").save(written, "JPEG", quality=95)
    return {"name": "水龙头.jpg", "mimeType": "image/jpeg", "buffer": written.getvalue()}


def _at_home(owner: Person, stage: Stage) -> None:
    owner.sign_in(stage.whole.login(Role.OWNER), PASSWORD)
    owner.acts = 0
    owner.open("/my/home")


def test_an_owner_signs_in_with_a_number_and_a_code_in_four_acts(chromium: Browser, stage: Stage) -> None:
    stage.give_number()
    with person(chromium, stage.url, **PHONE) as owner:
        page = owner.page
        owner.open("/sign-in/phone")
        owner.type(page.locator("#phone"), NUMBER)
        owner.press("Enter")
        page.wait_for_url("**/sign-in/code**")
        owner.type(page.locator("#code"), stage.code())
        owner.press("Enter")
        page.wait_for_url("**/my/home")
        expect(page.locator(".homes")).to_contain_text("501")
        assert (owner.acts, owner.complaints) == (4, [])


def test_a_letter_leads_home_in_five_acts_with_its_scan(chromium: Browser, stage: Stage) -> None:
    with person(chromium, stage.url, **PHONE) as owner:
        page = owner.page
        owner.acts = 1  # the scan
        owner.open(f"/join/{stage.whole.examples['unit_code']}")
        owner.type(page.locator("#phone"), "13800000002")
        owner.press("Enter")
        page.wait_for_url("**/sign-in/code**")
        owner.type(page.locator("#code"), stage.code())
        owner.press("Enter")
        page.wait_for_url("**/my/home")
        expect(page.locator(".homes")).to_contain_text("501")
        assert owner.acts <= 5


def test_a_fault_with_its_photo_is_reported_in_three_taps(chromium: Browser, stage: Stage) -> None:
    with person(chromium, stage.url, **PHONE) as owner:
        _at_home(owner, stage)
        page = owner.page
        owner.click(page.locator(".big-act a"))
        photo = _photo()
        owner.acts += 1  # the tap that opens the telephone's own choice of a photo
        page.locator("#photos").set_input_files(photo)
        expect(page.locator("[data-chosen]")).not_to_be_empty()
        length = page.evaluate("document.getElementById('photos').files[0].size")
        owner.click(page.locator("#report button.btn-primary"))
        page.wait_for_url(re.compile(r"/my/repairs/\d+"))
        image = page.locator(".photos img")
        expect(image).to_have_attribute("width", "1600")
        assert length < len(photo["buffer"])
        assert owner.acts <= 4
        assert owner.complaints == []


def test_a_report_without_a_network_is_kept_said_and_sent_by_itself(chromium: Browser, stage: Stage) -> None:
    with person(chromium, stage.url, **PHONE) as owner:
        _at_home(owner, stage)
        page = owner.page
        owner.open("/my/report")
        page.locator("#photos").set_input_files(_photo(800))
        expect(page.locator("[data-chosen]")).not_to_be_empty()
        page.locator("#text").fill("走廊灯坏了")
        page.context.set_offline(True)
        page.locator("#report button.btn-primary").click()
        expect(page.locator("#draft")).to_be_visible()
        page.context.set_offline(False)
        page.wait_for_url(re.compile(r"/my/repairs/\d+"))
        expect(page.locator("h1")).to_have_text("走廊灯坏了")
        expect(page.locator(".photos img")).to_have_count(1)
        owner.open("/my/report")
        expect(page.locator("#text")).to_have_value("")


def test_words_typed_for_a_report_outlast_the_page(chromium: Browser, stage: Stage) -> None:
    with person(chromium, stage.url, **PHONE) as owner:
        _at_home(owner, stage)
        owner.open("/my/report")
        owner.page.locator("#text").fill("走廊灯坏了")
        wait_until(owner.page, "() => localStorage.getItem('gatehouse-report')")
        owner.open("/my/home")
        owner.open("/my/report")
        expect(owner.page.locator("#text")).to_have_value("走廊灯坏了")
        expect(owner.page.locator("#draft")).to_be_visible()


def test_an_owners_first_page_is_light_enough_for_a_telephone(chromium: Browser, stage: Stage) -> None:
    with person(chromium, stage.url, **PHONE) as owner:
        _at_home(owner, stage)
        owner.page.wait_for_load_state("networkidle")
        before = owner.received
        owner.open("/my/repairs")
        owner.page.wait_for_load_state("networkidle")
        assert owner.received - before <= 12 * 1024
