"""The front desk's pages in a browser without JavaScript: all of it can be reached and done by links and forms."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from starlette.types import ASGIApp

from cloud.core.principal import Role
from tests.cloud.estate import PASSWORD
from tests.cloud.screens.whole import Whole, make_whole
from tests.journeys.browsing import Person, person
from tests.servers.web import running_web

pytestmark = pytest.mark.browser

CARD = "陈十二"
SPOT = "云杉苑 · 3 栋 · 501"


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


@pytest.fixture
def desk(chromium: Browser, stage: tuple[str, Whole]) -> Iterator[Person]:
    url, whole = stage
    with person(chromium, url, java_script_enabled=False, locale="en-GB") as somebody:
        somebody.sign_in(whole.login(Role.DESK), PASSWORD)
        yield somebody
        assert somebody.complaints == []


def _call(desk: Person, words: str) -> None:
    desk.open("/desk")
    desk.page.locator("input[name=q]").fill(words)
    desk.press("Enter")
    expect(desk.page.locator("#card-title")).to_be_visible()


def _today(page: Page) -> str:
    """Return the day that the desk's clock shows, as the form says when they called."""
    return page.locator("#call input[name=begun_at]").input_value()[:10]


def test_a_caller_is_found_and_what_they_were_told_is_written_down_and_put_right(desk: Person) -> None:
    page = desk.page
    _call(desk, "0001")
    expect(page.locator("#card-title")).to_have_text(CARD)
    page.get_by_role("button", name="Show the number").click()
    expect(page.get_by_text("138 0000 0001")).to_be_visible()
    page.get_by_role("link", name="Back").click()
    page.locator("#text").fill("电梯几点保养")
    page.get_by_label("What they were told").fill("上午十点")
    page.get_by_role("button", name="Answered", exact=False).first.click()
    expect(page.get_by_text("Written down.")).to_be_visible()
    page.get_by_role("link", name="What came in").click()
    page.locator("tr", has_text="电梯几点保养").get_by_role("link").first.click()
    page.get_by_label("What they were told").fill("上午十一点")
    page.get_by_role("button", name="Put right").click()
    expect(page.get_by_text("an earlier line")).to_be_visible()


def test_enter_opens_a_ticket_though_an_incident_stands_above(desk: Person) -> None:
    page = desk.page
    _call(desk, "0001")
    expect(page.get_by_role("button", name="Answered with this")).to_be_visible()
    page.locator("#text").fill("阳台灯不亮")
    page.locator("#text").press("Enter")
    page.wait_for_url("**/tickets/*")
    expect(page.locator("h1")).to_have_text("阳台灯不亮")


def test_an_incident_is_opened_answers_a_call_takes_a_ticket_and_ends(desk: Person) -> None:
    page = desk.page
    desk.open("/incidents")
    page.get_by_role("link", name="Open incident").click()
    page.get_by_label("What has happened").fill("东门停电")
    page.get_by_label("What the desk says to callers").fill("正在抢修，晚上八点恢复")
    page.get_by_role("button", name="Open incident").click()
    incident = page.url
    desk.open("/desk")
    shown = page.locator("li", has_text="东门停电")
    expect(shown).to_contain_text("正在抢修，晚上八点恢复")
    page.get_by_label("Who asks").fill("李先生")
    shown.get_by_role("button", name="Answered with this").click()
    expect(page.get_by_text("Written down.")).to_be_visible()
    _call(desk, "0001")
    page.locator("li", has_text="东门停电").get_by_role("button", name="Open ticket for this").click()
    page.wait_for_url("**/tickets/*")
    expect(page.locator("h1")).to_have_text("东门停电")
    page.goto(incident)
    calls = page.locator("dt", has_text="Calls that it explained").locator("xpath=following-sibling::dd[1]")
    expect(calls).to_have_text("2")
    page.get_by_label("How it ended").fill("电缆已修复")
    page.get_by_role("button", name="End the incident").click()
    expect(page.get_by_text("The incident is over.")).to_be_visible()


