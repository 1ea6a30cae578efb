import asyncio
import math
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from edge.drivers.modbus.device import ModbusDevice, ReadPlans
from edge.drivers.modbus.line import Line
from edge.drivers.mqtt import MqttSource, Route
from edge.settings.sections import CloudSettings, DeviceSettings, Settings
from firmware_configs.profiles.loader import load_profile
from protocols.profiles.codecs import mqtt_decoder
from protocols.readings import Decoded
from provisioning.errors import BrokerMissing
from provisioning.practice import broker
from provisioning.practice import building as practice
from provisioning.practice.building import LEAK, METER, PROBE, PracticeBuilding
from provisioning.practice.recordings.electricity import meter_hours
from provisioning.practice.recordings.temperature import temperatures
from provisioning.practice.replay import ReplayClock
from tests.clocks import FixedClock

_RECORDED = datetime(2014, 4, 12, 23, tzinfo=UTC)


@pytest.fixture
def replay(clock: FixedClock) -> ReplayClock:
    return ReplayClock(clock, start=_RECORDED, speed=math.inf)


@pytest.fixture
async def building(tmp_path: Path, clock: FixedClock) -> AsyncIterator[PracticeBuilding]:
    async with PracticeBuilding.opened(tmp_path, clock) as opened:
        yield opened


@pytest.fixture
async def brokerless(
    tmp_path: Path, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[PracticeBuilding]:
    def missing() -> Path:
        raise BrokerMissing("Mosquitto is not installed")

    monkeypatch.setattr(broker, "find_mosquitto", missing)
    async with PracticeBuilding.opened(tmp_path, clock) as opened:
        yield opened


def _device(building: PracticeBuilding, key: str) -> DeviceSettings:
    return next(device for device in building.devices if device.key == key)


async def _asked(device: DeviceSettings) -> list[Decoded]:
    assert device.modbus is not None
    line = Line(device.modbus.host, device.modbus.port)
    try:
        plans = ReadPlans(load_profile(device.profile))
        points = [point.name for point in load_profile(device.profile).points]
        return await ModbusDevice(line, device.modbus, plans).read(points)
    finally:
        line.close()


async def _heard(building: PracticeBuilding, key: str) -> list[Decoded]:
    """Return the first values that a box hears from an MQTT device."""
    device = _device(building, key)
    assert device.mqtt is not None
    decoder = mqtt_decoder(load_profile(device.profile), device=device.mqtt.device)
    routes = {topic: Route(key, decoder) for topic in decoder.topics}
    async for pushes in MqttSource(building.brokers[0], routes, client_id=f"box-{uuid4()}").pushes():
        if pushes:
            return list(pushes[0].values)
    raise AssertionError("the source ended")


async def test_a_box_takes_its_settings_from_the_building(building: PracticeBuilding) -> None:
    settings = Settings(
        cloud=CloudSettings(url="http://127.0.0.1:8080"),
        brokers=tuple(building.brokers),
        devices=tuple(building.devices),
    )
    assert [device.profile for device in settings.devices] == [
        "eastron-sdm630",
        "eastron-sdm120",
        "xy-md02",
        "advantech-adam-6051-water",
        "practice-hourly-meter",
        "practice-office-probe",
        "aqara-wsdcgq11lm",
        "aqara-sjcgq11lm",
    ]


async def test_every_meter_and_transmitter_answers_with_all_its_points(building: PracticeBuilding) -> None:
    moving = [device for device in building.devices if device.modbus and device.key != METER]
    answers = {device.key: await _asked(device) for device in moving}

    assert {key: len(values) for key, values in answers.items()} == {
        "riser-meter": 34,
        "corridor-meter": 13,
        "archive-climate": 2,
        "water-meters": 4,
    }


async def test_the_meter_shows_the_recording(building: PracticeBuilding, replay: ReplayClock) -> None:
    playing = asyncio.create_task(building.play_meter(meter_hours(), replay))
    await asyncio.sleep(0)
    [value] = await _asked(_device(building, METER))
    playing.cancel()

    assert (value.point, value.value) == ("energy_import", 0.39)


async def test_the_probe_is_heard_over_mqtt_with_its_recorded_time(
    building: PracticeBuilding, replay: ReplayClock
) -> None:
    async with asyncio.timeout(100), asyncio.TaskGroup() as tasks:
        hearing = tasks.create_task(_heard(building, PROBE))
        await building.listened_to()
        await building.play_probe(temperatures()[:1], replay)
    [value] = hearing.result()

    assert value == Decoded("temperature", 69.88083514, time_us=1_372_896_000_000_000)


async def test_the_pump_room_is_dry_at_first_and_drips_a_few_minutes_later(
    building: PracticeBuilding, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def leak() -> float:
        return {value.point: value.value for value in await _heard(building, LEAK)}["water_leak"]

    monkeypatch.setattr(practice, "_LEAK_EVERY_S", 0.05)
    living = asyncio.create_task(building.live())
    dry = await leak()
    clock.advance(minutes=4)
    async with asyncio.timeout(60):
        while not await leak():  # what was said before may still be on its way
            pass
    living.cancel()

    assert dry == 0.0


async def test_a_building_without_a_broker_says_so_and_its_probe_plays_over_modbus(
    brokerless: PracticeBuilding, replay: ReplayClock
) -> None:
    probe = _device(brokerless, PROBE)
    playing = asyncio.create_task(brokerless.play_probe(temperatures()[:1], replay))
    await asyncio.sleep(0)
    [value] = await _asked(probe)
    playing.cancel()

    assert brokerless.without == "Mosquitto is not installed"
    assert brokerless.brokers == []
    assert probe.profile == "practice-office-probe-modbus"
    assert value == Decoded("temperature", 69.88083514, time_us=1_372_896_000_000_000)


async def test_a_building_without_a_broker_has_no_sensors_to_speak(brokerless: PracticeBuilding) -> None:
    async with asyncio.timeout(60):
        await brokerless.listened_to()
        await brokerless.live()


def test_the_recorded_hour_is_the_one_that_the_demo_waits_for() -> None:
    below = [row for row in temperatures() if row.at == _RECORDED]
    before = [row for row in temperatures() if row.at == _RECORDED - timedelta(hours=1)]
    assert below[0].degf < 60 <= before[0].degf
