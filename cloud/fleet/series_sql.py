"""The series in one table of SQLite or PostgreSQL."""

from collections.abc import Collection, Sequence
from itertools import starmap
from operator import itemgetter
from typing import Any

from sqlalchemy import BigInteger, Column, Float, MetaData, SmallInteger, Table, event
from sqlalchemy.engine import Connection
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from cloud.fleet.bulk import sources
from cloud.fleet.domain import FirstAndLast, Hour, Reading, SeriesRow
from cloud.fleet.driver import change, fetch
from cloud.fleet.series import HOUR_US, Held, HeldValues, compare
from cloud.fleet.together import Together

_ROUND_ROWS = 20_000
"""Rows of one commit: more would hold up small batches behind it, fewer would pay for more commits."""

_BUSY_TIMEOUT_S = 30
_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "cache_size=-131072",  # 128 MiB: the growing ends of some ten thousand points stay in memory
    "wal_autocheckpoint=16384",  # 64 MiB: a page that a minute's batches touch is copied once, not sixty times
)
_TYPES = ("bigint", "bigint", "double precision", "smallint")

_readings = Table(
    "readings",
    MetaData(),
    Column("point_id", BigInteger, primary_key=True, autoincrement=False),
    Column("time_us", BigInteger, primary_key=True, autoincrement=False),
    Column("value", Float(53), nullable=False),
    Column("flags", SmallInteger, nullable=False),
    sqlite_with_rowid=False,
)

# A cross join keeps SQLite from walking all readings to look each one up among the few that are wanted.
_INSERT = "INSERT INTO readings (point_id, time_us, value, flags) {source} ON CONFLICT DO NOTHING"
_HELD = """
    WITH wanted (point_id, time_us) AS ({source})
    SELECT held.point_id, held.time_us, value, flags FROM wanted CROSS JOIN readings AS held
    WHERE held.point_id = wanted.point_id AND held.time_us = wanted.time_us"""
_NEWEST = """
    WITH wanted (point_id) AS ({source})
    SELECT newest.point_id, time_us, value, flags FROM wanted CROSS JOIN readings AS newest
    WHERE newest.point_id = wanted.point_id
    AND time_us = (SELECT max(time_us) FROM readings WHERE point_id = wanted.point_id)"""
_FIRST_AND_LAST = """
    WITH wanted (point_id) AS ({source})
    SELECT a.point_id, a.time_us, a.value, a.flags, z.time_us, z.value, z.flags
    FROM wanted CROSS JOIN readings AS a CROSS JOIN readings AS z
    WHERE a.point_id = wanted.point_id AND z.point_id = wanted.point_id
    AND a.time_us = (SELECT min(time_us) FROM readings
        WHERE point_id = wanted.point_id AND time_us >= {start_us} AND time_us < {end_us})
    AND z.time_us = (SELECT max(time_us) FROM readings
        WHERE point_id = wanted.point_id AND time_us >= {start_us} AND time_us < {end_us})"""
_READ = """
    SELECT time_us, value, flags FROM readings
    WHERE point_id = {p} AND time_us >= {p} AND time_us < {p} ORDER BY time_us {order}"""
_HOURLY = """
    WITH hours AS (
        SELECT count(*) AS count, min(value) AS minimum, max(value) AS maximum, avg(value) AS mean,
            min(time_us) AS first_us, max(time_us) AS last_us
        FROM readings WHERE point_id = {p} AND time_us >= {p} AND time_us < {p}
        GROUP BY time_us / {hour_us})
    SELECT first_us / {hour_us} * {hour_us}, hours.count, minimum, maximum, mean, a.value, z.value
    FROM hours CROSS JOIN readings AS a CROSS JOIN readings AS z
    WHERE a.point_id = {p} AND a.time_us = first_us AND z.point_id = {p} AND z.time_us = last_us
    ORDER BY first_us"""


