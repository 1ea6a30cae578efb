"""A worker's job from the survey to its end, by the page's own forms."""

import io
import re
from datetime import timedelta

import httpx
import pytest
from PIL import Image

from cloud.core.once import new_key
from cloud.core.principal import Role
from cloud.repairs import surveys, visits
from cloud.repairs.domain import Hazard, Reply, Stage, Standing
from cloud.tickets.domain import State
from tests.cloud.repairs.job import PIPE, Job, make_job
from tests.cloud.screens.house import House
from tests.cloud.screens.households import make_households
from tests.cloud.web.conftest import Browser

JOB = "/work/1"


@pytest.fixture
async def job(house: House) -> Job:
    site = house.site
    homes = await make_households(site.database, site.clock, site.estate, community_id=site.community_id)
    return await make_job(site, homes)


def photo() -> bytes:
    written = io.BytesIO()
    Image.new("RGB", (40, 30), "red").save(written, "PNG")
    return written.getvalue()


async def do(worker: Browser, deed: str, *photos: str, **fields: object) -> httpx.Response:
    """Send the form of a deed as the page has it, with photos in the named fields."""
    page = (await worker.get(JOB)).text
    version = re.search(r'name="version" value="(\d+)"', page)[1]
    sent = {"csrf": await worker.token(JOB), "key": new_key(), "version": version, **fields}
    files = [(name, ("a.png", photo(), "image/png")) for name in photos]
    return await worker.post(f"{JOB}/{deed}", data=sent, files=files or None)


def plan(job: Job, **changes: object) -> dict[str, object]:
    today = job.site.clock.now().date()
    written: dict[str, object] = {
        "what": ["labour:", f"item:material:{PIPE}", "", "other:"],
        "text": ["水工", "", "", "登高车"],
        "quantity": ["1.5", "2", "", "1"],
        "rate": ["80", "", "", "120.50"],
        "payer": "owner",
        "visits": "1",
        "finish_on": str(today + timedelta(days=5)),
        "valid_until": str(today + timedelta(days=3)),
        "note": "换一段主管",
    }
    return {**written, **changes}


async def test_a_job_from_the_survey_to_its_end(house: House, job: Job) -> None:
    async with house.signed_in(Role.WORKER) as worker:
        await do(worker, "contact", outcome="reached", next_step="今天下午到")
        await do(worker, "arrive")
        survey = await do(worker, "survey", "survey_photos", findings="主管开裂", hazard="caution")
        put = await worker.send_form(f"{JOB}/plan", page=f"{JOB}/plan", key=new_key(), **plan(job))
        waiting = (await worker.get(JOB)).text
        await job.say(Reply.AGREED)
        await do(worker, "start")
        await do(worker, "take", item=PIPE, quantity="2.5")
        await do(worker, "bring-back", back_item=PIPE, back_quantity="0.5")
        left = await do(worker, "leave", "before", "after", "signature", minutes="60", signer="冯九")
        done = await do(worker, "finish", "result_photos", result="换了主管")
        page = (await worker.get(JOB)).text
    for answer in (survey, put, left, done):
        assert answer.headers["location"] == JOB, answer.text
    assert "Waits for consent" in waiting
    assert "¥266.48" in waiting
    assert (await job.see()).state is State.RESOLVED
    (charged,) = await job.charged()
    assert charged["amount_minor"] == 8_000 + 2_598 + 12_050
    async with job.site.database.reading() as session:
        photos = await surveys.photos(session, job.worker, ticket_id=1)
        ((visit,),) = (await visits.visits(session, job.worker, ticket_ids=[1])).values()
    assert [each.stage for each in photos] == [
        Stage.SURVEY, Stage.BEFORE, Stage.AFTER, Stage.SIGNATURE, Stage.AFTER,
    ]  # fmt: skip
    assert (visit.signer, visit.labour_minutes, visit.signature_id) == ("冯九", 60, photos[3].file_id)
    assert page.count("<img ") == 5


async def test_every_deed_that_is_sent_twice_is_done_once(house: House, job: Job) -> None:
    await job.propose()
    await job.say(Reply.AGREED)
    await job.start()
    key, other = new_key(), new_key()
    async with house.signed_in(Role.WORKER) as worker:
        first = [await do(worker, "take", key=key, item=PIPE, quantity="2") for _again in range(3)]
        await do(worker, "survey", key=other, findings="主管开裂", hazard="none")
        await do(worker, "survey", key=other, findings="主管开裂", hazard="none")
        mixed = await do(worker, "arrive", key=key)
        keyless = await do(worker, "take", key="", item=PIPE, quantity="2")
    assert [answer.status_code for answer in first] == [303] * 3
    assert str(await job.on_hand()) == "8"
    async with job.site.database.reading() as session:
        assert len(await surveys.surveys(session, job.worker, ticket_id=1)) == 1
    assert mixed.status_code == 409
    assert keyless.status_code == 422


