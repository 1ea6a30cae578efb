"""A real broker, a real buffer, and what lies between them when a box breaks off."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import aiomqtt
import pytest

from edge.buffer.buffer import Buffer
from edge.buffer.store import Flow
from edge.clock import SystemClock
from edge.drivers.mqtt import MqttPush, MqttSource, Route
from edge.poller.pushed import PushedDevice, PushedSource
from edge.settings.sections import BrokerSettings
from firmware_configs.profiles.loader import load_profile
from protocols.profiles.codecs import mqtt_decoder
from tests.servers.mosquitto import Mosquitto, running_mosquitto

_PROBE = load_profile("practice-office-probe")
_TOPIC = "practice/office"
_CLIENT = "gatehouse-test"
_FIRST = b'{"timestamp": "2013-07-04 00:00:00", "value": 69.88083514}'
_SECOND = b'{"timestamp": "2013-07-04 01:00:00", "value": 71.22022706}'


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[Mosquitto]:
    """A broker that has known the box's session since before the test."""
    with running_mosquitto(tmp_path) as broker:
        async with aiomqtt.Client("127.0.0.1", broker.port, identifier=_CLIENT, clean_session=False) as earlier:
            await earlier.subscribe(_TOPIC, qos=1)
        yield broker


@asynccontextmanager
async def _box(tmp_path: Path, broker: Mosquitto) -> AsyncIterator[Buffer]:
    """A box's pushed loop at work on its buffer."""
    clock = SystemClock()
    routes = {_TOPIC: Route("office", mqtt_decoder(_PROBE, device="office"))}
    source = MqttSource(BrokerSettings(key="site", port=broker.port), routes, client_id=_CLIENT)
    async with await Buffer.open(tmp_path / "buffer.db", clock=clock) as buffer:
        device = PushedDevice("office", _PROBE.points, buffer=buffer, clock=clock)
        running = asyncio.create_task(PushedSource("site", source, [device], buffer=buffer).run())
        try:
            yield buffer
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running


async def _publish(broker: Mosquitto, *payloads: bytes) -> None:
    async with aiomqtt.Client("127.0.0.1", broker.port) as client:
        for payload in payloads:
            await client.publish(_TOPIC, payload, qos=1)


async def _until_rows(buffer: Buffer, count: int) -> None:
    async with asyncio.timeout(60):
        while buffer.head < count:  # noqa: ASYNC110  the buffer tells nobody but the uploader
            await asyncio.sleep(0.02)


async def _temperatures(buffer: Buffer) -> list[tuple[int, float]]:
    """Return when and what, of all that waits in the buffer."""
    await buffer.learn_offset(1_772_438_400_000_000)
    found: list[tuple[int, float]] = []
    for flow in (Flow.BACKLOG, Flow.LIVE):
        while drawn := await buffer.draw(flow, max_rows=100):
            rows = drawn.batch.rows
            told = zip(rows.point, rows.time_us, rows.value, strict=True)
            found += [(time_us, value) for point, time_us, value in told if rows.points[point] == "office/temperature"]
    return found


_EXPECTED = [(1_372_896_000_000_000, 69.88083514), (1_372_899_600_000_000, 71.22022706)]


async def test_what_was_published_while_the_box_was_away_is_taken_when_it_is_back(
    tmp_path: Path, broker: Mosquitto
) -> None:
    async with _box(tmp_path, broker) as buffer:
        await _publish(broker, _FIRST)
        await _until_rows(buffer, 2)
    await _publish(broker, _SECOND)
    async with _box(tmp_path, broker) as buffer:
        await _until_rows(buffer, 4)
        assert await _temperatures(buffer) == _EXPECTED


async def test_a_loop_that_broke_off_before_the_acknowledgement_takes_the_message_once(
    tmp_path: Path, broker: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    confirm, broken = MqttPush.confirm, []

    def break_off_once(push: MqttPush) -> None:
        if not broken:
            broken.append(push)
            raise ConnectionResetError("between commit and acknowledgement")
        confirm(push)

    monkeypatch.setattr(MqttPush, "confirm", break_off_once)
    async with _box(tmp_path, broker) as buffer:
        await _publish(broker, _FIRST)
        await _until_rows(buffer, 1)
        await _publish(broker, _SECOND)
        await _until_rows(buffer, 3)
        assert await _temperatures(buffer) == _EXPECTED


async def test_a_box_that_died_before_the_acknowledgement_writes_the_same_instant_and_value_again(
    tmp_path: Path, broker: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(MqttPush, "confirm", lambda _: None)
        async with _box(tmp_path, broker) as buffer:
            await _publish(broker, _FIRST)
            await _until_rows(buffer, 2)
    async with _box(tmp_path, broker) as buffer:
        await _until_rows(buffer, 4)
        assert await _temperatures(buffer) == [_EXPECTED[0]] * 2, "the cloud holds one value for an instant"
