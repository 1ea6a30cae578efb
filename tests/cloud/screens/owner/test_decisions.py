"""An owner's plan, visit, result and opinion, by the pages' own forms."""

import re
from datetime import timedelta

import pytest

from cloud.core.money import Money
from cloud.core.principal import Role
from cloud.feedback import service as feedback
from cloud.feedback.domain import OpinionDue, Rating
from cloud.repairs import visits
from cloud.repairs.domain import Reply, Standing
from cloud.repairs.visits import Window
from cloud.tickets.domain import Payer, State
from tests.cloud.repairs.job import Job, make_job, messages_of
from tests.cloud.screens.house import House
from tests.cloud.screens.households import Households

BASE = "/my/repairs/1"


@pytest.fixture
async def job(house: House, households: Households) -> Job:
    return await make_job(house.site, households)


def hidden(page: str, reply: str) -> dict[str, str]:
    """Return what the form of a reply sends, as the page has it."""
    form = re.search(rf'name="reply" value="{reply}">(.*?)</form>', page, re.DOTALL)[1]
    return {"reply": reply, **dict(re.findall(r'type="hidden" name="(\w+)" value="(\w+)"', form))}


async def finish(job: Job) -> str:
    """Carry the repair to its end, and return the link that asks for an opinion."""
    await job.propose()
    await job.say(Reply.AGREED)
    await job.start()
    await job.spend(60)
    await job.finish("换了两米水管")
    due = OpinionDue(organisation_id=job.site.estate.organisation_id, ticket_id=1)
    async with job.work() as session:
        await feedback.ask_when_done(session, job.site.clock, due)
    return next(link for _s, link in await messages_of(job.site, job.owner) if link.startswith("/opinion/"))


async def test_an_owner_reads_the_plan_and_agrees(house: House, job: Job) -> None:
    async with house.signed_in(Role.OWNER) as owner:
        before = (await owner.get(f"{BASE}/plan")).text
        await job.propose()
        home, page = (await owner.get("/my/home")).text, (await owner.get(f"{BASE}/plan")).text
        answer = await owner.send_form(f"{BASE}/plan", page=f"{BASE}/plan", **hidden(page, "agreed"))
        after = (await owner.get(f"{BASE}/plan")).text
    assert "There is no plan yet." in before
    assert f'href="{BASE}/plan"' in home
    assert all(said in page for said in ("水工", "¥80.00", "¥25.98", "¥145.98", "The owner pays"))
    assert answer.headers["location"] == BASE
    assert "Agree to" not in after
    assert (await job.see()).state is State.AGREED


ASKED = "A plan waits for your consent"


@pytest.mark.parametrize("payer", [Payer.COMMON_FUND, Payer.COMPANY, Payer.WARRANTY])
async def test_an_owner_is_asked_for_no_consent_that_is_a_managers(house: House, job: Job, payer: Payer) -> None:
    await job.propose(job.terms(payer=payer))
    async with house.signed_in(Role.OWNER) as owner:
        home, page = (await owner.get("/my/home")).text, (await owner.get(BASE)).text
    assert ASKED not in home
    assert "There is a plan; the work begins once it is agreed to." in home
    assert "Look at the plan and decide" not in page


async def test_an_emergencys_plan_asks_for_consent_while_the_work_goes_on(house: House, job: Job) -> None:
    await job.start(emergency="水漫到楼下")
    await job.propose()
    async with house.signed_in(Role.OWNER) as owner:
        assert ASKED in (await owner.get("/my/home")).text


async def test_a_plan_that_is_no_longer_valid_asks_for_nothing(house: House, job: Job) -> None:
    await job.propose()
    async with house.signed_in(Role.OWNER) as owner:
        before = (await owner.get("/my/home")).text
        house.site.clock.advance(days=2)
        await owner.sign_in(Role.OWNER)
        after = (await owner.get("/my/home")).text
    assert (ASKED in before, ASKED in after) == (True, False)


async def test_a_plan_that_changed_meanwhile_shows_the_difference_and_asks_again(house: House, job: Job) -> None:
    await job.propose()
    async with house.signed_in(Role.OWNER) as owner:
        old = (await owner.get(f"{BASE}/plan")).text
        await job.propose(job.terms(hours="3"))
        answer = await owner.send_form(f"{BASE}/plan", page=f"{BASE}/plan", **hidden(old, "agreed"))
        again = await owner.send_form(f"{BASE}/plan", page=f"{BASE}/plan", **hidden(answer.text, "agreed"))
    assert answer.status_code == 409
    assert "The plan has changed meanwhile." in answer.text
    assert "¥145.98 → ¥265.98" in answer.text
    assert again.status_code == 303
    assert [(plan.standing, plan.budget) for plan in await job.plans()] == [
        (Standing.AGREED, Money(26_598, "CNY")),
        (Standing.REPLACED, Money(14_598, "CNY")),
    ]


