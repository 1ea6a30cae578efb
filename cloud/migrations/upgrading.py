"""Runs Alembic on a database's own connection: it needs no configuration file, and works where it is installed."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.core.database import Database

_HERE = Path(__file__).parent
_LOCK = 7_201_914  # drawn once; only migrations ask for it


async def migrate(url: str, *, to: str = "head") -> None:
    """Bring the database behind `url` up to a revision, whole or not at all; several processes may do so at once."""
    await _run(url, lambda config: command.upgrade(config, to))


async def downgrade(url: str, *, to: str) -> None:
    """Take the database behind `url` back to a revision, `base` for an empty one, whole or not at all."""
    await _run(url, lambda config: command.downgrade(config, to))


async def write_revision(url: str, message: str) -> None:
    """Write the step from what is behind `url`, which is at head, to what the models say; a person then reads it."""
    number = len(list(ScriptDirectory.from_config(_config()).walk_revisions())) + 1
    await _run(url, lambda config: command.revision(config, message, autogenerate=True, rev_id=f"{number:04}"))


async def _run(url: str, act: Callable[[Config], object]) -> None:
    # any organisation: a lock, and the tables themselves
    def on(connection: Connection) -> None:
        config = _config()
        config.attributes["connection"] = connection
        act(config)

    database = Database(url)
    try:
        async with database.engine.connect() as connection:
            if database.is_sqlite:
                await _on_sqlite(connection, on)
            else:
                async with connection.begin():
                    await connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
                    await connection.run_sync(on)
    finally:
        await database.close()


async def _on_sqlite(connection: AsyncConnection, on: Callable[[Connection], None]) -> None:
    # To change a table is to copy it and drop the old one, which may not take the rows that refer to it along.
    driver: Any = (await connection.get_raw_connection()).driver_connection
    await driver.execute("PRAGMA foreign_keys=OFF")  # which counts for nothing once a transaction has begun
    await connection.execution_options(sqlite_begin="IMMEDIATE")
    async with connection.begin():
        await connection.run_sync(on)
        orphans = (await connection.exec_driver_sql("PRAGMA foreign_key_check")).all()
        if orphans:
            raise RuntimeError(f"the migration left rows that refer to nothing: {orphans[:5]}; nothing was changed")


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_HERE).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    return config
