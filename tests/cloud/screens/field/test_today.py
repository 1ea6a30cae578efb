import re

import pytest

from cloud.core.principal import Role
from cloud.screens.field.jobs import Next, next_act
from cloud.tickets import contacts
from cloud.tickets.domain import Act, How, Outcome, State, acts_from
from tests.cloud.screens.controlroom.test_alarms import words_of
from tests.cloud.screens.house import House
from tests.cloud.tickets.desk import Desk
from tests.cloud.tickets.dispatch.asked import make_offer


@pytest.fixture
def desk(house: House) -> Desk:
    return Desk(house.site)


async def own(desk: Desk, type_code: str = "water_indoor", **more: object) -> int:
    ticket_id = await desk.open(type_code, **more)
    await desk.do(Act.TAKE, ticket_id, by=Role.WORKER)
    return ticket_id


async def offered(desk: Desk) -> int:
    ticket_id = await desk.open()
    async with desk.site.database.transaction() as session:
        return int(str((await make_offer(session, desk.site.clock, desk.site.estate, ticket_id=ticket_id))["offer_id"]))


async def speak(desk: Desk, ticket_id: int) -> None:
    async with desk.site.database.transaction() as session:
        await contacts.contact(
            session, desk.site.clock, desk.principal(Role.WORKER), ticket_id=ticket_id, how=How.PHONE,
            outcome=Outcome.REACHED, next_step="明天上午来",
        )  # fmt: skip


@pytest.mark.parametrize(
    ("state", "must_contact", "expected"),
    [
        (State.ASSIGNED, True, Next.CONTACT),
        (State.ASSIGNED, False, Next.START),
        (State.AGREED, False, Next.START),
        (State.WAITING, False, Next.CONTINUE),
        (State.IN_WORK, False, Next.FINISH),
        (State.PLANNED, False, Next.NOTHING),
        (State.VERIFYING, False, Next.NOTHING),
    ],
)
def test_what_is_next_follows_from_where_the_ticket_stands(state: State, must_contact: bool, expected: Next) -> None:
    assert next_act(acts_from(state), state, must_contact=must_contact) is expected


def test_what_needs_a_plan_is_planned_before_it_is_begun() -> None:
    acts = acts_from(State.ASSIGNED) - {Act.START}
    assert next_act(acts, State.ASSIGNED, must_contact=False) is Next.PLAN


async def test_a_workers_day_begins_with_their_jobs(house: House) -> None:
    async with house.stranger() as worker:
        assert (await worker.sign_in(Role.WORKER)).headers["location"] == "/day"
        assert "Nothing is to be done." in (await worker.get("/day")).text


async def test_emergencies_stand_on_top_then_offers_then_what_is_due_first(house: House, desk: Desk) -> None:
    late = await own(desk, "water_indoor", priority=4)
    soon = await own(desk, "water_indoor", priority=2)
    await offered(desk)
    emergency = await own(desk, "water_burst")
    async with house.signed_in(Role.WORKER) as worker:
        html = (await worker.get("/day")).text
    order = [int(number) for number in re.findall(r'id="job-(\d+)"', html)]
    assert order == [emergency, soon + 1, soon, late]


async def test_a_job_says_where_for_whom_by_when_and_what_is_next(house: House, desk: Desk) -> None:
    await own(desk)
    async with house.signed_in(Role.WORKER) as worker:
        html = (await worker.get("/day")).text
    for part in (
        "A pipe leaks",
        "2026-000001",
        "云杉苑",
        "3 栋",
        "张三",
        "138****0001",
        "Speak to whoever asked",
        "by ",
    ):
        assert part in words_of(html), part
    assert "13800000001" not in html


async def test_the_day_fetches_itself_anew_when_there_is_news(house: House, desk: Desk) -> None:
    await own(desk)
    async with house.signed_in(Role.WORKER) as worker:
        part = await worker.get("/day", headers={"HX-Request": "true", "HX-Target": "day_list"})
    assert part.text.strip().startswith('<div id="day_list"')
    assert "Speak to whoever asked" in part.text


async def test_once_whoever_asked_was_spoken_to_the_work_is_next(house: House, desk: Desk) -> None:
    await speak(desk, await own(desk, "public_area"))
    async with house.signed_in(Role.WORKER) as worker:
        assert "Begin the work" in words_of((await worker.get("/day")).text)


async def test_an_offer_is_accepted_with_one_tap_and_tells_no_number_before(house: House, desk: Desk) -> None:
    offer_id = await offered(desk)
    async with house.signed_in(Role.WORKER) as worker:
        assert "138****0001" not in (await worker.get("/day")).text
        done = await worker.send_form(f"/day/offers/{offer_id}/accept", page="/day")
        html = (await worker.get("/day")).text
        again = await worker.send_form(f"/day/offers/{offer_id}/accept", page="/day")
    assert (done.status_code, again.status_code) == (303, 409)
    assert "The ticket is yours." in html
    assert "138****0001" in html


async def test_the_number_is_shown_to_whoever_has_the_ticket_to_be_called(house: House, desk: Desk) -> None:
    ticket_id = await own(desk)
    async with house.signed_in(Role.WORKER) as worker:
        shown = await worker.send_form(f"/day/{ticket_id}/phone", page="/day")
    assert 'href="tel:+8613800000001"' in shown.text


async def test_a_colleague_sees_neither_the_job_nor_the_number(house: House, desk: Desk) -> None:
    ticket_id = await own(desk)
    async with house.signed_in(Role.WORKER, next_door=True) as other:
        assert f"job-{ticket_id}" not in (await other.get("/day")).text
        assert (await other.send_form(f"/day/{ticket_id}/phone", page="/day")).status_code == 404


async def test_a_telephone_that_is_back_learns_who_is_signed_in_and_a_token(house: House) -> None:
    async with house.signed_in(Role.WORKER) as worker:
        ready = (await worker.get("/day/ready")).json()
        assert ready == {
            "person": str(house.site.estate.principals[Role.WORKER].person_id),
            "token": await worker.token("/day"),
        }
    stranger = house.stranger()
    async with stranger:
        assert (await stranger.get("/day/ready", headers={"Accept": "application/json"})).status_code == 401


async def test_the_worker_script_is_served_from_where_it_sees_all_pages(house: House) -> None:
    async with house.stranger() as stranger:
        script = await stranger.get("/field-worker.js")
    assert script.headers["content-type"].startswith("text/javascript")
    assert "script-src 'self'" in script.headers["content-security-policy"]
    assert script.headers["cache-control"] == "no-cache"
