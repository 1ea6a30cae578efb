"""What PostgreSQL alone offers to several workers: being told of each other's commits, and one leader among them.

Both need a connection of their own, since those of the pool change hands.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable

import psycopg
from psycopg.sql import SQL, Identifier
from sqlalchemy.exc import DBAPIError

from cloud.core.database import Database

_CONNECT_TIMEOUT_S = 10
_SILENCE_S = 30.0  # after as much silence the connection is asked whether it lives
_PROBE_S = 5.0  # a leader that lost its connection goes on for at most as long
_PROBE_TIMEOUT_S = 5.0
_RETRY_S = (1.0, 5.0)  # drawn, so that the workers of a restarted database do not come back in step

_log = logging.getLogger(__name__)

_Connection = psycopg.AsyncConnection[tuple[object, ...]]


async def listen(database: Database, channel: str, hear: Callable[[str], None]) -> None:
    """Call `hear` with what other processes `tell` on `channel`, until cancelled; reconnects.

    It is called with an empty text whenever a connection was made: something may have been missed before.
    """

    async def use(connection: _Connection) -> None:
        await connection.execute(SQL("LISTEN {}").format(Identifier(channel)))
        hear("")
        while True:
            async for notification in connection.notifies(timeout=_SILENCE_S):
                sender, _, text = notification.payload.partition(" ")
                if sender != database.instance:  # what this process commits it knows already
                    hear(text)
            await _probe(connection)

    await _connected(database, use, purpose=f"listening to {channel}")


async def lead(database: Database, name: str, work: Callable[[], Awaitable[None]]) -> None:
    """Run `work` while this process leads under `name`, until cancelled.

    At most one connection to the database holds the name. A process that loses its connection stops its work
    within _PROBE_S + _PROBE_TIMEOUT_S, and stands again when it has a new one.
    """

    async def stand(connection: _Connection) -> None:
        while not await _takes(connection, name):  # noqa: ASYNC110  another process's end is no event here
            await asyncio.sleep(_PROBE_S)
        _log.info("this process leads %s", name)
        async with asyncio.TaskGroup() as group:
            group.create_task(_working(work), name=f"leading-{name}")
            while True:
                await asyncio.sleep(_PROBE_S)
                await _probe(connection)

    await _connected(database, stand, purpose=f"leading {name}")


async def _working(work: Callable[[], Awaitable[None]]) -> None:
    await work()


async def _takes(connection: _Connection, name: str) -> bool:
    async with asyncio.timeout(_PROBE_TIMEOUT_S):
        cursor = await connection.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 1))", [name])
        row = await cursor.fetchone()
    return row == (True,)


async def _probe(connection: _Connection) -> None:
    async with asyncio.timeout(_PROBE_TIMEOUT_S):
        await connection.execute("SELECT 1")


async def _connected(database: Database, use: Callable[[_Connection], Awaitable[None]], *, purpose: str) -> None:
    """Give `use` a connection, and another one whenever it fails."""
    is_lost = False
    while True:
        try:
            async with await _connect(database) as connection:
                if is_lost:
                    _log.info("%s: connected again", purpose)
                is_lost = False
                await use(connection)
        except* (psycopg.Error, DBAPIError, OSError) as errors:  # a timeout is an OSError too
            if not is_lost:
                _log.warning("%s: connection lost, trying again: %s", purpose, errors.exceptions[0])
            is_lost = True
        await asyncio.sleep(random.uniform(*_RETRY_S))  # noqa: S311  jitter needs no secrecy


async def _connect(database: Database) -> _Connection:
    url = database.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    return await psycopg.AsyncConnection.connect(url, autocommit=True, connect_timeout=_CONNECT_TIMEOUT_S)
