import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from edge.drivers.modbus.device import ModbusDevice, ReadPlans
from edge.drivers.modbus.line import Line
from edge.settings.sections import ModbusSettings
from firmware_configs.profiles.loader import load_profile
from protocols.readings import Decoded
from provisioning.practice.modbus import PracticeDevice, serving
from provisioning.practice.recorded import RecordedDevice, meter_values, probe_values
from provisioning.practice.recordings.electricity import MeterHour, meter_hours
from provisioning.practice.recordings.temperature import temperatures
from provisioning.practice.replay import ReplayClock
from tests.clocks import FixedClock

_HOURS = meter_hours()


@pytest.fixture
def replay(clock: FixedClock) -> ReplayClock:
    return ReplayClock(clock, start=_HOURS[0].at, speed=math.inf, shift=timedelta(days=1))


@asynccontextmanager
async def _meter(device: RecordedDevice[MeterHour]) -> AsyncIterator[int]:
    profile = load_profile("practice-hourly-meter")
    shown = PracticeDevice(profile=profile, unit=1, ask=device.answer, connected=device.connected)
    async with serving([shown]) as port:
        yield port


@asynccontextmanager
async def _box(port: int, profile: str = "practice-hourly-meter") -> AsyncIterator[ModbusDevice]:
    settings = ModbusSettings(host="127.0.0.1", port=port)
    line = Line(settings.host, settings.port)
    try:
        yield ModbusDevice(line, settings, ReadPlans(load_profile(profile)))
    finally:
        line.close()


async def _energy(box: ModbusDevice) -> Decoded:
    [value] = await box.read(["energy_import"])
    return value


async def test_a_read_is_confirmed_by_the_next_question_and_goes_on_to_the_next_row(replay: ReplayClock) -> None:
    device = RecordedDevice(meter_values)
    kept: list[int] = []
    async with _meter(device) as port, _box(port) as box:
        playing = asyncio.create_task(device.play(_HOURS[:3], replay, on_kept=kept.append))
        await asyncio.sleep(0)
        values = [(await _energy(box)).value for _ in range(4)]
        await playing

    assert values == [0.39, 0.72, 0.99, 0.99]
    assert kept == [0, 1, 2, 3]


async def test_its_time_is_the_replays_and_its_register_exact(replay: ReplayClock) -> None:
    device = RecordedDevice(meter_values)
    async with _meter(device) as port, _box(port) as box:
        playing = asyncio.create_task(device.play(_HOURS[-1:], replay))
        await asyncio.sleep(0)
        value = await _energy(box)
        playing.cancel()

    assert value.value == 1209.42
    assert value.time_us == int(datetime(2012, 3, 18, 5, tzinfo=UTC).timestamp()) * 1_000_000


async def test_a_box_that_dies_after_its_read_is_shown_the_same_row_again(replay: ReplayClock) -> None:
    device = RecordedDevice(meter_values)
    async with _meter(device) as port:
        playing = asyncio.create_task(device.play(_HOURS[:3], replay))
        await asyncio.sleep(0)
        async with _box(port) as box:
            first = [(await _energy(box)).value for _ in range(2)]
        async with _box(port) as box:
            again = [(await _energy(box)).value for _ in range(2)]
        playing.cancel()

    assert first == [0.39, 0.72]
    assert again == [0.72, 0.99]


async def test_after_an_earlier_life_it_goes_on_behind_the_last_row_that_was_kept(replay: ReplayClock) -> None:
    device = RecordedDevice(meter_values)
    async with _meter(device) as port, _box(port) as box:
        playing = asyncio.create_task(device.play(_HOURS[:3], replay, kept=2))
        await asyncio.sleep(0)
        values = [(await _energy(box)).value for _ in range(2)]
        playing.cancel()

    assert values == [0.72, 0.99]


async def test_a_row_that_is_not_due_yet_is_not_shown(clock: FixedClock) -> None:
    device = RecordedDevice(meter_values)
    async with _meter(device) as port, _box(port) as box:
        playing = asyncio.create_task(device.play(_HOURS[:3], ReplayClock(clock, start=_HOURS[0].at)))
        await asyncio.sleep(0)
        values = [(await _energy(box)).value for _ in range(3)]
        playing.cancel()

    assert values == [0.39, 0.39, 0.39]


async def test_the_modbus_probe_shows_the_temperature_bit_for_bit(replay: ReplayClock) -> None:
    rows = temperatures()[18:20]
    device = RecordedDevice(probe_values)
    profile = load_profile("practice-office-probe-modbus")
    shown = PracticeDevice(profile=profile, unit=1, ask=device.answer, connected=device.connected)
    async with serving([shown]) as port, _box(port, "practice-office-probe-modbus") as box:
        playing = asyncio.create_task(device.play(rows, replay))
        await asyncio.sleep(0)
        values = [(await box.read(["temperature"]))[0].value.hex() for _ in range(2)]
        playing.cancel()

    assert values == [row.degf.hex() for row in rows]
