import msgspec
import pytest
from pymodbus.simulator import DataType, SimData, SimDevice

from edge.drivers.modbus.device import ModbusDevice, ReadPlans
from edge.drivers.modbus.line import Line
from edge.errors import DeviceRefused
from edge.settings.sections import ModbusSettings
from firmware_configs.profiles.loader import load_profiles
from protocols.modbus.declarations import RegisterClock
from protocols.modbus.frames import parse_exchange
from protocols.profiles.schema import ModbusTransport, Profile
from tests.servers.modbus import device, modbus_server

_MODBUS = [profile for profile in load_profiles().values() if profile.modbus]


def _as_its_example(profile: Profile) -> SimDevice:
    """Return a device whose registers are those of the profile's example, all others 0."""
    registers = [0] * 65_536
    for each in profile.example.exchanges:
        exchange = parse_exchange(each.request, each.response)
        registers[exchange.address : exchange.address + len(exchange.answer)] = exchange.answer
    held = SimData(0, values=registers, datatype=DataType.REGISTERS)
    bits = SimData(0, values=[False] * 16, datatype=DataType.BITS)
    return SimDevice(id=1, simdata=([bits], [bits], [held], [held]))


@pytest.mark.parametrize("profile", _MODBUS, ids=lambda profile: profile.key)
async def test_every_models_example_reads_as_it_says(profile: Profile) -> None:
    async with modbus_server(_as_its_example(profile)) as (port, _):
        line = Line("127.0.0.1", port)
        reader = ModbusDevice(line, ModbusSettings(host="127.0.0.1", port=port), ReadPlans(profile))
        values = await reader.read([point.name for point in profile.points])
        line.close()
    assert {value.point: value.value for value in values} == pytest.approx(profile.example.expected, rel=2**-23)
    assert len(values) == len(profile.points)


async def test_neighbours_come_in_one_answer() -> None:
    profile = load_profiles()["eastron-sdm630"]
    async with modbus_server(_as_its_example(profile)) as (port, traffic):
        line = Line("127.0.0.1", port)
        reader = ModbusDevice(line, ModbusSettings(host="127.0.0.1", port=port), ReadPlans(profile))
        await reader.read([point.name for point in profile.points if point.period_s == 10])
        line.close()
    assert len(traffic.asked) == 1


async def test_a_clock_that_makes_no_sense_is_a_refusal() -> None:
    clock = RegisterClock(function=3, address=0, type="uint64", format="epoch_ms")
    profile = msgspec.structs.replace(load_profiles()["practice-hourly-meter"], modbus=ModbusTransport(clock=clock))
    async with modbus_server(device(1, [0x7FFF] * 4)) as (port, _):
        line = Line("127.0.0.1", port)
        reader = ModbusDevice(line, ModbusSettings(host="127.0.0.1", port=port), ReadPlans(profile))
        with pytest.raises(DeviceRefused, match=r"outside the years 1970 to 9999; heard 7f ff"):
            await reader.read(["energy_import"])
        line.close()
