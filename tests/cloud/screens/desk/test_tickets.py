import re
from dataclasses import dataclass

import httpx
import pytest

from cloud.accounts.tables import PersonRow
from cloud.alarms.domain import Priority
from cloud.alarms.system import note_loss
from cloud.core.principal import Role
from cloud.core.words import Words
from cloud.fleet.domain import RowsLost
from cloud.tickets.domain import State
from cloud.tickets.from_alarms import open_for_alarm
from cloud.tickets.opening import Location, open_ticket
from cloud.tickets.reading import Ticket, ticket
from cloud.tickets.service import take
from tests.cloud.screens.controlroom.test_alarms import words_of
from tests.cloud.screens.house import House
from tests.cloud.web.conftest import Browser

ROUTES = [
    ("GET", "/tickets"),
    ("GET", "/tickets/all"),
    ("GET", "/tickets/1"),
    ("POST", "/tickets/1/notes"),
    ("POST", "/tickets/1/take"),
    ("POST", "/tickets/1/assign"),
    ("POST", "/tickets/1/start"),
    ("POST", "/tickets/1/resolve"),
    ("POST", "/tickets/1/reopen"),
    ("POST", "/tickets/1/cancel"),
    ("POST", "/tickets/1/vouch"),
    ("POST", "/tickets/1/release"),
]
OPENING = [("GET", "/tickets/new"), ("POST", "/tickets")]


@dataclass
class Desk:
    """Tickets, and what people do with them by the pages' own forms."""

    house: House

    async def open(self, subject: str = "水管漏水", priority: Priority | None = None) -> int:
        site = self.house.site
        async with site.database.transaction() as session:
            return await open_ticket(
                session,
                site.clock,
                site.estate.principals[Role.DESK],
                type_code="repair",
                subject=Words(zh=subject, en=subject),
                location=Location(community_id=site.community_id, place_id=site.place_id, place="云杉苑 · 3 栋"),
                priority=priority,
            )

    async def see(self, ticket_id: int) -> Ticket:
        site = self.house.site
        async with site.database.reading() as session:
            return await ticket(session, site.clock, site.system, ticket_id=ticket_id)

    async def send(self, browser: Browser, ticket_id: int, act: str, **fields: str) -> httpx.Response:
        """Send a form of the ticket's page, with what stands unseen in it."""
        address = f"/tickets/{ticket_id}"
        version = re.search(r'name="version" value="(\d+)"', (await browser.get(address)).text)
        hidden = {"version": version[1]} if version else {}
        return await browser.send_form(f"{address}/{act}", page=address, **{**hidden, **fields})


@pytest.fixture
def desk(house: House) -> Desk:
    return Desk(house)


async def test_the_list_says_what_where_whose_and_until_when(house: House, desk: Desk) -> None:
    await desk.open()
    async with house.signed_in(Role.DESK) as browser:
        said = words_of((await browser.get("/tickets")).text)
    for part in ("2026-000001", "水管漏水", "云杉苑 · 3 栋", "Medium", "Open"):
        assert part in said, part


async def test_late_is_a_clock_and_bold_and_a_filter(house: House, desk: Desk) -> None:
    late = await desk.open(priority=Priority.CRITICAL)
    house.site.clock.advance(days=1)
    await desk.open()
    async with house.signed_in(Role.DESK) as browser:
        html = (await browser.get("/tickets")).text
        assert html.count('class="late"') == 1
        narrowed = (await browser.get("/tickets?late=yes")).text
    assert f'id="ticket_list-{late}"' in narrowed
    assert narrowed.count("data-row") == 1


async def test_nothing_to_do_says_so(house: House) -> None:
    async with house.signed_in(Role.DESK) as browser:
        assert "Everything is done." in (await browser.get("/tickets")).text
        assert "There has been no ticket yet." in (await browser.get("/tickets/all")).text