def test_a_call_back_is_promised_and_kept(desk: Person) -> None:
    page = desk.page
    _call(desk, "0001")
    page.locator("#text").fill("押金何时退")
    page.get_by_role("button", name="Promise a call back").click()
    expect(page.get_by_text("The call back is promised.")).to_be_visible()
    page.get_by_role("link", name="Calls back").click()
    page.locator("tr", has_text="押金何时退").get_by_role("link").first.click()
    page.get_by_role("button", name="Not reached").click()
    expect(page.get_by_text("It will be tried again.")).to_be_visible()
    page.locator("tr", has_text="押金何时退").get_by_role("link").first.click()
    page.get_by_label("What they were told").fill("下周一")
    page.get_by_role("button", name="Reached", exact=False).first.click()
    expect(page.get_by_text("The promise is kept.")).to_be_visible()
    expect(page.locator("tr", has_text="押金何时退")).to_have_count(0)


def test_a_visitor_takes_a_number_is_called_written_down_and_served(desk: Person) -> None:
    page = desk.page
    desk.open("/desk/queue")
    page.get_by_label("Who", exact=False).first.fill("吴先生")
    page.get_by_role("button", name="Take a number").click()
    expect(page.get_by_text("吴先生")).to_be_visible()
    page.get_by_role("button", name="Call the next one", exact=False).click()
    called = page.locator("li", has_text="At the counter")
    called.get_by_role("link", name="Write down").click()
    expect(page.get_by_label("Who asks")).to_have_value("周女士")
    page.get_by_role("button", name="Answered", exact=True).click()
    expect(page.get_by_text("Written down.")).to_be_visible()
    desk.open("/desk/queue")
    expect(page.get_by_text("吴先生")).to_be_visible()
    expect(page.get_by_text("周女士")).to_have_count(0)


def test_a_note_is_left_on_an_address_and_taken_off(desk: Person) -> None:
    page = desk.page
    _call(desk, "3-501")
    page.locator("summary", has_text="Leave a note").click()
    page.get_by_label("Note", exact=False).last.fill("门铃坏了")
    page.get_by_label("Shown until").fill(_today(page))
    page.get_by_role("button", name="Keep the note").click()
    expect(page.get_by_text("The note is kept.")).to_be_visible()
    expect(page.get_by_text("门铃坏了")).to_be_visible()
    page.get_by_role("button", name="Take this note off").first.click()
    expect(page.get_by_text("The note is taken off.")).to_be_visible()
    expect(page.get_by_text("门铃坏了")).to_have_count(0)


def test_a_new_ticket_finds_who_asks_in_a_step_that_keeps_what_was_typed(
    desk: Person, stage: tuple[str, Whole]
) -> None:
    page = desk.page
    desk.open("/tickets")
    page.get_by_role("link", name="Open ticket").click()
    page.get_by_label("What", exact=False).first.fill("厨房水管漏水")
    page.get_by_role("searchbox", name="Find who asks, or the unit").fill("0001")
    page.get_by_role("button", name="Search", exact=True).last.click()
    page.get_by_role("button", name=f"Take: {CARD}").click()
    expect(page.get_by_text("Who asks:")).to_contain_text(CARD)
    expect(page.get_by_label("Where", exact=False)).to_have_value(f"unit:{stage[1].households.unit_id}")
    page.get_by_role("button", name="Suggest a type").click()
    page.get_by_role("button", name="Take: Pipes", exact=False).click()
    page.locator("#subject").press("Enter")
    expect(page.locator("h1")).to_have_text("厨房水管漏水")
    expect(page.get_by_text(SPOT).first).to_be_visible()


def test_work_is_given_to_somebody_on_the_page_of_dispatch(desk: Person) -> None:
    page = desk.page
    _call(desk, "0001")
    page.locator("#text").fill("楼道堆物")
    page.get_by_role("button", name="Open ticket", exact=False).first.click()
    page.wait_for_url("**/tickets/*")
    ticket_id = page.url.rpartition("/")[2]
    desk.open("/dispatch")
    page.locator(f"a[href='/dispatch/{ticket_id}']").first.click()
    expect(page.get_by_role("heading", name="Who should do it, and why")).to_be_visible()
    page.get_by_role("link", name="The ticket", exact=True).click()
    page.get_by_label("To whom").select_option(label="李四")
    page.get_by_role("button", name="Assign").click()
    expect(page.get_by_text("The ticket is assigned.")).to_be_visible()
