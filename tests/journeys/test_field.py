"""A worker in a basement: what is done without a network is kept, sent once there is one, and done once."""

import io
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import func, select
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cloud.core.principal import Role
from cloud.repairs import surveys
from cloud.repairs.domain import Stage as Photographed
from cloud.tickets.deadlines import Deadline, deadlines
from cloud.tickets.domain import Deed, Target
from cloud.tickets.tables import TicketEntryRow
from cloud.tickets.timeline import Entry, timeline
from cloud.tickets.timers import judge_due
from tests.cloud.estate import PASSWORD
from tests.cloud.repairs.job import give_job
from tests.cloud.screens.whole import Whole, make_whole
from tests.journeys.browsing import LANGUAGES, THEMES, Person, assert_accessible, person, wait_until
from tests.servers.web import WebServer, running_web

pytestmark = pytest.mark.browser

_FILL_UP = """() => {
  for (let size = 8_000_000; size > 1_000; size = Math.floor(size / 2)) {
    try {
      localStorage.setItem("filler", (localStorage.getItem("filler") ?? "") + "x".repeat(size));
    } catch { /* half as much may still go in */ }
  }
}"""

PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True}


class LostAnswers:
    """A line that breaks off in the middle of an answer: what was asked for is done, and nobody hears of it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app, self.loses = app, ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, and break off the answer to a form that is sent to an address with `loses` in it."""
        if not self.loses or scope["type"] != "http" or scope["method"] != "POST" or self.loses not in scope["path"]:
            await self._app(scope, receive, send)
            return

        async def break_off(message: Message) -> None:
            if message["type"] == "http.response.start":
                await send({**message, "headers": [(b"content-length", b"1000000")]})

        await self._app(scope, receive, break_off)


class Stage:
    """The whole application behind a line that may lose answers, and the ticket that the worker is asked to take."""

    def __init__(self, server: WebServer, whole: Whole, line: LostAnswers) -> None:
        self.url, self.whole, self.line, self._server = server.url, whole, line, server
        self.ticket_id = int(str(whole.examples["ticket_id"]))

    def times(self, deed: Deed) -> int:
        """Return how often something happened to the ticket."""
        return self._server.call(self._times(deed))

    def give_light(self, type_code: str = "public_area") -> None:
        """Give the worker another job, which is then the one that counts."""
        self.ticket_id = self._server.call(give_job(self.whole.site, self.whole.households, type_code=type_code))

    def photos(self) -> list[Photographed]:
        """Return of what the photos of the job are."""
        return self._server.call(self._photos())

    def told(self, deed: Deed) -> Entry:
        """Return the newest line of the ticket's timeline that tells of a deed."""
        return self._server.call(self._told(deed))

    def first_contact(self) -> Deadline:
        """Return by when whoever asked was to be spoken to, and what became of it."""
        return self._server.call(self._first_contact())

    def look_at_the_clock(self) -> None:
        """Run the job of what falls due."""
        self._server.call(self._look_at_the_clock())

    async def _told(self, deed: Deed) -> Entry:
        async with self.whole.database.reading() as session:
            lines = await timeline(session, self.whole.site.system, ticket_ids=[self.ticket_id])
        return next(line for line in lines[self.ticket_id] if line.deed is deed)

    async def _first_contact(self) -> Deadline:
        async with self.whole.database.reading() as session:
            found = await deadlines(session, self.whole.site.system, ticket_ids=[self.ticket_id])
        return next(each for each in found[self.ticket_id] if each.target is Target.FIRST_CONTACT)

    async def _look_at_the_clock(self) -> None:
        async with self.whole.database.transaction() as session:
            await judge_due(session, self.whole.clock)

    async def _photos(self) -> list[Photographed]:
        worker = self.whole.site.estate.principals[Role.WORKER]
        async with self.whole.database.reading() as session:
            return [photo.stage for photo in await surveys.photos(session, worker, ticket_id=self.ticket_id)]

    async def _times(self, deed: Deed) -> int:
        found = select(func.count()).where(TicketEntryRow.ticket_id == self.ticket_id, TicketEntryRow.deed == deed)
        async with self.whole.database.reading() as session:
            return await session.scalar(found) or 0


