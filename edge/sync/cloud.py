"""The requests that a box makes, and what their answers mean to it."""

import asyncio
from typing import TypeVar

import aiohttp
import msgspec

from edge.errors import CloudBusy, CloudError, CloudRefused, CloudUnreachable
from edge.sync.cloudtime import CloudTime
from edge.sync.identity import Identity
from protocols import wire
from protocols.ranges import normalise, subtract

TOO_LARGE = "too_large"
"""Code of a refusal by size, whoever on the way it comes from."""

BUSY_S = 30.0
"""Waited when a busy cloud names no seconds; a date it may name means nothing to a box without a clock."""

BUSY_CAP_S = 3_600.0

_CONTENT_TYPE = "application/msgpack"
_CLOSE_TIMEOUT = aiohttp.ClientWSTimeout(ws_close=2.0)

_Answer = TypeVar("_Answer", bound=msgspec.Struct)


class Cloud:
    """One cloud as one box sees it.

    Every request raises CloudUnreachable when no usable answer came, CloudBusy when the cloud asked to wait,
    and CloudRefused when it understood and said no.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        url: str,
        identity: Identity,
        time: CloudTime,
        timeout_s: float = 30.0,
    ) -> None:
        """Speak to the cloud at `url` (scheme and host, no slash at the end) through the process's session."""
        self._session = session
        self._url = url
        self._identity = identity
        self._time = time
        self._timeout_s = timeout_s
        self._doubts_time = False

    async def look_at_time(self) -> int:
        """Return and learn the cloud's time; asks for no token, and so helps when the token's time was wrong."""
        asked_us = self._time.monotonic_us()
        answer = await self._request("GET", wire.PATH_TIME, None, wire.Time, headers={})
        await self._time.look(answer.time_us, asked_us=asked_us)
        self._identity.forget_token()
        self._doubts_time = False
        return answer.time_us

    async def claim(self, code: str, *, hardware: str = "", software: str = "") -> wire.Claimed:
        """Join the organisation that issued the code, and keep who the box is from now on."""
        claim = wire.Claim(
            v=wire.WIRE_VERSION,
            code=code,
            public_key=self._identity.public_key,
            hardware=hardware,
            software=software,
        )
        claimed = await self._request("POST", wire.PATH_CLAIM, claim, wire.Claimed, headers={})
        await asyncio.to_thread(self._identity.remember, claimed)
        return claimed

    async def put_inventory(self, devices: list[wire.DeviceInfo]) -> wire.InventoryTaken:
        """Say what hangs on the box."""
        inventory = wire.Inventory(v=wire.WIRE_VERSION, devices=devices)
        headers = await self._authorisation()
        return await self._request("PUT", wire.PATH_INVENTORY, inventory, wire.InventoryTaken, headers=headers)

    async def post_batch(self, batch: wire.Batch) -> wire.BatchTaken:
        """Hand over readings; an answer that does not hold them all is no usable answer."""
        headers = await self._authorisation()
        asked_us = self._time.monotonic_us()
        taken = await self._request("POST", wire.PATH_BATCHES, batch, wire.BatchTaken, headers=headers)
        try:
            missing = subtract(batch.rows.ranges, normalise(taken.held))
        except ValueError as error:
            raise CloudUnreachable(f"{wire.PATH_BATCHES}: answered with held ranges that are none: {error}") from error
        if missing or taken.store != batch.store:
            raise CloudUnreachable(
                f"{wire.PATH_BATCHES}: the answer holds {taken.held} of store {taken.store}, not {batch.rows.ranges} "
                f"of store {batch.store}"
            )
        await self._time.look(taken.time_us, asked_us=asked_us)
        return taken

    async def open_channel(self) -> aiohttp.ClientWebSocketResponse:
        """Return an open channel, before the box's Hello; the caller closes it."""
        headers = await self._authorisation()
        path = wire.PATH_CHANNEL
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._session.ws_connect(self._url + path, headers=headers, timeout=_CLOSE_TIMEOUT)
        except aiohttp.WSServerHandshakeError as error:
            retry_after = error.headers.get("Retry-After") if error.headers else None
            raise self._failure(path, error.status, b"", retry_after=retry_after) from error
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise _unreachable(path, error) from error

    async def _authorisation(self) -> dict[str, str]:
        """Return the token's header; after a refusal over a time that is looked at again first."""
        now_us = self._time.now_us()
        if now_us is None or self._doubts_time:
            now_us = await self.look_at_time()
        return {"Authorization": f"Bearer {self._identity.token(now_us)}"}

    async def _request(
        self,
        method: str,
        path: str,
        message: msgspec.Struct | None,
        answer: type[_Answer],
        *,
        headers: dict[str, str],
    ) -> _Answer:
        body = None if message is None else msgspec.msgpack.encode(message)
        headers = headers if body is None else headers | {"Content-Type": _CONTENT_TYPE}
        try:
            async with (
                asyncio.timeout(self._timeout_s),
                self._session.request(
                    method, self._url + path, data=body, headers=headers, allow_redirects=False
                ) as response,
            ):
                content = await response.read()
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise _unreachable(path, error) from error
        if response.status // 100 != 2:
            raise self._failure(path, response.status, content, retry_after=response.headers.get("Retry-After"))
        try:
            return msgspec.msgpack.decode(content, type=answer)
        except msgspec.MsgspecError as error:
            raise CloudUnreachable(f"{path}: answered with something else than {answer.__name__}: {error}") from error

    def _failure(self, path: str, status: int, content: bytes, *, retry_after: str | None) -> CloudError:
        error = _meaning(path, status, content, retry_after=retry_after)
        self._doubts_time = self._doubts_time or isinstance(error, CloudRefused)
        return error


def _unreachable(path: str, error: BaseException) -> CloudUnreachable:
    return CloudUnreachable(f"{path}: {str(error) or type(error).__name__}")


def _meaning(path: str, status: int, content: bytes, *, retry_after: str | None) -> CloudError:
    """Return what an answer that is no success means to the box."""
    if status in {429, 503}:
        return CloudBusy(f"{path}: the cloud is busy (HTTP {status})", retry_after_s=_retry_after_s(retry_after))
    try:
        problem = msgspec.msgpack.decode(content, type=wire.Problem)
    except msgspec.MsgspecError:
        problem = None
    if status == 413:
        return CloudRefused(f"{path}: the message is too large", code=TOO_LARGE)
    if problem and problem.maximum_version is not None and status // 100 == 4:
        return CloudRefused(
            f"{path}: the cloud speaks wire versions {problem.minimum_version} to {problem.maximum_version}, this box "
            f"speaks {wire.WIRE_VERSION}: update the older of the two",
            code=problem.code,
        )
    if problem and status // 100 == 4:
        return CloudRefused(f"{path}: {problem.message}", code=problem.code)
    if status in {401, 403}:
        return CloudRefused(f"{path}: the box is not let in (HTTP {status})", code="unauthorised")
    return CloudUnreachable(f"{path}: HTTP {status}")


def _retry_after_s(header: str | None) -> float:
    seconds = float(header) if header and header.isascii() and header.isdigit() else BUSY_S
    return min(seconds, BUSY_CAP_S)
