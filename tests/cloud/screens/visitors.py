"""Everybody who knocks at every door: each role of an organisation, whoever is near, and a stranger."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import httpx

from cloud.core.principal import Role
from cloud.properties import service as properties
from tests.cloud.estate import add_person
from tests.cloud.screens.route_forms import Sending
from tests.cloud.screens.whole import Whole
from tests.cloud.web.conftest import Browser

ROLES: Mapping[str, Role] = {
    "A": Role.ADMINISTRATOR,
    "O": Role.OPERATOR,
    "D": Role.DESK,
    "W": Role.WORKER,
    "B": Role.OFFICE,
    "M": Role.MANAGER,
    "H": Role.OWNER,
}
"""Whoever works for the organisation or lives in it, by their letters in route_roles.txt."""

OTHER_DESK, OTHER_WORKER = "d", "w"
"""The desk and the worker of another community of the same organisation."""
COLLEAGUE = "v"
"""Another worker of the same community."""
HOUSEHOLD = "h"
"""The owner across the landing."""
NEXT_DOOR = "n"
"""The administrator of another organisation."""
STRANGER = "s"
"""Somebody who has not signed in."""

LETTERS = (*ROLES, OTHER_DESK, OTHER_WORKER, COLLEAGUE, HOUSEHOLD, NEXT_DOOR, STRANGER)


@dataclass
class Visitor:
    """Somebody's browser, which is the same before every request whatever the last one was answered."""

    browser: Browser
    token: str
    cookies: Mapping[str, str]

    async def ask(self, method: str, path: str, sending: Sending | None = None) -> httpx.Response:
        """Send a request with this browser's token, and a form where one is given."""
        self.browser.cookies = httpx.Cookies(self.cookies)
        if method == "GET":
            return await self.browser.get(path)
        sent = sending or Sending()
        files = {"file": ("table.csv", sent.file.encode())} if sent.file else None
        headers = {"X-CSRF-Token": self.token}
        return await self.browser.request(method, path, data=sent.fields, files=files, headers=headers)


@asynccontextmanager
async def signed_in(whole: Whole) -> AsyncIterator[Mapping[str, Visitor]]:
    """Yield everybody by their letter; the colleagues are hired for it."""
    logins: dict[str, str | None] = {letter: whole.login(role) for letter, role in ROLES.items()}
    logins |= await _hire(whole)
    logins[HOUSEHOLD] = whole.households.next_door_login
    logins[NEXT_DOOR] = whole.neighbour.login(Role.ADMINISTRATOR)
    async with AsyncExitStack() as stack:
        yield {
            letter: await _visitor(stack, whole, logins.get(letter), number)
            for number, letter in enumerate(LETTERS, start=1)
        }


async def _hire(whole: Whole) -> dict[str, str | None]:
    estate, clock = whole.site.estate, whole.clock
    async with whole.database.transaction() as session:
        elsewhere = await properties.create_community(session, clock, estate.administrator, name="白桦苑")
    hired = {
        OTHER_DESK: (Role.DESK, "何十四", [elsewhere]),
        OTHER_WORKER: (Role.WORKER, "吕十五", [elsewhere]),
        COLLEAGUE: (Role.WORKER, "施十六", [whole.site.community_id]),
    }
    for letter, (role, name, communities) in hired.items():
        await add_person(
            whole.database, clock, estate, role=role, name=name, login=f"visitor-{letter}", communities=communities
        )
    return {letter: f"visitor-{letter}" for letter in hired}


async def _visitor(stack: AsyncExitStack, whole: Whole, login: str | None, number: int) -> Visitor:
    transport = httpx.ASGITransport(app=whole.app, client=(f"198.51.100.{number}", 40_000))
    browser = await stack.enter_async_context(
        Browser(
            login_of=lambda _role: login or "",
            transport=transport,
            base_url="http://gatehouse.test",
            headers={"Accept": "text/html"},
        )
    )
    if login is not None:
        await browser.sign_in(Role.WORKER)
    token = await browser.token("/me" if login is not None else "/sign-in")
    return Visitor(browser=browser, token=token, cookies=dict(browser.cookies))
