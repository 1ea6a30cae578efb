"""The practice gateway for SMS: takes what the cloud sends, checks the token, and shows on a page what it got.

It speaks the interface of cloud/notifications/sms.py. Nothing leaves the machine.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hmac import compare_digest
from html import escape
from http import HTTPStatus
from zoneinfo import ZoneInfo

from aiohttp import web

from cloud.core.clock import Clock
from provisioning.practice.ports import LOOPBACK

_KEPT = 200
_A_MINUTE = timedelta(minutes=1)
_SHOWN_EVERY_S = 2
_ZONE = ZoneInfo("Asia/Shanghai")

_PAGE = """\
<!doctype html>
<html lang="zh-Hans"><head><meta charset="utf-8"><meta http-equiv="refresh" content="{every_s}">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>练习短信 · Practice SMS</title>
<style>body {{ font: 16px/1.5 sans-serif; max-width: 40em; margin: 2em auto; padding: 0 1em }}
li {{ margin: 1em 0; overflow-wrap: anywhere }} small {{ color: #57606a }}</style></head>
<body><h1>练习短信 · Practice SMS</h1>
<p>演示中发出的短信都在这里，不会发到任何手机。<br>What the demo sends stands here and reaches no telephone.</p>
{messages}</body></html>"""

_EMPTY = "<p>还没有短信。 · No message yet.</p>"


@dataclass(frozen=True, slots=True, kw_only=True)
class TextMessage:
    """A message as it was taken."""

    id: str
    gateway_id: str
    to: str
    text: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """How a request fails.

    Attributes:
        keeps: whether the message is taken all the same, as when only the answer is lost.
    """

    status: int
    reason: str = ""
    retry_after_s: int | None = None
    keeps: bool = False


@dataclass
class PracticeGateway:
    """What the gateway holds, and how it is told to behave.

    Attributes:
        url: where it listens; its page is there too.
        failures: how the next requests fail, one after the other.
        fates: state and reason that are reported of messages to a number; the others reach theirs.
        limit: messages to one number in a minute; None for as many as come.
    """

    url: str
    token: str
    clock: Clock
    messages: list[TextMessage] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    fates: dict[str, tuple[str, str]] = field(default_factory=dict)
    limit: int | None = None
    _taken: int = 0

    @classmethod
    @asynccontextmanager
    async def opened(cls, clock: Clock, *, token: str, port: int = 0) -> AsyncIterator["PracticeGateway"]:
        """Yield the gateway while it listens on loopback, by default on a port that the system chooses."""
        gateway = cls(url="", token=token, clock=clock)
        runner = web.AppRunner(gateway._application(), access_log=None)
        await runner.setup()
        try:
            site = web.TCPSite(runner, LOOPBACK, port)
            await site.start()
            gateway.url = f"http://{LOOPBACK}:{runner.addresses[0][1]}"
            yield gateway
        finally:
            await runner.cleanup()

    def _application(self) -> web.Application:
        application = web.Application()
        application.add_routes(
            [
                web.get("/", self._show),
                web.post("/messages", self._take),
                web.get("/messages/{gateway_id}", self._tell),
            ]
        )
        return application

    async def _take(self, request: web.Request) -> web.Response:
        self._check(request)
        sent = await request.json()
        known = next((message for message in self.messages if message.id == sent["id"]), None)
        failure = self._failure(sent["to"], is_repeat=known is not None)
        if failure is not None and not failure.keeps:
            return _failed(failure)
        taken = known or self._keep(sent)
        return _failed(failure) if failure is not None else web.json_response({"gateway_id": taken.gateway_id})

    async def _tell(self, request: web.Request) -> web.Response:
        self._check(request)
        gateway_id = request.match_info["gateway_id"]
        known = next((message for message in self.messages if message.gateway_id == gateway_id), None)
        if known is None:
            return _failed(Failure(status=HTTPStatus.NOT_FOUND, reason="no such message"))
        state, reason = self.fates.get(known.to, ("sent", ""))
        return web.json_response({"state": state, "reason": reason})

    async def _show(self, _request: web.Request) -> web.Response:
        lines = "".join(_line(message) for message in reversed(self.messages))
        page = _PAGE.format(every_s=_SHOWN_EVERY_S, messages=f"<ol reversed>{lines}</ol>" if lines else _EMPTY)
        return web.Response(text=page, content_type="text/html")

    def _check(self, request: web.Request) -> None:
        if not compare_digest(request.headers.get("Authorization", ""), f"Bearer {self.token}"):
            raise web.HTTPUnauthorized(text='{"reason": "wrong token"}', content_type="application/json")

    def _keep(self, sent: dict[str, str]) -> TextMessage:
        self._taken += 1
        message = TextMessage(
            id=sent["id"],
            gateway_id=f"practice-{self._taken}",
            to=sent["to"],
            text=sent["text"],
            at=self.clock.now(),
        )
        self.messages.append(message)
        del self.messages[:-_KEPT]
        return message

    def _failure(self, number: str, *, is_repeat: bool) -> Failure | None:
        if self.failures:
            return self.failures.pop(0)
        since = self.clock.now() - _A_MINUTE
        of_late = sum(message.to == number and message.at > since for message in self.messages)
        if self.limit is None or is_repeat or of_late < self.limit:
            return None
        return Failure(status=HTTPStatus.TOO_MANY_REQUESTS, reason="too many to this number", retry_after_s=60)


def _failed(failure: Failure) -> web.Response:
    headers = {} if failure.retry_after_s is None else {"Retry-After": f"{failure.retry_after_s}"}
    return web.json_response({"reason": failure.reason}, status=failure.status, headers=headers)


def _line(message: TextMessage) -> str:
    at = message.at.astimezone(_ZONE)
    return f"<li>{escape(message.text)}<br><small>{escape(message.to)} · {at:%H:%M:%S}</small></li>"