async def test_an_owner_asks_or_refuses_in_their_own_words(house: House, job: Job) -> None:
    await job.propose()
    async with house.signed_in(Role.OWNER) as owner:
        page = (await owner.get(f"{BASE}/plan")).text
        empty = await owner.send_form(f"{BASE}/plan", page=f"{BASE}/plan", **hidden(page, "asked"))
        await owner.send_form(f"{BASE}/plan", page=f"{BASE}/plan", **hidden(page, "asked"), text="能便宜点吗？")
        asked = (await job.plans())[0].standing
        await owner.send_form(f"{BASE}/plan", page=f"{BASE}/plan", **hidden(page, "refused"), text="不修了")
    assert empty.status_code == 422
    assert "Write your question." in empty.text
    assert asked is Standing.QUESTION
    assert [said.text for said in (await job.plans())[0].replies] == ["能便宜点吗？", "不修了"]


async def test_a_neighbour_finds_no_plan_visit_or_result(house: House, households: Households, job: Job) -> None:
    await job.propose()
    async with house.signed_in_across_the_landing(households) as neighbour:
        token = await neighbour.token("/my/home")
        statuses = [
            (await neighbour.request(method, f"{BASE}/{page}", headers={"X-CSRF-Token": token})).status_code
            for page in ("plan", "visit", "result")
            for method in ("GET", "POST")
        ]
    assert statuses == [404] * 6


async def test_an_owner_chooses_a_time_and_another_one(house: House, job: Job) -> None:
    now = job.site.clock.now()
    offered = [Window(starts_at=now + timedelta(hours=h), ends_at=now + timedelta(hours=h + 2)) for h in (4, 28)]
    async with job.work() as session:
        visit_id = await visits.offer(session, job.site.clock, job.worker, ticket_id=1, windows=offered)
    async with house.signed_in(Role.OWNER) as owner:
        repair = (await owner.get(BASE)).text
        for window in offered:
            fields = {"visit_id": str(visit_id), "starts_at": window.starts_at.isoformat()}
            answer = await owner.send_form(f"{BASE}/visit", page=f"{BASE}/visit", **fields)
        page = (await owner.get(f"{BASE}/visit")).text
        late = await owner.send_form(
            f"{BASE}/visit", page=f"{BASE}/visit", visit_id=str(visit_id), starts_at=now.isoformat()
        )
    assert "Choose when we may come" in repair
    assert answer.headers["location"] == BASE
    assert page.count('aria-pressed="true"') == 1
    assert late.status_code == 409
    assert "This time is not offered any more." in late.text


async def test_the_result_is_told_with_what_it_costs_and_one_tap_rates(house: House, job: Job) -> None:
    await finish(job)
    async with house.signed_in(Role.OWNER) as owner:
        page = (await owner.get(f"{BASE}/result")).text
        await owner.send_form(f"{BASE}/result", page=f"{BASE}/result", rating="4")
        rated = (await owner.get(f"{BASE}/result")).text
    assert all(said in page for said in ("换了两米水管", "¥80.00", "Very good", "Very poor"))
    assert 'aria-pressed="true"' not in page
    assert 'aria-pressed="true">Good' in rated


async def test_the_link_of_a_message_rates_without_signing_in_and_only_when_tapped(house: House, job: Job) -> None:
    link = await finish(job)
    async with house.stranger() as stranger:
        page = await stranger.get(link)
        unsent = await stranger.send_form(link, page=link)
        answer = await stranger.send_form(link, page=link, rating="5")
        await stranger.send_form(link, page=link, rating="5", text="很快")
        after = (await stranger.get(link)).text
        cut = await stranger.get(link[:-1])
    assert page.status_code == 200
    assert page.text.count('name="rating"') == 5
    assert unsent.status_code == 422
    assert answer.headers["location"] == link
    assert 'aria-pressed="true">Very good' in after
    assert cut.status_code == 404
    async with job.site.database.reading() as session:
        opinion = (await feedback.opinions(session, job.person(Role.DESK), ticket_ids=[1]))[1]
    assert (opinion.rating, opinion.text) == (Rating.VERY_GOOD, "很快")
