"""Dead letters, jobs, the audit, the organisation, and the page that leads to them."""

import pytest
from sqlalchemy import select

from cloud.accounts import organisations
from cloud.core.audit import record
from cloud.core.database import Database
from cloud.core.jobs import JobRun
from cloud.core.outbox import DeliveryState, OutboxDelivery, OutboxEvent
from tests.clocks import FixedClock
from tests.cloud.estate import Estate
from tests.cloud.web.conftest import Browser


async def _dead_letter(database: Database, clock: FixedClock, estate: Estate, *, subject: str = "box:7") -> int:
    async with database.transaction() as session:
        event = OutboxEvent(
            organisation_id=estate.organisation_id,
            kind="fleet.readings_taken",
            subject=subject,
            payload="{}",
            emitted_at=clock.now(),
        )
        session.add(event)
        await session.flush()
        letter = OutboxDelivery(
            event_id=event.id,
            organisation_id=estate.organisation_id,
            handler="alarms",
            subject=subject,
            state=DeliveryState.DEAD,
            attempts=14,
            due_at=clock.now(),
            error="Refused: Not this <one>.",
        )
        session.add(letter)
        await session.flush()
        return letter.id


async def _state(database: Database, letter_id: int) -> DeliveryState | None:
    async with database.reading() as session:
        return await session.scalar(select(OutboxDelivery.state).where(OutboxDelivery.id == letter_id))


async def test_a_dead_letter_is_shown_with_its_error_and_counted_on_the_first_page(
    administrator: Browser, database: Database, clock: FixedClock, estate: Estate
) -> None:
    assert "Every event was handled." in (await administrator.get("/admin/letters")).text
    await _dead_letter(database, clock, estate)
    page = (await administrator.get("/admin/letters")).text
    assert all(part in page for part in ("fleet.readings_taken", "alarms", "box:7", "Not this &lt;one&gt;."))
    assert "1 event waits for a decision." in (await administrator.get("/admin")).text


async def test_a_dead_letter_is_retried_or_discarded(
    administrator: Browser, database: Database, clock: FixedClock, estate: Estate
) -> None:
    one, two = await _dead_letter(database, clock, estate), await _dead_letter(database, clock, estate, subject="box:8")
    await administrator.send_form(f"/admin/letters/{one}/retry", page="/admin/letters")
    assert await _state(database, one) is DeliveryState.WAITING
    question = f"/admin/letters/{two}/discard"
    await administrator.send_form(question, page=question)
    assert await _state(database, two) is None


async def test_a_neighbours_letter_is_neither_seen_nor_touched(
    administrator: Browser, database: Database, clock: FixedClock, neighbour: Estate
) -> None:
    letter = await _dead_letter(database, clock, neighbour, subject="box:999")
    assert "box:999" not in (await administrator.get("/admin/letters")).text
    for act in ("retry", "discard"):
        answer = await administrator.send_form(f"/admin/letters/{letter}/{act}", page="/admin/letters")
        assert answer.status_code == 404
    assert await _state(database, letter) is DeliveryState.DEAD


async def test_the_jobs_show_how_they_last_went(administrator: Browser, database: Database, clock: FixedClock) -> None:
    assert "No job has run yet." in (await administrator.get("/admin/jobs")).text
    now = clock.now()
    async with database.transaction() as session:
        session.add(JobRun(name="outbox.prune", began_at=now, ended_at=now))
        session.add(JobRun(name="files.sweep", began_at=now, ended_at=now, error="OSError: disk <full>", failed_at=now))
    page = (await administrator.get("/admin/jobs")).text
    assert "Forget events that were handled" in page
    assert "OSError: disk &lt;full&gt;" in page
    assert "1 job failed when it last ran." in (await administrator.get("/admin")).text


async def test_the_audit_says_who_did_what_in_words_and_is_filtered(
    administrator: Browser, database: Database, clock: FixedClock, estate: Estate, neighbour: Estate
) -> None:
    changes = {"before": {"name": "东门", "roles": ["desk"]}, "after": {"name": "西门", "roles": ["desk", "worker"]}}
    async with database.transaction() as session:
        for who in (estate.administrator, neighbour.administrator):
            subject = f"place:{who.organisation_id}"
            record(session, clock, who, action="properties.place_changed", subject=subject, **changes)
    page = (await administrator.get("/admin/audit")).text
    assert "changed a place" in page
    assert "signed in" in page
    assert f"place:{neighbour.organisation_id}" not in page
    export = (await administrator.get("/admin/audit?action=properties.place_changed&format=csv")).text.splitlines()
    what = '"name: 东门 → 西门; roles: [""desk""] → [""desk"",""worker""]"'
    assert export[1:] == [f"2026-03-02 16:00:00+08:00,赵一,changed a place,place:{estate.organisation_id},{what}"]


async def test_the_organisation_is_changed(administrator: Browser, database: Database, estate: Estate) -> None:
    path = "/admin/organisation"
    assert 'value="云杉物业"' in (await administrator.get(path)).text
    await administrator.send_form(path, page=path, name="新名物业", time_zone="Asia/Urumqi")
    async with database.reading() as session:
        found = await organisations.find_organisation(session, estate.administrator)
    assert (found.name, found.time_zone) == ("新名物业", "Asia/Urumqi")
    answer = await administrator.send_form(path, page=path, name="新名物业", time_zone="Asia/Atlantis")
    assert answer.status_code == 422
    assert "is no time zone" in answer.text


@pytest.mark.parametrize("language", ["zh-CN", "en"])
async def test_the_pages_speak_both_languages(administrator: Browser, language: str) -> None:
    title = {"zh-CN": "系统管理", "en": "Administration"}[language]
    assert title in (await administrator.get("/admin", headers={"Accept-Language": language})).text
