from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cloud.core.database import Base, Database, Routes
from tests.cloud.alarms.conftest import routes, series, site
from tests.cloud.alarms.site import Site
from tests.cloud.estate import make_organisation
from tests.cloud.screens.house import House, build_house

__all__ = ["routes", "series", "site"]


@pytest.fixture
async def database(tmp_path: Path, routes: Routes) -> AsyncIterator[Database]:
    """SQLite alone: pages add no SQL to that of the slices, which is tried on both."""
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'gatehouse.db'}", routes=routes)
    async with database.engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    yield database
    await database.close()


@pytest.fixture
async def house(site: Site) -> House:
    return build_house(site, await make_organisation(site.database, site.clock, name="邻家物业"))
