import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from cloud.core.database import Database, Routes
from cloud.migrations.upgrading import migrate
from tests.servers.postgresql import PostgreSQL


@pytest.fixture
def routes() -> Routes:
    """Who hears which event; a test module overrides it where events matter."""
    return {}


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database to copy; migrating takes longer than most tests."""
    file = tmp_path_factory.mktemp("migrated") / "gatehouse.db"
    asyncio.run(migrate(f"sqlite+aiosqlite:///{file}"))
    return file


@pytest.fixture(scope="session")
def migrated_postgresql(postgresql: PostgreSQL) -> str:
    """The name of a migrated database to copy."""
    url = postgresql.create_database()
    asyncio.run(migrate(url))
    return postgresql.name_of(url)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty, migrated business database, on each of the two engines."""
    if request.param == "sqlite":
        file = shutil.copy(request.getfixturevalue("migrated_sqlite"), tmp_path / "gatehouse.db")
        yield f"sqlite+aiosqlite:///{file}"
        return
    server = request.getfixturevalue("postgresql")
    url = server.create_database(template=request.getfixturevalue("migrated_postgresql"))
    yield url
    server.drop_database(url)


@pytest.fixture
async def database(database_url: str, routes: Routes) -> AsyncIterator[Database]:
    """An empty, migrated business database, on each of the two engines."""
    database = Database(database_url, routes=routes)
    yield database
    await database.close()
