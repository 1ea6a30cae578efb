"""A matter's whole way over the screens of all who have to do with it, in both languages, with what each act costs."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator, expect
from sqlalchemy import select

from cloud.core.delivery import DeliveryLoop
from cloud.core.outbox import DeliveryState, OutboxDelivery, emit
from cloud.core.principal import Role
from cloud.feedback.domain import Rating
from cloud.feedback.tables import OpinionRow
from cloud.fleet.domain import ReadingsTaken
from cloud.notifications.domain import Kind
from cloud.notifications.tables import MessageRow
from cloud.tickets.domain import State
from cloud.tickets.reading import Ticket, ticket
from cloud.web import words
from cloud.web.catalogues import Locale, catalogue
from cloud.wiring import wire
from tests.cloud.estate import PASSWORD
from tests.cloud.screens.whole import Whole
from tests.journeys.browsing import LANGUAGES, Person, person
from tests.journeys.whole import running_whole
from tests.servers.web import WebServer

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("language", LANGUAGES)]

PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True}
_HALF_AN_HOUR_S = 1_800


class Town:
    """The whole application, and what happens of itself in it when a test says so."""

    def __init__(self, server: WebServer, whole: Whole) -> None:
        self.url = server.url
        self._whole = whole
        self._server = server

    @contextmanager
    def someone(self, browser: Browser, role: Role, language: str, **device: Any) -> Iterator[Person]:
        """Yield somebody who has signed in, whose browser must not complain."""
        with person(browser, self.url, **device) as somebody:
            somebody.prefer(language=language)
            somebody.sign_in(self._whole.login(role), PASSWORD)
            somebody.acts = 0
            yield somebody
            assert somebody.complaints == []

    def wait(self, seconds: float) -> None:
        """Let time pass, and happen what follows from what was done."""
        self._whole.clock.advance(seconds=seconds)
        self._server.call(self._deliver())

    def measure(self, value: float, *, after_s: float = 1) -> None:
        """Let time pass and the office's probe send a value."""
        self._server.call(self._measure(value, after_s))

    def ticket(self, ticket_id: int) -> Ticket:
        return self._server.call(self._ticket(ticket_id))

    def opinions(self) -> list[int]:
        return self._server.call(self._opinions())

    def link_of(self, kind: Kind) -> str:
        """Return where the latest message of a kind leads."""
        return self._server.call(self._link_of(kind))

    async def _link_of(self, kind: Kind) -> str:
        async with self._whole.database.reading() as session:
            links = select(MessageRow.link).where(MessageRow.kind == kind).order_by(MessageRow.id.desc()).limit(1)
            return (await session.scalars(links)).one()

    async def _deliver(self) -> None:
        site = self._whole.site
        await DeliveryLoop(site.database, site.clock, wire(site.series, self._whole.app.state.hub)).deliver_due()

    async def _measure(self, value: float, after_s: float) -> None:
        site = self._whole.site
        site.clock.advance(seconds=after_s)
        rows = [(site.points["probe/temperature"], site.us(0), value, 0)]
        await site.series.append(rows)
        event = ReadingsTaken(organisation_id=site.estate.organisation_id, box_id=site.box_id, rows=rows, pending=0)
        async with site.database.transaction() as session:
            await emit(session, site.clock, event)
        await self._deliver()

    async def _ticket(self, ticket_id: int) -> Ticket:
        async with self._whole.database.reading() as session:
            return await ticket(session, self._whole.clock, self._whole.site.system, ticket_id=ticket_id)

    async def _opinions(self) -> list[int]:
        async with self._whole.database.reading() as session:
            return list(await session.scalars(select(OpinionRow.rating)))


@pytest.fixture
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with running_whole(tmp_path_factory.mktemp("cloud")) as (server, whole):
        server.call(_let_go_on(whole))
        yield Town(server, whole)


async def _let_go_on(whole: Whole) -> None:
    """Try the estate's example of a delivery that was given up once more: it holds up what becomes of its ticket."""
    async with whole.database.transaction() as session:
        (await session.get_one(OutboxDelivery, 1)).state = DeliveryState.WAITING


