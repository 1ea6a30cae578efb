import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError

from cloud.core.database import Database
from cloud.migrations.models import METADATA, is_described
from cloud.migrations.upgrading import downgrade, migrate

_TRIGGERS = {
    "sqlite": "SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY name",
    "postgresql": """
        SELECT tgname, tgrelid::regclass::text, pg_get_triggerdef(oid) FROM pg_trigger
        WHERE NOT tgisinternal ORDER BY 2, 1""",
}


@pytest.fixture(params=["sqlite", "postgresql"])
async def url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path / 'gatehouse.db'}"
        return
    server = request.getfixturevalue("postgresql")
    url = server.create_database()
    yield url
    server.drop_database(url)


async def _ask(url: str, question: Any) -> Any:
    database = Database(url)
    try:
        async with database.engine.connect() as connection:
            return await connection.run_sync(question)
    finally:
        await database.close()


def _differences(connection: Connection) -> list[Any]:
    context = MigrationContext.configure(connection, opts={"include_name": is_described})
    return compare_metadata(context, METADATA)


def _tables(connection: Connection) -> set[str]:
    return set(inspect(connection).get_table_names())


def _triggers(connection: Connection) -> list[tuple[Any, ...]]:
    rows = connection.execute(text(_TRIGGERS[connection.dialect.name]))
    return [tuple(" ".join(str(part).split()) for part in row) for row in rows]


async def test_the_migrations_make_what_the_models_say(url: str) -> None:
    await migrate(url)
    assert await _ask(url, _differences) == []


async def test_the_migrations_make_the_triggers_that_the_models_have(
    url: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    await migrate(url)
    migrated = await _ask(url, _triggers)
    await downgrade(url, to="base")
    database = Database(url)
    async with database.engine.begin() as connection:
        await connection.run_sync(METADATA.create_all)
    await database.close()
    assert migrated == await _ask(url, _triggers)
    assert migrated != []


async def test_down_and_up_again_leads_to_the_same(url: str) -> None:
    await migrate(url)
    tables = await _ask(url, _tables)
    await downgrade(url, to="base")
    assert await _ask(url, _tables) == {"alembic_version"}
    await migrate(url)
    assert await _ask(url, _tables) == tables


async def test_migrating_what_is_migrated_changes_nothing(url: str) -> None:
    await migrate(url)
    await migrate(url)
    assert await _ask(url, _differences) == []


async def test_processes_that_start_together_migrate_one_after_the_other(url: str) -> None:
    await asyncio.gather(*(migrate(url) for _ in range(3)))
    assert await _ask(url, _differences) == []


async def test_a_migration_that_fails_half_way_leaves_nothing_behind(url: str) -> None:
    database = Database(url)
    async with database.engine.begin() as connection:
        await connection.execute(text("CREATE TABLE places (id INTEGER)"))
    await database.close()
    with pytest.raises(DBAPIError, match="places"):
        await migrate(url)
    assert await _ask(url, _tables) == {"places"}
