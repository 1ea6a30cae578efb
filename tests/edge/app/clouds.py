"""A cloud of the tests' own that takes everything, for tests of the box's program; the real one has its own tests."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import msgspec
from aiohttp import web

from protocols import wire
from protocols.ranges import Range, union

NOW_US = 1_772_438_400_000_000


@dataclass
class TakingCloud:
    """What the cloud was told."""

    url: str = ""
    code: str = "GH-1234"
    claims: list[wire.Claim] = field(default_factory=list)
    inventories: list[wire.Inventory] = field(default_factory=list)
    batches: list[wire.Batch] = field(default_factory=list)
    refuses_tokens: bool = False
    forgets: bool = False
    """Whether it takes batches without keeping them, for long runs."""
    _held: list[Range] = field(default_factory=list)

    def values(self, point: str) -> list[float]:
        """Return all that came of one point, in order."""
        return [
            value
            for batch in self.batches
            for index, value in zip(batch.rows.point, batch.rows.value, strict=True)
            if batch.rows.points[index] == point
        ]

    async def time(self, _request: web.Request) -> web.Response:
        return _answer(wire.Time(time_us=NOW_US))

    async def claim(self, request: web.Request) -> web.Response:
        claim = msgspec.msgpack.decode(await request.read(), type=wire.Claim)
        if claim.code != self.code:
            return _answer(wire.Problem(code="not_found", message="There is no such code."), status=404)
        self.claims.append(claim)
        return _answer(wire.Claimed(v=wire.WIRE_VERSION, box_id="box-1", name="North gate", time_us=NOW_US))

    async def inventory(self, request: web.Request) -> web.Response:
        if self.refuses_tokens:
            return _answer(wire.Problem(code="not_signed_in", message="The token is not good."), status=401)
        self.inventories.append(msgspec.msgpack.decode(await request.read(), type=wire.Inventory))
        return _answer(wire.InventoryTaken(v=wire.WIRE_VERSION, watched=["meter/power"]))

    async def batch(self, request: web.Request) -> web.Response:
        batch = msgspec.msgpack.decode(await request.read(), type=wire.Batch)
        if not self.forgets:
            self.batches.append(batch)
        self._held = union(self._held, batch.rows.ranges)
        return _answer(wire.BatchTaken(v=wire.WIRE_VERSION, store=batch.store, held=self._held, time_us=NOW_US))


@asynccontextmanager
async def taking_cloud(*, tls: ssl.SSLContext | None = None) -> AsyncIterator[TakingCloud]:
    """Yield a running cloud on a free port; it has no channel."""
    cloud = TakingCloud()
    app = web.Application(client_max_size=wire.MAXIMUM_BODY_BYTES)
    app.add_routes(
        [
            web.get(wire.PATH_TIME, cloud.time),
            web.post(wire.PATH_CLAIM, cloud.claim),
            web.put(wire.PATH_INVENTORY, cloud.inventory),
            web.post(wire.PATH_BATCHES, cloud.batch),
        ]
    )
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
        cloud.url = f"http{'s' if tls else ''}://127.0.0.1:{runner.addresses[0][1]}"
        yield cloud
    finally:
        await runner.cleanup()


def _answer(message: msgspec.Struct, *, status: int = 200) -> web.Response:
    return web.Response(body=msgspec.msgpack.encode(message), status=status)
