"""What a telephone kept in a basement is written down with the time at which it happened."""

import re
from datetime import datetime, timedelta

import httpx
import pytest

from cloud.core.once import new_key
from cloud.core.principal import Role
from cloud.tickets.domain import Act, Deed, Target
from tests.cloud.screens.house import House
from tests.cloud.tickets.desk import Desk
from tests.cloud.tickets.dispatch.asked import make_offer
from tests.cloud.web.conftest import Browser

MINUTE = timedelta(minutes=1)
PHONE = datetime.fromisoformat("2031-07-09T08:00:00.250+08:00")
"""What the telephone's clock shows when it sends: years from the truth."""


@pytest.fixture
def desk(house: House) -> Desk:
    return Desk(house.site)


async def tell(
    worker: Browser, path: str, *, waited: timedelta = timedelta(), times: dict[str, str] | None = None, **fields: str
) -> httpx.Response:
    """Send a form as a telephone does that kept it for so long, or with the times as they are given."""
    headers = {
        "X-CSRF-Token": await worker.token("/day"),
        "Idempotency-Key": new_key(),
        **(times or {"X-Pressed-At": (PHONE - waited).isoformat(), "X-Sent-At": PHONE.isoformat()}),
    }
    return await worker.post(path, data=fields, headers=headers)


async def test_a_contact_that_was_kept_is_judged_and_shown_by_when_it_was_made(house: House, desk: Desk) -> None:
    ticket_id = await desk.open()
    await desk.do(Act.TAKE, ticket_id, by=Role.WORKER)
    desk.site.clock.advance(minutes=50)
    await desk.look_at_the_clock()
    now = desk.site.clock.now()
    async with house.signed_in(Role.WORKER) as worker:
        told = await tell(
            worker, f"/work/{ticket_id}/contact", waited=30 * MINUTE, outcome="reached", next_step="下午到"
        )
        page = (await worker.get(f"/tickets/{ticket_id}")).text
    assert told.status_code == 303
    line = next(line for line in await desk.told(ticket_id) if line.deed is Deed.CONTACTED)
    assert (line.at, line.told_at) == (now - 30 * MINUTE, now)
    assert (await desk.deadlines(ticket_id))[Target.FIRST_CONTACT].breached_at is None
    assert re.search(r"\(told <time[^>]*>16:50</time>\)", page)
    assert "Met in time, and told late: no deadline was missed" in page


async def test_what_was_done_one_after_the_other_keeps_its_order_and_its_times(house: House, desk: Desk) -> None:
    ticket_id = await desk.open("public_area")
    await desk.do(Act.TAKE, ticket_id, by=Role.WORKER)
    desk.site.clock.advance(hours=2)
    now = desk.site.clock.now()
    async with house.signed_in(Role.WORKER) as worker:
        await tell(worker, f"/work/{ticket_id}/arrive", waited=90 * MINUTE)
        await tell(worker, f"/work/{ticket_id}/start", waited=80 * MINUTE, version="1")
        await tell(worker, f"/work/{ticket_id}/finish", waited=10 * MINUTE, version="1", result="换了灯管")
        await tell(worker, f"/work/{ticket_id}/leave", waited=20 * MINUTE, minutes="60")
        await tell(worker, f"/work/{ticket_id}/finish", waited=10 * MINUTE, version="1", result="换了灯管")
    lines = [line for line in reversed(await desk.told(ticket_id)) if line.told_at and line.actor]
    assert [(line.deed, line.at) for line in lines] == [
        (Deed.ARRIVED, now - 90 * MINUTE),
        (Deed.STARTED, now - 80 * MINUTE),
        (Deed.RESOLVED, now - 10 * MINUTE),
    ]
    assert (await desk.see(ticket_id)).closed_at == now - 10 * MINUTE


async def test_an_offer_that_was_accepted_in_time_holds_while_nobody_else_was_asked(house: House, desk: Desk) -> None:
    ticket_id = await desk.open()
    site = desk.site
    async with site.database.transaction() as session:
        offer = await make_offer(session, site.clock, site.estate, ticket_id=ticket_id)
    site.clock.advance(minutes=11)  # it ended after ten
    async with house.signed_in(Role.WORKER) as worker:
        late = await tell(worker, f"/day/offers/{offer['offer_id']}/accept")
        in_time = await tell(worker, f"/day/offers/{offer['offer_id']}/accept", waited=5 * MINUTE)
    assert (late.status_code, in_time.status_code) == (409, 303)
    assert (await desk.see(ticket_id)).assignee_id == desk.worker_id


@pytest.mark.parametrize(
    "times",
    [
        pytest.param({"X-Pressed-At": "yesterday", "X-Sent-At": PHONE.isoformat()}, id="no time"),
        pytest.param({"X-Pressed-At": "2026-03-02T08:00:00", "X-Sent-At": PHONE.isoformat()}, id="without its zone"),
        pytest.param({"X-Pressed-At": PHONE.isoformat()}, id="sent at no time"),
    ],
)
async def test_times_that_cant_be_read_are_refused_and_nothing_is_done(
    house: House, desk: Desk, times: dict[str, str]
) -> None:
    ticket_id = await desk.open()
    await desk.do(Act.TAKE, ticket_id, by=Role.WORKER)
    async with house.signed_in(Role.WORKER) as worker:
        told = await tell(worker, f"/work/{ticket_id}/arrive", times=times)
    assert told.status_code == 422
    assert Deed.ARRIVED not in {line.deed for line in await desk.told(ticket_id)}


async def test_a_page_that_says_no_times_tells_of_now(house: House, desk: Desk) -> None:
    ticket_id = await desk.open()
    await desk.do(Act.TAKE, ticket_id, by=Role.WORKER)
    async with house.signed_in(Role.WORKER) as worker:
        await tell(worker, f"/work/{ticket_id}/arrive", times={"X-Sent-At": PHONE.isoformat()})
    line = next(line for line in await desk.told(ticket_id) if line.deed is Deed.ARRIVED)
    assert (line.at, line.told_at) == (desk.site.clock.now(), None)