async def test_what_is_refused_stands_at_its_field_over_what_was_typed(house: House, job: Job) -> None:
    async with house.signed_in(Role.WORKER) as worker:
        early = await do(worker, "take", item=PIPE, quantity="2")
        nothing = await do(worker, "survey", findings="", hazard="none")
        bad = await worker.send_form(
            f"{JOB}/plan", page=f"{JOB}/plan", key=new_key(), **plan(job, quantity=["x", "2", "", "1"])
        )
        unknown = await do(worker, "dance")
    assert early.status_code == 409
    assert nothing.status_code == 422
    assert bad.status_code == 422
    assert "Line 1: x is no number." in bad.text
    assert "登高车" in bad.text
    assert unknown.status_code == 404
    assert await job.plans() == []


async def test_times_are_offered_and_a_missed_visit_is_written_down(house: House, job: Job) -> None:
    tomorrow = str(job.site.clock.now().date() + timedelta(days=1))
    async with house.signed_in(Role.WORKER) as worker:
        none = await do(worker, "offer", day=tomorrow)
        await do(worker, "offer", day=tomorrow, slots=["08:00-10:00", "14:00-16:00"])
        await do(worker, "miss", missed_reason="家中无人")
        page = (await worker.get(JOB)).text
    assert none.status_code == 422
    async with job.site.database.reading() as session:
        ((visit,),) = (await visits.visits(session, job.worker, ticket_ids=[1])).values()
    assert [window.starts_at.hour for window in visit.windows] == [0, 6]  # Shanghai's 8 and 14 o'clock
    assert visit.missed_at is not None
    assert "The visit came to nothing" not in page


async def test_an_emergency_begins_before_consent_with_its_reason(house: House, job: Job) -> None:
    async with house.signed_in(Role.WORKER) as worker:
        await do(worker, "survey", findings="水漫到楼下", hazard="danger")
        silent = await do(worker, "start-urgent", urgent_reason="")
        await do(worker, "start-urgent", urgent_reason="水漫到楼下")
        await worker.send_form(f"{JOB}/plan", page=f"{JOB}/plan", key=new_key(), **plan(job))
        page = (await worker.get(JOB)).text
    assert silent.status_code == 422
    assert "begun before consent" in page
    assert (await job.see()).state is State.IN_WORK
    async with job.site.database.reading() as session:
        assert [each.hazard for each in await surveys.surveys(session, job.worker, ticket_id=1)] == [Hazard.DANGER]


async def test_a_question_is_answered_and_a_lapsed_plan_asked_again(house: House, job: Job) -> None:
    await job.propose()
    await job.say(Reply.ASKED, text="能便宜点吗？")
    async with house.signed_in(Role.WORKER) as worker:
        await do(worker, "answer", answer="不能")
        standing = (await job.plans())[0].standing
        await job.say(Reply.REFUSED)
        until = str(job.site.clock.now().date() + timedelta(days=4))
        await do(worker, "ask-again", valid_until=until)
    assert standing is Standing.ASKED
    assert [each.standing for each in await job.plans()] == [Standing.ASKED, Standing.REFUSED]


async def test_the_plan_is_changed_from_what_stands(house: House, job: Job) -> None:
    await job.propose()
    async with house.signed_in(Role.WORKER) as worker:
        page = (await worker.get(f"{JOB}/plan")).text
    assert 'value="水工"' in page
    assert 'value="1.5"' in page
    assert f'value="item:material:{PIPE}" selected' in page
    assert 'value="80.00"' in page


async def test_before_the_end_it_asks_for_the_contact_that_nobody_has_made(house: House, job: Job) -> None:
    asks = "Nobody has spoken to whoever asked yet"
    async with house.signed_in(Role.WORKER) as worker:
        assert asks in (await worker.get(JOB)).text
        await do(worker, "contact", outcome="reached", next_step="下午去")
        assert asks not in (await worker.get(JOB)).text


async def test_others_look_and_do_nothing(house: House, job: Job) -> None:
    async with house.signed_in(Role.OPERATOR) as operator:
        assert (await operator.get(JOB)).status_code == 200
        assert (await operator.get("/day")).status_code == 403
    async with house.signed_in(Role.OWNER) as owner:
        assert (await owner.get(JOB)).status_code == 403
    async with house.signed_in(Role.WORKER, next_door=True) as stranger:
        token = await stranger.token("/day")
        assert (await stranger.get(JOB)).status_code == 404
        answer = await stranger.post(f"{JOB}/arrive", data={"csrf": token, "key": new_key()})
        assert answer.status_code == 404
