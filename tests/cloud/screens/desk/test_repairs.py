"""Consent as the desk writes it down, the price list with its stock, and preventive plans, by the pages' own forms."""

import re

import pytest

from cloud.core.principal import Role
from cloud.repairs.domain import Means, Reply, Standing
from cloud.tickets.domain import Payer, State
from tests.cloud.repairs.job import PIPE, Job, make_job
from tests.cloud.screens.house import House
from tests.cloud.screens.households import make_households

CONSENT = "/tickets/1/consent"


@pytest.fixture
async def job(house: House) -> Job:
    site = house.site
    homes = await make_households(site.database, site.clock, site.estate, community_id=site.community_id)
    return await make_job(site, homes)


def seen(page: str) -> dict[str, str]:
    """Return the version and the amount that a page shows, as its forms send them."""
    return dict(re.findall(r'type="hidden" name="(version|amount|currency)" value="(\w+)"', page))


async def test_the_desk_writes_down_a_consent_by_telephone(house: House, job: Job) -> None:
    async with house.signed_in(Role.DESK) as desk:
        empty = (await desk.get(CONSENT)).text
        await job.propose()
        page = (await desk.get(CONSENT)).text
        fields = {**seen(page), "means": "phone", "reply": "agreed", "decider_id": str(job.owner.person_id)}
        silent = await desk.send_form(CONSENT, page=CONSENT, **fields)
        answer = await desk.send_form(CONSENT, page=CONSENT, **fields, text="可以，尽快")
        after = (await desk.get(CONSENT)).text
    assert "This ticket has no plan." in empty
    assert silent.status_code == 422
    assert "Write down what was said." in silent.text
    assert answer.headers["location"] == CONSENT
    assert "written down by 孙三" in after
    (plan,) = await job.plans()
    assert (plan.standing, plan.replies[0].means, plan.replies[0].decider) == (Standing.AGREED, Means.PHONE, "冯九")


async def test_a_manager_agrees_for_the_common_fund_and_not_for_an_owner(house: House, job: Job) -> None:
    await job.propose()
    async with house.signed_in(Role.MANAGER) as manager:
        shown = {"version": "1", "amount": "14598", "currency": "CNY"}
        for_owner = await manager.send_form(CONSENT, page=CONSENT, **shown, means="app", reply="agreed")
        await job.propose(job.terms(payer=Payer.COMMON_FUND))
        page = (await manager.get(CONSENT)).text
        await manager.send_form(CONSENT, page=CONSENT, **seen(page), means="app", reply="agreed")
    assert for_owner.status_code == 403
    assert (await job.see()).state is State.AGREED


async def test_workers_write_down_no_consent(house: House, job: Job) -> None:
    async with house.signed_in(Role.WORKER) as worker:
        assert (await worker.get(CONSENT)).status_code == 403
        assert (await worker.get("/materials")).status_code == 403


async def test_the_price_list_is_made_changed_and_cleared(house: House, job: Job) -> None:
    async with house.signed_in(Role.OFFICE) as office:
        line = {"code": "plumber", "kind": "labour", "name_zh": "水工", "unit": "h", "price": "80", "version": "0"}
        await office.send_form("/materials/new", page="/materials/new", **line)
        taken = await office.send_form("/materials/new", page="/materials/new", **line)
        edit = (await office.get("/materials/plumber/edit")).text
        changed = {**line, "price": "85.5", "version": re.search(r'name="version" value="(\d+)"', edit)[1]}
        await office.send_form("/materials/plumber/edit", page="/materials/plumber/edit", **changed)
        listed, found = (await office.get("/materials")).text, (await office.get("/materials?search=pipe")).text
        await office.send_form("/materials/plumber/retire", page="/materials/plumber", version="2")
        left = (await office.get("/materials")).text
    assert taken.status_code == 409
    assert "¥85.50" in listed
    assert PIPE in listed
    assert "plumber" not in left
    assert PIPE in found


