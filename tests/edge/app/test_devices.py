from pathlib import Path

import msgspec
import pytest

from edge.app.devices import bind, bind_all
from edge.errors import SettingsRefused
from edge.settings.sections import CloudSettings, DeviceSettings, ModbusSettings, MqttSettings, Settings
from firmware_configs.profiles.loader import load_profile
from tests.edge.poller.doubles import point

_MODBUS = ModbusSettings(host="h")
_METER = load_profile("eastron-sdm630")


def _settings(*devices: DeviceSettings, folder: Path | None = None) -> Settings:
    return Settings(cloud=CloudSettings(url="https://c"), devices=devices, profiles_folder=folder)


def test_devices_of_one_model_share_its_profile() -> None:
    first, second = bind_all(
        _settings(*(DeviceSettings(key=key, profile="eastron-sdm630", modbus=_MODBUS) for key in ("a", "b")))
    )
    assert first.profile is second.profile


def test_a_profile_of_ones_own_wins(tmp_path: Path) -> None:
    supplied = Path(__file__).parents[3] / "firmware_configs/profiles/xy-md02.yaml"
    (tmp_path / "xy-md02.yaml").write_text(supplied.read_text().replace("period_s: 30", "period_s: 7"))
    device = DeviceSettings(key="a", profile="xy-md02", modbus=_MODBUS)
    [bound] = bind_all(_settings(device, folder=tmp_path))
    assert {each.period_s for each in bound.profile.points} == {7}


def test_every_device_that_can_not_work_is_named() -> None:
    devices = [DeviceSettings(key=key, profile="no-such", modbus=_MODBUS) for key in ("a", "b")]
    with pytest.raises(SettingsRefused) as refused:
        bind_all(_settings(*devices))
    assert [line.split(":")[0] for line in str(refused.value).splitlines()] == ['device "a"', 'device "b"']


@pytest.mark.parametrize(
    ("profile", "transport", "mend"),
    [
        ("eastron-sdm630", {"mqtt": MqttSettings(broker="site", device="d")}, "write its modbus table, not mqtt"),
        ("aqara-sjcgq11lm", {"modbus": _MODBUS}, "write its mqtt table, not modbus"),
    ],
)
def test_a_profile_of_another_transport_is_refused(profile: str, transport: dict[str, object], mend: str) -> None:
    with pytest.raises(SettingsRefused, match=mend):
        bind(DeviceSettings(key="a", profile=profile, **transport), load_profile(profile))


def test_a_point_with_the_boxs_own_name_is_refused() -> None:
    profile = msgspec.structs.replace(_METER, points=(point("online"),))
    with pytest.raises(SettingsRefused, match="give it another name"):
        bind(DeviceSettings(key="a", profile="x", modbus=_MODBUS), profile)
