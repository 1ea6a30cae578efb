"""A list's page asked for from inside, as somebody and with the rights they have now, to get at the list itself.

What is written in the background, or kept to be seen again, is then just what the page shows: the same route with the
same guard, the same rows and columns, in whichever screen it stands.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from starlette.types import ASGIApp, Message, Scope

from cloud.accounts.askers import Asker
from cloud.web.catalogues import Locale
from cloud.web.lists import Asked, ListView, Load
from cloud.web.reader import LOCALE_COOKIE, Reader
from cloud.web.session import ASKER

TAKER = "gatehouse.taker"
TAKEN = 204
"""The status that a page answers with when its list was taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A list as its page would show it; its rows can be loaded while it is being taken, and not after."""

    view: ListView[Any]
    asked: Asked
    load: Load[Any]
    reader: Reader
    path: str


Take = Callable[[Listed], Awaitable[None]]


async def replay(site: ASGIApp, *, path: str, query: str, asker: Asker, locale: Locale, take: Take) -> int:
    """Give the list at an address to `take`; return the status, TAKEN unless the page is no list or is refused."""
    scope: Scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(b"host", b"gatehouse"), (b"cookie", f"{LOCALE_COOKIE}={locale}".encode())],
        "client": None,
        "server": None,
        ASKER: asker,
        TAKER: take,
    }
    statuses: list[int] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    await site(scope, receive, send)
    return statuses[0]
