"""Sessions over SQLite or PostgreSQL; one unit of work is one transaction, and only its boundary commits."""

import asyncio
import enum
import sqlite3
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext
from datetime import UTC, datetime
from typing import Any, TypeVar

import aiosqlite
import msgspec
from sqlalchemy import JSON, BigInteger, DateTime, Dialect, Enum, Integer, MetaData, Text, event, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.engine import Connection
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.types import TypeDecorator

Result = TypeVar("Result")
Routes = Mapping[str, Sequence[str]]
"""Event kind to the names of the handlers that hear it."""

_BUSY_TIMEOUT_S = 30
_BUSY_AGAIN_S = 0.02
_EMITTED = "emitted"
_ROUTES = "routes"
_TOLD = "told"


class Instant(TypeDecorator[datetime]):
    """An aware UTC datetime on both databases; SQLite alone would give it back naive."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        if value is not None and value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone: take it from a Clock")
        return value.astimezone(UTC) if value is not None else None

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


Json = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
"""A column of JSON; what stands in it is plain: strings, numbers, lists, mappings, None."""


class Base(DeclarativeBase):
    """Every table of the business database; a column's type follows from its annotation.

    `int` is 64 bits wide, `datetime` an Instant, and an enum is stored as its value, so that renaming a member
    changes no row.
    """

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012  SQLAlchemy's own declaration
        int: BigInteger().with_variant(Integer(), "sqlite"),  # SQLite numbers rows in INTEGER columns only
        datetime: Instant(),
        enum.Enum: Enum(
            enum.Enum,
            native_enum=False,
            length=40,
            create_constraint=False,
            values_callable=lambda members: [member.value for member in members],
        ),
    }


class Database:
    """The business database, and the boundary of every transaction on it."""

    def __init__(self, url: str, *, routes: Routes | None = None, pool_size: int = 10) -> None:
        self.is_sqlite = url.startswith("sqlite")
        self.instance = uuid.uuid4().hex
        """This object among all processes on the database; tells its own notifications from others'."""
        self.engine = _engine(url, is_sqlite=self.is_sqlite, pool_size=pool_size)
        self._sessions = async_sessionmaker(self.engine, expire_on_commit=False)
        self._routes = routes or {}
        # SQLite takes one writer: waiting in line here is fair and cheap, waiting on its file lock is neither.
        self._writer = asyncio.Lock() if self.is_sqlite else nullcontext()
        self._committed: list[Callable[[], None]] = []

    def on_emitted(self, callback: Callable[[], None]) -> None:
        """Call `callback` after each commit that put events into the outbox."""
        self._committed.append(callback)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """Yield a session whose work is committed when the block ends, or undone when it raises."""
        async with self._writer, self._session() as session:
            session.info[_ROUTES] = self._routes
            if self.is_sqlite:
                await _to_the_end(session.connection(execution_options={"sqlite_begin": "IMMEDIATE"}))
            async with _committing(session):
                yield session
                if not self.is_sqlite:
                    await self._tell_others(session)
        if session.info.pop(_EMITTED, False):
            for callback in self._committed:
                callback()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """Yield a session over one consistent view; whatever it was asked to change is undone."""
        async with self._session() as session:
            view = None if self.is_sqlite else {"isolation_level": "REPEATABLE READ"}
            await _to_the_end(session.connection(execution_options=view))
            yield session

    async def close(self) -> None:
        """Let go of all connections."""
        await self.engine.dispose()

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[AsyncSession]:
        session = self._sessions()
        try:
            yield session
        finally:
            await _to_the_end(session.close())

    async def _tell_others(self, session: AsyncSession) -> None:
        for channel, text in session.info.get(_TOLD, ()):
            await session.execute(select(func.pg_notify(channel, f"{self.instance} {text}")))


def routes_of(session: AsyncSession) -> Routes:
    """Return who hears which event, for the outbox."""
    routes: Routes = session.info.get(_ROUTES, {})
    return routes


def mark_emitted(session: AsyncSession) -> None:
    """Note that the session's transaction put events into the outbox."""
    session.info[_EMITTED] = True


def tell(session: AsyncSession, channel: str, text: str = "") -> None:
    """Have the other processes that listen to `channel` told `text` once the transaction is committed.

    It is a hint that may get lost. On SQLite there is no other process to tell.
    """
    session.info.setdefault(_TOLD, set()).add((channel, text))


async def hold(session: AsyncSession, *names: str) -> None:
    """Wait until no other transaction holds one of `names`, and hold them until this one ends.

    Several are taken in one order, whoever takes them, so that two transactions never wait for each other's. On
    SQLite there is nothing to wait for: its one writer holds everything.
    """
    if session.get_bind().dialect.name == "postgresql":
        in_order = func.unnest(literal(sorted(names), ARRAY(Text))).column_valued("name")
        await session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(in_order, 0))))


@asynccontextmanager
async def _committing(session: AsyncSession) -> AsyncIterator[None]:
    try:
        yield
    except BaseException:
        await session.rollback()
        raise
    await _to_the_end(session.commit())


async def _to_the_end(work: Coroutine[Any, Any, Result]) -> Result:
    """Return what short work returns, and be cancelled only then, however often somebody asks.

    A commit that is left half-way is known to nobody, and a connection that is left half-open is closed by nobody.
    """
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as asked:  # by a request whose browser has left, again and again
            cancelled = asked
    if cancelled is not None:
        raise cancelled from task.exception()
    return task.result()


def _engine(url: str, *, is_sqlite: bool, pool_size: int) -> AsyncEngine:
    options: dict[str, Any] = {
        "hide_parameters": True,  # an error's text goes into logs and dead letters, the values in it may not
        "json_serializer": lambda value: msgspec.json.encode(value).decode(),
        "json_deserializer": msgspec.json.decode,
    }
    if not is_sqlite:
        pool = {"pool_size": pool_size, "max_overflow": pool_size, "pool_pre_ping": True}
        return create_async_engine(url, **pool, **options)
    engine = create_async_engine(url, connect_args={"timeout": _BUSY_TIMEOUT_S}, **options)

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
        # The driver must not begin transactions by itself, or BEGIN IMMEDIATE below would come too late.
        connection.isolation_level = None
        connection.run_async(_write_ahead)
        cursor = connection.cursor()
        for pragma in ("synchronous=FULL", "foreign_keys=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Connection) -> None:
        mode: Any = connection.get_execution_options().get("sqlite_begin", "DEFERRED")
        connection.exec_driver_sql(f"BEGIN {mode}")

    return engine


async def _write_ahead(driver: aiosqlite.Connection) -> None:
    """Let readers go on beside a writer; several that open a new file at once wait for each other.

    SQLite answers at once that the file is locked here, whatever its time to wait is.
    """
    async with asyncio.timeout(_BUSY_TIMEOUT_S):
        while True:
            try:
                async with driver.execute("PRAGMA journal_mode=WAL"):
                    return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorname != "SQLITE_BUSY":
                    raise
                await asyncio.sleep(_BUSY_AGAIN_S)