def _photo() -> dict[str, Any]:
    written = io.BytesIO()
    Image.new("RGB", (400, 300), "grey").save(written, "JPEG")
    return {"name": "现场.jpg", "mimeType": "image/jpeg", "buffer": written.getvalue()}


def _stands(somebody: Person, language: str, state: State) -> None:
    """Wait until the job's page says where the ticket stands."""
    said = catalogue(Locale(language)).say(words.TICKET_STATES[state])
    expect(somebody.page.locator(".stands")).to_have_text(said)


def _form(somebody: Person, deed: str) -> Locator:
    return somebody.page.locator(f"form[action$='/{deed}']")


def _unfolded(somebody: Person, deed: str) -> Locator:
    form = _form(somebody, deed)
    somebody.click(somebody.page.locator("details", has=form).locator("summary"))
    return form


def _attach(somebody: Person, where: Locator) -> None:
    """Choose a photo, which is one act: the camera's own shutter is not counted."""
    somebody.acts += 1
    where.set_input_files([_photo()])


def test_a_call_goes_to_its_rating(chromium: Browser, town: Town, language: str) -> None:
    ticket_id = _call_comes_in(chromium, town, language)
    _dispatcher_gives_it(chromium, town, language, ticket_id)
    _worker_plans(chromium, town, language, ticket_id)
    _owner_agrees(chromium, town, language, ticket_id)
    _worker_finishes(chromium, town, language, ticket_id)
    _caller_rates(chromium, town, language)


def _call_comes_in(chromium: Browser, town: Town, language: str) -> int:
    with town.someone(chromium, Role.DESK, language) as desk:
        desk.type(desk.page.locator("input[name=q]"), "0001")
        desk.press("Enter")
        expect(desk.page.locator("#card-title")).to_have_text("陈十二")
        desk.press("w")
        desk.type(desk.page.locator("#text"), "厨房水龙头漏水")
        desk.press("Enter")
        desk.page.wait_for_url("**/tickets/*")
        assert desk.acts == 5  # who, Enter, W, what, Enter; where is on the card
        return int(desk.page.url.rpartition("/")[2])


def _dispatcher_gives_it(chromium: Browser, town: Town, language: str, ticket_id: int) -> None:
    with town.someone(chromium, Role.DESK, language) as dispatcher:
        dispatcher.open("/dispatch")
        give = _form(dispatcher, f"{ticket_id}/give").locator("button")
        expect(give).to_be_visible()
        rows = dispatcher.page.locator("tbody tr")
        above = [bool(row.locator(f"form[action$='/{ticket_id}/give']").count()) for row in rows.all()].index(True)
        for _row in range(above + 1):
            dispatcher.press("j")
        dispatcher.press("a")
        expect(give).to_have_count(0)
        assert dispatcher.acts == above + 2  # two keys, and one for each row that is more urgent
    assert town.ticket(ticket_id).state is State.ASSIGNED


def _worker_plans(chromium: Browser, town: Town, language: str, ticket_id: int) -> None:
    with town.someone(chromium, Role.WORKER, language, **PHONE) as worker:
        page = worker.page
        expect(page.get_by_role("link", name="厨房水龙头漏水").first).to_be_visible()
        worker.open(f"/work/{ticket_id}")
        contact = _unfolded(worker, "contact")
        worker.click(contact.locator("input[name=outcome]").first)
        worker.type(contact.locator("[name=next_step]"), "今天下午上门")
        worker.click(contact.locator("button.btn"))
        worker.click(_form(worker, "arrive").locator("button"))
        expect(_form(worker, "arrive")).to_have_count(0)
        survey = _unfolded(worker, "survey")
        worker.type(survey.locator("[name=findings]"), "主管开裂")
        _attach(worker, survey.locator("#survey_photos"))
        worker.click(survey.locator("button.btn").last)
        expect(page.get_by_text("主管开裂")).to_be_visible()
        worker.click(page.locator(f"a[href='/work/{ticket_id}/plan']"))
        page.locator("#what-1").select_option("item:material:pipe-20")
        worker.type(page.locator("#quantity-1"), "2")
        page.locator("select[name=payer]").select_option("owner")
        worker.click(_form(worker, "plan").locator("button.btn-primary"))
        expect(page.locator(".plan-lines")).to_contain_text("¥25.98")
    assert town.ticket(ticket_id).state is State.PLANNED


