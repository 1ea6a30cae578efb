"""A sensor's way to the broker: what it says is said once the broker has taken it, however often that goes down."""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack, suppress

import aiomqtt

from provisioning.practice.ports import LOOPBACK

_AT_LEAST_ONCE = 1
_TAKEN_WITHIN_S = 10.0
_AGAIN_AFTER_S = 0.5


class Publisher:
    """A connection to the broker, made again for ever; for contextlib.aclosing."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._connection = AsyncExitStack()
        self._client: aiomqtt.Client | None = None

    async def say(self, said: Mapping[str, bytes]) -> None:
        """Publish every topic's payload, and return once the broker has acknowledged them all."""
        for topic, payload in said.items():
            while not await self._taken(topic, payload):  # noqa: ASYNC110  the broker is another program
                await asyncio.sleep(_AGAIN_AFTER_S)

    async def _taken(self, topic: str, payload: bytes) -> bool:
        try:
            if self._client is None:
                self._client = await self._connection.enter_async_context(aiomqtt.Client(LOOPBACK, self._port))
            await self._client.publish(topic, payload, qos=_AT_LEAST_ONCE, timeout=_TAKEN_WITHIN_S)
            _end_if_cancelled()
        except aiomqtt.MqttError:
            await self.aclose()
            return False
        return True

    async def aclose(self) -> None:
        """Let go of the connection; safe to call twice."""
        self._client = None
        with suppress(aiomqtt.MqttError):  # the broker may have gone first
            await self._connection.aclose()


def _end_if_cancelled() -> None:
    """Raise what Python 3.11's wait_for, within aiomqtt, drops when an answer and the cancellation come together."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
