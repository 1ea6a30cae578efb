"""What a ticket's page does besides moving it: contacts, steps, types, merging; and opening, board, incidents."""

import re

import pytest

from cloud.core.principal import Role
from cloud.tickets.domain import Act, Origin, State
from cloud.tickets.incident_reading import incident
from cloud.tickets.reading import Ticket, ticket
from cloud.tickets.steps import ticks
from tests.cloud.screens.controlroom.test_alarms import words_of
from tests.cloud.screens.house import House
from tests.cloud.screens.households import make_households
from tests.cloud.tickets.desk import Desk
from tests.cloud.web.conftest import Browser


@pytest.fixture
def tickets(house: House) -> Desk:
    return Desk(house.site)


async def send(browser: Browser, ticket_id: int, what: str, **fields: str) -> str:
    """Send one of the page's forms with the version that stands in it, and return the page afterwards."""
    address = f"/tickets/{ticket_id}"
    version = re.search(r'name="version" value="(\d+)"', (await browser.get(address)).text)
    hidden = {"version": version[1]} if version else {}
    answer = await browser.send_form(f"{address}/{what}", page=address, **{**hidden, **fields})
    return answer.text if answer.status_code == 422 else (await browser.get(address)).text


async def test_the_page_says_what_is_due_by_when_counted_how(house: House, tickets: Desk) -> None:
    ticket_id = await tickets.open()
    async with house.signed_in(Role.DESK) as browser:
        said = words_of((await browser.get(f"/tickets/{ticket_id}")).text)
    for part in ("First contact", "Arrival", "Plan", "Solution", "15 h on the calendar Office hours", "0.5 h on"):
        assert part in said, part


async def test_a_telephone_number_is_masked(house: House, tickets: Desk) -> None:
    ticket_id = await tickets.open()
    async with house.signed_in(Role.DESK) as browser:
        html = (await browser.get(f"/tickets/{ticket_id}")).text
    assert "13800000001" not in html
    assert "138****0001" in html


async def test_a_missed_deadline_is_a_clock_and_stays(house: House, tickets: Desk) -> None:
    ticket_id = await tickets.open("water_burst")
    house.site.clock.advance(hours=1)
    await tickets.look_at_the_clock()
    async with house.signed_in(Role.DESK) as browser:
        html = (await browser.get(f"/tickets/{ticket_id}")).text
        assert "A deadline has passed" in html
        assert 'class="late"' in html
        after = await send(browser, ticket_id, "contacts", how="phone", outcome="reached", next_step="马上到")
    assert "missed" in words_of(after)


async def test_a_contact_is_kept_and_what_was_told_is_read_by_whoever_asked(house: House, tickets: Desk) -> None:
    ticket_id = await tickets.open()
    async with house.signed_in(Role.DESK) as browser:
        wrong = await send(browser, ticket_id, "contacts", how="phone", outcome="reached", heard="漏在厨房")
        assert 'id="next_step-error"' in wrong
        said = words_of(
            await send(browser, ticket_id, "contacts", how="phone", outcome="reached", next_step="明早九点上门")
        )
    assert "明早九点上门" in said
    assert "met" in said


async def test_steps_are_ticked_off_and_say_who(house: House, tickets: Desk) -> None:
    ticket_id = await tickets.open("repair")
    async with house.signed_in(Role.WORKER) as worker:
        assert "Tick off" not in (await worker.get(f"/tickets/{ticket_id}")).text
        await send(worker, ticket_id, "take")
        after = await send(worker, ticket_id, "steps", code="survey", is_done="on")
        assert "Not done after all" in after
    async with house.site.database.reading() as session:
        done = await ticks(session, house.site.system, ticket_id=ticket_id)
    assert {code: tick.actor for code, tick in done.items()} == {"survey": "李四"}


async def test_a_plan_is_needed_first_and_an_emergency_says_why(house: House, tickets: Desk) -> None:
    ticket_id = await tickets.open("water_indoor")
    async with house.signed_in(Role.WORKER) as worker:
        after = await send(worker, ticket_id, "take")
        assert f'action="/tickets/{ticket_id}/start"' not in after
        wrong = await send(worker, ticket_id, "start_emergency")
        assert 'id="emergency_reason-error"' in wrong
        said = words_of(await send(worker, ticket_id, "start_emergency", emergency_reason="水要淹到楼下"))
    assert "Work began before consent: 水要淹到楼下" in said
    assert (await tickets.see(ticket_id)).state is State.IN_WORK


