import asyncio
from pathlib import Path

import pytest

from edge.buffer.buffer import Buffer
from edge.clock import SystemClock
from edge.health import box
from edge.health.box import BoxHealth, box_info
from edge.health.inventory import device_info
from edge.settings.sections import DeviceSettings, ModbusSettings
from firmware_configs.profiles.loader import load_profile
from protocols.units import unit_of
from protocols.wire import PointInfo


async def _rows(tmp_path: Path) -> dict[str, float]:
    clock = SystemClock()
    async with await Buffer.open(tmp_path / "buffer.db", clock=clock) as buffer:
        taking = asyncio.create_task(BoxHealth(tmp_path, buffer=buffer, clock=clock).take())
        async with asyncio.timeout(60):
            while buffer._samples is None:  # noqa: ASYNC110  the buffer tells nobody of it
                await asyncio.sleep(0.01)
        taking.cancel()
        return {row.point: row.value for row in buffer._samples.rows}


@pytest.fixture
def thermometer(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thermometer that shows the test's text, or none."""
    file = tmp_path / "temp"
    if request.param is not None:
        file.write_text(request.param)
    monkeypatch.setattr(box, "THERMOMETER", file)


@pytest.mark.parametrize("thermometer", ["48312\n"], indirect=True)
async def test_the_box_tells_its_condition(tmp_path: Path, thermometer: None) -> None:
    said = await _rows(tmp_path)
    assert said["box/cpu_temperature"] == 48.312
    assert said["box/clock_known"] == 0
    assert said["box/buffer_rows_unsent"] == 0
    assert said["box/samples_not_taken"] == 0
    assert said["box/disk_free"] > 1e6
    assert 1e7 < said["box/memory_used"] < 1e10
    assert said["box/uptime"] > 0


@pytest.mark.parametrize("thermometer", [None, "broken\n"], indirect=True)
async def test_a_machine_without_a_thermometer_says_nothing_of_it(tmp_path: Path, thermometer: None) -> None:
    said = await _rows(tmp_path)
    assert "box/cpu_temperature" not in said
    assert "box/cpu_temperature" not in {point.key for point in box_info("box").points}


async def test_all_that_the_box_says_is_in_its_inventory(tmp_path: Path) -> None:
    known = {point.key: point for point in box_info("North gate").points}
    assert (await _rows(tmp_path)).keys() <= known.keys()
    assert [unit_of(point.unit).code for point in known.values()] == [point.unit for point in known.values()]


def test_a_device_is_its_profiles_points_and_whether_it_is_there() -> None:
    settings = DeviceSettings(key="hall", profile="xy-md02", modbus=ModbusSettings(host="h"))
    info = device_info(settings, load_profile("xy-md02"))
    assert (info.key, info.profile, info.name) == ("hall", "xy-md02", "hall")
    assert info.points == [
        PointInfo(key="hall/temperature", unit="Cel", row_class="sample", kind="gauge", period_s=30),
        PointInfo(key="hall/humidity", unit="%", row_class="sample", kind="gauge", period_s=30),
        PointInfo(key="hall/online", unit="1", row_class="event", kind="state", period_s=0),
    ]


def test_a_meters_register_says_its_resolution() -> None:
    settings = DeviceSettings(key="m", name="总表", profile="eastron-sdm120", modbus=ModbusSettings(host="h"))
    info = device_info(settings, load_profile("eastron-sdm120"))
    assert info.name == "总表"
    assert {point.resolution for point in info.points if point.row_class == "register"} == {"0.01"}
