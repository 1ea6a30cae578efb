"""F12: dispatch of 1,000 waiting tickets among 200 workers, in an organisation that has had a million tickets.

The search as the job runs it, in its steps: everything read, every choice made with its verdict on everybody, offers,
timelines and events written, committed.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

from sqlalchemy import Column, String, Table, delete, func, insert, literal, select, text, update
from sqlalchemy import cast as sql_cast
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.accounts.tables import OrganisationRow, PersonRow
from cloud.alarms.domain import Priority
from cloud.calendars.domain import DAY_MIN
from cloud.calendars.shift_tables import ShiftRow
from cloud.core.clock import Clock, SystemClock
from cloud.core.database import Database
from cloud.core.outbox import OutboxDelivery
from cloud.core.principal import Principal, Role
from cloud.migrations.upgrading import migrate
from cloud.properties.tables import BuildingRow, CommunityRow
from cloud.tickets.dispatch_rules import pin
from cloud.tickets.dispatch_tables import DispatchRow, OfferRow, Search, WhereaboutsRow, WorkerSkillRow
from cloud.tickets.dispatching import dispatch_due
from cloud.tickets.domain import Kind, Origin, Payer, State
from cloud.tickets.tables import TicketRow, TicketTypeRow
from cloud.tickets.types import seed_types
from tests.benchmarks.figures import RUNS, Figure
from tests.servers.postgresql import running_postgresql

FIGURES = ("F12",)

_PAST = 1_000_000
_WAITING = 1_000
_WORKERS = 200
_COMMUNITIES = 4
_BUILDINGS = 40
_TYPES = ("water_off", "power_off", "lift", "doors", "public_area")
_SKILLS = ("plumbing", "electrical", "lift", "access_control")
_EVENTS = {"tickets.dispatched": ("dispatch_notices",)}


def run() -> Iterator[Figure]:
    """Measure and yield the figures."""
    folders = TemporaryDirectory(prefix="gh-dispatch-"), TemporaryDirectory(prefix="gh-pg-")
    with folders[0] as folder, folders[1] as cluster, running_postgresql(Path(cluster)) as server:
        urls = {"SQLite": f"sqlite+aiosqlite:///{folder}/gatehouse.db", "PostgreSQL": server.create_database()}
        for engine, url in urls.items():
            yield Figure(
                id="F12",
                text=f"{engine}, {_WAITING:,} waiting tickets dispatched among {_WORKERS} workers",
                runs=asyncio.run(_measure(url)),
                unit="s",
                goal="2",
                known=f"{_PAST:,} tickets before them",
            )


async def _measure(url: str) -> list[float]:
    await migrate(url)
    clock = SystemClock()
    async with _opened(url) as database:
        async with database.transaction() as session:
            principal = await _fill(session, clock)
        async with database.engine.connect() as connection:
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            await connection.execute(text("ANALYZE"))
        return [await _dispatch(database, clock, principal) for _ in range(RUNS)]


@asynccontextmanager
async def _opened(url: str) -> AsyncIterator[Database]:
    database = Database(url, routes=_EVENTS)
    try:
        yield database
    finally:
        await database.close()


async def _dispatch(database: Database, clock: Clock, principal: Principal) -> float:
    """Return the seconds in which somebody is found for every ticket; undone afterwards."""
    began_s = time.perf_counter()
    is_done = False
    while not is_done:
        async with database.transaction() as session:
            is_done = not await dispatch_due(session, clock)
    took_s = time.perf_counter() - began_s
    async with database.transaction() as session:
        offered = await session.scalar(select(func.count()).select_from(OfferRow))
        if offered != _WAITING:
            raise RuntimeError(f"{offered} of {_WAITING} tickets were offered: this is no measure of dispatch")
        await session.execute(delete(OfferRow).where(OfferRow.organisation_id == principal.organisation_id))
        await session.execute(delete(OutboxDelivery))
        await session.execute(update(DispatchRow).values(state=Search.NEW, next_at=clock.now()))
    return took_s


async def _fill(session: AsyncSession, clock: Clock) -> Principal:
    rng = random.Random(12)
    organisation = OrganisationRow(name="云杉物业", time_zone="Asia/Shanghai", created_at=clock.now())
    session.add(organisation)
    await session.flush()
    principal = Principal.system(organisation.id)
    await seed_types(session, clock, principal)
    buildings = await _build(session, clock, principal)
    await _hire(session, clock, principal, buildings, rng)
    await _open(session, clock, principal, buildings, rng)
    return principal


async def _build(session: AsyncSession, clock: Clock, principal: Principal) -> list[tuple[int, int]]:
    """Return (community, building) ids."""
    ours = {"organisation_id": principal.organisation_id}
    communities = [
        CommunityRow(name=f"小区 {number}", address="", time_zone="Asia/Shanghai", created_at=clock.now(), **ours)
        for number in range(_COMMUNITIES)
    ]
    session.add_all(communities)
    await session.flush()
    buildings = [
        BuildingRow(community_id=communities[number % _COMMUNITIES].id, name=f"{number} 栋", **ours)
        for number in range(_BUILDINGS)
    ]
    session.add_all(buildings)
    await session.flush()
    return [(building.community_id, building.id) for building in buildings]


async def _hire(
    session: AsyncSession, clock: Clock, principal: Principal, buildings: list[tuple[int, int]], rng: random.Random
) -> None:
    """Add workers who are on shift round the clock, everywhere, and can do everything, each with a last building."""
    ours = {"organisation_id": principal.organisation_id}
    people = [
        PersonRow(name=f"工人 {number}", roles=frozenset({Role.WORKER}), created_at=clock.now(), **ours)
        for number in range(_WORKERS)
    ]
    session.add_all(people)
    await session.flush()
    for person in people:
        session.add_all(WorkerSkillRow(person_id=person.id, skill=skill, certificate="", **ours) for skill in _SKILLS)
        at = clock.now() - timedelta(minutes=rng.randrange(10_000))
        session.add(WhereaboutsRow(person_id=person.id, building_id=rng.choice(buildings)[1], at=at, **ours))
        week = {"weekdays": list(range(7)), "windows": [[0, DAY_MIN]], "since": date(2020, 1, 1)}
        session.add(ShiftRow(person_id=person.id, **week, **ours))
    await session.flush()


async def _open(
    session: AsyncSession, clock: Clock, principal: Principal, buildings: list[tuple[int, int]], rng: random.Random
) -> None:
    """Open the tickets that wait, behind those that were done long ago."""
    found = await session.execute(
        select(TicketTypeRow.code, TicketTypeRow.id).where(
            TicketTypeRow.organisation_id == principal.organisation_id, TicketTypeRow.code.in_(_TYPES)
        )
    )
    types = dict(found.tuples().all())
    rules_id = (await pin(session, clock, principal)).id
    for number in range(_WAITING):
        community_id, building_id = rng.choice(buildings)
        opened_at = clock.now() - timedelta(seconds=_WAITING - number)
        ticket = _ticket(principal, clock, types[rng.choice(_TYPES)], f"2026-{number:06d}")
        ticket.community_id, ticket.opened_at = community_id, opened_at
        session.add(ticket)
        await session.flush()
        session.add(
            DispatchRow(
                ticket_id=ticket.id,
                organisation_id=principal.organisation_id,
                building_id=building_id,
                rules_id=rules_id,
                state=Search.NEW,
                since=opened_at,
                next_at=clock.now(),
            )
        )
    await session.flush()
    await _copy(session, principal, clock, types[_TYPES[0]])


async def _copy(session: AsyncSession, principal: Principal, clock: Clock, type_id: int) -> None:
    """Let there be tickets of the past: one, copied by the database itself."""
    row = _ticket(principal, clock, type_id, "2020-000000")
    row.state, row.closed_at = State.RESOLVED, clock.now()
    session.add(row)
    await session.flush()
    table = cast("Table", TicketRow.__table__)
    numbers = select(literal(1).label("n"), literal(row.id).label("ticket_id")).cte("numbers", recursive=True)
    numbers = numbers.union_all(select(numbers.c.n + 1, numbers.c.ticket_id).where(numbers.c.n < _PAST))
    copied: list[Column[Any]] = [column for column in table.c if column.name not in {"id", "number"}]
    source = select(*copied, sql_cast(numbers.c.n, String)).join(numbers, numbers.c.ticket_id == table.c.id)
    await session.execute(insert(table).from_select([*(column.name for column in copied), "number"], source))


def _ticket(principal: Principal, clock: Clock, type_id: int, number: str) -> TicketRow:
    return TicketRow(
        organisation_id=principal.organisation_id,
        number=number,
        type_id=type_id,
        kind=Kind.REPAIR,
        state=State.OPEN,
        priority=int(Priority.MEDIUM),
        subject_zh="水压低",
        subject_en="Low pressure",
        description="",
        place="云杉苑",
        origin=Origin.CALL,
        payer=Payer.COMPANY,
        consent=0,
        opened_at=clock.now(),
        due_at=clock.now() + timedelta(hours=8),
    )