async def test_what_waits_says_for_what_and_goes_on(house: House, tickets: Desk) -> None:
    ticket_id = await tickets.open("repair")
    async with house.signed_in(Role.WORKER) as worker:
        await send(worker, ticket_id, "take")
        said = words_of(await send(worker, ticket_id, "wait", waiting_for="等配件"))
        assert "等配件" in said
        assert "the clock stands" in said
        await send(worker, ticket_id, "continue")
    assert (await tickets.see(ticket_id)).state is State.ASSIGNED


async def test_the_desk_says_what_it_is_after_all(house: House, tickets: Desk) -> None:
    ticket_id = await tickets.open("repair")
    async with house.signed_in(Role.DESK) as browser:
        await send(browser, ticket_id, "type", type_code="drain_blocked", priority="2")
    found = await tickets.see(ticket_id)
    assert (found.type.code, int(found.priority)) == ("drain_blocked", 2)


async def test_the_same_matter_is_offered_and_merged(house: House, tickets: Desk) -> None:
    into, ticket_id = await tickets.open(), await tickets.open()
    async with house.signed_in(Role.DESK) as browser:
        before = (await browser.get(f"/tickets/{ticket_id}")).text
        assert "1 open ticket may be the same matter" in before
        said = words_of(await send(browser, ticket_id, "merge", into_id=str(into)))
        assert "It goes on in 2026-000001" in said
        assert "2026-000002" in words_of((await browser.get(f"/tickets/{into}")).text)
    assert (await tickets.see(ticket_id)).merged_into_id == into


@pytest.mark.parametrize("act", [Act.AGREE, Act.PROPOSE, Act.REFUSE, Act.VERIFY, Act.SETTLE])
async def test_what_is_done_elsewhere_is_not_done_here(house: House, tickets: Desk, act: Act) -> None:
    ticket_id = await tickets.open()
    async with house.signed_in(Role.DESK) as browser:
        address = f"/tickets/{ticket_id}"
        assert (await browser.send_form(f"{address}/{act}", page=address, version="1")).status_code == 404


async def test_words_suggest_a_type_with_their_reason_and_change_nothing_by_themselves(house: House) -> None:
    place = str(house.site.place_id)
    async with house.signed_in(Role.DESK) as browser:
        typed = (await browser.get("/tickets/new?subject=厨房水管漏水")).text
        assert "Take: Pipes, taps and fittings at home" in typed
        assert "because of: 水管, 漏水" in typed
        assert '<option value="repair" selected>' in typed
        fields = {"type": "repair", "subject": "厨房水管漏水", "where": f"place:{place}"}
        asked = await browser.send_form("/tickets", page="/tickets/new", act="suggest", **fields)
        assert "because of: 水管, 漏水" in asked.text
        taken = await browser.send_form("/tickets", page="/tickets/new", act="use:water_indoor", **fields)
        assert '<option value="water_indoor" selected>' in taken.text
        assert 'value="厨房水管漏水"' in taken.text
        assert (await browser.get("/tickets/1")).status_code == 404


async def seen(house: House, ticket_id: int) -> Ticket:
    async with house.site.database.reading() as session:
        return await ticket(session, house.site.clock, house.site.system, ticket_id=ticket_id)


async def test_who_asked_and_how_is_kept(house: House) -> None:
    async with house.signed_in(Role.DESK) as browser:
        await browser.send_form(
            "/tickets",
            page="/tickets/new",
            type="water_indoor",
            subject="漏水",
            where=f"place:{house.site.place_id}",
            requester_name="张三",
            requester_phone="+8613800000001",
            origin="visit",
        )
    found = await seen(house, 1)
    assert (found.requester_name, found.requester_phone, found.origin) == ("张三", "+8613800000001", Origin.VISIT)


async def test_the_board_shows_tickets_by_state_and_by_deadline(house: House, tickets: Desk) -> None:
    free, waiting = await tickets.open("repair"), await tickets.open("repair", waiting_for="等配件")
    late = await tickets.open("water_burst")
    house.site.clock.advance(hours=5)
    async with house.signed_in(Role.DESK) as browser:
        by_state = (await browser.get("/tickets/board")).text
        by_due = (await browser.get("/tickets/board?by=due")).text
    columns = re.findall(r'<section class="card" aria-label="([^"]+)">(.*?)</section>', by_state, re.DOTALL)
    placed = {label: set(map(int, re.findall(r"/tickets/(\d+)", html))) for label, html in columns}
    assert placed["Open"] == {free, late}
    assert placed["Waits"] == {waiting}
    columns = re.findall(r'<section class="card" aria-label="([^"]+)">(.*?)</section>', by_due, re.DOTALL)
    placed = {label: set(map(int, re.findall(r"/tickets/(\d+)", html))) for label, html in columns}
    assert (placed["Late"], placed["The clock stands"]) == ({late}, {waiting})
    assert placed["Within a week"] == {free}


