"""The boxes' door: claim, inventory, batches and the channel, as protocols/wire.py describes them.

Whatever is refused changes nothing, and is answered with a Problem that says what to mend.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

import msgspec
from fastapi import APIRouter
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from cloud.api.claim_throttle import ClaimThrottle
from cloud.core.clock import Clock, to_us
from cloud.core.database import Database
from cloud.core.errors import GatehouseError, Malformed, TooLarge, TooMany
from cloud.fleet import claims, devices
from cloud.fleet.channel import Channels, LineClosed
from cloud.fleet.intake import Intake
from cloud.fleet.series import SeriesUnavailable
from cloud.fleet.tokens import Tokens
from cloud.fleet.versions import VersionRefused, check_version
from protocols import wire

BATCHES_AT_ONCE = 64
"""Batches that are worked on at the same time; more would only wait in memory for the same disk."""

_BUSY_S = 2
_UNAVAILABLE_S = 5
_BODY_S = 30.0
_MAXIMUM_CLAIM_BYTES = 16_384
_DRAINED = 4
"""Times the limit that is read of too large a body: a sender that is cut off while it sends never sees the answer."""

_CLOSE_S = 5.0
_REASON_BYTES = 120  # a close frame has room for 123
_MEDIA_TYPE = "application/msgpack"

_log = logging.getLogger(__name__)

_Message = TypeVar("_Message", bound=msgspec.Struct)
_Handler = Callable[[Request], Awaitable[msgspec.Struct]]


class TooSlow(GatehouseError):
    """The body did not come in time; the line may be better later."""

    status = 503
    code = "too_slow"


class _Versioned(msgspec.Struct):
    v: int


class EdgeDoor:
    """What boxes reach of the cloud; one for a process."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        intake: Intake,
        channels: Channels,
        batches_at_once: int = BATCHES_AT_ONCE,
    ) -> None:
        self._database = database
        self._clock = clock
        self._intake = intake
        self._channels = channels
        self._tokens = Tokens(database, clock)
        self._throttle = ClaimThrottle()
        self._batches_left = batches_at_once

    def router(self) -> APIRouter:
        """Return the routes; they stand in no API description, since their contract is protocols/wire.py."""
        http = (
            ("GET", wire.PATH_TIME, self._time),
            ("POST", wire.PATH_CLAIM, self._claim),
            ("PUT", wire.PATH_INVENTORY, self._inventory),
            ("POST", wire.PATH_BATCHES, self._batch),
        )
        routes = [
            Route(path, _answering(handler), methods=[method], include_in_schema=False)
            for method, path, handler in http
        ]
        return APIRouter(routes=[*routes, WebSocketRoute(wire.PATH_CHANNEL, self._channel)])

    async def _time(self, _request: Request) -> wire.Time:
        return wire.Time(time_us=to_us(self._clock.now()))

    async def _claim(self, request: Request) -> wire.Claimed:
        address = request.client.host if request.client else ""
        self._throttle.check(address, self._clock.now())
        try:
            message = _decode(await _body(request, most=_MAXIMUM_CLAIM_BYTES), wire.Claim)
            async with self._database.transaction() as session:
                return await claims.claim(session, self._clock, message=message)
        except GatehouseError:
            self._throttle.note_failure(address, self._clock.now())
            raise

    async def _inventory(self, request: Request) -> wire.InventoryTaken:
        box = await self._tokens.identify(request.headers.get("authorization"))
        inventory = _decode(await _body(request, most=wire.MAXIMUM_BODY_BYTES), wire.Inventory)
        async with self._database.transaction() as session:
            return await devices.take_inventory(session, self._clock, box, inventory=inventory)

    async def _batch(self, request: Request) -> wire.BatchTaken:
        box = await self._tokens.identify(request.headers.get("authorization"))
        body = await _body(request, most=wire.MAXIMUM_BODY_BYTES)
        if self._batches_left <= 0:
            raise TooMany("Too many batches at once: send it again a little later.", retry_after_s=_BUSY_S)
        self._batches_left -= 1
        try:
            taken = await self._intake.take(box, _decode(body, wire.Batch))
        finally:
            self._batches_left += 1
        _log.debug("batch answered: box %s store %s", box.box_id, taken.store)
        return taken

    async def _channel(self, websocket: WebSocket) -> None:
        try:
            box = await self._tokens.identify(websocket.headers.get("authorization"))
        except GatehouseError as error:
            await websocket.send_denial_response(_problem(error))
            return
        await websocket.accept()
        await self._channels.serve(box, _WebSocketLine(websocket))