@pytest.fixture
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    made: list[tuple[Whole, LostAnswers]] = []

    async def make() -> ASGIApp:
        whole = await make_whole(tmp_path_factory.mktemp("cloud"))
        made.append((whole, LostAnswers(whole.app)))
        return made[0][1]

    async def close() -> None:
        await made[0][0].close()

    with running_web(make, close) as server:
        yield Stage(server, *made[0])


def _begin(worker: Person, stage: Stage, role: Role = Role.WORKER) -> None:
    worker.prefer(language="en")
    worker.sign_in(stage.whole.login(role), PASSWORD)
    worker.acts = 0


def _go_down(page: Page) -> None:
    """Leave the network once the telephone holds the day."""
    wait_until(page, "() => Boolean(navigator.serviceWorker.controller)")
    expect(page.locator("body[data-pages=kept]")).to_be_attached()
    page.context.set_offline(True)


def _accept(page: Page) -> Any:
    return page.locator("form[action$='/accept'] button")


def _fill(page: Page, deed: str, **fields: Any) -> None:
    """Unfold a job's form, fill it in and send it."""
    form = page.locator(f"form[action$='/{deed}']")
    page.locator("details", has=form).locator("summary").click()
    for name, value in fields.items():
        field = form.locator(f"[name={name}]")
        if isinstance(value, str):
            field.fill(value)
        else:
            field.set_input_files(value)
    form.locator("button.btn").last.click()


def _photo() -> dict[str, Any]:
    written = io.BytesIO()
    Image.effect_noise((800, 600), 40).convert("RGB").save(written, "JPEG")
    return {"name": "现场.jpg", "mimeType": "image/jpeg", "buffer": written.getvalue()}


def _until_nothing_waits(page: Page) -> None:
    expect(page.locator("#kept")).to_be_hidden()


def _until_done(page: Page, stage: Stage, deed: Deed) -> None:
    """Wait until the ticket has it, whether or not the telephone has heard so."""
    while not stage.times(deed):
        page.wait_for_timeout(50)


def test_a_worker_begins_with_the_day_and_accepts_in_one_tap(chromium: Browser, stage: Stage) -> None:
    with person(chromium, stage.url, **PHONE) as worker:
        _begin(worker, stage)
        expect(worker.page).to_have_url(re.compile("/day$"))
        worker.click(_accept(worker.page))
        expect(worker.page.locator("#notices")).to_contain_text("The ticket is yours.")
        expect(_accept(worker.page)).to_have_count(0)
        assert (worker.acts, stage.times(Deed.TAKEN), worker.complaints) == (1, 1, [])


def test_what_is_accepted_in_the_basement_is_kept_said_and_sent_by_itself(chromium: Browser, stage: Stage) -> None:
    with person(chromium, stage.url, **PHONE) as worker:
        _begin(worker, stage)
        page = worker.page
        _go_down(page)
        _accept(page).click()
        expect(page.locator("#kept")).to_contain_text("It is sent as soon as there is a network.")
        expect(_accept(page)).to_be_hidden()
        assert stage.times(Deed.TAKEN) == 0
        page.context.set_offline(False)
        _until_nothing_waits(page)
        expect(page.locator(f"#job-{stage.ticket_id}")).to_contain_text("Assigned")
        assert stage.times(Deed.TAKEN) == 1


def test_the_day_opens_without_a_network_and_says_of_when_it_is(chromium: Browser, stage: Stage) -> None:
    with person(chromium, stage.url, **PHONE) as worker:
        _begin(worker, stage)
        page = worker.page
        _go_down(page)
        page.goto(stage.url + "/day")
        expect(page.locator(f"#job-{stage.ticket_id}")).to_be_visible()
        expect(page.locator("#kept-as-of")).to_contain_text("This is as it was on")


