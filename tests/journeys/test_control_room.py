"""The control room's and the worker's way through an alarm, in a browser and by keys, with what each costs."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from cloud.alarms.domain import Priority, Stage
from cloud.alarms.terms import Equals, Limits
from cloud.core.delivery import DeliveryLoop
from cloud.core.outbox import emit
from cloud.core.principal import Role
from cloud.core.words import Words
from cloud.fleet.domain import ReadingsTaken
from cloud.wiring import wire
from tests.cloud.alarms.site import Site
from tests.cloud.estate import PASSWORD
from tests.cloud.screens.whole import Whole
from tests.journeys.browsing import Person, person
from tests.journeys.whole import running_whole
from tests.servers.web import WebServer

pytestmark = pytest.mark.browser

STORM = 60


class Building:
    """The whole application over a building that measures on demand."""

    def __init__(self, server: WebServer, whole: Whole) -> None:
        self.url = server.url
        self.login = whole.login
        self.site: Site = whole.site
        self._server = server
        self._whole = whole

    def rule(self, *arguments: object, **keywords: object) -> None:
        """Make a rule."""
        self._server.call(self.site.rule(*arguments, **keywords))

    def measure(self, value: float, *, point: str) -> None:
        """Let a live value be taken, and what follows from it happen."""
        self._server.call(self._measure(value, point))

    def stages(self) -> set[Stage]:
        """Return where the alarms stand that ask or asked for somebody."""
        return {alarm.stage for alarm in self._server.call(self.site.alarms()) if alarm.announced_at is not None}

    async def _measure(self, value: float, point: str) -> None:
        site = self.site
        site.clock.advance(seconds=1)
        rows = [(site.points[point], site.us(0), value, 0)]
        await site.series.append(rows)
        event = ReadingsTaken(organisation_id=site.estate.organisation_id, box_id=site.box_id, rows=rows, pending=0)
        async with site.database.transaction() as session:
            await emit(session, site.clock, event)
        await DeliveryLoop(site.database, site.clock, wire(site.series, self._whole.app.state.hub)).deliver_due()


@pytest.fixture
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Building]:
    with running_whole(tmp_path_factory.mktemp("cloud")) as (server, whole):
        yield Building(server, whole)


@pytest.fixture
def operator(chromium: Browser, stage: Building) -> Iterator[Person]:
    with person(chromium, stage.url, locale="en-GB") as somebody:
        somebody.sign_in(stage.login(Role.OPERATOR), PASSWORD)
        somebody.acts = 0
        yield somebody
        assert somebody.complaints == []


def test_signing_in_leads_the_operator_to_the_alarms(operator: Person, stage: Building) -> None:
    expect(operator.page).to_have_url(f"{stage.url}/alarms")


def test_one_key_acknowledges_the_alarm_under_the_hand_and_another_undoes_it(operator: Person, stage: Building) -> None:
    page = operator.page
    operator.open("/alarms")
    operator.press("j")
    operator.acts = 0
    operator.press("a")
    expect(page.get_by_text("The alarm is acknowledged.")).to_be_visible()
    assert operator.acts == 1
    expect(page.locator("tbody tr [data-label=Acknowledged]")).to_have_text("Acknowledged")
    assert stage.stages() == {Stage.ACKNOWLEDGED}
    operator.press("z")
    expect(page.get_by_text("The acknowledgement is taken back.")).to_be_visible()
    assert stage.stages() == {Stage.UNACKNOWLEDGED}


def test_enter_opens_what_to_do_beside_the_list_and_esc_closes_it(operator: Person, stage: Building) -> None:
    page = operator.page
    operator.open("/alarms")
    operator.press("j")
    operator.press("Enter")
    expect(page.get_by_text("Look at the air conditioner")).to_be_visible()
    operator.press("e")
    expect(page.locator(".uplot")).to_be_visible()
    operator.press("Escape")
    expect(page).to_have_url(f"{stage.url}/alarms")


def test_t_leads_to_the_ticket(operator: Person, stage: Building) -> None:
    operator.open("/alarms")
    operator.press("j")
    operator.press("t")
    expect(operator.page.get_by_role("heading", name="What to do now")).to_be_visible()
    assert operator.acts == 2


def test_a_new_alarm_comes_to_the_list_by_itself_and_its_ticket_with_it(operator: Person, stage: Building) -> None:
    page = operator.page
    stage.rule(
        Equals(value=1.0),
        unit="1",
        point="leak/water",
        priority=Priority.CRITICAL,
        name=Words(zh="漏水", en="Water on the floor"),
    )
    operator.open("/alarms")
    expect(page.locator("#live")).to_have_text("Live")
    page.mouse.move(5, 5)
    stage.measure(1.0, point="leak/water")
    row = page.locator("tr", has_text="Water on the floor")
    expect(row).to_be_visible()
    expect(row).to_contain_text("2026-")
    expect(page.locator("#alarm_load")).to_contain_text("2")


def test_under_the_hand_the_list_keeps_still_and_the_new_alarm_says_in_the_strip_what_it_is(
    operator: Person, stage: Building
) -> None:
    page = operator.page
    stage.rule(
        Equals(value=1.0),
        unit="1",
        point="leak/water",
        priority=Priority.CRITICAL,
        name=Words(zh="漏水", en="Water on the floor"),
    )
    operator.open("/alarms")
    expect(page.locator("#live")).to_have_text("Live")
    page.locator("tbody tr").first.hover()
    before = page.locator("tbody tr").first.bounding_box()
    stage.measure(1.0, point="leak/water")
    expect(page.get_by_role("button", name="1 new 云杉苑 · 3 栋 · 办公室 Water on the floor")).to_be_visible()
    assert page.locator("tbody tr").first.bounding_box() == before
    operator.press("n")
    expect(page.locator("tr", has_text="Water on the floor")).to_be_visible()


def test_a_storm_is_acknowledged_in_three_acts(operator: Person, stage: Building) -> None:
    for number in range(STORM):
        stage.rule(Limits(high=50.0 + number / 10), unit="%", point="probe/humidity")
    stage.measure(70.0, point="probe/humidity")
    operator.open("/alarms")
    operator.received = 0
    operator.open("/alarms")
    assert operator.received <= 30_000
    page = operator.page
    operator.click(page.get_by_label("Choose all on this page"))
    operator.click(page.get_by_label("that match"))
    operator.press("Shift+A")
    expect(page.get_by_text(f"{STORM + 1} alarms are acknowledged.")).to_be_visible()
    assert operator.acts == 3
    assert stage.stages() == {Stage.ACKNOWLEDGED}


def test_the_first_page_and_the_page_with_a_curve_weigh_what_they_may(chromium: Browser, stage: Building) -> None:
    with person(chromium, stage.url) as somebody:
        somebody.sign_in(stage.login(Role.OPERATOR), PASSWORD)
        somebody.open("/alarms/1")
        assert somebody.received <= 120_000


def test_a_worker_on_a_phone_takes_works_and_resolves_a_ticket(chromium: Browser, stage: Building) -> None:
    phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "locale": "en-GB"}
    with person(chromium, stage.url, **phone) as worker:
        page = worker.page
        worker.sign_in(stage.login(Role.WORKER), PASSWORD)
        expect(page).to_have_url(f"{stage.url}/day")
        worker.acts = 0
        worker.click(page.get_by_role("link", name="Office too warm or too cold").first)
        worker.click(page.get_by_role("button", name="Take"))
        worker.click(page.get_by_role("button", name="Begin the work"))
        expect(page.locator(".stands")).to_contain_text("In work")
        stage.measure(70.0, point="probe/temperature")
        worker.click(page.get_by_text("Finish the job"))
        worker.type(page.get_by_label("What was done, as the owner reads it"), "换了滤网")
        worker.click(page.get_by_role("button", name="Finish", exact=True))
        expect(page.get_by_text("Resolved")).to_be_visible()
        assert worker.acts == 6
        assert worker.complaints == []


def test_everything_works_without_javascript(chromium: Browser, stage: Building) -> None:
    with person(chromium, stage.url, java_script_enabled=False, locale="en-GB") as somebody:
        page = somebody.page
        somebody.sign_in(stage.login(Role.OPERATOR), PASSWORD)
        page.get_by_role("button", name="Acknowledge", exact=False).nth(1).click()
        expect(page.get_by_text("The alarm is acknowledged.")).to_be_visible()
        page.get_by_role("button", name="Undo").click()
        page.get_by_role("link", name="Office too warm or too cold").click()
        page.get_by_role("link", name="Curve, history and notes").click()
        page.locator("summary", has_text="Values as a table").click()
        expect(page.get_by_role("cell", name="95.5")).to_be_visible()
        page.get_by_label("Note").fill("看过了")
        page.get_by_role("button", name="Keep the note").click()
        expect(page.get_by_text("看过了")).to_be_visible()
        page.get_by_role("link", name="To the ticket").click()
        page.get_by_label("To whom").select_option(label="李四")
        page.get_by_role("button", name="Assign").click()
        expect(page.get_by_text("The ticket is assigned.")).to_be_visible()
    assert stage.stages() == {Stage.UNACKNOWLEDGED}