class _WebSocketLine:
    """A WebSocket as the channel needs it."""

    def __init__(self, websocket: WebSocket) -> None:
        self._websocket = websocket

    async def receive(self) -> str | bytes:
        event = await self._websocket.receive()
        if event["type"] == "websocket.disconnect":
            raise LineClosed
        message: str | bytes = event.get("text") or event.get("bytes") or b""
        return message

    async def send(self, text: str) -> None:
        try:
            await self._websocket.send_text(text)
        except (WebSocketDisconnect, RuntimeError) as error:  # a RuntimeError is what Starlette says once it is closed
            raise LineClosed from error

    async def close(self, code: int, reason: str) -> None:
        if WebSocketState.DISCONNECTED in {self._websocket.client_state, self._websocket.application_state}:
            return
        try:
            async with asyncio.timeout(_CLOSE_S):
                await self._websocket.close(code, reason.encode()[:_REASON_BYTES].decode(errors="ignore"))
        except (TimeoutError, RuntimeError):
            _log.debug("a box's line was dead when it was closed: %s", reason)


def _answering(handler: _Handler) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        try:
            return _packed(await handler(request))
        except GatehouseError as error:
            return _problem(error)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody is left to read it
        except (SQLAlchemyError, SeriesUnavailable):
            _log.exception("a request to %s failed; the box will send it again", request.url.path)
            problem = wire.Problem(code="unavailable", message="The cloud's database does not answer: try again later.")
            return _packed(problem, status=503, headers={"Retry-After": str(_UNAVAILABLE_S)})
        except Exception:  # noqa: BLE001  the outermost boundary: a box gets an answer that it can act on
            _log.exception("a request to %s failed", request.url.path)
            problem = wire.Problem(code="internal", message="Something broke in the cloud: try again later.")
            return _packed(problem, status=500)

    return answer


async def _body(request: Request, *, most: int) -> bytes:
    """Return the request's body.

    Raises:
        TooLarge: it has more than `most` bytes; no more than that was kept of it.
        TooSlow: it did not come in time.
        Malformed: it is compressed.
    """
    if request.headers.get("content-encoding", "identity") != "identity":
        raise Malformed("Content-Encoding is not spoken here: send the body as it is.")
    chunks, size = [], 0
    try:
        async with asyncio.timeout(_BODY_S):
            async for chunk in request.stream():
                size += len(chunk)
                if size <= most:
                    chunks.append(chunk)
                elif size > _DRAINED * most:
                    break
    except TimeoutError as error:
        raise TooSlow("The body did not come within %(seconds)s seconds.", seconds=round(_BODY_S)) from error
    if size > most:
        raise TooLarge("The body is larger than %(most)s bytes: send less at a time.", most=most)
    return b"".join(chunks)


def _decode(body: bytes, kind: type[_Message]) -> _Message:
    """Return the message of a body.

    Raises:
        VersionRefused: it is of a version that is not spoken here, and so may look different.
        Malformed: it is no such message.
    """
    try:
        return msgspec.msgpack.decode(body, type=kind)
    except msgspec.MsgspecError as error:
        _check_version_of(body)
        raise Malformed("This is no %(kind)s: %(error)s.", kind=kind.__name__, error=str(error)) from error


def _check_version_of(body: bytes) -> None:
    try:
        version = msgspec.msgpack.decode(body, type=_Versioned).v
    except msgspec.MsgspecError:
        return
    check_version(version)


def _problem(error: GatehouseError) -> Response:
    versions = {}
    if isinstance(error, VersionRefused):
        versions = {"minimum_version": wire.MINIMUM_VERSION, "maximum_version": wire.WIRE_VERSION}
    headers = {}
    if isinstance(error, TooMany):
        headers = {"Retry-After": str(error.retry_after_s)}
    elif isinstance(error, TooSlow):
        headers = {"Retry-After": str(round(_BODY_S))}
    problem = wire.Problem(code=error.code, message=str(error), **versions)
    return _packed(problem, status=error.status, headers=headers)


def _packed(message: msgspec.Struct, *, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(msgspec.msgpack.encode(message), status, headers, _MEDIA_TYPE)
