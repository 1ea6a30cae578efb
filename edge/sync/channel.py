"""The box's standing connection to the cloud: presence, the cloud's time, what it holds, configuration."""

import asyncio
import itertools
import logging
import random

import aiohttp
import msgspec

from edge.buffer.buffer import Buffer
from edge.errors import CloudError, CloudRefused, CloudUnreachable
from edge.sync.cloud import Cloud
from edge.sync.cloudtime import CloudTime
from edge.sync.configuration import Configuration
from edge.sync.persistence import Patience, Persistence
from protocols import wire

log = logging.getLogger(__name__)

WELCOME_S = 20.0
"""A cloud that has let the box in and says nothing for this long is not there."""

SHORTEST_HEARTBEAT_S, LONGEST_HEARTBEAT_S = 0.1, 300.0
"""Whatever the cloud asks for: below, a box would be a flood; above, routers forget the connection."""

_decoder: msgspec.json.Decoder[wire.FromCloud] = msgspec.json.Decoder(wire.FromCloud)


class Channel:
    """Keeps the channel open for as long as it runs; batches do not wait for it."""

    def __init__(
        self,
        buffer: Buffer,
        cloud: Cloud,
        *,
        time: CloudTime,
        configuration: Configuration,
        boot_id: str,
        software: str,
        patience: Patience,
        rng: random.Random | None = None,
    ) -> None:
        """Speak for the box whose buffer this is; `software` is its name and version."""
        self._buffer = buffer
        self._cloud = cloud
        self._time = time
        self._configuration = configuration
        self._boot_id = boot_id
        self._software = software
        self._persistence = Persistence("channel", patience=patience, rng=rng or random.Random())  # noqa: S311  jitter
        self._pong: tuple[int, asyncio.Future[int]] | None = None
        self.connected = False
        """Whether the cloud has welcomed the box on the connection that is open."""

    async def run(self) -> None:
        """Keep the channel for ever; end it by cancelling."""
        await self._persistence.keep(self._connect)

    async def _connect(self) -> None:
        """Open the channel and use it until it breaks.

        Raises:
            CloudError: as Cloud says, alone or in a group; a channel that ends is CloudUnreachable.
        """
        socket = await self._cloud.open_channel()
        try:
            heartbeat_s = await self._greet(socket)
            async with asyncio.TaskGroup() as both:
                both.create_task(self._listen(socket), name="channel-listen")
                both.create_task(self._beat(socket, heartbeat_s), name="channel-beat")
        finally:
            self.connected = False
            await socket.close()

    async def _greet(self, socket: aiohttp.ClientWebSocketResponse) -> float:
        """Say hello, take the welcome, and return the seconds between heartbeats."""
        asked_us = self._time.monotonic_us()
        hello = wire.Hello(
            v=wire.WIRE_VERSION,
            minimum_v=wire.MINIMUM_VERSION,
            boot=self._boot_id,
            store=self._buffer.store_id,
            head=self._buffer.head,
            software=self._software,
            configuration=self._configuration.revision,
        )
        try:
            async with asyncio.timeout(WELCOME_S):
                await _send(socket, hello)
                welcome = await _receive(socket)
        except TimeoutError as error:
            raise CloudUnreachable(f"{wire.PATH_CHANNEL}: no welcome within {WELCOME_S:.0f} s") from error
        if not isinstance(welcome, wire.Welcome):
            raise CloudUnreachable(f"{wire.PATH_CHANNEL}: a {type(welcome).__name__} came before the welcome")
        await self._time.look(welcome.time_us, asked_us=asked_us)
        try:
            await self._buffer.hold(welcome.held.get(hello.store, []), store_id=hello.store)
        except ValueError as error:
            raise CloudUnreachable(f"{wire.PATH_CHANNEL}: the welcome holds ranges that are none: {error}") from error
        self.connected = True
        self._persistence.worked()
        return min(max(welcome.heartbeat_s, SHORTEST_HEARTBEAT_S), LONGEST_HEARTBEAT_S)

    async def _listen(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        while True:
            message = await _receive(socket)
            match message:
                case wire.Pong():
                    if self._pong and self._pong[0] == message.id and not self._pong[1].done():
                        self._pong[1].set_result(message.time_us)
                case wire.Configuration():
                    configured = await self._configuration.take(message)
                    if configured.error:
                        log.error("configuration %s refused: %s", message.revision, configured.error)
                    await _send(socket, configured)
                case wire.Welcome():
                    raise CloudUnreachable(f"{wire.PATH_CHANNEL}: a second welcome came")

    async def _beat(self, socket: aiohttp.ClientWebSocketResponse, heartbeat_s: float) -> None:
        """Send heartbeats; one that is not answered before the next is due shows that the line is dead."""
        loop = asyncio.get_running_loop()
        for number in itertools.count(1):
            statistics = await self._buffer.statistics()
            asked_us, asked_s = self._time.monotonic_us(), loop.time()
            self._pong = (number, loop.create_future())
            ping = wire.Ping(
                id=number,
                head=statistics.head,
                pending=statistics.unsent_rows,
                buffer_hours_left=statistics.hours_left,
            )
            try:
                async with asyncio.timeout(heartbeat_s):
                    await _send(socket, ping)
                    time_us = await self._pong[1]
            except TimeoutError as error:
                raise CloudUnreachable(f"{wire.PATH_CHANNEL}: no pong within {heartbeat_s:.0f} s") from error
            await self._time.look(time_us, asked_us=asked_us)
            await asyncio.sleep(max(0.0, asked_s + heartbeat_s - loop.time()))


async def _send(socket: aiohttp.ClientWebSocketResponse, message: wire.FromBox) -> None:
    try:
        await socket.send_str(msgspec.json.encode(message).decode())
    except (aiohttp.ClientError, OSError) as error:
        raise CloudUnreachable(f"{wire.PATH_CHANNEL}: {error}") from error


async def _receive(socket: aiohttp.ClientWebSocketResponse) -> wire.FromCloud:
    frame = await socket.receive()
    if frame.type is aiohttp.WSMsgType.CLOSE:
        raise _ending(frame.data, frame.extra or "")
    if frame.type is not aiohttp.WSMsgType.TEXT:
        raise CloudUnreachable(f"{wire.PATH_CHANNEL}: the line broke ({frame.type.name})")
    try:
        return _decoder.decode(frame.data)
    except msgspec.MsgspecError as error:
        raise CloudUnreachable(f"{wire.PATH_CHANNEL}: a frame came that is no message: {error}") from error


def _ending(code: int, reason: str) -> CloudError:
    """Return what the close code means; 4400 to 4499 are the cloud's own refusals, numbered like HTTP's."""
    message = f"{wire.PATH_CHANNEL}: closed by the cloud ({code}) {reason}".rstrip()
    return CloudRefused(message, code=f"closed_{code}") if code // 100 == 44 else CloudUnreachable(message)
