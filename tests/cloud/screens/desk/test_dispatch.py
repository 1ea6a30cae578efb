import re
from datetime import date, timedelta

import pytest

from cloud.core.database import Routes
from cloud.core.delivery import DeliveryLoop
from cloud.core.principal import Principal, Role
from cloud.tickets.dispatch_rules import rules_in_force
from cloud.tickets.dispatch_tables import OfferState
from cloud.tickets.skills import skills_of
from tests.cloud.screens.controlroom.test_alarms import words_of
from tests.cloud.screens.house import House
from tests.cloud.tickets.dispatch.team import WIRING, Team
from tests.cloud.web.conftest import Browser

RULES = {
    "version": "0",
    "cap": "2",
    "kinds": "repair",
    "accept_1": "5",
    "accept_2": "10",
    "accept_3": "30",
    "accept_4": "60",
    "asked_at_most": "3",
    "queue_min": "15",
    "lead_percent": "80",
}


@pytest.fixture
def routes() -> Routes:
    return WIRING.routes


@pytest.fixture
def team(house: House) -> Team:
    return Team(house.site, DeliveryLoop(house.site.database, house.site.clock, WIRING))


async def own(team: Team, **skills: date | None) -> Principal:
    """Return the worker who can sign in, on shift and with skills."""
    worker = team.site.estate.principals[Role.WORKER]
    await team.start_shift(worker)
    await team.give(worker, skills)
    return worker


async def test_what_nobody_has_stands_by_its_deadline_with_who_should_do_it_and_why(house: House, team: Team) -> None:
    await team.add("张三")
    await team.add("王五", on_shift=False)
    await team.open()
    async with house.signed_in(Role.DESK) as browser:
        said = words_of((await browser.get("/dispatch")).text)
    for part in ("2026-000001", "offered to 张三 until", "0 of 5 jobs", "not on shift", "Plumbing"):
        assert part in said, part


async def test_everything_has_an_owner(house: House) -> None:
    async with house.signed_in(Role.DESK) as browser:
        assert "Everything has an owner." in (await browser.get("/dispatch")).text


async def test_a_ticket_that_nobody_can_do_is_marked_with_the_reasons(house: House, team: Team) -> None:
    await team.add("张三", skills={"lift": None})
    await team.add("王五", on_shift=False)
    await team.open()
    async with house.signed_in(Role.DESK) as browser:
        html = (await browser.get("/dispatch")).text
    said = words_of(html)
    for part in ("nobody to be found", "Nobody can do it now", "2 × does not have the skill", "2 × not on shift"):
        assert part in said, part
    assert "chip-strong" in html


async def test_it_is_given_to_the_best_from_its_row_and_taken_back_at_once(house: House, team: Team) -> None:
    worker = await own(team, plumbing=None)
    ticket_id = await team.open()
    async with house.signed_in(Role.DESK) as browser:
        row = (await browser.get("/dispatch")).text
        assert 'data-key="a"' in row
        fields = dict(re.findall(r'name="(version|person_id)" value="(\d+)"', row))
        done = await browser.send_form(f"/dispatch/{ticket_id}/give", page="/dispatch", **fields)
        assert (await team.see(ticket_id)).assignee_id == worker.person_id
        after = (await browser.get(done.headers["location"])).text
        assert "2026-000001 is 李四" in words_of(after)
        undo = dict(re.findall(r'name="(version)" value="([^"]*)"', after[after.index("data-notice") :]))
        await browser.send_form(f"/tickets/{ticket_id}/release", page="/dispatch", **undo)
    assert (await team.see(ticket_id)).assignee_id is None


async def test_even_the_dispatcher_gives_nothing_to_whose_certificate_has_ended(house: House, team: Team) -> None:
    worker = await own(team, plumbing=date(2026, 3, 1))
    ticket_id = await team.open()
    async with house.signed_in(Role.DESK) as browser:
        address = f"/dispatch/{ticket_id}"
        assert f"{address}/give" not in (await browser.get(address)).text
        fields = {"version": "1", "person_id": str(worker.person_id)}
        answer = await browser.send_form(f"{address}/give", page="/dispatch", **fields)
    assert answer.status_code == 400
    assert "Their certificate for this work has ended" in answer.text
    assert (await team.see(ticket_id)).assignee_id is None


@pytest.mark.parametrize(
    ("type_code", "skills", "community", "is_offered"),
    [
        ("lift", {}, None, False),
        ("lift", {"lift": None}, None, True),
        ("lift", {"lift": None}, 99, False),
        ("water_off", {}, None, True),
    ],
    ids=["no certificate", "has it", "works elsewhere", "the law wants none"],
)
async def test_a_ticket_is_offered_for_giving_only_to_who_may_have_it(
    house: House,
    team: Team,
    type_code: str,
    skills: dict[str, date | None],
    community: int | None,
    *,
    is_offered: bool,
) -> None:
    worker = await team.add("张三", skills=skills, communities=None if community is None else [community])
    ticket_id = await team.open(type_code)
    async with house.signed_in(Role.DESK) as browser:
        html = (await browser.get(f"/dispatch/{ticket_id}")).text
    assert (f'name="person_id" value="{worker.person_id}"' in html) is is_offered


