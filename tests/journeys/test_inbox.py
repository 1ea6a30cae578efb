"""A worker is told of a ticket: from the bell to the ticket, on a telephone and at a desk."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from cloud.core.delivery import DeliveryLoop
from cloud.core.principal import Role
from cloud.tickets import service as tickets
from cloud.tickets.reading import ticket
from cloud.wiring import wire
from tests.cloud.estate import PASSWORD
from tests.cloud.screens.whole import Whole
from tests.journeys.browsing import LANGUAGES, THEMES, Person, assert_accessible, person
from tests.journeys.whole import running_whole
from tests.servers.web import WebServer

pytestmark = pytest.mark.browser

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True}


class Desk:
    """The whole application, and somebody at its desk who gives tickets to the worker."""

    def __init__(self, server: WebServer, whole: Whole) -> None:
        self.url = server.url
        self.login = whole.login
        self.ticket_id = whole.examples["ticket_id"]
        self._server = server
        self._whole = whole

    def give(self) -> None:
        """Give the ticket to the worker, and let them be told."""
        self._server.call(self._give())

    async def _give(self) -> None:
        site, principals = self._whole.site, self._whole.site.estate.principals
        desk, worker = principals[Role.DESK], principals[Role.WORKER]
        async with site.database.transaction() as session:
            given = await ticket(session, site.clock, desk, ticket_id=self.ticket_id)
            await tickets.assign(
                session,
                site.clock,
                desk,
                ticket_id=given.id,
                version=given.version,
                person_id=worker.person_id,
            )
        await DeliveryLoop(site.database, site.clock, wire(site.series, self._whole.app.state.hub)).deliver_due()


@pytest.fixture
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with running_whole(tmp_path_factory.mktemp("cloud")) as (server, whole):
        yield Desk(server, whole)


@pytest.fixture(params=[{}, PHONE], ids=["at a desk", "on a telephone"])
def worker(request: pytest.FixtureRequest, chromium: Browser, desk: Desk) -> Iterator[Person]:
    with person(chromium, desk.url, locale="en-GB", **request.param) as somebody:
        somebody.sign_in(desk.login(Role.WORKER), PASSWORD)
        somebody.acts = 0
        yield somebody
        assert somebody.complaints == []


def test_the_bell_rings_by_itself_and_three_taps_lead_to_the_ticket(worker: Person, desk: Desk) -> None:
    page = worker.page
    worker.open("/me")
    bell = page.locator("#bell")
    expect(bell).to_have_accessible_name("Messages")
    desk.give()
    expect(bell).to_have_accessible_name("Messages, 1 unread")
    worker.click(bell)
    worker.click(page.locator("#message_list tbody tr").first.get_by_role("link"))
    expect(bell).to_have_accessible_name("Messages")
    worker.click(page.get_by_role("link", name="Go there"))
    expect(page).to_have_url(f"{desk.url}/tickets/{desk.ticket_id}")
    assert worker.acts == 3


def test_a_new_message_comes_to_the_open_inbox_and_all_are_read_by_one_tap(worker: Person, desk: Desk) -> None:
    page = worker.page
    worker.open("/inbox")
    expect(page.get_by_text("Nobody has written to you yet.")).to_be_visible()
    desk.give()
    expect(page.locator("#message_list tbody tr")).to_have_count(1)
    page.reload()
    worker.click(page.get_by_role("button", name="Mark all as read"))
    expect(page.get_by_text("All messages are marked as read.")).to_be_visible()
    expect(page.locator("#bell")).to_have_accessible_name("Messages")
    assert worker.acts == 1


def test_a_page_without_figures_is_not_called_out_of_date_for_its_bell(worker: Person, desk: Desk) -> None:
    page = worker.page
    page.clock.install()
    worker.open("/me")
    desk.give()
    expect(page.locator("#bell")).to_have_accessible_name("Messages, 1 unread")  # so the page is live
    page.context.set_offline(True)
    page.clock.fast_forward(25_000)
    expect(page.locator("body[data-lost]")).to_have_count(1)
    expect(page.locator("#live")).to_be_hidden()
    worker.complaints.clear()  # Chromium logs the broken line


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_inbox_and_preferences_are_accessible(worker: Person, desk: Desk, language: str, theme: str) -> None:
    desk.give()
    worker.prefer(theme=theme, language=language)
    worker.open("/inbox")
    assert_accessible(worker.page)
    href = worker.page.locator("#message_list tbody a").first.get_attribute("href")
    for path in (href, "/inbox?q=nothing", "/me/notifications"):
        worker.open(path)
        assert_accessible(worker.page)