def _owner_agrees(chromium: Browser, town: Town, language: str, ticket_id: int) -> None:
    with town.someone(chromium, Role.OWNER, language, **PHONE) as owner:
        owner.click(owner.page.locator(f"a[href='/my/repairs/{ticket_id}/plan']"))
        expect(owner.page.locator(".plan-lines")).to_contain_text("¥25.98")
        owner.click(owner.page.locator("form[action$='/plan'] button.btn-primary"))
        owner.page.wait_for_url(f"**/my/repairs/{ticket_id}")
        assert owner.acts <= 3
    assert town.ticket(ticket_id).state is State.AGREED


def _worker_finishes(chromium: Browser, town: Town, language: str, ticket_id: int) -> None:
    with town.someone(chromium, Role.WORKER, language, **PHONE) as worker:
        worker.open(f"/work/{ticket_id}")
        worker.click(_form(worker, "start").locator("button"))
        _stands(worker, language, State.IN_WORK)
        worker.acts = 0
        take = _unfolded(worker, "take")
        take.locator("select").select_option("pipe-20")
        worker.type(take.locator("[name=quantity]"), "2")
        worker.click(take.locator("button.btn").last)
        expect(_form(worker, "bring-back")).to_be_attached()
        parts = worker.acts
        leave = _unfolded(worker, "leave")
        worker.type(leave.locator("[name=minutes]"), "60")
        worker.click(leave.locator("button.btn-primary"))
        expect(_form(worker, "arrive")).to_be_visible()
        worker.acts = parts
        finish = _unfolded(worker, "finish")
        worker.type(finish.locator("[name=result]"), "换了一段水管")
        _attach(worker, finish.locator("#result_photos"))
        worker.click(finish.locator("button.btn-primary"))
        _stands(worker, language, State.RESOLVED)
        assert parts == 3  # unfold, how much, take
        assert worker.acts - parts == 4  # the photo, and three: unfold, what was done, finish
    assert town.ticket(ticket_id).state is State.RESOLVED


def _caller_rates(chromium: Browser, town: Town, language: str) -> None:
    for _turn in range(2):
        town.wait(60)  # until the end can't be taken back by a tap any more
    with person(chromium, town.url, **PHONE) as caller:
        caller.prefer(language=language)
        caller.open(town.link_of(Kind.OPINION_ASKED))  # as it stands in the message
        caller.click(caller.page.locator(f"button[name=rating][value='{Rating.VERY_GOOD.value}']"))
        expect(caller.page.locator(".is-chosen")).to_be_visible()
        assert (caller.acts, caller.complaints) == (1, [])
    assert town.opinions() == [Rating.VERY_GOOD]


def test_an_alarms_ticket_ends_when_its_sensor_says_so(chromium: Browser, town: Town, language: str) -> None:
    ticket_id = _alarm_leads_to_its_ticket(chromium, town, language)
    with town.someone(chromium, Role.WORKER, language, **PHONE) as worker:
        worker.open(f"/work/{ticket_id}")
        worker.click(_form(worker, "accept").locator("button"))
        worker.click(_form(worker, "start").locator("button"))
        _stands(worker, language, State.IN_WORK)
        finish = _unfolded(worker, "finish")
        worker.type(finish.locator("[name=result]"), "换了滤网")
        worker.click(finish.locator("button.btn-primary"))
        _stands(worker, language, State.VERIFYING)
        assert worker.acts == 5
    assert town.ticket(ticket_id).state is State.VERIFYING  # the office is still too warm
    town.measure(70.0)
    town.measure(70.0, after_s=_HALF_AN_HOUR_S)
    assert town.ticket(ticket_id).state is State.RESOLVED


def _alarm_leads_to_its_ticket(chromium: Browser, town: Town, language: str) -> int:
    with town.someone(chromium, Role.OPERATOR, language) as operator:
        page = operator.page
        expect(page).to_have_url(f"{town.url}/alarms")
        operator.press("j")
        operator.press("a")
        expect(page.locator("#notices .notice")).to_be_visible()
        operator.press("t")
        page.wait_for_url("**/tickets/*")
        assert operator.acts == 3
        return int(page.url.rpartition("/")[2])