async def test_a_ticket_s_page_says_of_everybody_why_and_who_was_asked(house: House, team: Team) -> None:
    await own(team, plumbing=None)
    await team.add("张三")
    await team.add("王五", skills={})
    ticket_id = await team.open()
    async with house.signed_in(Role.WORKER) as worker, house.signed_in(Role.DESK) as browser:
        await decline(worker, "far", note="在城东")
        await team.go_on()
        said = words_of((await browser.get(f"/dispatch/{ticket_id}")).text)
    for part in (
        "first choice",
        "张三",
        "does not have the skill",
        "was asked already",
        "declined",
        "在城东",
        "is asked",
    ):
        assert part in said, part


async def offer(browser: Browser) -> str:
    """Return the number of the offer on a worker's list."""
    found = re.search(r'action="/offers/(\d+)/accept"', (await browser.get("/tickets")).text)
    assert found
    return found[1]


async def decline(browser: Browser, reason: str, **more: str) -> None:
    number = await offer(browser)
    await browser.send_form(f"/offers/{number}/decline", page="/tickets", reason=reason, **more)


async def test_a_worker_accepts_with_one_tap_on_top_of_their_list(house: House, team: Team) -> None:
    worker = await own(team, plumbing=None)
    ticket_id = await team.open()
    async with house.signed_in(Role.WORKER) as browser:
        said = words_of((await browser.get("/tickets")).text)
        assert "For you to take" in said
        done = await browser.send_form(f"/offers/{await offer(browser)}/accept", page="/tickets")
        assert "The ticket is yours." in (await browser.get(done.headers["location"])).text
    assert (await team.see(ticket_id)).assignee_id == worker.person_id


async def test_declining_without_a_reason_is_refused(house: House, team: Team) -> None:
    await own(team, plumbing=None)
    ticket_id = await team.open()
    async with house.signed_in(Role.WORKER) as browser:
        answer = await browser.send_form(f"/offers/{await offer(browser)}/decline", page="/tickets")
    assert answer.status_code == 422
    assert [each.state for each in await team.offers(ticket_id)] == [OfferState.OPEN]


async def test_who_is_too_late_is_told_so(house: House, team: Team) -> None:
    await own(team, plumbing=None)
    await team.open()
    async with house.signed_in(Role.WORKER) as browser:
        number = await offer(browser)
        team.site.clock.advance(minutes=10)
        answer = await browser.send_form(f"/offers/{number}/accept", page="/tickets")
    assert answer.status_code == 409
    assert "This offer is over" in answer.text


async def test_a_manager_writes_rules_and_tries_them_before(house: House, team: Team) -> None:
    await team.add("张三")
    await team.open()
    async with house.signed_in(Role.MANAGER) as browser:
        version = re.search(r'name="version" value="(\d+)"', (await browser.get("/dispatch/rules")).text)
        typed = {**RULES, "version": version[1] if version else ""}
        tried = await browser.send_form(
            "/dispatch/rules/try", page="/dispatch/rules", **{**typed, "cap": "1", "ticket": "2026-000001"}
        )
        said = words_of(tried.text)
        assert "Under these rules: 2026-000001" in said
        assert "has enough to do" in said
        await browser.send_form("/dispatch/rules", page="/dispatch/rules", **typed)
    async with team.site.database.reading() as session:
        found = await rules_in_force(session, team.site.system)
    assert (found.version, found.rules.cap, len(found.rules.ladder)) == (2, 2, 1)


async def test_a_manager_sees_what_past_tickets_would_have_become_and_comes_back_to_the_typed_rules(
    house: House, team: Team
) -> None:
    await team.add("张三")
    for _number in range(3):
        await team.open()
    await team.go_on(minutes=9)
    async with house.signed_in(Role.MANAGER) as browser:
        assert "Both columns show the rules in force." in words_of(
            (await browser.get("/dispatch/rules/simulated")).text
        )
        sent = await browser.send_form("/dispatch/rules/simulate", page="/dispatch/rules", **{**RULES, "cap": "1"})
        said = words_of((await browser.get(sent.headers["location"])).text)
        back = (await browser.get(sent.headers["location"].replace("/simulated", ""))).text
    assert "The rules found somebody 3 1" in said
    assert "3 tickets, all that came." in said
    assert re.search(r'name="cap"[^>]*value="1"', back)


async def test_where_no_ticket_came_there_is_nothing_to_try_rules_on(house: House) -> None:
    async with house.signed_in(Role.MANAGER) as browser:
        assert "No ticket came in these days." in (await browser.get("/dispatch/rules/simulated")).text