async def test_a_worker_takes_a_free_ticket_from_the_list_and_gives_it_back_at_once(house: House, desk: Desk) -> None:
    ticket_id = await desk.open()
    async with house.signed_in(Role.WORKER) as worker:
        assert f'action="/tickets/{ticket_id}/take"' in (await worker.get("/tickets")).text
        done = await worker.send_form(f"/tickets/{ticket_id}/take", page="/tickets")
        after = (await worker.get(done.headers["location"])).text
        assert "The ticket is yours." in after
        assert (await desk.see(ticket_id)).assignee_name == "李四"
        undo = dict(re.findall(r'name="(version|reason)" value="([^"]*)"', after))
        await worker.send_form(f"/tickets/{ticket_id}/release", page="/tickets", **undo)
    assert (await desk.see(ticket_id)).state is State.OPEN


async def test_a_ticket_is_given_worked_and_resolved_by_plain_forms(house: House, desk: Desk) -> None:
    ticket_id = await desk.open()
    worker_id = house.site.estate.principals[Role.WORKER].person_id
    async with house.signed_in(Role.DESK) as browser, house.signed_in(Role.WORKER) as worker:
        await desk.send(browser, ticket_id, "assign", person_id=str(worker_id))
        await desk.send(worker, ticket_id, "start")
        await desk.send(worker, ticket_id, "notes", text="需要配件")
        await desk.send(worker, ticket_id, "resolve", result="换了接头")
        html = (await browser.get(f"/tickets/{ticket_id}")).text
    said = words_of(html)
    found = await desk.see(ticket_id)
    assert (found.state, found.result) == (State.RESOLVED, "换了接头")
    for part in ("Resolved", "换了接头", "需要配件", "Internal note", "Work began", "Assigned 李四", "李四", "孙三"):
        assert part in said, part
    versions = house.hub.versions(house.site.estate.organisation_id)
    assert versions["tickets"] == 4


async def test_resolving_without_words_is_refused_at_its_field(house: House, desk: Desk) -> None:
    ticket_id = await desk.open()
    async with house.signed_in(Role.WORKER) as worker:
        await desk.send(worker, ticket_id, "take")
        await desk.send(worker, ticket_id, "start")
        answer = await desk.send(worker, ticket_id, "resolve", result="")
    assert answer.status_code == 422
    assert 'id="result"' in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert (await desk.see(ticket_id)).state is State.IN_WORK


async def test_an_outdated_form_shows_what_somebody_else_did(house: House, desk: Desk) -> None:
    ticket_id = await desk.open()
    async with house.signed_in(Role.WORKER) as worker:
        await desk.send(worker, ticket_id, "take")
    async with house.signed_in(Role.DESK) as browser:
        address = f"/tickets/{ticket_id}"
        answer = await browser.send_form(f"{address}/cancel", page=address, version="1", cancel_reason="重复")
    assert answer.status_code == 409
    assert "Somebody else has changed this ticket meanwhile." in answer.text
    assert "李四" in answer.text
    assert "重复" in answer.text


async def test_a_ticket_that_a_colleague_has_is_not_there_for_a_worker(house: House, desk: Desk) -> None:
    ticket_id = await desk.open()
    site = house.site
    async with site.database.transaction() as session:
        colleague = site.estate.principals[Role.ADMINISTRATOR]
        await take(session, site.clock, colleague, ticket_id=ticket_id)
    async with house.signed_in(Role.WORKER) as worker:
        assert (await worker.get(f"/tickets/{ticket_id}")).status_code == 404
        assert "2026-000001" not in (await worker.get("/tickets")).text
        token = await worker.token("/tickets")
        for act, status in (("start", 404), ("notes", 404), ("take", 409)):
            answer = await worker.post(f"/tickets/{ticket_id}/{act}", data={"csrf": token, "version": "2", "text": "x"})
            assert answer.status_code == status, act


