import asyncio
import json
import subprocess
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import aiomqtt
import pytest

from edge.drivers.mqtt import AcknowledgingClient, MqttPush, MqttSource, Route
from edge.errors import DeviceRefused, DeviceUnreachable
from edge.settings.sections import BrokerSettings
from protocols.mqtt.declarations import MessagePoint, MessageTimestamp
from protocols.mqtt.decoding import Field, MqttDecoder
from protocols.readings import Decoded, Quality
from protocols.timestamps import TimeFormat
from tests.servers.mosquitto import Mosquitto, running_mosquitto

_INSTANT_US = 1_772_438_400_000_000
_PLAIN = b'{"temperature": 21.5}'
_STAMPED = b'{"temperature": 21.5, "at": 1772438400}'


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with running_mosquitto(tmp_path) as broker:
        yield broker


def _source(port: int, *devices: str, username: str | None = None, password: str | None = None) -> MqttSource:
    routes = {}
    for device in devices:
        fields = [Field(point="temperature", at=MessagePoint(pointer="/temperature"), topic="z2m/{device}")]
        stamp = MessageTimestamp(pointer="/at", format=TimeFormat.EPOCH_S)
        routes[f"z2m/{device}"] = Route(device, MqttDecoder(fields, device=device, timestamp=stamp))
    settings = BrokerSettings(key="site", port=port, username=username)
    return MqttSource(settings, routes, client_id="gatehouse-test", password=password)


@asynccontextmanager
async def _listening(source: MqttSource) -> AsyncIterator[AsyncGenerator[Sequence[MqttPush], None]]:
    async with aclosing(source.pushes()) as pushes, asyncio.timeout(10):
        assert await anext(pushes) == [], "it is there"
        yield pushes


async def _subscribe_once(source: MqttSource) -> None:
    """Make the source's session known to the broker: what is published from now on is kept for it."""
    async with _listening(source):
        pass


async def _publish(port: int, topic: str, payload: bytes, *, retain: bool = False) -> None:
    async with aiomqtt.Client("127.0.0.1", port) as client:
        await client.publish(topic, payload, qos=1, retain=retain)


async def test_a_message_becomes_its_devices_values(broker: Mosquitto) -> None:
    source = _source(broker.port, "room", "cellar")
    await _subscribe_once(source)
    await _publish(broker.port, "z2m/cellar", _STAMPED)
    async with _listening(source) as pushes:
        [push] = await anext(pushes)
        push.confirm()
    assert (push.device, push.values, push.problems) == (
        "cellar",
        [Decoded("temperature", 21.5, Quality.GOOD, _INSTANT_US)],
        [],
    )


async def test_what_came_together_is_handed_over_together_in_order(broker: Mosquitto) -> None:
    source = _source(broker.port, "room")
    await _subscribe_once(source)
    for degrees in range(5):
        await _publish(broker.port, "z2m/room", f'{{"temperature": {degrees}}}'.encode())
    got: list[float] = []
    async with _listening(source) as pushes:
        async for some in pushes:
            got += [value.value for push in some for value in push.values]
            for push in some:
                push.confirm()
            if len(got) == 5:
                break
    assert got == [0, 1, 2, 3, 4]


async def test_what_was_not_confirmed_comes_again(broker: Mosquitto) -> None:
    source = _source(broker.port, "room")
    await _subscribe_once(source)
    await _publish(broker.port, "z2m/room", _STAMPED)
    async with _listening(source) as pushes:
        [unconfirmed] = await anext(pushes)
    async with _listening(source) as pushes:
        [again] = await anext(pushes)
        again.confirm()
    assert again.values == unconfirmed.values


async def test_what_was_confirmed_does_not_come_again(broker: Mosquitto) -> None:
    source = _source(broker.port, "room")
    await _subscribe_once(source)
    await _publish(broker.port, "z2m/room", b'{"temperature": 1}')
    async with _listening(source) as pushes:
        [push] = await anext(pushes)
        push.confirm()
    await _publish(broker.port, "z2m/room", b'{"temperature": 2}')
    async with _listening(source) as pushes:
        [push] = await anext(pushes)
    assert push.values == [Decoded("temperature", 2.0)]


async def test_confirming_after_the_connection_went_changes_nothing(broker: Mosquitto) -> None:
    source = _source(broker.port, "room")
    await _subscribe_once(source)
    await _publish(broker.port, "z2m/room", _PLAIN)
    async with _listening(source) as pushes:
        [push] = await anext(pushes)
    push.confirm()
    async with _listening(source) as pushes:
        [again] = await anext(pushes)
    assert again.values == push.values