def test_what_was_done_is_sent_after_the_tab_was_closed_and_opened_again(chromium: Browser, stage: Stage) -> None:
    with person(chromium, stage.url, **PHONE) as worker:
        _begin(worker, stage)
        _go_down(worker.page)
        _accept(worker.page).click()
        expect(worker.page.locator("#kept")).to_be_visible()
        worker.page.close()
        page = worker.page.context.new_page()
        page.goto(stage.url + "/day")
        expect(page.locator("#kept")).to_contain_text("Accept")
        page.context.set_offline(False)
        _until_nothing_waits(page)
        assert stage.times(Deed.TAKEN) == 1


def test_an_act_whose_answer_is_lost_is_done_once(chromium: Browser, stage: Stage) -> None:
    with person(chromium, stage.url, **PHONE) as worker:
        _begin(worker, stage)
        page = worker.page
        stage.line.loses = "/accept"
        _accept(page).click()
        expect(page.locator("#kept")).to_be_visible()
        _until_done(page, stage, Deed.TAKEN)
        stage.line.loses = ""
        page.evaluate("dispatchEvent(new Event('online'))")
        _until_nothing_waits(page)
        assert stage.times(Deed.TAKEN) == 1


def test_two_tabs_send_what_is_kept_once(chromium: Browser, stage: Stage) -> None:
    with person(chromium, stage.url, **PHONE) as worker:
        _begin(worker, stage)
        other = worker.page.context.new_page()
        other.goto(stage.url + "/day")
        _go_down(worker.page)
        _accept(worker.page).click()
        expect(other.locator("#kept")).to_be_visible()
        worker.page.context.set_offline(False)
        for page in (worker.page, other):
            _until_nothing_waits(page)
        assert stage.times(Deed.TAKEN) == 1


def test_what_is_refused_later_stays_in_sight_with_the_reason_until_somebody_decides(
    chromium: Browser, stage: Stage
) -> None:
    with person(chromium, stage.url, **PHONE) as worker:
        _begin(worker, stage)
        page = worker.page
        _go_down(page)
        _accept(page).click()
        expect(page.locator("#kept")).to_be_visible()
        stage.whole.clock.advance(minutes=11)  # the offer ends
        page.context.set_offline(False)
        expect(page.locator("#kept .is-refused")).to_contain_text("This offer is over")
        page.reload()
        expect(page.locator("#kept .is-refused")).to_contain_text("it needs you")
        page.locator("#kept [data-discard]").click()
        _until_nothing_waits(page)
        assert stage.times(Deed.TAKEN) == 0


def test_a_session_that_ended_meanwhile_is_said_and_signing_in_sends_what_is_kept(
    chromium: Browser, stage: Stage
) -> None:
    with person(chromium, stage.url, **PHONE) as worker:
        _begin(worker, stage)
        page = worker.page
        _go_down(page)
        _accept(page).click()
        expect(page.locator("#kept")).to_be_visible()
        page.context.clear_cookies(name="gatehouse_session")
        page.context.set_offline(False)
        expect(page.locator("#kept-sign-in")).to_be_visible()
        page.locator("#kept-sign-in a").click()
        worker.type(page.locator("#login"), stage.whole.login(Role.WORKER))
        worker.type(page.locator("#password"), PASSWORD)
        worker.press("Enter")
        page.wait_for_url("**/day")
        expect(page.locator(f"#job-{stage.ticket_id}")).to_contain_text("Assigned")
        assert stage.times(Deed.TAKEN) == 1


def test_signing_out_asks_about_what_is_not_sent_and_shows_it_to_nobody_else(chromium: Browser, stage: Stage) -> None:
    with person(chromium, stage.url, **PHONE) as worker:
        _begin(worker, stage)
        page = worker.page
        stage.line.loses = "/accept"
        _accept(page).click()
        expect(page.locator("#kept")).to_be_visible()
        page.locator("details.menu").last.locator("summary").click()
        page.locator("form[action='/sign-out'] button").click()
        page.locator("#kept-leave [data-leave]").click()
        page.wait_for_url("**/sign-in**")
        assert page.evaluate("caches.keys()") == []
        worker.sign_in(stage.whole.login(Role.ADMINISTRATOR), PASSWORD)
        worker.open("/day")
        expect(page.locator("#kept")).to_be_hidden()
        expect(page.locator(f"#job-{stage.ticket_id}")).to_have_count(0)
        _go_down(page)
        page.goto(stage.url + "/day")
        expect(page.locator("#kept-as-of")).to_be_visible()
        expect(page.locator(f"#job-{stage.ticket_id}")).to_have_count(0)


