"""The front desk's day in a browser and by keys, in both languages, with what each act costs."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from cloud.app.inbox import open_intake
from cloud.core.listing import Ask
from cloud.core.principal import Role
from cloud.reception import service
from cloud.reception.domain import Channel, Ending
from cloud.reception.lines import Interaction
from cloud.settings import Settings
from cloud.tickets.domain import Origin
from cloud.tickets.reading import Ticket, ticket
from tests.cloud.estate import PASSWORD
from tests.cloud.reception.mails import photo, written
from tests.cloud.screens.whole import Whole
from tests.journeys.browsing import LANGUAGES, Person, person, wait_until
from tests.journeys.whole import running_whole
from tests.servers.web import WebServer

pytestmark = pytest.mark.browser


class Counter:
    """The whole application, and what was written down at its desk."""

    def __init__(self, server: WebServer, whole: Whole) -> None:
        self.url = server.url
        self.login = whole.login
        self._server = server
        self._whole = whole

    def last_line(self) -> Interaction:
        """Return what was written down last."""
        return self._server.call(self._last_line())

    def ticket(self, ticket_id: int) -> Ticket:
        """Return a ticket."""
        return self._server.call(self._ticket(ticket_id))

    def send_mail(self, raw: bytes) -> None:
        """Let a mail come to the desk."""
        app, database, clock = self._whole.app, self._whole.database, self._whole.clock
        settings = Settings(desk_organisation=self._whole.site.estate.organisation_id)
        intake = open_intake(settings, database, clock, app.state.files, app.state.hub)
        self._server.call(intake.take(raw))

    async def _last_line(self) -> Interaction:
        async with self._whole.database.reading() as session:
            desk = self._whole.site.estate.principals[Role.DESK]
            found = await service.list_interactions(session, desk, Ask(sort="begun", descending=True))
            return max(found.rows, key=lambda line: line.id)

    async def _ticket(self, ticket_id: int) -> Ticket:
        async with self._whole.database.reading() as session:
            desk = self._whole.site.estate.principals[Role.DESK]
            return await ticket(session, self._whole.clock, desk, ticket_id=ticket_id)


@pytest.fixture
def counter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Counter]:
    with running_whole(tmp_path_factory.mktemp("cloud")) as (server, whole):
        yield Counter(server, whole)


@pytest.fixture(params=LANGUAGES)
def desk(request: pytest.FixtureRequest, chromium: Browser, counter: Counter) -> Iterator[Person]:
    with person(chromium, counter.url) as somebody:
        somebody.prefer(language=request.param)
        somebody.sign_in(counter.login(Role.DESK), PASSWORD)
        somebody.acts = 0
        yield somebody
        assert somebody.complaints == []


def _call(desk: Person, number: str) -> None:
    desk.open("/desk")
    desk.type(desk.page.locator("input[name=q]"), number)
    desk.press("Enter")
    expect(desk.page.locator("#card-title")).to_be_visible()


def test_a_call_is_answered_in_two_keys_after_the_number(desk: Person, counter: Counter) -> None:
    expect(desk.page).to_have_url(f"{counter.url}/desk")
    _call(desk, "138 0000 0001")
    expect(desk.page.locator("#card-title")).to_have_text("陈十二")
    desk.press("a")
    desk.page.wait_for_url(f"{counter.url}/desk")
    expect(desk.page.locator("#notices .notice")).to_be_visible()
    assert desk.acts == 3  # the number, then two keys
    line = counter.last_line()
    assert (line.name, line.place, line.ending, line.channel) == (
        "陈十二",
        "云杉苑 · 3 栋 · 501",
        Ending.ANSWERED,
        Channel.CALL,
    )


def test_a_call_becomes_a_ticket_with_one_typed_value_beside_the_number(desk: Person, counter: Counter) -> None:
    _call(desk, "0001")
    desk.press("w")
    desk.type(desk.page.locator("#text"), "厨房水龙头漏水")
    desk.press("Enter")
    desk.page.wait_for_url("**/tickets/*")
    assert desk.acts == 5  # the number's end, Enter, W, what, Enter; where is on the card
    opened = counter.ticket(int(desk.page.url.rpartition("/")[2]))
    assert (opened.requester_name, opened.place, opened.origin) == ("陈十二", "云杉苑 · 3 栋 · 501", Origin.CALL)
    assert counter.last_line().ticket == opened.number


def test_the_words_suggest_a_type_and_say_why_and_a_person_takes_it(desk: Person, counter: Counter) -> None:
    _call(desk, "0001")
    desk.type(desk.page.locator("#text"), "厨房水管漏水")
    offer = desk.page.locator("#call_suggestions button").first
    expect(offer).to_be_visible()
    expect(desk.page.locator("#call_suggestions .muted").first).to_contain_text("漏水")
    desk.click(offer)
    desk.page.wait_for_url("**/tickets/*")
    opened = counter.ticket(int(desk.page.url.rpartition("/")[2]))
    assert opened.type.code != "repair"


def test_who_is_unknown_says_where_and_what_and_is_called_back(desk: Person, counter: Counter) -> None:
    desk.open("/desk")
    desk.type(desk.page.locator("input[name=q]"), "13900009999")
    desk.press("Enter")
    expect(desk.page.locator("#phone")).to_have_value("139 0000 9999")
    desk.type(desk.page.locator("#where"), "3-501")
    desk.press("Tab")
    desk.type(desk.page.locator("#name"), "李先生")
    desk.click(desk.page.locator("button[value=callback]"))
    desk.page.wait_for_url(f"{counter.url}/desk")
    expect(desk.page.locator("#notices .notice")).to_be_visible()
    line = counter.last_line()
    assert (line.name, line.phone, line.place, line.ending) == (
        "李先生",
        "139 0000 9999",
        "云杉苑 · 3 栋 · 501",
        Ending.CALLBACK,
    )


def test_a_call_is_answered_by_an_incident_in_one_click_and_keeps_what_was_typed(
    desk: Person, counter: Counter
) -> None:
    _call(desk, "0001")
    desk.type(desk.page.locator("#text"), "没水了")
    desk.click(desk.page.locator("button[value^='explained:']").first)
    desk.page.wait_for_url(f"{counter.url}/desk")
    line = counter.last_line()
    assert (line.name, line.text, line.ending, line.incident_id) == ("陈十二", "没水了", Ending.ANSWERED, 1)


def test_who_asks_for_a_new_ticket_is_found_while_it_is_typed(desk: Person, counter: Counter) -> None:
    desk.open("/tickets/new")
    desk.type(desk.page.locator("#subject"), "阳台灯不亮")
    desk.type(desk.page.locator("#who"), "0001")
    desk.click(desk.page.locator("#who_found button").first)
    expect(desk.page.locator("input[name=requester_id]")).not_to_have_value("")
    desk.click(desk.page.locator(".form-actions button").first)
    desk.page.wait_for_url(re.compile(r"/tickets/\d+$"))
    opened = counter.ticket(int(desk.page.url.rpartition("/")[2]))
    assert (opened.requester_name, opened.place) == ("陈十二", "云杉苑 · 3 栋 · 501")
    assert counter.last_line().ticket == opened.number


def test_a_visitor_takes_a_number_is_called_and_served(desk: Person, counter: Counter) -> None:
    desk.open("/desk/queue")
    desk.type(desk.page.locator("#name"), "吴先生")
    desk.press("Enter")
    expect(desk.page.get_by_text("吴先生")).to_be_visible()
    desk.page.locator("h1").click()
    desk.press("a")
    called = desk.page.locator("#visitors li").first
    expect(called).to_contain_text("周女士")
    desk.click(called.locator("a.btn"))
    expect(desk.page.locator("#name")).to_have_value("周女士")
    desk.type(desk.page.locator("#text"), "办理门禁卡")
    desk.click(desk.page.locator("button[value=answered]"))
    desk.page.wait_for_url(f"{counter.url}/desk")
    expect(desk.page.locator("#notices .notice")).to_be_visible()
    line = counter.last_line()
    assert (line.name, line.channel, line.ending) == ("周女士", Channel.VISIT, Ending.ANSWERED)


def test_a_mail_with_a_photo_becomes_a_ticket_that_shows_it(desk: Person, counter: Counter) -> None:
    mail = written(subject="水管漏水", message_id="<photo@example.com>", photo=photo())
    counter.send_mail(mail)
    desk.open("/desk/mails")
    desk.click(desk.page.get_by_role("link", name="水管漏水"))
    picture = desk.page.locator("img[alt='水管.jpg']")
    expect(picture).to_be_visible()
    picture.scroll_into_view_if_needed()
    wait_until(desk.page, "() => document.querySelector('img').naturalWidth === 320")
    expect(desk.page.locator("#what")).to_have_value("水管漏水")
    desk.type(desk.page.locator("#where"), "3-501")
    desk.press("Enter")
    desk.page.wait_for_url("**/tickets/*")
    assert desk.acts == 3  # the mail, where, Enter; what is the mail's subject
    expect(desk.page.locator("img").first).to_be_visible()
    opened = counter.ticket(int(desk.page.url.rpartition("/")[2]))
    assert (opened.place, opened.origin) == ("云杉苑 · 3 栋 · 501", Origin.MAIL)
    assert counter.last_line().ticket == opened.number