async def test_a_broker_that_stops_is_unreachable_and_keeps_what_came_meanwhile(broker: Mosquitto) -> None:
    source = _source(broker.port, "room")
    await _subscribe_once(source)
    async with _listening(source) as pushes:
        broker.stop()
        with pytest.raises(DeviceUnreachable, match=r"broker site at 127\.0\.0\.1"):
            await anext(pushes)
    with pytest.raises(DeviceUnreachable, match="Connection refused"):
        await anext(source.pushes())
    broker.start()
    await _publish(broker.port, "z2m/room", _STAMPED)
    async with _listening(source) as pushes:
        [push] = await anext(pushes)
    assert push.values == [Decoded("temperature", 21.5, Quality.GOOD, _INSTANT_US)]


@pytest.mark.parametrize(
    ("payload", "problem"),
    [
        pytest.param(b"{", "topic z2m/room: b'{' is no JSON", id="half a message"),
        pytest.param(b'{"temperature": "warm"}', "pointer '/temperature': value \"warm\" is no number", id="no number"),
        pytest.param(b'{"temperature": 1, "at": "noon"}', 'timestamp "noon" is not written as epoch_s', id="no time"),
    ],
)
async def test_a_malformed_message_is_handed_over_as_a_problem(broker: Mosquitto, payload: bytes, problem: str) -> None:
    source = _source(broker.port, "room")
    await _subscribe_once(source)
    await _publish(broker.port, "z2m/room", payload)
    async with _listening(source) as pushes:
        [push] = await anext(pushes)
    assert list(push.values) == []
    assert [problem in told for told in push.problems] == [True]


async def test_a_kept_message_of_unknown_age_is_no_reading(broker: Mosquitto) -> None:
    await _publish(broker.port, "z2m/room", _PLAIN, retain=True)
    await _publish(broker.port, "z2m/cellar", _STAMPED, retain=True)
    async with _listening(_source(broker.port, "room", "cellar")) as pushes:
        got: dict[str, Sequence[Decoded]] = {}
        async for some in pushes:
            got |= {push.device: push.values for push in some}
            if len(got) == 2:
                break
    assert got == {"room": [], "cellar": [Decoded("temperature", 21.5, Quality.GOOD, _INSTANT_US)]}


async def test_a_device_that_left_the_settings_is_unsubscribed(broker: Mosquitto) -> None:
    await _subscribe_once(_source(broker.port, "room"))
    await _publish(broker.port, "z2m/room", _PLAIN)
    await _publish(broker.port, "z2m/cellar", _STAMPED, retain=True)
    async with _listening(_source(broker.port, "cellar")) as pushes:
        [push] = await anext(pushes)
        push.confirm()
        await _publish(broker.port, "z2m/room", _PLAIN)
        await _publish(broker.port, "z2m/cellar", _STAMPED)
        [push] = await anext(pushes)
    assert push.device == "cellar"


@pytest.fixture
def for_one_user(tmp_path: Path) -> str:
    """Options of a broker that lets in one user."""
    passwords = tmp_path / "passwords"
    passwords.touch(mode=0o600)
    subprocess.run(["mosquitto_passwd", "-b", passwords, "box", "s3cret"], check=True, capture_output=True)
    return f"password_file {passwords}"


async def test_a_wrong_password_is_unreachable_and_said(tmp_path: Path, for_one_user: str) -> None:
    with running_mosquitto(tmp_path, options=for_one_user) as broker:
        source = _source(broker.port, "room", username="box", password="wrong")
        with pytest.raises(DeviceUnreachable, match=r"(?i)not authori[sz]ed|bad user name or password"):
            await _subscribe_once(source)


@pytest.fixture
def for_no_reader(tmp_path: Path) -> str:
    """Options of a broker that lets everybody in and nobody subscribe."""
    file = tmp_path / "rights.json"
    rights = {"publishClientSend": True, "publishClientReceive": True, "subscribe": False, "unsubscribe": True}
    file.write_text(json.dumps({"defaultACLAccess": rights}))
    file.chmod(0o600)
    [plugin] = Path("/usr/lib").glob("*/mosquitto_dynamic_security.so")
    return f"allow_anonymous true\nplugin {plugin}\nplugin_opt_config_file {file}"


async def test_a_topic_without_a_right_is_refused_by_name(tmp_path: Path, for_no_reader: str) -> None:
    no_right = pytest.raises(DeviceRefused, match="no right to read z2m/room; grant it")
    with running_mosquitto(tmp_path, options=for_no_reader) as broker, no_right:
        await _subscribe_once(_source(broker.port, "room"))


async def test_the_library_still_has_the_switch_that_it_hides() -> None:
    client = AcknowledgingClient(BrokerSettings(key="site"), client_id="gatehouse-test", password=None, tls=None)
    assert client._client._manual_ack
