"""A repair on two telephones: the owner agrees and rates, the worker surveys, plans, works and finishes."""

import io
from collections.abc import Iterator
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, expect

from cloud.core.principal import Role
from cloud.repairs import surveys
from cloud.repairs.domain import Reply, Stage
from cloud.tickets.domain import State
from tests.cloud.estate import PASSWORD
from tests.cloud.repairs.job import Job, give_job
from tests.cloud.screens.whole import Whole
from tests.journeys.browsing import LANGUAGES, THEMES, Person, assert_accessible, person
from tests.journeys.whole import running_whole
from tests.servers.web import WebServer

pytestmark = pytest.mark.browser

PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True}


class Scene:
    """The whole application with a job that the worker has."""

    def __init__(self, server: WebServer, whole: Whole) -> None:
        self.url, self.whole, self._server = server.url, whole, server
        ticket_id = server.call(give_job(whole.site, whole.households))
        self.job = Job(site=whole.site, homes=whole.households, ticket_id=ticket_id)

    def run(self, act: Any) -> Any:
        return self._server.call(act)

    async def stages(self) -> list[Stage]:
        async with self.whole.database.reading() as session:
            photos = await surveys.photos(session, self.job.worker, ticket_id=self.job.ticket_id)
        return [photo.stage for photo in photos]


@pytest.fixture
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with running_whole(tmp_path_factory.mktemp("cloud")) as (server, whole):
        yield Scene(server, whole)


def _photo() -> dict[str, Any]:
    written = io.BytesIO()
    Image.new("RGB", (400, 300), "grey").save(written, "JPEG")
    return {"name": "现场.jpg", "mimeType": "image/jpeg", "buffer": written.getvalue()}


def _sign_in(somebody: Person, stage: Scene, role: Role, path: str) -> None:
    somebody.sign_in(stage.whole.login(role), PASSWORD)
    somebody.acts = 0
    somebody.open(path)


def test_an_owner_consents_in_two_taps_from_home(chromium: Browser, stage: Scene) -> None:
    stage.run(stage.job.propose())
    with person(chromium, stage.url, **PHONE) as owner:
        _sign_in(owner, stage, Role.OWNER, "/my/home")
        page = owner.page
        owner.prefer(language="en")
        owner.open("/my/home")
        owner.click(page.get_by_role("link", name="A plan waits for your consent"))
        expect(page.locator(".plan-lines")).to_contain_text("¥145.98")
        owner.click(page.get_by_role("button", name="Agree to ¥145.98"))
        page.wait_for_url(f"**/my/repairs/{stage.job.ticket_id}")
        assert owner.acts <= 3
        assert owner.complaints == []
    assert stage.run(stage.job.see()).state is State.AGREED


def test_a_plan_that_changes_under_the_finger_asks_again(chromium: Browser, stage: Scene) -> None:
    stage.run(stage.job.propose())
    with person(chromium, stage.url, **PHONE) as owner:
        _sign_in(owner, stage, Role.OWNER, "/my/home")
        owner.prefer(language="en")
        owner.open(f"/my/repairs/{stage.job.ticket_id}/plan")
        stage.run(stage.job.propose(stage.job.terms(hours="3")))
        owner.click(owner.page.get_by_role("button", name="Agree to"))
        expect(owner.page.locator(".plan-differences")).to_contain_text("¥145.98 → ¥265.98")
        owner.click(owner.page.get_by_role("button", name="Agree to ¥265.98"))
        owner.page.wait_for_url(f"**/my/repairs/{stage.job.ticket_id}")
        assert owner.acts == 2


def test_an_owner_rates_in_one_tap_from_the_message_without_signing_in(chromium: Browser, stage: Scene) -> None:
    link = f"/opinion/{stage.whole.examples['token']}"
    with person(chromium, stage.url, **PHONE) as owner:
        owner.prefer(language="en")
        owner.open(link)
        owner.click(owner.page.get_by_role("button", name="Very good"))
        expect(owner.page.locator(".is-chosen")).to_have_text("Very good")
        assert (owner.acts, owner.complaints) == (1, [])


