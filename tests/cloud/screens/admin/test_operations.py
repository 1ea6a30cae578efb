"""Dead letters, jobs, the audit, the organisation, and the page that leads to them."""

import csv
import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from cloud.accounts import organisations, people
from cloud.core.audit import record
from cloud.core.database import Database
from cloud.core.jobs import JobRun
from cloud.core.outbox import DeliveryState, OutboxDelivery, OutboxEvent
from cloud.core.principal import Principal, Role
from cloud.properties import service as properties
from cloud.properties.domain import PlaceKind
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


async def test_how_much_is_dead_and_how_much_waits_is_said_above_the_list(
    administrator: Browser, database: Database, clock: FixedClock, estate: Estate
) -> None:
    for subject in ("box:7", "box:8", "box:9"):
        letter_id = await _dead_letter(database, clock, estate, subject=subject)
    await administrator.send_form(f"/admin/letters/{letter_id}/retry", page="/admin/letters")
    page = (await administrator.get("/admin/letters?subject=box:7")).text
    assert "<dt>dead letters</dt><dd>2</dd>" in page
    assert "<dt>deliveries waiting</dt><dd>1</dd>" in page
    assert "box:8" not in page


async def test_a_dead_letter_is_retried_or_discarded(
    administrator: Browser, database: Database, clock: FixedClock, estate: Estate
) -> None:
    one, two = await _dead_letter(database, clock, estate), await _dead_letter(database, clock, estate, subject="box:8")
    await administrator.send_form(f"/admin/letters/{one}/retry", page="/admin/letters")
    assert await _state(database, one) is DeliveryState.WAITING
    question = f"/admin/letters/{two}/discard"
    assert "Not this &lt;one&gt;." in (await administrator.get(question)).text
    await administrator.send_form(question, page=question)
    assert await _state(database, two) is None


async def test_a_neighbours_letter_is_neither_seen_nor_touched(
    administrator: Browser, database: Database, clock: FixedClock, neighbour: Estate
) -> None:
    letter = await _dead_letter(database, clock, neighbour, subject="box:999")
    assert "box:999" not in (await administrator.get("/admin/letters")).text
    assert (await administrator.get(f"/admin/letters/{letter}/discard")).status_code == 404
    assert (await administrator.get(f"/admin/letters/{letter}/discard")).status_code == 404
    for act in ("retry", "discard"):
        answer = await administrator.send_form(f"/admin/letters/{letter}/{act}", page="/admin/letters")
        assert answer.status_code == 404
    assert await _state(database, letter) is DeliveryState.DEAD


async def test_the_jobs_show_how_they_last_went(administrator: Browser, database: Database, clock: FixedClock) -> None:
    assert "No job has run yet." in (await administrator.get("/admin/jobs")).text
    now = clock.now()
    async with database.transaction() as session:
        session.add(JobRun(name="outbox.prune", began_at=now - timedelta(seconds=2.5), ended_at=now))
        session.add(JobRun(name="files.sweep", began_at=now, ended_at=now, error="OSError: disk <full>", failed_at=now))
    page = (await administrator.get("/admin/jobs")).text
    assert "Forget events that were handled" in page
    assert re.search(r"took 2\.5\ss\b", page)
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
    (entry,) = csv.reader(export[1:])
    assert entry == [
        "2026-03-02 16:00:00+08:00",
        "赵一",
        "changed a place",
        "Place · 西门",
        "Name: 东门 → 西门; Roles: Front desk → Front desk, Repair worker",
        f"place:{estate.organisation_id}",
    ]


async def test_the_audit_calls_people_and_places_by_their_names_of_today(
    administrator: Browser, database: Database, clock: FixedClock, estate: Estate
) -> None:
    desk = estate.principals[Role.DESK].person_id
    assert desk is not None
    async with database.transaction() as session:
        community_id = await properties.create_community(session, clock, estate.administrator, name="云杉苑")
        place_id = await properties.create_place(
            session, clock, estate.administrator, community_id=community_id, name="东门", kind=PlaceKind.GATE
        )
        await people.deactivate_person(session, clock, estate.administrator, desk)
        record(session, clock, Principal.system(estate.organisation_id), action="fleet.box_revoked", subject="box:7")
        rule = {"name": {"zh": "太热", "en": "Too hot"}, "terms": {"low": 1, "high": None}, "consequence": ""}
        record(session, clock, estate.administrator, action="alarms.rule_created", subject="rule:3", after=rule)
    page = (await administrator.get("/admin/audit")).text
    assert "Place · 云杉苑 · 东门" in page
    assert f"place:{place_id}" in page
    assert "Person · 孙三" in page
    assert "Signs in: Yes → No" in page
    assert "Kind: Gate" in page
    assert "Box · 7" in page
    assert "Gatehouse itself" in page
    assert "Community: 云杉苑" in page
    assert "Rule · Too hot" in page
    assert "Name: Too hot; Terms: low 1, high –; Consequence: –" in page


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
    page = (await administrator.get("/admin", headers={"Accept-Language": language})).text
    assert f"<title>{title} · Gatehouse</title>" in page
