"""The pages of control room, desk and rules over a building with alarms, as people see them without JavaScript."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import uuid4
from zoneinfo import ZoneInfo

import httpx
from fastapi import FastAPI

from cloud.core.files import FileStore
from cloud.core.principal import Role
from cloud.screens.admin.screen import SCREEN as ADMIN
from cloud.screens.controlroom.screen import SCREEN as CONTROLROOM
from cloud.screens.desk.screen import SCREEN as DESK
from cloud.screens.entrance.screen import SCREEN as ENTRANCE
from cloud.screens.field.screen import SCREEN as FIELD
from cloud.screens.manager.screen import SCREEN as MANAGER
from cloud.screens.owner.screen import SCREEN as OWNER
from cloud.web.install import install
from cloud.web.live import Hub
from cloud.wiring import FILES
from tests.cloud.alarms.site import Site
from tests.cloud.estate import Estate
from tests.cloud.screens.households import Households
from tests.cloud.web.conftest import Browser

SCREENS = (ENTRANCE, MANAGER, CONTROLROOM, FIELD, DESK, ADMIN, OWNER)


@dataclass
class House:
    """A building, its cloud, and browsers for the people of its organisation and of the one next door."""

    site: Site
    app: FastAPI
    hub: Hub
    neighbour: Estate

    def stranger(self, *, language: str = "en") -> Browser:
        """Return the browser of somebody who has not signed in."""
        browser = self._browser(self.site.estate.login)
        browser.cookies.set("gatehouse_language", language)
        return browser

    @asynccontextmanager
    async def signed_in(self, role: Role, *, next_door: bool = False, language: str = "en") -> AsyncIterator[Browser]:
        """Yield the browser of the person with a role, here or next door."""
        estate = self.neighbour if next_door else self.site.estate
        async with self._browser(estate.login) as browser:
            browser.cookies.set("gatehouse_language", language)
            await browser.sign_in(role)
            yield browser

    @asynccontextmanager
    async def signed_in_across_the_landing(self, households: Households) -> AsyncIterator[Browser]:
        """Yield the browser of the owner next door in the same community."""
        async with self._browser(households.next_door_login_of) as browser:
            browser.cookies.set("gatehouse_language", "en")
            await browser.sign_in(Role.OWNER)
            yield browser

    def _browser(self, login_of: Callable[[Role], str]) -> Browser:
        transport = httpx.ASGITransport(app=self.app, client=("198.51.100.7", 40000))
        options = {"transport": transport, "base_url": "http://gatehouse.test"}
        return Browser(login_of=login_of, headers={"Accept": "text/html"}, **options)


def build_house(site: Site, neighbour: Estate) -> House:
    """Return the pages over a building."""
    app, hub = FastAPI(openapi_url=None), Hub()
    app.state.series = site.series
    app.state.files = FileStore(f"memory://{uuid4().hex}")
    zone = ZoneInfo("Asia/Shanghai")
    install(app, database=site.database, clock=site.clock, hub=hub, screens=SCREENS, zone=zone, may_see=FILES)
    return House(site=site, app=app, hub=hub, neighbour=neighbour)