async def test_resolving_can_be_taken_back_at_once(house: House, desk: Desk) -> None:
    ticket_id = await desk.open()
    async with house.signed_in(Role.WORKER) as worker:
        await desk.send(worker, ticket_id, "take")
        await desk.send(worker, ticket_id, "start")
        done = await desk.send(worker, ticket_id, "resolve", result="好了")
        after = (await worker.get(done.headers["location"])).text
        notice = after[after.index("data-notice") :]
        undo = dict(re.findall(r'name="(version|reason)" value="([^"]*)"', notice))
        await worker.send_form(f"/tickets/{ticket_id}/reopen", page="/tickets", **undo)
    assert (await desk.see(ticket_id)).state is State.ASSIGNED


async def test_giving_it_to_somebody_else_can_be_taken_back_at_once(house: House, desk: Desk) -> None:
    ticket_id = await desk.open()
    site = house.site
    first = site.estate.principals[Role.WORKER]
    async with site.database.transaction() as session:
        row = await session.get_one(PersonRow, site.estate.administrator.person_id)
        row.roles = frozenset({Role.ADMINISTRATOR, Role.WORKER})
    async with house.signed_in(Role.DESK) as browser:
        await desk.send(browser, ticket_id, "assign", person_id=str(first.person_id))
        done = await desk.send(browser, ticket_id, "assign", person_id=str(site.estate.administrator.person_id))
        after = (await browser.get(done.headers["location"])).text
        undo = dict(re.findall(r'name="(version|person_id)" value="([^"]*)"', after[after.index("data-notice") :]))
        assert (await desk.see(ticket_id)).assignee_name == "赵一"
        await browser.send_form(f"/tickets/{ticket_id}/assign", page="/tickets", **undo)
    assert (await desk.see(ticket_id)).assignee_name == "李四"


async def test_the_desk_opens_a_ticket_with_two_values(house: House, desk: Desk) -> None:
    async with house.signed_in(Role.DESK) as browser:
        page = (await browser.get("/tickets/new")).text
        assert "云杉苑 · 3 栋 · 办公室" in page
        place = str(house.site.place_id)
        done = await browser.send_form(
            "/tickets", page="/tickets/new", type="repair", subject="灯不亮", where=f"place:{place}"
        )
        assert done.headers["location"] == "/tickets/1"
    found = await desk.see(1)
    assert (found.subject, found.place) == (Words(zh="灯不亮", en="灯不亮"), "云杉苑 · 3 栋 · 办公室")


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"where": "place:1", "type": "repair"}, "subject"),
        ({"subject": "灯不亮", "type": "repair"}, "where"),
        ({"subject": "灯不亮", "type": "repair", "where": "place:999"}, "where"),
    ],
)
async def test_a_ticket_without_what_or_where_is_refused_at_the_field(
    house: House, fields: dict[str, str], wrong: str
) -> None:
    async with house.signed_in(Role.DESK) as browser:
        answer = await browser.send_form("/tickets", page="/tickets/new", **fields)
    assert answer.status_code == 422
    assert f'id="{wrong}-error"' in answer.text


async def test_a_ticket_of_a_boxs_trouble_says_what_the_trouble_is(house: House, desk: Desk) -> None:
    site = house.site
    async with site.database.transaction() as session:
        organisation_id = site.estate.organisation_id
        lost = RowsLost(organisation_id=organisation_id, box_id=site.box_id, store="0" * 32, ranges=[(1, 2)])
        await note_loss(session, site.clock, lost)
        await open_for_alarm(session, site.clock, site.system, alarm_id=1)
    async with house.signed_in(Role.DESK) as browser:
        assert "A box has lost readings" in (await browser.get("/tickets")).text
        page = (await browser.get("/tickets/1")).text
    assert "A box has lost readings" in page
    assert 'href="/alarms/1"' not in page


