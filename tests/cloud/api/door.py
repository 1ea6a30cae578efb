"""The boxes' door behind a real uvicorn, and a client that speaks to it as a box does."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import aiohttp
import msgspec
import uvicorn
from fastapi import FastAPI

from cloud.api.edge import EdgeDoor
from cloud.core.clock import Clock
from cloud.fleet.channel import Channels
from protocols import wire
from tests.cloud.fleet.boxes import ClaimedBox


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back of a request."""

    status: int
    headers: dict[str, str]
    body: bytes

    def of(self, kind: type[Any]) -> Any:
        return msgspec.msgpack.decode(self.body, type=kind)

    @property
    def problem(self) -> tuple[int, str]:
        """The status and the problem's code."""
        return self.status, self.of(wire.Problem).code


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """A running door."""

    url: str
    port: int
    channels: Channels
    session: aiohttp.ClientSession
    clock: Clock

    async def send(
        self,
        method: str,
        path: str,
        message: msgspec.Struct | bytes | BytesIO | AsyncIterator[bytes] | None = None,
        *,
        box: ClaimedBox | None = None,
        authorisation: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """Send a request, with a token of the box if one is named."""
        said = {"Authorization": authorisation} if authorisation else {}
        if box:
            said["Authorization"] = box.authorisation(self.clock)
        body = msgspec.msgpack.encode(message) if isinstance(message, msgspec.Struct) else message
        sending = self.session.request(method, self.url + path, data=body, headers={**said, **(headers or {})})
        async with sending as response:
            return Answer(status=response.status, headers=dict(response.headers), body=await response.read())

    async def open_channel(self, box: ClaimedBox) -> aiohttp.ClientWebSocketResponse:
        """Return a channel of the box, before its hello."""
        headers = {"Authorization": box.authorisation(self.clock)}
        return await self.session.ws_connect(self.url + wire.PATH_CHANNEL, headers=headers)


@asynccontextmanager
async def running_door(door: EdgeDoor, channels: Channels, clock: Clock) -> AsyncIterator[Door]:
    """Yield the door behind a server on a port that the system chose."""
    app = FastAPI()
    app.include_router(door.router())
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off", timeout_graceful_shutdown=1))
    serving = asyncio.create_task(server.serve(sockets=[listener]), name="uvicorn")
    try:
        async with asyncio.timeout(60):
            while not server.started:  # noqa: ASYNC110  uvicorn has no event for it
                await asyncio.sleep(0.01)
        async with aiohttp.ClientSession() as session:
            yield Door(url=f"http://127.0.0.1:{port}", port=port, channels=channels, session=session, clock=clock)
    finally:
        server.should_exit = True
        await serving
        listener.close()