def test_a_job_is_done_from_contact_to_finish_in_the_basement_and_told_once_in_order(
    chromium: Browser, stage: Stage
) -> None:
    stage.give_light()
    with person(chromium, stage.url, **PHONE) as worker:
        _begin(worker, stage)
        page = worker.page
        _go_down(page)
        page.goto(f"{stage.url}/work/{stage.ticket_id}")
        expect(page.locator("#kept-as-of")).to_be_visible()
        _fill(page, "contact", next_step="马上到")
        expect(page.locator("form[action$='/contact']")).to_be_hidden()
        page.locator("form[action$='/start'] button").click()
        _fill(page, "survey", findings="灯管坏了", survey_photos=_photo())
        expect(page.locator("form[action$='/survey']")).to_be_hidden()
        _fill(page, "finish", result="换了灯管", result_photos=_photo())
        expect(page.locator("#kept li")).to_have_count(4)
        assert stage.times(Deed.CONTACTED) == 0
        stage.line.loses = "/start"
        page.context.set_offline(False)
        expect(page.locator("#kept li")).to_have_count(3)
        _until_done(page, stage, Deed.STARTED)
        stage.line.loses = ""
        page.reload()
        _until_nothing_waits(page)
        expect(page.locator(".stands")).to_contain_text("Resolved")
    deeds = (Deed.CONTACTED, Deed.STARTED, Deed.RESOLVED)
    assert [stage.times(deed) for deed in deeds] == [1, 1, 1]
    assert stage.photos() == [Photographed.SURVEY, Photographed.AFTER]


def test_a_contact_in_the_basement_counts_from_when_it_was_made(chromium: Browser, stage: Stage) -> None:
    stage.give_light()
    with person(chromium, stage.url, **PHONE) as worker:
        worker.page.clock.install()
        _begin(worker, stage)
        page = worker.page
        _go_down(page)
        page.goto(f"{stage.url}/work/{stage.ticket_id}")
        _fill(page, "contact", next_step="马上到")
        expect(page.locator("#kept li")).to_have_count(1)
        page.clock.fast_forward("40:00")
        stage.whole.clock.advance(minutes=45)
        stage.look_at_the_clock()
        assert stage.first_contact().breached_at is not None
        page.context.set_offline(False)
        _until_nothing_waits(page)
        page.goto(f"{stage.url}/tickets/{stage.ticket_id}")
        expect(page.locator(".timeline")).to_contain_text("Met in time, and told late: no deadline was missed")
    line, met = stage.told(Deed.CONTACTED), stage.first_contact()
    assert line.told_at == stage.whole.clock.now()
    assert timedelta(minutes=40) <= line.told_at - line.at <= timedelta(minutes=45)
    assert (met.is_met, met.breached_at, met.ended_at) == (True, None, line.at)


def _without_a_database(worker: Person) -> None:
    """Take from the browser what old ones and private windows lack: its database, and the worker between pages."""
    worker.page.context.add_init_script(
        "Object.defineProperty(window, 'indexedDB', {get() { throw new Error('switched off'); }});"
        "delete Navigator.prototype.serviceWorker;"
    )


def test_without_a_database_what_is_done_is_kept_as_text_photos_too_and_sent_once(
    chromium: Browser, stage: Stage
) -> None:
    stage.give_light()
    with person(chromium, stage.url, **PHONE) as worker:
        _without_a_database(worker)
        _begin(worker, stage)
        page = worker.page
        worker.open(f"/work/{stage.ticket_id}")
        page.context.set_offline(True)
        _fill(page, "contact", next_step="马上到")
        _fill(page, "survey", findings="灯管坏了", survey_photos=_photo())
        expect(page.locator("#kept li")).to_have_count(2)
        assert page.evaluate("JSON.parse(localStorage.getItem('gatehouse-field')).length") == 2
        page.close()
        page.context.set_offline(False)
        again = page.context.new_page()
        again.goto(f"{stage.url}/day")
        _until_nothing_waits(again)
        assert again.evaluate("localStorage.getItem('gatehouse-field')") == "[]"
    assert [stage.times(deed) for deed in (Deed.CONTACTED, Deed.ARRIVED)] == [1, 1]
    assert stage.photos() == [Photographed.SURVEY]