async def test_an_incident_names_buildings_and_units_and_takes_what_is_open_there(house: House, tickets: Desk) -> None:
    homes = await make_households(
        house.site.database, house.site.clock, house.site.estate, community_id=house.site.community_id
    )
    there = await tickets.open("water_off", unit_id=homes.unit_id)
    said = {"type": "water_off", "title": "3 栋停水", "notice": "预计 20:00 恢复"}
    async with house.signed_in(Role.DESK) as browser:
        wrong = await browser.send_form("/incidents", page="/incidents/new", **said, units="3-999")
        assert "There is no unit “3-999”" in wrong.text
        await browser.send_form("/incidents", page="/incidents/new", **said, units="3-501, 3-502")
        page = words_of((await browser.get("/incidents/1")).text)
        for part in ("云杉苑 · 3 栋 · 501, 云杉苑 · 3 栋 · 502", "1 open ticket of what it concerns"):
            assert part in page, part
        await browser.send_form("/incidents/1", page="/incidents/1", **said, version="1", building_ids="1")
        page = words_of((await browser.get("/incidents/1")).text)
        assert "· 501," not in page
        await browser.send_form("/incidents/1/tickets/explain", page="/incidents/1", ticket_ids=str(there))
    assert (await tickets.see(there)).incident_id == 1


async def test_an_incident_from_its_beginning_to_its_end(house: House, tickets: Desk) -> None:
    first, second = await tickets.open("water_off"), await tickets.open("water_off")
    number = (await tickets.see(second)).number
    async with house.signed_in(Role.DESK) as browser:
        assert "No incident." in (await browser.get("/incidents")).text
        made = await browser.send_form(
            "/incidents",
            page="/incidents/new",
            type="water_burst",
            title="3 栋停水",
            script="请先储水",
            notice="预计 20:00 恢复",
            place_ids=str(house.site.place_id),
        )
        assert made.headers["location"] == "/incidents/1"
        await browser.send_form(f"/tickets/{first}/incident", page=f"/tickets/{first}", incident_id="1")
        wrong = await browser.send_form("/incidents/1/tickets", page="/incidents/1", number="2026-999999")
        assert 'id="number-error"' in wrong.text
        assert 'action="/incidents/1"' in wrong.text
        await browser.send_form("/incidents/1/tickets", page="/incidents/1", number=number)
        said = words_of((await browser.get("/incidents/1")).text)
        for part in ("3 栋停水", "请先储水", "预计 20:00 恢复", "云杉苑 · 3 栋 · 办公室", "1 to 2 of 2", number):
            assert part in said, part
        changed = {"version": "1", "title": "3 栋停水", "script": "请先储水", "notice": "预计 22:00 恢复"}
        await browser.send_form("/incidents/1", page="/incidents/1", **changed)
        assert "预计 22:00 恢复" in (await browser.get(f"/tickets/{first}")).text
        found = (await browser.get(f"/incidents/1?q={number}")).text
        assert "1 to 1 of 1" in words_of(found)
        assert number in (await browser.get("/incidents/1?format=csv")).text
        await browser.send_form("/incidents/1/tickets/remove", page="/incidents/1", row=str(first))
        end = {"version": "2", "result": "总管已修复", "with_tickets": "on"}
        await browser.send_form("/incidents/1/resolve", page="/incidents/1", **end)
        assert "3 栋停水" in (await browser.get("/incidents/all")).text
    assert (await tickets.see(first)).state is State.OPEN
    assert (await tickets.see(second)).state is State.RESOLVED
    async with house.site.database.reading() as session:
        found = await incident(session, house.site.clock, house.site.system, incident_id=1)
    assert found.result == "总管已修复"


async def test_a_worker_opens_no_incident_and_neither_does_the_neighbour(house: House, tickets: Desk) -> None:
    async with house.signed_in(Role.WORKER) as worker:
        assert (await worker.get("/incidents")).status_code == 403
    async with house.signed_in(Role.ADMINISTRATOR, next_door=True) as neighbour:
        assert (await neighbour.get("/incidents/1")).status_code == 404
