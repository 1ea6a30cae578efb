import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import pytest
from fastapi import FastAPI

from cloud.core.database import Database
from cloud.core.principal import Role
from cloud.screens.admin.screen import SCREEN as ADMIN
from cloud.screens.entrance.screen import SCREEN as ENTRANCE
from cloud.web.install import install
from cloud.web.live import Hub
from tests.clocks import FixedClock
from tests.cloud.estate import Estate, make_organisation
from tests.cloud.web.conftest import Browser

SignedIn = Callable[[Role], AbstractAsyncContextManager[Browser]]


@pytest.fixture
async def database(migrated_sqlite: Path, tmp_path: Path) -> AsyncIterator[Database]:
    """On SQLite alone: pages don't know the engine, and what they ask of it has its own tests on both."""
    database = Database(f"sqlite+aiosqlite:///{shutil.copy(migrated_sqlite, tmp_path / 'gatehouse.db')}")
    yield database
    await database.close()


@pytest.fixture
async def estate(database: Database, clock: FixedClock) -> Estate:
    return await make_organisation(database, clock)


@pytest.fixture
async def neighbour(database: Database, clock: FixedClock) -> Estate:
    return await make_organisation(database, clock, name="银杏物业")


@pytest.fixture
def signed_in(database: Database, clock: FixedClock, estate: Estate) -> SignedIn:
    app = FastAPI(openapi_url=None)
    zone = ZoneInfo("Asia/Shanghai")
    install(app, database=database, clock=clock, hub=Hub(), screens=(ENTRANCE, ADMIN), zone=zone)

    @asynccontextmanager
    async def sign_in(role: Role) -> AsyncIterator[Browser]:
        transport = httpx.ASGITransport(app=app, client=("198.51.100.7", 40000))
        options = {"base_url": "http://gatehouse.test", "headers": {"Accept": "text/html", "Accept-Language": "en"}}
        async with Browser(login_of=estate.login, transport=transport, **options) as browser:
            await browser.sign_in(role)
            yield browser

    return sign_in


@pytest.fixture
async def administrator(signed_in: SignedIn) -> AsyncIterator[Browser]:
    async with signed_in(Role.ADMINISTRATOR) as browser:
        yield browser
