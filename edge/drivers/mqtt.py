"""Devices that publish to an MQTT broker, which keeps each message until its values are committed here."""

import ssl
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass

import aiomqtt
from paho.mqtt.reasoncodes import ReasonCode

from edge.errors import DeviceRefused, DeviceUnreachable
from edge.settings.sections import BrokerSettings
from protocols.errors import AnswerRefused
from protocols.mqtt.decoding import Message, MqttDecoder
from protocols.readings import Decoded

_AT_LEAST_ONCE = 1
_KEEPALIVE_S = 20
"""A broker that went without a word is noticed within twice this."""

_MOST_AT_ONCE = 500
"""Messages handed over together: one commit for all of them, of a size that a small box still does at once."""


@dataclass(frozen=True, slots=True)
class Route:
    """Whose messages come under a topic, and what takes them apart."""

    device: str
    decoder: MqttDecoder


class AcknowledgingClient(aiomqtt.Client):
    """A client whose messages are acknowledged when we say so.

    aiomqtt acknowledges a message on arrival and has no switch for it; the client of paho beneath it has.
    """

    def __init__(
        self, broker: BrokerSettings, *, client_id: str | None, password: str | None, tls: ssl.SSLContext | None
    ) -> None:
        super().__init__(
            broker.host,
            broker.port,
            username=broker.username,
            password=password,
            identifier=client_id,
            clean_session=client_id is None,
            keepalive=_KEEPALIVE_S,
            tls_context=tls,
        )
        self._client.manual_ack_set(on=True)

    def acknowledge(self, message: aiomqtt.Message) -> None:
        """Let the broker forget the message; does nothing once the connection is gone, and it will come again."""
        self._client.ack(message.mid, message.qos)


@dataclass(frozen=True, slots=True)
class MqttPush:
    """One message of one device."""

    device: str
    values: Sequence[Decoded]
    problems: Sequence[str]
    message: aiomqtt.Message
    _client: AcknowledgingClient

    def confirm(self) -> None:
        """Let the broker forget the message."""
        self._client.acknowledge(self.message)


class MqttSource:
    """All devices that publish to one broker."""

    def __init__(
        self,
        broker: BrokerSettings,
        routes: Mapping[str, Route],
        *,
        client_id: str | None,
        password: str | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Remember what to listen to.

        Args:
            broker: where.
            routes: whose messages come under which topic.
            client_id: name of the session, in which the broker keeps what comes while we are away; one program at a
                time may have it. None: what comes while we are away is not for us.
            password: of the broker's user.
            tls: whom to trust; None speaks in the clear.
        """
        self._broker = broker
        self._routes = routes
        self._client_id = client_id
        self._password = password
        self._tls = tls

    def __str__(self) -> str:
        return f"broker {self._broker.key} at {self._broker.host}:{self._broker.port}"

    @property
    def topics(self) -> frozenset[str]:
        """What it listens to."""
        return frozenset(self._routes)

    async def pushes(self) -> AsyncGenerator[Sequence[MqttPush], None]:
        """Connect, subscribe and yield what comes, as PushedDriver says."""
        try:
            client = AcknowledgingClient(
                self._broker, client_id=self._client_id, password=self._password, tls=self._tls
            )
            async with client:
                await self._subscribe(client)
                yield []
                while True:
                    pushes = [push for message in await _arrived(client) if (push := await self._push(client, message))]
                    if pushes:
                        yield pushes
        except aiomqtt.MqttError as error:
            raise DeviceUnreachable(f"{self}: {error}") from error

    async def _subscribe(self, client: AcknowledgingClient) -> None:
        topics = list(self._routes)
        granted = await client.subscribe([(topic, _AT_LEAST_ONCE) for topic in topics])
        refused = [topic for topic, code in zip(topics, granted, strict=True) if _says_no(code)]
        if refused:
            raise DeviceRefused(f"{self}: no right to read {', '.join(refused)}; grant it to the box's user there")

    async def _push(self, client: AcknowledgingClient, message: aiomqtt.Message) -> MqttPush | None:
        topic = message.topic.value
        route = self._routes.get(topic)
        if route is None:  # subscribed to in an earlier life of the session
            await client.unsubscribe(topic)
            client.acknowledge(message)
            return None
        said = _decoded(route.decoder, message)
        return MqttPush(route.device, said.values, said.problems, message, client)


def _says_no(code: object) -> bool:
    return isinstance(code, ReasonCode) and code.is_failure


async def _arrived(client: AcknowledgingClient) -> list[aiomqtt.Message]:
    """Wait for a message, and return it with those that have come behind it."""
    queue = client.messages
    arrived = [await anext(queue)]
    while len(queue) and len(arrived) < _MOST_AT_ONCE:
        arrived.append(await anext(queue))
    return arrived


def _decoded(decoder: MqttDecoder, message: aiomqtt.Message) -> Message:
    try:
        said = decoder.decode(message.topic.value, message.payload)
    except AnswerRefused as error:
        return Message(problems=[str(error)])
    if message.retain:
        # The broker kept it for whoever comes: unless it says so itself, nobody knows how old it is.
        return Message(values=[value for value in said.values if value.time_us is not None], problems=said.problems)
    return said
