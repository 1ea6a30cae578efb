import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import msgspec
import pytest
from aiohttp import web

from edge.errors import CloudBusy, CloudError, CloudRefused, CloudUnreachable
from edge.sync.cloud import BUSY_CAP_S, BUSY_S, Cloud
from edge.sync.cloudtime import CloudTime
from edge.sync.identity import Identity
from protocols import wire
from tests.edge.sync.faulty_cloud import Fault, FaultyCloud

ROWS = wire.Rows(ranges=[(1, 2)], points=["a/b"], point=[0, 0], time_us=[1, 2], value=[1.0, 2.0])
BATCH = wire.Batch(v=1, store="5" * 32, rows=ROWS, head=2, pending=0)
PROBLEM = msgspec.msgpack.encode(wire.Problem(code="malformed", message="This is no Batch: it has no rows."))
VERSIONS = msgspec.msgpack.encode(wire.Problem(code="version", message="v is 1.", minimum_version=2, maximum_version=3))


async def test_a_claim_makes_the_box_somebodys(cloud: Cloud, faulty: FaultyCloud, identity: Identity) -> None:
    assert (identity.box_id, identity.name) == ("box-7", "地下室")
    assert faulty.public_key == identity.public_key


async def test_a_code_that_is_not_good_is_refused_with_the_clouds_words(cloud: Cloud) -> None:
    with pytest.raises(CloudRefused, match="there is no such code, or it was used") as refused:
        await cloud.claim("WRONG")
    assert refused.value.code == "code_unknown"


async def test_the_clouds_time_is_learnt_before_the_first_token(
    cloud: Cloud, faulty: FaultyCloud, time: CloudTime
) -> None:
    assert time.offset_us is None
    taken = await cloud.put_inventory([])
    assert taken.watched == []
    now_us = time.now_us()
    assert now_us is not None
    assert abs(now_us - faulty.now_us()) < 1_000_000
    assert faulty.requests == [wire.PATH_CLAIM, wire.PATH_TIME, wire.PATH_INVENTORY]


async def test_after_a_refusal_the_time_is_learnt_again(cloud: Cloud, faulty: FaultyCloud, time: CloudTime) -> None:
    time.offset_us = 0  # the box believes that it is 1970
    with pytest.raises(CloudRefused, match="the token is not good"):
        await cloud.post_batch(BATCH)
    taken = await cloud.post_batch(BATCH)
    assert taken.held == [(1, 2)]


@pytest.mark.parametrize(
    ("fault", "error", "said"),
    [
        (Fault.CUT_BEFORE, CloudUnreachable, "disconnected"),
        (Fault.CUT_AFTER, CloudUnreachable, "disconnected"),
        (Fault.HALF_A_BODY, CloudUnreachable, "payload is not completed"),
        (Fault.SILENCE, CloudUnreachable, "TimeoutError"),
        (Fault.GARBAGE, CloudUnreachable, "something else than BatchTaken"),
        (Fault.PORTAL, CloudUnreachable, "HTTP 302"),
        (Fault.ERROR, CloudUnreachable, "HTTP 500"),
        (Fault.HOLDS_NOTHING, CloudUnreachable, "the answer holds"),
        (Fault.BUSY, CloudBusy, "HTTP 503"),
        (Fault.LIMITED, CloudBusy, "HTTP 429"),
        (Fault.REFUSED, CloudRefused, "the token is not good"),
        (Fault.TOO_LARGE, CloudRefused, "too large"),
    ],
    ids=str,
)
async def test_what_goes_wrong_is_named_by_what_the_box_can_do(
    cloud: Cloud, faulty: FaultyCloud, fault: Fault, error: type[CloudError], said: str
) -> None:
    faulty.faults.append(fault)
    with pytest.raises(error, match=said):
        await cloud.post_batch(BATCH)


async def test_a_cloud_that_is_not_there_is_unreachable(
    session: aiohttp.ClientSession, identity: Identity, time: CloudTime
) -> None:
    cloud = Cloud(session, url="http://127.0.0.1:9", identity=identity, time=time)
    with pytest.raises(CloudUnreachable, match="Cannot connect"):
        await cloud.look_at_time()


@asynccontextmanager
async def _answering(status: int, body: bytes, headers: dict[str, str]) -> AsyncIterator[str]:
    """Serve one fixed answer to everything."""

    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=status, body=body, headers=headers)

    app = web.Application()
    app.add_routes([web.route("*", "/{anything:.*}", answer)])
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield "http://{}:{}".format(*runner.addresses[0][:2])
    finally:
        await runner.cleanup()


@pytest.mark.parametrize(
    ("status", "body", "error", "code"),
    [
        (400, PROBLEM, CloudRefused, "malformed"),
        (400, VERSIONS, CloudRefused, "version"),
        (401, b"", CloudRefused, "unauthorised"),
        (403, b"<html>", CloudRefused, "unauthorised"),
        (404, b"<html>", CloudUnreachable, None),
        (407, b"", CloudUnreachable, None),
        (413, b"", CloudRefused, "too_large"),
        (413, PROBLEM, CloudRefused, "too_large"),
        (500, PROBLEM, CloudUnreachable, None),
        (502, b"<html>", CloudUnreachable, None),
        (200, b"<html>", CloudUnreachable, None),
    ],
    ids=lambda value: value.decode("ascii", "replace")[:6] if isinstance(value, bytes) else str(value),
)
async def test_every_status_means_one_thing(
    session: aiohttp.ClientSession,
    identity: Identity,
    time: CloudTime,
    status: int,
    body: bytes,
    error: type[CloudError],
    code: str | None,
) -> None:
    async with _answering(status, body, {}) as url:
        with pytest.raises(error) as raised:
            await Cloud(session, url=url, identity=identity, time=time).look_at_time()
    assert getattr(raised.value, "code", None) == code


async def test_a_version_that_is_not_spoken_is_said_with_both_versions(
    session: aiohttp.ClientSession, identity: Identity, time: CloudTime
) -> None:
    async with _answering(409, VERSIONS, {}) as url:
        with pytest.raises(CloudRefused, match=r"cloud speaks wire versions 2 to 3, this box speaks 1: update"):
            await Cloud(session, url=url, identity=identity, time=time).look_at_time()


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({"Retry-After": "7"}, 7),
        ({}, BUSY_S),
        ({"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, BUSY_S),
        ({"Retry-After": "9" * 400}, BUSY_CAP_S),
    ],
    ids=["seconds", "nothing", "a date, which a box without a clock can't use", "for ever"],
)
async def test_a_busy_cloud_says_how_long_to_wait(
    session: aiohttp.ClientSession, identity: Identity, time: CloudTime, headers: dict[str, str], wait_s: float
) -> None:
    async with _answering(503, b"", headers) as url:
        with pytest.raises(CloudBusy) as busy:
            await Cloud(session, url=url, identity=identity, time=time).look_at_time()
    assert busy.value.retry_after_s == wait_s


async def test_a_request_that_is_cancelled_is_cancelled(cloud: Cloud, faulty: FaultyCloud) -> None:
    faulty.faults.append(Fault.SILENCE)
    request = asyncio.create_task(cloud.post_batch(BATCH))
    await faulty.until(lambda: bool(faulty.batches))
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request
