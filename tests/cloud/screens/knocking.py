"""Every door of the application: which there are, how one is knocked at, and whether whoever knocked was let in."""

from collections.abc import Mapping, MutableMapping
from dataclasses import replace
from typing import Any, cast

import httpx
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from cloud.reception.domain import VisitorState
from cloud.screens.admin.places import Noun
from cloud.screens.desk.acts import DOINGS
from cloud.screens.field.deeds import DEEDS
from cloud.web.session import SIGN_IN_PATH
from tests.cloud.screens.route_forms import FORMS, Sending
from tests.cloud.screens.visitors import STRANGER, Visitor
from tests.cloud.screens.whole import Whole

WEB_SOCKET = "WS"
BARRED, REFUSED = ".", "-"
"""Marks of who is not let in, and of who is, but finds that what the form speaks of isn't theirs."""

WORDS: Mapping[str, tuple[str, ...]] = {
    "{act}": tuple(DOINGS),
    "{deed}": tuple(DEEDS),
    "{noun}": tuple(Noun),
    "{state}": (VisitorState.SERVED, VisitorState.LEFT),
}
"""Parameters that are one of a few words: each is a door of its own."""


def routes(app: FastAPI) -> list[tuple[str, str]]:
    """Return every route by method and path, those with a word in it once for each word."""
    return [
        (method, path)
        for route in iter_route_contexts(app.routes)
        for method in sorted(set(getattr(route, "methods", None) or {WEB_SOCKET}) - {"HEAD"})
        for path in _spelled(cast("str", route.path))
    ]


def _spelled(path: str) -> list[str]:
    for parameter, words in WORDS.items():
        if parameter in path:
            return [path.replace(parameter, word) for word in words]
    return [path]


async def knock(whole: Whole, visitor: Visitor, method: str, route: str) -> httpx.Response:
    """Ask for a route as a visitor, with what makes it do what it is for.

    Raises:
        LookupError: there is no example of what the route or its form speaks of.
    """
    sending = FORMS.get(route, Sending())
    try:
        path = (sending.at or route).format(**whole.examples)
        fields = _filled(sending.fields, whole.examples)
    except KeyError as missing:
        raise LookupError(f"{method} {route}: add an example of {missing} to whole.py or spares.py") from missing
    if method == WEB_SOCKET:
        return await _shake_hands(whole.app, visitor, path)
    return await visitor.ask(method, path, replace(sending, fields=fields))


def mark(letter: str, route: str, answer: httpx.Response) -> str:
    """Return a visitor's mark in the table: let in, refused what isn't theirs, or barred."""
    status = answer.status_code
    is_sent_to_sign_in = letter == STRANGER and answer.headers.get("location", "").partition("?")[0] == SIGN_IN_PATH
    if status in {401, 403, 404} or is_sent_to_sign_in:
        return BARRED
    if status < 400 or status == FORMS.get(route, Sending()).answered:
        return letter
    return REFUSED if status in {400, 409, 422} else f"[{letter}:{status}]"


def _filled(fields: Mapping[str, str | list[str]], examples: Mapping[str, object]) -> dict[str, str | list[str]]:
    return {
        name: value.format(**examples) if isinstance(value, str) else [each.format(**examples) for each in value]
        for name, value in fields.items()
    }


async def _shake_hands(app: FastAPI, visitor: Visitor, path: str) -> httpx.Response:
    """Return how a request for a WebSocket is answered: 101 for one that is accepted."""
    told: list[MutableMapping[str, Any]] = []
    cookie = "; ".join(f"{name}={value}" for name, value in visitor.cookies.items())
    scope = {
        "type": "websocket",
        "path": path,
        "query_string": b"",
        "headers": [(b"cookie", cookie.encode())],
        "client": ("198.51.100.7", 40_000),
        "extensions": {"websocket.http.response": {}},
    }

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: MutableMapping[str, Any]) -> None:
        told.append(message)

    await app(scope, receive, send)
    return httpx.Response(told[0].get("status", 101), request=httpx.Request("GET", f"ws://gatehouse.test{path}"))
