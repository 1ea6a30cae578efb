"""Several processes on one PostgreSQL, each stood for by a Database of its own."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import ClassVar

import pytest
from sqlalchemy import BigInteger, Column, MetaData, String, Table, func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.core import postgresql as own_connections
from cloud.core.clock import Clock, SystemClock
from cloud.core.database import Base, Database
from cloud.core.delivery import DeliveryLoop
from cloud.core.errors import Conflict
from cloud.core.events import Event
from cloud.core.outbox import OutboxDelivery, OutboxEvent, emit
from cloud.core.wiring import Wiring, hears
from tests.cloud.waiting import until
from tests.servers.postgresql import PostgreSQL

handled = Table(
    "handled",
    MetaData(),
    Column("id", BigInteger, primary_key=True, autoincrement=True),
    Column("subject", String(20)),
    Column("number", BigInteger),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted(Event):
    kind: ClassVar[str] = "test.counted"
    lane: str
    number: int

    @property
    def subject(self) -> str:
        return self.lane


class Scribe:
    """Writes down what it hears, and fails at every eleventh try, after the work."""

    def __init__(self) -> None:
        self._tries = itertools.count(1)
        self._busy: set[str] = set()
        self.overlaps = 0

    async def write(self, session: AsyncSession, clock: Clock, event: Counted) -> None:
        self.overlaps += event.lane in self._busy
        self._busy.add(event.lane)
        try:
            await session.execute(insert(handled).values(subject=event.lane, number=event.number))
            await asyncio.sleep(0)
            if next(self._tries) % 11 == 0:
                raise Conflict("Not now.")
        finally:
            self._busy.discard(event.lane)


@pytest.fixture
def url(postgresql: PostgreSQL) -> Iterator[str]:
    url = postgresql.create_database()
    yield url
    postgresql.drop_database(url)


@pytest.fixture
async def tables(url: str) -> None:
    database = Database(url)
    async with database.engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
        await connection.run_sync(handled.metadata.create_all)
    await database.close()


@asynccontextmanager
async def _worker(url: str, wiring: Wiring, *, poll_s: float) -> AsyncIterator[Database]:
    database = Database(url, routes=wiring.routes)
    task = asyncio.create_task(DeliveryLoop(database, SystemClock(), wiring, poll_s=poll_s).run(), name="worker")
    try:
        yield database
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await database.close()


async def _emit(database: Database, *counted: tuple[str, int]) -> None:
    async with database.transaction() as session:
        for lane, number in counted:
            await emit(session, SystemClock(), Counted(organisation_id=1, lane=lane, number=number))


async def _drained(database: Database) -> None:
    async def nothing_is_owed() -> bool:
        async with database.reading() as session:
            return await session.scalar(select(func.count()).select_from(OutboxDelivery)) == 0

    await until(nothing_is_owed, timeout_s=200)


@pytest.mark.usefixtures("tables")
async def test_two_workers_handle_each_event_once_and_each_subject_in_order(url: str) -> None:
    scribe = Scribe()
    wiring = Wiring(hears(Counted, {"scribe": scribe.write}))
    async with _worker(url, wiring, poll_s=0.1) as one, _worker(url, wiring, poll_s=0.1) as two:
        emitters = [
            _emit(database, *((f"{lane}", number + part) for part in range(3)))
            for number in range(0, 12, 3)
            for database, lane in zip(itertools.cycle([one, two]), "abcdef", strict=False)
        ]
        for emitter in emitters:
            await emitter
        await _drained(one)
        async with one.reading() as session:
            rows = (await session.execute(select(handled.c.subject, handled.c.number).order_by(handled.c.id))).all()
    by_lane = {lane: [number for subject, number in rows if subject == lane] for lane in "abcdef"}
    assert by_lane == {lane: list(range(12)) for lane in "abcdef"}
    assert scribe.overlaps == 0


@pytest.mark.usefixtures("tables")
async def test_events_of_one_subject_are_numbered_in_the_order_of_their_commits(url: str) -> None:
    wiring = Wiring(hears(Counted, {"scribe": Scribe().write}))
    database = Database(url, routes=wiring.routes)
    first_has_emitted, first_may_commit = asyncio.Event(), asyncio.Event()

    async def first() -> None:
        async with database.transaction() as session:
            await emit(session, SystemClock(), Counted(organisation_id=1, lane="a", number=1))
            first_has_emitted.set()
            await first_may_commit.wait()

    async with asyncio.TaskGroup() as group:
        group.create_task(first())
        await first_has_emitted.wait()
        second = group.create_task(_emit(database, ("a", 2)))
        await _emit(database, ("b", 1))
        assert not second.done()
        first_may_commit.set()
    async with database.reading() as session:
        deliveries = select(OutboxEvent.payload).join(OutboxDelivery, OutboxDelivery.event_id == OutboxEvent.id)
        payloads = await session.scalars(deliveries.where(OutboxEvent.subject == "a").order_by(OutboxDelivery.id))
        assert ['"number":1' in payload for payload in payloads] == [True, False]
    await database.close()


async def _until_handled(database: Database, count: int) -> None:
    async def is_handled() -> bool:
        async with database.reading() as session:
            return await session.scalar(select(func.count()).select_from(handled)) == count

    await until(is_handled)


@pytest.mark.usefixtures("tables")
async def test_a_worker_hears_of_what_another_process_committed(url: str) -> None:
    wiring = Wiring(hears(Counted, {"scribe": Scribe().write}))
    elsewhere = Database(url, routes=wiring.routes)
    async with _worker(url, wiring, poll_s=3600):
        await _until_one_listens(elsewhere)
        await _emit(elsewhere, ("a", 1))
        await _until_handled(elsewhere, 1)
    await elsewhere.close()


@pytest.mark.usefixtures("tables")
async def test_a_worker_listens_again_after_its_connection_was_cut_and_misses_nothing(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_connections, "_RETRY_S", (0.2, 0.2))
    wiring = Wiring(hears(Counted, {"scribe": Scribe().write}))
    elsewhere = Database(url, routes=wiring.routes)
    async with _worker(url, wiring, poll_s=3600):
        pid = await _until_one_listens(elsewhere)
        async with elsewhere.engine.begin() as connection:
            await connection.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
        await _emit(elsewhere, ("a", 1))
        await _until_handled(elsewhere, 1)
    await elsewhere.close()


async def _until_one_listens(database: Database) -> int:
    query = text("SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'")
    pids: list[int] = []

    async def one_listens() -> bool:
        async with database.engine.connect() as connection:
            pids[:] = (await connection.scalars(query)).all()
        return len(pids) == 1

    await until(one_listens)
    return pids[0]


@pytest.mark.usefixtures("tables")
async def test_one_process_leads_at_a_time_and_another_follows_when_it_ends(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_connections, "_PROBE_S", 0.05)
    leaders: list[str] = []
    databases = {name: Database(url) for name in ("one", "two")}

    def stand(name: str) -> asyncio.Task[None]:
        async def work() -> None:
            leaders.append(name)
            await asyncio.Event().wait()

        return asyncio.create_task(own_connections.lead(databases[name], "jobs", work), name=name)

    tasks = {name: stand(name) for name in databases}

    async def one_leads() -> bool:
        return bool(leaders)

    await until(one_leads)
    await asyncio.sleep(0.3)  # the other one asks again and again
    assert len(leaders) == 1
    tasks[leaders[0]].cancel()

    async def another_leads() -> bool:
        return len(leaders) == 2

    await until(another_leads)
    assert set(leaders) == {"one", "two"}
    for task in tasks.values():
        task.cancel()
    await asyncio.gather(*tasks.values(), return_exceptions=True)
    for database in databases.values():
        await database.close()