def test_without_a_database_what_has_no_room_stays_in_its_form_and_says_so(chromium: Browser, stage: Stage) -> None:
    stage.give_light()
    with person(chromium, stage.url, **PHONE) as worker:
        _without_a_database(worker)
        _begin(worker, stage)
        page = worker.page
        worker.open(f"/work/{stage.ticket_id}")
        page.evaluate(_FILL_UP)
        page.context.set_offline(True)
        _fill(page, "survey", findings="灯管坏了", survey_photos=_photo())
        expect(page.locator("form[action$='/survey'] [role=alert]")).to_contain_text("has no room to keep it")
        expect(page.locator("#findings")).to_have_value("灯管坏了")
        page.evaluate("localStorage.removeItem('filler')")
        page.context.set_offline(False)
        page.locator("form[action$='/survey'] button.btn").last.click()
        expect(page.locator("#notices")).to_contain_text("What you found is written down.")
    assert stage.photos() == [Photographed.SURVEY]


def test_a_plan_is_made_in_the_basement(chromium: Browser, stage: Stage) -> None:
    stage.give_light("water_indoor")
    with person(chromium, stage.url, **PHONE) as worker:
        _begin(worker, stage)
        page = worker.page
        _go_down(page)
        page.goto(f"{stage.url}/work/{stage.ticket_id}/plan")
        page.locator("#what-1").select_option("labour:")
        page.locator("#text-1").fill("水工")
        page.locator("#quantity-1").fill("1.5")
        page.locator("#rate-1").fill("80")
        page.locator("form[action$='/plan'] button.btn-primary").click()
        expect(page.locator("#kept li")).to_have_count(1)
        assert stage.times(Deed.PROPOSED) == 0
        page.context.set_offline(False)
        _until_nothing_waits(page)
    assert stage.times(Deed.PROPOSED) == 1


def test_what_is_wrong_in_a_form_is_said_at_it_and_what_was_typed_stays(chromium: Browser, stage: Stage) -> None:
    stage.give_light()
    with person(chromium, stage.url, **PHONE) as worker:
        _begin(worker, stage)
        page = worker.page
        worker.open(f"/work/{stage.ticket_id}")
        _fill(page, "contact", learnt="整层没电")
        expect(page.locator("form[action$='/contact'] [role=alert]")).to_contain_text("Say how it goes on.")
        expect(page.locator("#learnt")).to_have_value("整层没电")
        expect(page.locator("#kept")).to_be_hidden()
    assert stage.times(Deed.CONTACTED) == 0


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_day_is_accessible_as_it_is_and_with_what_waits_and_what_was_refused(
    chromium: Browser, stage: Stage, theme: str, language: str
) -> None:
    with person(chromium, stage.url, **PHONE) as worker:
        worker.prefer(theme=theme, language=language, size="elder")
        worker.sign_in(stage.whole.login(Role.WORKER), PASSWORD)
        page = worker.page
        assert_accessible(page)
        page.reload()  # folds what was unfolded
        _go_down(page)
        _accept(page).click()
        expect(page.locator("#kept")).to_be_visible()
        assert_accessible(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        stage.whole.clock.advance(minutes=11)
        page.context.set_offline(False)
        expect(page.locator("#kept .is-refused")).to_be_visible()
        assert_accessible(page)


def test_the_day_is_light_enough_for_a_telephone(chromium: Browser, stage: Stage) -> None:
    with person(chromium, stage.url, **PHONE) as worker:
        _begin(worker, stage)
        expect(worker.page.locator("body[data-pages=kept]")).to_be_attached()
        worker.page.wait_for_load_state("networkidle")
        before = worker.received
        worker.open("/day")
        worker.page.wait_for_load_state("load")
        assert worker.received - before <= 12 * 1024
