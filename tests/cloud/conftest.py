from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cloud.core.database import Base, Database, Routes


@pytest.fixture
def routes() -> Routes:
    """Who hears which event; a test module overrides it where events matter."""
    return {}


@pytest.fixture(params=["sqlite", "postgresql"])
async def database(request: pytest.FixtureRequest, tmp_path: Path, routes: Routes) -> AsyncIterator[Database]:
    """An empty business database with all tables, on each of the two engines."""
    server = request.getfixturevalue("postgresql") if request.param == "postgresql" else None
    url = server.create_database() if server else f"sqlite+aiosqlite:///{tmp_path / 'gatehouse.db'}"
    database = Database(url, routes=routes)
    async with database.engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    yield database
    await database.close()
    if server:
        server.drop_database(url)