def test_a_worker_surveys_plans_and_finishes_on_a_telephone(chromium: Browser, stage: Scene) -> None:
    job = stage.job
    with person(chromium, stage.url, **PHONE) as worker:
        _sign_in(worker, stage, Role.WORKER, "/day")
        page = worker.page
        worker.prefer(language="en")
        worker.open("/day")
        worker.click(page.get_by_role("link", name="The kitchen leaks"))
        worker.click(page.get_by_role("button", name="I am there"))
        expect(page.get_by_role("button", name="I am there")).to_have_count(0)
        worker.click(page.locator("summary", has_text="Survey"))
        worker.type(page.locator("#findings"), "主管开裂")
        page.locator("#survey_photos").set_input_files([_photo()])
        worker.click(page.get_by_role("button", name="Write down the survey"))
        expect(page.get_by_role("heading", name="So far")).to_be_visible()
        worker.click(page.get_by_role("link", name="Make a plan"))
        page.locator("#what-1").select_option("labour:")
        worker.type(page.locator("#text-1"), "水工")
        worker.type(page.locator("#quantity-1"), "1.5")
        worker.type(page.locator("#rate-1"), "80")
        page.locator("#what-2").select_option("item:material:pipe-20")
        worker.type(page.locator("#quantity-2"), "2")
        worker.click(page.get_by_role("button", name="Put it to whoever pays"))
        expect(page.locator(".plan-lines")).to_contain_text("¥145.98")
        stage.run(job.say(Reply.AGREED))
        worker.open(f"/work/{job.ticket_id}")
        worker.click(page.get_by_role("button", name="Begin the work"))
        expect(page.locator(".stands")).to_contain_text("In work")
        worker.click(page.locator("summary", has_text="End the visit"))
        worker.type(page.locator("#minutes"), "60")
        worker.type(page.locator("#signer"), "冯九")
        _draw(page)
        worker.click(page.get_by_role("button", name="End the visit"))
        expect(page.locator("summary", has_text="End the visit")).to_be_hidden()
        worker.acts = 0
        worker.click(page.locator("summary", has_text="Finish the job"))
        worker.type(page.locator("#result"), "换了主管")
        page.locator("#result_photos").set_input_files([_photo()])
        worker.click(page.get_by_role("button", name="Finish", exact=True))
        expect(page.locator(".stands")).to_contain_text("Resolved")
        assert worker.acts <= 4
        assert worker.complaints == []
    assert stage.run(stage.stages()) == [Stage.SURVEY, Stage.SIGNATURE, Stage.AFTER]
    assert [each["amount_minor"] for each in stage.run(job.charged())] == [8_000]


def _draw(page: Any) -> None:
    """Sign on the canvas, as a finger does."""
    canvas = page.locator("canvas.signature")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + 20, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + 120, box["y"] + 60, steps=5)
    page.mouse.up()
    expect(page.locator("[data-signature][data-signed]")).to_be_visible()


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_pages_of_a_repair_are_for_everybody(chromium: Browser, stage: Scene, theme: str, language: str) -> None:
    stage.run(stage.job.propose())
    base = f"/my/repairs/{stage.job.ticket_id}"
    with person(chromium, stage.url, **PHONE) as owner:
        _sign_in(owner, stage, Role.OWNER, "/my/home")
        owner.prefer(theme=theme, language=language)
        for path in (f"{base}/plan", base):
            owner.open(path)
            assert_accessible(owner.page)
    with person(chromium, stage.url, **PHONE) as worker:
        _sign_in(worker, stage, Role.WORKER, "/day")
        worker.prefer(theme=theme, language=language)
        for path in (f"/work/{stage.job.ticket_id}", f"/work/{stage.job.ticket_id}/plan"):
            worker.open(path)
            assert_accessible(worker.page)