async def test_the_neighbours_tickets_are_not_replayed(house: House, team: Team) -> None:
    await team.open()
    async with house.signed_in(Role.MANAGER, next_door=True) as neighbour:
        assert "No ticket came in these days." in (await neighbour.get("/dispatch/rules/simulated")).text


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"cap": "0"}, "cap"),
        ({"lead_percent": "60"}, "ladder"),
        ({"accept_2": ""}, "accept_2"),
    ],
)
async def test_rules_that_do_not_work_are_refused_with_a_sentence(
    house: House, fields: dict[str, str], wrong: str
) -> None:
    async with house.signed_in(Role.MANAGER) as browser:
        answer = await browser.send_form("/dispatch/rules", page="/dispatch/rules", **{**RULES, **fields})
    assert answer.status_code == 422
    assert f'id="{wrong}-error"' in answer.text or "form-error" in answer.text


async def test_trying_needs_a_ticket_that_is_there(house: House) -> None:
    async with house.signed_in(Role.MANAGER) as browser:
        for number in ("", "2026-999999"):
            answer = await browser.send_form(
                "/dispatch/rules/try", page="/dispatch/rules", **{**RULES, "ticket": number}
            )
            assert answer.status_code == 422, number
            assert 'id="ticket-error"' in answer.text, number


async def test_skills_are_written_down_with_their_certificates(house: House, team: Team) -> None:
    worker = team.site.estate.principals[Role.WORKER]
    address = f"/admin/people/{worker.person_id}/skills"
    ends = (team.site.clock.now() + timedelta(days=30)).date()
    async with house.signed_in(Role.ADMINISTRATOR) as browser:
        assert "No skill is written down." in (await browser.get(address)).text
        refused = await browser.send_form(address, page=address, skill="lift")
        assert 'id="certificate-error"' in refused.text
        await browser.send_form(address, page=address, skill="lift", certificate="T1", valid_until=ends.isoformat())
        said = words_of((await browser.get(address)).text)
        assert "Lifts ends soon" in said
        async with team.site.database.reading() as session:
            (known,) = await skills_of(session, team.site.system, person_id=worker.person_id or 0)
        await browser.send_form(f"{address}/{known.id}/take", page=address)
        assert "No skill is written down." in (await browser.get(address)).text
    async with house.signed_in(Role.DESK) as browser:
        assert (await browser.get(address)).status_code == 403


@pytest.mark.parametrize("role", [Role.WORKER, Role.OFFICE])
async def test_only_desk_control_room_and_managers_dispatch(house: House, team: Team, role: Role) -> None:
    ticket_id = await team.open()
    async with house.signed_in(role) as browser:
        assert (await browser.get("/dispatch")).status_code == 403
        assert (await browser.get(f"/dispatch/{ticket_id}")).status_code == 403
        answer = await browser.post(f"/dispatch/{ticket_id}/give", data={"csrf": await browser.token("/me")})
        assert answer.status_code == 403


async def test_a_manager_who_is_called_sees_why_nobody_was_found_and_gives_it_to_somebody(
    house: House, team: Team
) -> None:
    worker = await own(team, plumbing=None)
    ticket_id = await team.open()
    async with house.signed_in(Role.MANAGER) as manager:
        assert "2026-000001" in (await manager.get("/dispatch")).text
        page = (await manager.get(f"/dispatch/{ticket_id}")).text
        fields = dict(re.findall(r'name="(version|person_id)" value="(\d+)"', page))
        done = await manager.send_form(f"/dispatch/{ticket_id}/give", page=f"/dispatch/{ticket_id}", **fields)
        after = (await manager.get(done.headers["location"])).text
    assert (await team.see(ticket_id)).assignee_id == worker.person_id
    assert "2026-000001 is 李四" in words_of(after)
    assert f'action="/tickets/{ticket_id}/release"' not in after


async def test_only_managers_put_rules_into_force(house: House, team: Team) -> None:
    async with house.signed_in(Role.DESK) as browser:
        assert "Put into force" not in (await browser.get("/dispatch/rules")).text
        answer = await browser.send_form("/dispatch/rules", page="/dispatch/rules", **RULES)
    assert answer.status_code == 403


async def test_the_neighbour_finds_no_ticket_and_gives_none(house: House, team: Team) -> None:
    ticket_id = await team.open()
    async with house.signed_in(Role.ADMINISTRATOR, next_door=True) as neighbour:
        assert (await neighbour.get(f"/dispatch/{ticket_id}")).status_code == 404
        token = await neighbour.token("/me")
        fields = {"csrf": token, "version": "1", "person_id": "1"}
        assert (await neighbour.post(f"/dispatch/{ticket_id}/give", data=fields)).status_code == 404
        assert "2026-000001" not in (await neighbour.get("/dispatch")).text
        tried = {**RULES, "ticket": "2026-000001"}
        assert (await neighbour.send_form("/dispatch/rules/try", page="/dispatch/rules", **tried)).status_code == 422
