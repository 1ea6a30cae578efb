"""What becomes of tickets and types from before there were clocks."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from cloud.alarms.domain import Priority
from cloud.core.database import Database
from cloud.core.principal import Principal
from cloud.migrations.upgrading import downgrade, migrate
from cloud.tickets.domain import Consent, Kind, Origin, Payer, State, Target
from cloud.tickets.reading import ticket
from cloud.tickets.service import go_on, wait
from tests.clocks import FixedClock

AT = datetime(2026, 3, 2, 8, tzinfo=UTC)
BEFORE = (
    "INSERT INTO organisations (id, name, time_zone, created_at) VALUES (1, '云杉物业', 'Asia/Shanghai', :at)",
    (
        "INSERT INTO communities (id, organisation_id, name, address, time_zone, created_at) "
        "VALUES (1, 1, '云杉苑', '', 'Asia/Shanghai', :at)"
    ),
    (
        "INSERT INTO boxes (id, organisation_id, community_id, name, state, hardware, software, claimed_at, "
        "inventory_revision, configuration_revision, configured_revision, changed_at) "
        "VALUES (1, 1, 1, '网关', 'claimed', '', '', :at, 0, 0, 0, :at)"
    ),
    (
        "INSERT INTO alarms (id, organisation_id, box_id, cause, unit, priority, place, label, raised_at, is_noted, "
        "occurrences, created_at) VALUES (7, 1, 1, 'box_away', '', 2, '', '', :at, false, 1, :at)"
    ),
    (
        "INSERT INTO ticket_types (id, organisation_id, code, version, name_zh, name_en, default_priority, deadlines, "
        "procedure_zh, procedure_en, created_at) VALUES (1, 1, 'alarm_repair', 1, '报警维修', 'Alarm repair', 2, "
        ":deadlines, :zh, :en, :at)"
    ),
    (
        "INSERT INTO tickets (id, organisation_id, number, type_id, state, priority, subject_zh, subject_en, "
        "description, place, alarm_id, opened_at, due_at, assignee_name, result, reopened, version) VALUES "
        "(1, 1, '2026-000001', 1, 'open', 2, '', '', '', '云杉苑', 7, :at, :at, '', '', 0, 1)"
    ),
)


@pytest.fixture(params=["sqlite", "postgresql"])
async def url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """The address of a database from before, with a type, an alarm and its ticket in it."""
    server = request.getfixturevalue("postgresql") if request.param == "postgresql" else None
    url = server.create_database() if server else f"sqlite+aiosqlite:///{tmp_path / 'gatehouse.db'}"
    await migrate(url, to="0005")
    database = Database(url)
    at = AT.replace(tzinfo=None) if server is None else AT
    said = {"deadlines": '{"1": 60, "2": 240, "3": 1440, "4": 10080}', "zh": "确认\n修复", "en": "Confirm\nMend"}
    async with database.engine.begin() as connection:
        for statement in BEFORE:
            asked = text(statement.replace(":deadlines", "CAST(:deadlines AS jsonb)") if server else statement)
            await connection.execute(
                asked, {name: value for name, value in {"at": at, **said}.items() if f":{name}" in statement}
            )
    await database.close()
    yield url
    if server:
        server.drop_database(url)


async def test_tickets_and_types_from_before_keep_what_they_said(url: str) -> None:
    await migrate(url)
    database, clock = Database(url), FixedClock()
    try:
        async with database.transaction() as session:
            found = await ticket(session, clock, Principal.system(1), ticket_id=1)
            asked = {"ticket_id": 1, "reason": "等配件"}
            await wait(session, clock, Principal.system(1), version=1, **asked)
            await go_on(session, clock, Principal.system(1), ticket_id=1, version=2)
            after = await ticket(session, clock, Principal.system(1), ticket_id=1)
    finally:
        await database.close()
    assert (found.kind, found.origin, found.payer, found.consent) == (
        Kind.ALARM,
        Origin.ALARM,
        Payer.COMPANY,
        Consent.NOT_NEEDED,
    )
    assert (found.alarm_ids, found.due_at, after.due_at, after.state) == ((7,), AT, AT, State.OPEN)
    assert found.type.targets[Priority.HIGH] == {Target.SOLUTION: 240}
    assert found.type.calendar == "always"
    steps = [(step.code, step.words.zh, step.words.en) for step in found.type.procedure]
    assert steps == [("step1", "确认", "Confirm"), ("step2", "修复", "Mend")]


async def test_the_way_back_keeps_them_too(url: str) -> None:
    await migrate(url, to="0006")
    await downgrade(url, to="0005")
    database = Database(url)
    try:
        async with database.engine.connect() as connection:
            kept = (await connection.execute(text("SELECT alarm_id, state FROM tickets"))).one()
            procedure = (await connection.execute(text("SELECT procedure_zh, procedure_en FROM ticket_types"))).one()
    finally:
        await database.close()
    assert tuple(kept) == (7, "open")
    assert tuple(procedure) == ("确认\n修复", "Confirm\nMend")