class SqlSeries:
    """The series over one SQLAlchemy URL."""

    def __init__(self, url: str) -> None:
        self._is_sqlite = url.startswith("sqlite")
        self._engine = _sqlite_engine(url) if self._is_sqlite else create_async_engine(url, pool_pre_ping=True)
        # What only reads needs no transaction; on SQLite the driver begins none.
        autocommit = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        self._reading = self._engine if self._is_sqlite else autocommit
        self._place = "?" if self._is_sqlite else "%s"
        self._append = Together(self._append_round, weight=len, limit=_ROUND_ROWS)

    async def prepare(self) -> None:
        async with self._engine.begin() as connection:
            await connection.run_sync(_readings.metadata.create_all)

    async def append(self, rows: Sequence[SeriesRow]) -> list[int]:
        return await self._append(rows) if rows else []

    async def holds(self, rows: Sequence[SeriesRow]) -> list[Held]:
        async with self._reading.connect() as connection:
            return await self._holds(connection, rows)

    async def read(
        self, point_id: int, *, start_us: int, end_us: int, limit: int | None = None, newest_first: bool = False
    ) -> list[Reading]:
        sql = _READ.format(p=self._place, order="DESC" if newest_first else "ASC")
        sql += "" if limit is None else f" LIMIT {int(limit)}"
        async with self._reading.connect() as connection:
            return list(starmap(Reading, await fetch(connection, sql, (point_id, start_us, end_us))))

    async def hourly(self, point_id: int, *, start_us: int, end_us: int) -> list[Hour]:
        sql = _HOURLY.format(p=self._place, hour_us=HOUR_US)
        async with self._reading.connect() as connection:
            rows = await fetch(connection, sql, (point_id, start_us, end_us, point_id, point_id))
        return list(starmap(Hour, rows))

    async def last_minus_first(
        self, point_ids: Collection[int], *, start_us: int, end_us: int
    ) -> dict[int, FirstAndLast]:
        sql = _FIRST_AND_LAST.format(source="{source}", start_us=int(start_us), end_us=int(end_us))
        return {
            row[0]: FirstAndLast(Reading(*row[1:4]), Reading(*row[4:7])) for row in await self._by_point(sql, point_ids)
        }

    async def newest(self, point_ids: Collection[int]) -> dict[int, Reading]:
        return {row[0]: Reading(*row[1:]) for row in await self._by_point(_NEWEST, point_ids)}

    async def close(self) -> None:
        await self._engine.dispose()

    async def _append_round(self, parts: Sequence[Sequence[SeriesRow]]) -> list[list[int]]:
        rows = [row for part in parts for row in part]
        if not self._is_sqlite:
            rows.sort(key=itemgetter(0, 1))  # in one order, so that two workers never wait for each other's rows
        statements = list(sources(rows, _TYPES, is_sqlite=self._is_sqlite))
        # To SQLite's driver, which begins nothing by itself, one statement is one transaction.
        is_one = self._is_sqlite and len(statements) == 1
        inserted = 0
        async with self._engine.connect() if is_one else self._engine.begin() as connection:
            for source, values in statements:
                inserted += await change(connection, _INSERT.format(source=source), values)
            if inserted == len(rows):
                return [[] for _ in parts]
            return [_positions_of_clashes(await self._holds(connection, part)) for part in parts]

    async def _holds(self, connection: AsyncConnection, rows: Sequence[SeriesRow]) -> list[Held]:
        held: HeldValues = {}
        for source, values in sources([row[:2] for row in rows], _TYPES[:2], is_sqlite=self._is_sqlite):
            found = await fetch(connection, _HELD.format(source=source), values)
            held.update({(point_id, time_us): (value, flags) for point_id, time_us, value, flags in found})
        return [compare(held, row) for row in rows]

    async def _by_point(self, sql: str, point_ids: Collection[int]) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = []
        async with self._reading.connect() as connection:
            for source, values in sources([(point,) for point in point_ids], _TYPES[:1], is_sqlite=self._is_sqlite):
                found += await fetch(connection, sql.format(source=source), values)
        return found


def _positions_of_clashes(held: Sequence[Held]) -> list[int]:
    return [position for position, found in enumerate(held) if found is Held.DIFFERENT]


def _sqlite_engine(url: str) -> AsyncEngine:
    # A connection comes back committed or undone, or never began: there is nothing to reset.
    engine = create_async_engine(url, connect_args={"timeout": _BUSY_TIMEOUT_S}, pool_reset_on_return=None)

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
        # The driver must not begin transactions by itself: one that begins with a read could not be made a writer's.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in _PRAGMAS:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine
