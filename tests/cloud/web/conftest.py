import re
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from fastapi import FastAPI

from cloud.core.database import Database
from cloud.core.outbox import OutboxEvent
from cloud.core.principal import Role
from cloud.screens.entrance.screen import SCREEN as ENTRANCE
from cloud.web.install import install
from cloud.web.live import Hub
from tests.clocks import FixedClock
from tests.cloud.estate import PASSWORD, make_organisation
from tests.cloud.web.things import SCREEN as THINGS


class Site:
    """The frame with two screens, an organisation with a person of each role, and three things."""

    def __init__(self, database: Database, clock: FixedClock) -> None:
        self.database = database
        self.clock = clock
        self.hub = Hub()
        self.app = FastAPI(openapi_url=None)
        zone = ZoneInfo("Asia/Shanghai")
        install(self.app, database=database, clock=clock, hub=self.hub, screens=(ENTRANCE, THINGS), zone=zone)

    async def seed(self) -> None:
        self.estate = await make_organisation(self.database, self.clock)
        async with self.database.transaction() as session:
            session.add_all(
                OutboxEvent(
                    organisation_id=self.estate.organisation_id,
                    kind=name,
                    subject="s",
                    payload="{}",
                    emitted_at=self.clock.now(),
                )
                for name in ("pump", "roof", "<b>cellar</b>")
            )

    async def names(self) -> list[str]:
        async with self.database.reading() as session:
            return [(await session.get_one(OutboxEvent, number)).kind for number in (1, 2, 3)]

    def browser(self) -> "Browser":
        transport = httpx.ASGITransport(app=self.app, client=("198.51.100.7", 40000))
        return Browser(
            login_of=self.estate.login,
            transport=transport,
            base_url="http://gatehouse.test",
            headers={"Accept": "text/html"},
        )


class Browser(httpx.AsyncClient):
    """A browser without JavaScript: it keeps cookies and sends the token that stands in the page."""

    def __init__(self, *, login_of: Callable[[Role], str], **options: Any) -> None:
        super().__init__(**options)
        self._login_of = login_of

    async def token(self, path: str = "/sign-in") -> str:
        return re.search(r'name="csrf" (?:content|value)="(\w+)"', (await self.get(path)).text)[1]

    async def send_form(
        self, path: str, /, *, page: str = "/sign-in", headers: dict[str, str] | None = None, **fields: str
    ) -> httpx.Response:
        return await self.post(path, data={"csrf": await self.token(page), **fields}, headers=headers)

    async def sign_in(self, role: Role, *, password: str = PASSWORD, then: str = "/") -> httpx.Response:
        return await self.send_form("/sign-in", login=self._login_of(role), password=password, next=then)


@pytest.fixture
async def site(migrated_sqlite: Path, tmp_path: Path, clock: FixedClock) -> AsyncIterator[Site]:
    """On SQLite alone: pages don't know the engine, and what they ask of it has its own tests on both."""
    database = Database(f"sqlite+aiosqlite:///{shutil.copy(migrated_sqlite, tmp_path / 'gatehouse.db')}")
    site = Site(database, clock)
    await site.seed()
    yield site
    await database.close()


@pytest.fixture
async def stranger(site: Site) -> AsyncIterator[Browser]:
    async with site.browser() as browser:
        yield browser


@pytest.fixture
async def operator(site: Site) -> AsyncIterator[Browser]:
    async with site.browser() as browser:
        await browser.sign_in(Role.OPERATOR)
        yield browser
