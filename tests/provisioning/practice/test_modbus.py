import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

import pytest

from edge.drivers.modbus.device import ModbusDevice, ReadPlans
from edge.drivers.modbus.line import Line
from edge.errors import DeviceRefused, DeviceUnreachable
from edge.settings.sections import ModbusSettings
from firmware_configs.profiles.loader import load_profile
from protocols.readings import Decoded, Quality
from provisioning.practice.modbus import Answer, PracticeDevice, serving
from provisioning.practice.quantities import Air, SinglePhaseMeter, ThreePhaseMeter, Values, WaterMeters

_NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)


def _device(profile: str, ask: Callable[[], Answer | None], *, unit: int = 1) -> PracticeDevice:
    return PracticeDevice(profile=load_profile(profile), unit=unit, ask=ask)


async def _read(port: int, profile: str, *, unit: int = 1, timeout_s: float = 5.0) -> list[Decoded]:
    settings = ModbusSettings(host="127.0.0.1", port=port, unit=unit, timeout_s=timeout_s)
    line = Line(settings.host, settings.port)
    try:
        box = ModbusDevice(line, settings, ReadPlans(load_profile(profile)))
        return await box.read([point.name for point in load_profile(profile).points])
    finally:
        line.close()


@pytest.mark.parametrize(
    ("profile", "values"),
    [
        pytest.param("eastron-sdm630", ThreePhaseMeter("riser", mean_w=6_000).at, id="three-phase-meter"),
        pytest.param("eastron-sdm120", SinglePhaseMeter("corridor", mean_w=400).at, id="single-phase-meter"),
        pytest.param("advantech-adam-6051-water", WaterMeters(mean_m3_per_h=(0.6, 0.2)).at, id="water-pulses"),
        pytest.param("xy-md02", Air("archive", mean_cel=21).transmitter, id="climate-transmitter"),
    ],
)
async def test_a_box_reads_every_point_as_good_and_as_the_device_means_it(
    profile: str, values: Callable[[datetime], Values]
) -> None:
    meant = values(_NOW)
    async with serving([_device(profile, lambda: Answer(values=meant))]) as port:
        read = await _read(port, profile)

    assert {value.point for value in read} == {point.name for point in load_profile(profile).points} == set(meant)
    assert {value.quality for value in read} == {Quality.GOOD}
    for value in read:
        assert value.value == pytest.approx(meant[value.point], rel=1e-6, abs=0.0501)  # the coarsest scale is 0.1


@pytest.mark.parametrize("meter", [ThreePhaseMeter("riser", mean_w=6_000), SinglePhaseMeter("flat", mean_w=400)])
def test_an_hours_energy_is_the_mean_power_of_the_hour(meter: ThreePhaseMeter | SinglePhaseMeter) -> None:
    def energy_kwh(instant: datetime) -> float:
        return meter.at(instant)["energy_import"]

    mean_w = sum(meter.at(_NOW + timedelta(seconds=10 * n + 5))["active_power"] for n in range(360)) / 360
    assert energy_kwh(_NOW + timedelta(hours=1)) - energy_kwh(_NOW) == pytest.approx(mean_w / 1_000, rel=1e-3)


def test_a_phases_powers_form_a_triangle() -> None:
    shown: Mapping[str, float] = SinglePhaseMeter("flat", mean_w=400).at(_NOW)

    assert math.hypot(shown["active_power"], shown["reactive_power"]) == pytest.approx(shown["apparent_power"])
    assert shown["voltage"] * shown["current"] == pytest.approx(shown["apparent_power"])


async def test_units_of_one_line_answer_for_themselves_and_an_absent_one_is_silent() -> None:
    warm, cold = (
        Answer(values={"temperature": 21.0, "humidity": 50}),
        Answer(values={"temperature": -5.5, "humidity": 9}),
    )
    devices = [_device("xy-md02", lambda: warm, unit=4), _device("xy-md02", lambda: cold, unit=7)]
    async with serving(devices) as port:
        assert (await _read(port, "xy-md02", unit=4))[0].value == 21.0
        assert (await _read(port, "xy-md02", unit=7))[0].value == -5.5
        with pytest.raises(DeviceUnreachable, match="no answer within"):
            await _read(port, "xy-md02", unit=9, timeout_s=0.2)


async def test_what_the_profile_does_not_declare_is_refused() -> None:
    meant = Air("archive", mean_cel=21).transmitter(_NOW)
    async with serving([_device("xy-md02", lambda: Answer(values=meant))]) as port:
        with pytest.raises(DeviceRefused, match="exception code 2"):
            await _read(port, "eastron-sdm120")


async def test_a_device_with_nothing_to_show_says_that_it_is_busy() -> None:
    async with serving([_device("practice-hourly-meter", lambda: None)]) as port:
        with pytest.raises(DeviceUnreachable, match="exception code 6"):
            await _read(port, "practice-hourly-meter")
