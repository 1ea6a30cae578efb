"""A cloud on a real port that keeps its promises to the letter, and misbehaves when a test asks it to."""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from enum import StrEnum
from typing import NamedTuple

import jwt
import msgspec
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from jwt.utils import base64url_decode

from edge.clock import SystemClock
from protocols import wire
from protocols.ranges import Range, normalise

CODE = "K7QM-2X9D"


class Kept(NamedTuple):
    """A row as the cloud has made it durable."""

    point: str
    time_us: int
    value: float
    flags: int


class Fault(StrEnum):
    """What may go wrong with one request."""

    CUT_BEFORE = "cut before it was taken"
    CUT_AFTER = "cut after it was taken"
    HALF_A_BODY = "half a body, after it was taken"
    SILENCE = "nothing, after it was taken"
    GARBAGE = "something else than an answer"
    PORTAL = "a page that asks for a password"
    ERROR = "HTTP 500"
    BUSY = "HTTP 503 with Retry-After"
    LIMITED = "HTTP 429 with Retry-After"
    REFUSED = "HTTP 401"
    TOO_LARGE = "HTTP 413"
    HOLDS_NOTHING = "an answer that does not hold what was sent"


class FaultyCloud:
    """Holds what it was sent; each batch meets the next fault of `faults`, then all goes well."""

    def __init__(self) -> None:
        self.clock = SystemClock()
        self.skew_us = 0
        self.url = ""
        self.public_key: str | None = None
        self.kept: dict[str, dict[int, Kept]] = {}
        self.lost: dict[str, list[Range]] = {}
        self.arrivals: Counter[tuple[str, int]] = Counter()
        self.batches: list[wire.Batch] = []
        self.inventories: list[wire.Inventory] = []
        self.requests: list[str] = []
        self.faults: deque[Fault] = deque()
        self.delay_s = 0.0
        self.largest_batch = wire.MAXIMUM_ROWS
        self.set_aside: list[wire.SetAside] = []
        self.watched: list[str] = []
        self.news = asyncio.Event()
        self.heartbeat_s = 2.0
        """And so long a box waits for its answer: a busy machine must not look like a dead line."""
        self.answers_pings = True
        self.greeting: str | None = None
        """Sent in place of the welcome; empty for silence."""
        self.hellos: list[wire.Hello] = []
        self.pings: list[wire.Ping] = []
        self.configured: list[wire.Configured] = []
        self.sockets: list[web.WebSocketResponse] = []

    def now_us(self) -> int:
        return self.clock.wall_us() + self.skew_us

    def held(self, store: str) -> list[Range]:
        return normalise((seq, seq) for seq in self.kept.get(store, {}))

    def values(self) -> list[float]:
        """Return all values of all stores in the order of their numbers."""
        return [rows[seq].value for rows in self.kept.values() for seq in sorted(rows)]

    async def until(self, holds: Callable[[], bool], timeout_s: float = 60) -> None:
        """Wait until something is true of what has arrived."""
        async with asyncio.timeout(timeout_s):
            while not holds():
                self.news.clear()
                await self.news.wait()

    async def tell(self, message: wire.FromCloud) -> None:
        await self.sockets[-1].send_str(msgspec.json.encode(message).decode())

    # --- requests ---

    async def _time(self, request: web.Request) -> web.Response:
        return self._answer(request, wire.Time(time_us=self.now_us()))

    async def _claim(self, request: web.Request) -> web.Response:
        claim = msgspec.msgpack.decode(await request.read(), type=wire.Claim)
        if claim.code != CODE:
            return _problem(403, "code_unknown", "there is no such code, or it was used")
        self.public_key = claim.public_key
        return self._answer(request, wire.Claimed(v=1, box_id="box-7", name="地下室", time_us=self.now_us()))

    async def _inventory(self, request: web.Request) -> web.Response:
        if not self._lets_in(request):
            return _problem(401, "token_refused", "the token is not good")
        self.inventories.append(msgspec.msgpack.decode(await request.read(), type=wire.Inventory))
        return self._answer(request, wire.InventoryTaken(v=1, watched=self.watched))

    async def _batch(self, request: web.Request) -> web.StreamResponse:
        fault = self.faults.popleft() if self.faults else None
        self.news.set()
        if not self._lets_in(request):
            return _problem(401, "token_refused", "the token is not good")
        batch = msgspec.msgpack.decode(await request.read(), type=wire.Batch)
        await asyncio.sleep(self.delay_s)
        if len(batch.rows.point) > self.largest_batch:
            fault = Fault.TOO_LARGE
        if fault is Fault.CUT_BEFORE:
            return self._cut(request)
        if fault in _INSTEAD:
            return _INSTEAD[fault]()
        return await self._answer_batch(request, self._take(batch), fault)

    async def _answer_batch(
        self, request: web.Request, taken: wire.BatchTaken, fault: Fault | None
    ) -> web.StreamResponse:
        match fault:
            case Fault.CUT_AFTER:
                return self._cut(request)
            case Fault.SILENCE:
                await asyncio.sleep(3_600)
            case Fault.HALF_A_BODY:
                return await self._half(request, msgspec.msgpack.encode(taken))
            case Fault.GARBAGE:
                return web.Response(body=b"\xc1 no MessagePack")
            case Fault.HOLDS_NOTHING:
                taken = msgspec.structs.replace(taken, held=[])
        return self._answer(request, taken)

    def _take(self, batch: wire.Batch) -> wire.BatchTaken:
        rows = batch.rows
        kept = self.kept.setdefault(batch.store, {})
        seqs = [seq for first, last in rows.ranges for seq in range(first, last + 1)]
        flags = rows.flags or [0] * len(seqs)
        for seq, point, time_us, value, flag in zip(seqs, rows.point, rows.time_us, rows.value, flags, strict=True):
            self.arrivals[batch.store, seq] += 1
            row = Kept(rows.points[point], time_us, value, flag)
            assert kept.setdefault(seq, row) == row, "a row came again and had changed"
        self.lost[batch.store] = normalise([*self.lost.get(batch.store, []), *batch.lost])
        self.batches.append(batch)
        self.news.set()
        return wire.BatchTaken(
            v=1, store=batch.store, held=self.held(batch.store), set_aside=self.set_aside, time_us=self.now_us()
        )

    def _lets_in(self, request: web.Request) -> bool:
        if self.public_key is None:
            self.requests.append("refused")
            self.news.set()
            return False
        key = Ed25519PublicKey.from_public_bytes(base64url_decode(self.public_key))
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        try:
            claims = jwt.decode(
                token, key, ["EdDSA"], audience=wire.TOKEN_AUDIENCE, options={"verify_exp": False, "verify_iat": False}
            )
        except jwt.InvalidTokenError:
            return False
        age_s = self.now_us() / 1e6 - claims["iat"]
        lifetime_s = claims["exp"] - claims["iat"]
        return bool(
            scheme == "Bearer"
            and claims["iss"] == "box-7"
            and lifetime_s == wire.TOKEN_LIFETIME_S
            and -wire.TOKEN_LEEWAY_S <= age_s <= lifetime_s
        )

    def _answer(self, request: web.Request, message: msgspec.Struct) -> web.Response:
        self.requests.append(request.path)
        self.news.set()
        return web.Response(body=msgspec.msgpack.encode(message), content_type="application/msgpack")

    def _cut(self, request: web.Request) -> web.Response:
        assert request.transport
        request.transport.abort()
        return web.Response()

    async def _half(self, request: web.Request, body: bytes) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": str(len(body))})
        await response.prepare(request)
        await response.write(body[: len(body) // 2])
        self._cut(request)
        return response

    # --- channel ---

    async def _channel(self, request: web.Request) -> web.StreamResponse:
        if not self._lets_in(request):
            return _problem(401, "token_refused", "the token is not good")
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        hello = msgspec.json.decode(await socket.receive_str(), type=wire.Hello)
        self.hellos.append(hello)
        self.sockets.append(socket)
        if self.greeting is not None:
            if self.greeting:
                await socket.send_str(self.greeting)
        else:
            held = {store: self.held(store) for store in self.kept}
            await self.tell(wire.Welcome(v=1, time_us=self.now_us(), heartbeat_s=self.heartbeat_s, held=held))
        self.news.set()
        async for frame in socket:
            message = msgspec.json.decode(frame.data, type=wire.FromBox)
            if isinstance(message, wire.Ping):
                self.pings.append(message)
                if self.answers_pings:
                    await self.tell(wire.Pong(id=message.id, time_us=self.now_us()))
            elif isinstance(message, wire.Configured):
                self.configured.append(message)
            self.news.set()
        return socket


def _problem(status: int, code: str, message: str) -> web.Response:
    return web.Response(status=status, body=msgspec.msgpack.encode(wire.Problem(code=code, message=message)))


_INSTEAD: dict[Fault | None, Callable[[], web.Response]] = {
    Fault.ERROR: lambda: web.Response(status=500, text="Internal Server Error"),
    Fault.BUSY: lambda: web.Response(status=503, headers={"Retry-After": "0"}),
    Fault.LIMITED: lambda: web.Response(status=429, headers={"Retry-After": "1"}),
    Fault.PORTAL: lambda: web.Response(status=302, headers={"Location": "http://login.invalid/"}),
    Fault.TOO_LARGE: lambda: web.Response(status=413),
    Fault.REFUSED: lambda: _problem(401, "token_refused", "the token is not good"),
}
"""Answers to a batch that was not taken."""


@asynccontextmanager
async def running(cloud: FaultyCloud, *, port: int = 0) -> AsyncIterator[FaultyCloud]:
    """Serve on a loopback port until the block ends; open connections are cut then."""
    app = web.Application(client_max_size=8 * wire.MAXIMUM_BODY_BYTES)
    app.add_routes(
        [
            web.get(wire.PATH_TIME, cloud._time),
            web.post(wire.PATH_CLAIM, cloud._claim),
            web.put(wire.PATH_INVENTORY, cloud._inventory),
            web.post(wire.PATH_BATCHES, cloud._batch),
            web.get(wire.PATH_CHANNEL, cloud._channel),
        ]
    )
    runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", port)
        await site.start()
        host, bound = runner.addresses[0][:2]
        cloud.url = f"http://{host}:{bound}"
        yield cloud
    finally:
        for socket in cloud.sockets:
            await socket.close()
        await runner.cleanup()
