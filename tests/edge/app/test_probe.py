import asyncio
import json
from pathlib import Path

import aiomqtt
import pytest
import yaml

from protocols.profiles.parsing import parse_profile
from tests.edge.app.clouds import TakingCloud
from tests.edge.app.conftest import METER_REGISTERS, BoxFiles
from tests.servers.modbus import device, modbus_server
from tests.servers.mosquitto import Mosquitto


async def test_a_probe_shows_points_values_units_and_quality(box: BoxFiles, cloud: TakingCloud) -> None:
    async with modbus_server(device(1, METER_REGISTERS)) as (port, _):
        box.add_meter(port)
        result = await box.run("probe", "meter")
    rows = [[cell.strip() for cell in line.split("│")[1:4]] for line in result.output.splitlines() if "│" in line]
    assert rows == [["power", "1500.5", "W"], ["energy", "1234.56", "kWh"]]
    assert result.output.count("good") == 2


async def test_a_saved_probe_is_an_example_that_the_profile_takes(
    box: BoxFiles, cloud: TakingCloud, tmp_path: Path
) -> None:
    saved = tmp_path / "capture.yaml"
    async with modbus_server(device(1, METER_REGISTERS)) as (port, _):
        box.add_meter(port)
        await box.run("probe", "meter", "--save", str(saved))
    text = (box.root / "profiles/meter.yaml").read_text()
    profile = parse_profile(text[: text.index("example:")] + saved.read_text(), file="meter.yaml")
    assert (profile.example.constructed, profile.example.expected) == (False, {"power": 1500.5, "energy": 1234.56})


async def test_a_saved_probe_of_a_publishing_device_masks_who_it_is(
    box: BoxFiles, cloud: TakingCloud, broker: Mosquitto, tmp_path: Path
) -> None:
    box.add_sensor(key="zhang-san-kitchen")
    saved = tmp_path / "capture.yaml"
    payload = (
        b'{"water_leak": true, "battery": 97, "device": {"friendlyName": "zhang-san-kitchen", '
        b'"ieeeAddr": "0x00158d0001a2b3c4", "note": "seen by 00:15:8d:00:01:a2:b3:c4", "networkKey": [1, 2]}}'
    )
    probing = asyncio.create_task(box.run("probe", "zhang-san-kitchen", "--save", str(saved), "--wait-s", "60"))
    async with aiomqtt.Client("127.0.0.1", broker.port) as publisher:
        while not probing.done():
            await publisher.publish("zigbee2mqtt/zhang-san-kitchen", payload, qos=1)
            await asyncio.sleep(0.1)
    assert (await probing).exit_code == 0
    [message] = (example := yaml.safe_load(saved.read_text())["example"]).pop("messages")
    assert json.loads(message.pop("payload")) == {
        "water_leak": True,
        "battery": 97,
        "device": {"friendlyName": "device", "ieeeAddr": "device", "note": "seen by device", "networkKey": "device"},
    }
    assert message == {"topic": "zigbee2mqtt/device"}
    assert example == {"constructed": False, "device": "device", "expected": {"water_leak": 1.0, "battery": 97.0}}


async def test_a_device_that_says_nothing_in_time_is_told(box: BoxFiles, cloud: TakingCloud, broker: Mosquitto) -> None:
    box.add_sensor()
    result = await box.run("probe", "pump-room", "--wait-s", "0.3")
    assert result.exit_code == 1
    assert "nothing new under zigbee2mqtt/pump-room within 0.3 s" in result.output


@pytest.mark.parametrize("key", ["nobody", "Meter"])
async def test_an_unknown_device_is_refused_with_those_there_are(box: BoxFiles, cloud: TakingCloud, key: str) -> None:
    box.add_meter(9)
    result = await box.run("probe", key)
    assert (result.exit_code, result.output) == (78, f'there is no device "{key}"; name one of: meter\n')
