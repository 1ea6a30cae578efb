"""The pages of control room, desk and rules over a building with alarms, as people see them without JavaScript."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import httpx
from fastapi import FastAPI

from cloud.core.principal import Role
from cloud.screens.admin.screen import SCREEN as ADMIN
from cloud.screens.controlroom.screen import SCREEN as CONTROLROOM
from cloud.screens.desk.screen import SCREEN as DESK
from cloud.screens.entrance.screen import SCREEN as ENTRANCE
from cloud.web.install import install
from cloud.web.live import Hub
from tests.cloud.alarms.site import Site
from tests.cloud.estate import Estate
from tests.cloud.web.conftest import Browser

SCREENS = (ENTRANCE, CONTROLROOM, DESK, ADMIN)


@dataclass
class House:
    """A building, its cloud, and browsers for the people of its organisation and of the one next door."""

    site: Site
    app: FastAPI
    hub: Hub
    neighbour: Estate

    @asynccontextmanager
    async def signed_in(self, role: Role, *, next_door: bool = False, language: str = "en") -> AsyncIterator[Browser]:
        """Yield the browser of the person with a role, here or next door."""
        estate = self.neighbour if next_door else self.site.estate
        transport = httpx.ASGITransport(app=self.app, client=("198.51.100.7", 40000))
        options = {"transport": transport, "base_url": "http://gatehouse.test"}
        async with Browser(login_of=estate.login, headers={"Accept": "text/html"}, **options) as browser:
            browser.cookies.set("gatehouse_language", language)
            await browser.sign_in(role)
            yield browser


def build_house(site: Site, neighbour: Estate) -> House:
    """Return the pages over a building."""
    app, hub = FastAPI(openapi_url=None), Hub()
    app.state.series = site.series
    zone = ZoneInfo("Asia/Shanghai")
    install(app, database=site.database, clock=site.clock, hub=hub, screens=SCREENS, zone=zone)
    return House(site=site, app=app, hub=hub, neighbour=neighbour)
