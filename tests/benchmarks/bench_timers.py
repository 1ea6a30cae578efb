"""F12: a pass of the job that judges deadlines over 100,000 open timers, of which few or many have something to say.

A pass as the job runs it: round after round until nothing is due, each with its look through the index, the arithmetic
on the pinned calendar, what is written down for ever, timelines and events, committed.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import Table, func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.accounts.tables import OrganisationRow
from cloud.calendars import service as calendars
from cloud.core.clock import Clock, SystemClock
from cloud.core.database import Database
from cloud.core.principal import Principal
from cloud.migrations.upgrading import migrate
from cloud.tickets.clock_tables import TimerEventRow, TimerRow, Turn
from cloud.tickets.domain import Kind, Origin, Payer, State, Target
from cloud.tickets.tables import TicketRow
from cloud.tickets.timers import judge_due
from cloud.tickets.types import find_type
from tests.benchmarks.figures import RUNS, Figure
from tests.servers.postgresql import running_postgresql

FIGURES = ("F12",)

_TIMERS = 100_000
_DUE = 200
"""Timers with something to say in one second: far more than a busy organisation has."""

_AT_ONCE = 5_000
_LIMIT = timedelta(days=20)
_HALF = _LIMIT / 2
_EVENTS = {"tickets.target_warned": ("dispatch_notices",)}


def run() -> Iterator[Figure]:
    """Measure and yield the figures."""
    folders = TemporaryDirectory(prefix="gh-timers-"), TemporaryDirectory(prefix="gh-pg-")
    with folders[0] as folder, folders[1] as cluster, running_postgresql(Path(cluster)) as server:
        urls = {"SQLite": f"sqlite+aiosqlite:///{folder}/gatehouse.db", "PostgreSQL": server.create_database()}
        for engine, url in urls.items():
            idle, busy = asyncio.run(_measure(url))
            for what, runs in ((f"with {_DUE} to say something about", busy), ("with nothing to say", idle)):
                yield Figure(
                    id="F12",
                    text=f"{engine}, a pass over {_TIMERS:,} open timers {what}",
                    runs=runs,
                    unit="s",
                    goal="1",
                    known="none published",
                )


async def _measure(url: str) -> tuple[list[float], list[float]]:
    """Return the seconds of passes with nothing due, and of passes with some due."""
    await migrate(url)
    clock = _Standing(SystemClock().now())
    async with _opened(url) as database:
        async with database.transaction() as session:
            await _fill(session, clock)
        async with database.engine.connect() as connection:
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            await connection.execute(text("ANALYZE"))
        idle, busy = [], []
        for number in range(RUNS):
            clock.at += timedelta(seconds=1)
            busy.append(await _passed(database, clock))
            await _check(database, warned=(number + 1) * _DUE)
            idle.append(await _passed(database, clock))
        return idle, busy


class _Standing:
    """A clock that the benchmark moves by a second."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at


@asynccontextmanager
async def _opened(url: str) -> AsyncIterator[Database]:
    database = Database(url, routes=_EVENTS)
    try:
        yield database
    finally:
        await database.close()


async def _passed(database: Database, clock: Clock) -> float:
    """Return the seconds of a pass: rounds until one finds nothing."""
    began_s, is_done = time.perf_counter(), False
    while not is_done:
        async with database.transaction() as session:
            is_done = not await judge_due(session, clock)
    return time.perf_counter() - began_s


async def _check(database: Database, *, warned: int) -> None:
    async with database.reading() as session:
        said = await session.scalar(
            select(func.count()).select_from(TimerEventRow).where(TimerEventRow.turn == Turn.WARNED)
        )
    if said != warned:
        raise RuntimeError(f"{said} warnings instead of {warned}: this is no measure of a pass")


async def _fill(session: AsyncSession, clock: Clock) -> None:
    """Open tickets whose timers fall due at half their time, so many in each second from now."""
    organisation = OrganisationRow(name="云杉物业", time_zone="Asia/Shanghai", created_at=clock.now())
    session.add(organisation)
    await session.flush()
    principal = Principal.system(organisation.id)
    type_id = (await find_type(session, clock, principal, code="alarm_repair")).id
    calendar_id = await calendars.pin(session, clock, principal, code="always")
    began = [clock.now() - _HALF + timedelta(seconds=number // _DUE + 0.5) for number in range(_TIMERS)]
    tickets = [
        {
            "id": number + 1, "organisation_id": organisation.id, "number": f"2026-{number:06d}", "type_id": type_id,
            "kind": Kind.ALARM, "state": State.OPEN, "priority": 3, "subject_zh": "水泵房积水", "subject_en": "",
            "description": "", "place": "云杉苑 · 3 栋", "requester_name": "", "requester_phone": "",
            "origin": Origin.STAFF, "payer": Payer.COMPANY, "consent": 0, "opened_at": at, "due_at": at + _LIMIT,
            "assignee_name": "", "waiting_for": "", "emergency_reason": "", "escalated": 0, "result": "",
            "reopened": 0, "reworked": 0, "version": 1,
        }
        for number, at in enumerate(began)
    ]  # fmt: skip
    timers = [
        {
            "organisation_id": organisation.id, "ticket_id": number + 1, "target": Target.SOLUTION,
            "calendar_id": calendar_id, "limit_us": _LIMIT // timedelta(microseconds=1), "used_us": 0, "since": at,
            "level": 0, "due_at": at + _LIMIT, "next_at": at + _HALF,
        }
        for number, at in enumerate(began)
    ]  # fmt: skip
    await _put(session, TicketRow.__table__, tickets)
    await _put(session, TimerRow.__table__, timers)


async def _put(session: AsyncSession, table: Table, rows: list[dict[str, object]]) -> None:
    for start in range(0, len(rows), _AT_ONCE):
        await session.execute(insert(table), rows[start : start + _AT_ONCE])
