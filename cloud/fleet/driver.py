"""Statements handed straight to the driver of a SQLAlchemy connection.

Where a statement is text already, SQLAlchemy's way through cursors and results costs more than most of the work, and
on SQLite four changes of thread instead of one. Transactions stay SQLAlchemy's.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any, cast

import aiosqlite
import psycopg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

Driver = aiosqlite.Connection | psycopg.AsyncConnection[tuple[Any, ...]]


async def fetch(connection: AsyncConnection, sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Return all rows of a statement in the driver's own style of parameters.

    Raises:
        DBAPIError: the database refused it.
    """
    driver = await _driver(connection)
    try:
        if isinstance(driver, aiosqlite.Connection):
            return list(cast("Iterable[tuple[Any, ...]]", await driver.execute_fetchall(sql, values)))
        cursor = await driver.execute(sql, values)
        return await cursor.fetchall() if cursor.description else []
    except (sqlite3.Error, psycopg.Error) as error:
        raise _told(sql, error) from error


async def change(connection: AsyncConnection, sql: str, values: Sequence[Any]) -> int:
    """Run a statement in the driver's own style of parameters, and return how many rows it changed.

    Raises:
        DBAPIError: the database refused it.
    """
    driver = await _driver(connection)
    try:
        if isinstance(driver, aiosqlite.Connection):
            before = driver.total_changes
            await driver.execute_fetchall(sql, values)
            return driver.total_changes - before
        return (await driver.execute(sql, values)).rowcount
    except (sqlite3.Error, psycopg.Error) as error:
        raise _told(sql, error) from error


async def _driver(connection: AsyncConnection) -> Driver:
    driver: Driver | None = (await connection.get_raw_connection()).driver_connection
    if driver is None:
        raise DBAPIError("the connection is closed", None, RuntimeError("closed"))
    return driver


def _told(sql: str, error: Exception) -> DBAPIError:
    # Without the parameters: an error's text goes into logs, the values in it may not.
    return DBAPIError(sql, None, error, hide_parameters=True)