async def test_stock_is_received_and_counted_and_every_move_is_told(house: House, job: Job) -> None:
    base = f"/materials/{PIPE}"
    async with house.signed_in(Role.DESK) as desk:
        await desk.send_form(f"{base}/receive", page=base, quantity="2.5", text="送货单 12")
        wrong = await desk.send_form(f"{base}/count", page=base, counted="-1", reason="盘点")
        await desk.send_form(f"{base}/count", page=base, counted="11", reason="盘点")
        page = (await desk.get(base)).text
        received = (await desk.get(f"{base}?move=received")).text
        sheet = (await desk.get(f"{base}?q=盘点&format=csv")).text
    assert wrong.status_code == 422
    assert f'action="{base}"' in wrong.text
    assert "−1.5" not in received
    assert ("盘点" in sheet, "送货单 12" in sheet) == (True, False)
    assert str(await job.on_hand()) == "11"
    assert "送货单 12" in page
    assert "−1.5" in page


async def test_preventive_plans_are_made_changed_and_rested(house: House) -> None:
    site = house.site
    fields = {
        "name_zh": "水泵月检", "name_en": "Pumps", "place_id": str(site.place_id), "checklist": "轴封 | Seal\n异响",
        "repair_type": "repair", "rhythm": "months", "every": "1", "first_on": "2026-03-09",
    }  # fmt: skip
    async with house.signed_in(Role.MANAGER) as manager:
        bad = await manager.send_form("/maintenance/new", page="/maintenance/new", **{**fields, "every": "1.5"})
        await manager.send_form("/maintenance/new", page="/maintenance/new", **fields)
        page = (await manager.get("/maintenance/1")).text
        await manager.send_form("/maintenance/1", page="/maintenance/1", **fields, every_="2", version="1")
        stale = await manager.send_form("/maintenance/1", page="/maintenance/1", **fields, version="1")
        await manager.send_form("/maintenance/1/active", page="/maintenance/1", version="2")
        listed = (await manager.get("/maintenance?active=no")).text
        going_on = (await manager.get("/maintenance?active=yes")).text
        sheet = (await manager.get("/maintenance?format=csv")).text
    async with house.signed_in(Role.DESK) as desk:
        read = (await desk.get("/maintenance/1")).text
        refused = await desk.send_form("/maintenance/new", page="/maintenance", **fields)
    assert bad.status_code == 422
    assert "轴封 | Seal" in page
    assert stale.status_code == 409
    assert 'href="/maintenance/1"' in listed
    assert "Nothing matches." in going_on
    assert "Pumps" in sheet
    assert "<li>Seal</li>" in read
    assert refused.status_code == 403


async def test_the_administrator_says_what_a_poor_opinion_does(house: House) -> None:
    fields = {"cap_days": "3", "open_days": "10", "change_hours": "2", "poor_at": "3", "on_poor": "call"}
    async with house.signed_in(Role.ADMINISTRATOR) as boss:
        wrong = await boss.send_form(
            "/admin/feedback", page="/admin/feedback", **{**fields, "cap_days": "-1"}, version="0"
        )
        await boss.send_form("/admin/feedback", page="/admin/feedback", **fields, version="0")
        page = (await boss.get("/admin/feedback")).text
    assert wrong.status_code == 422
    assert 'value="3"' in page
    assert re.search(r'value="call" checked', page)


async def test_a_job_is_finished_where_its_visits_are_and_never_past_its_plan(house: House, job: Job) -> None:
    await job.propose()
    await job.say(Reply.AGREED)
    await job.start()
    async with house.signed_in(Role.DESK) as desk:
        page = (await desk.get("/tickets/1")).text
        sent = {"version": str((await job.see()).version), "result": "修好了"}
        early = await desk.send_form("/tickets/1/resolve", page="/tickets/1", **sent)
        await job.spend(30)
        sent = {"version": str((await job.see()).version), "result": "修好了"}
        done = await desk.send_form("/tickets/1/resolve", page="/tickets/1", **sent)
        after = (await desk.get(done.headers["location"])).text
    assert 'action="/tickets/1/resolve"' not in page
    assert "Finish the job" in page
    assert (early.status_code, "note a visit with its working time first" in early.text) == (422, True)
    assert "The ticket is resolved." in after
    assert 'action="/tickets/1/reopen"' not in after[after.index("data-notice") : after.index("<main")]
    assert len(await job.charged()) == 1
    assert (await job.messages(job.owner))[-1] == "What was done: The kitchen leaks"