async def test_only_desk_control_room_workers_and_managers_open_the_pages(house: House, desk: Desk) -> None:
    await desk.open()
    for role in Role:
        may_see = role in {Role.DESK, Role.OPERATOR, Role.WORKER, Role.MANAGER, Role.ADMINISTRATOR}
        may_open = role in {Role.DESK, Role.OPERATOR, Role.ADMINISTRATOR}
        async with house.signed_in(role) as browser:
            answers = {
                (method, path): (await browser.request(method, path, data={"csrf": await browser.token("/me")}))
                for method, path in [*ROUTES, *OPENING]
            }
        refused = {route for route, answer in answers.items() if answer.status_code == 403}
        seen = {route for route in refused if route in ROUTES and route[0] == "GET"}
        assert seen == (set() if may_see else {route for route in ROUTES if route[0] == "GET"}), role
        assert (set(OPENING) <= refused) is not may_open, role


async def test_the_neighbour_finds_no_ticket_and_moves_none(house: House, desk: Desk) -> None:
    ticket_id = await desk.open()
    async with house.signed_in(Role.ADMINISTRATOR, next_door=True) as neighbour:
        token = await neighbour.token("/me")
        for method, path in ROUTES:
            fields = {"csrf": token, "version": "1", "person_id": "1", "result": "x", "reason": "x", "text": "x"}
            answer = await neighbour.request(method, path, data=fields)
            if path in {"/tickets", "/tickets/all"}:
                assert "水管漏水" not in answer.text
            else:
                assert answer.status_code == 404, path
    found = await desk.see(ticket_id)
    assert (found.state, found.version) == (State.OPEN, 1)


async def test_work_whose_sensor_is_dead_is_resolved_on_the_page_with_a_reason(house: House, desk: Desk) -> None:
    site = house.site
    await site.rule()
    await site.measure((-1, 91.0))
    (alarm,) = await site.alarms()
    async with site.database.transaction() as session:
        ticket_id = await open_for_alarm(session, site.clock, site.system, alarm_id=alarm.id)
    address = f"/tickets/{ticket_id}"
    async with house.signed_in(Role.WORKER) as worker:
        for act, fields in (("take", {}), ("start", {}), ("resolve", {"result": "换了探头线"})):
            version = str((await desk.see(ticket_id)).version)
            await worker.send_form(f"{address}/{act}", page=address, version=version, **fields)
        assert "vouch_reason" not in (await worker.get(address)).text
    async with house.signed_in(Role.OPERATOR) as operator:
        page = (await operator.get(address)).text
        version = str((await desk.see(ticket_id)).version)
        silent = await operator.send_form(f"{address}/vouch", page=address, version=version, vouch_reason=" ")
        done = await operator.send_form(f"{address}/vouch", page=address, version=version, vouch_reason="现场看过")
        after = (await operator.get(done.headers["location"])).text
    ids = re.findall(r' id="([^"]+)"', page)
    assert sorted(set(ids)) == sorted(ids)
    assert (silent.status_code, "Say how you know that the work is done." in silent.text) == (422, True)
    assert "The ticket is resolved on your word." in after
    assert (await desk.see(ticket_id)).state is State.RESOLVED


async def test_a_manager_sees_all_gives_it_to_somebody_and_leaves_the_rest_to_the_desk(
    house: House, desk: Desk
) -> None:
    ticket_id = await desk.open()
    worker_id = house.site.estate.principals[Role.WORKER].person_id
    async with house.signed_in(Role.MANAGER) as manager:
        board = (await manager.get("/tickets/board")).text
        before = (await manager.get(f"/tickets/{ticket_id}")).text
        refused = [
            (await desk.send(manager, ticket_id, act, **fields)).status_code
            for act, fields in (("cancel", {"cancel_reason": "x"}), ("wait", {"waiting_for": "x"}), ("take", {}))
        ]
        done = await desk.send(manager, ticket_id, "assign", person_id=str(worker_id))
        after = (await manager.get(done.headers["location"])).text
    assert "水管漏水" in board
    assert re.findall(r'action="/tickets/1/(\w+)"', before) == ["notes", "assign"]
    assert refused == [403, 403, 403]
    assert (await desk.see(ticket_id)).assignee_name == "李四"
    assert "The ticket is assigned." in after
    assert 'action="/tickets/1/release"' not in after
