from pathlib import Path

import pytest

from edge.app.settings_file import load, read_secret
from edge.errors import SettingsRefused
from edge.settings.sections import (
    BrokerSettings,
    CloudSettings,
    DeviceSettings,
    LogSettings,
    ModbusSettings,
    MqttSettings,
    Settings,
)

_CLOUD = '[cloud]\nurl = "https://gatehouse.example"\n'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "edge.toml"


def _refusal(file: Path, text: str) -> str:
    file.write_text(text)
    with pytest.raises(SettingsRefused) as refused:
        load(file)
    return str(refused.value)


def test_a_file_is_read_whole(file: Path) -> None:
    file.write_text(
        """
        [cloud]
        url = "https://gatehouse.example/"
        [[brokers]]
        key = "site"
        [[devices]]
        key = "boiler-meter"
        profile = "eastron-sdm630"
        modbus = { host = "10.0.0.5", unit = 3 }
        [[devices]]
        key = "boiler-room"
        name = "锅炉房"
        profile = "zigbee2mqtt-climate"
        mqtt = { broker = "site", device = "boiler-room" }
        """
    )
    assert load(file) == Settings(
        cloud=CloudSettings(url="https://gatehouse.example"),
        brokers=(BrokerSettings(key="site"),),
        devices=(
            DeviceSettings(
                key="boiler-meter", profile="eastron-sdm630", modbus=ModbusSettings(host="10.0.0.5", unit=3)
            ),
            DeviceSettings(
                key="boiler-room",
                name="锅炉房",
                profile="zigbee2mqtt-climate",
                mqtt=MqttSettings(broker="site", device="boiler-room"),
            ),
        ),
    )


def test_the_environment_wins_over_the_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text(_CLOUD + '[log]\nlevel = "error"\n')
    monkeypatch.setenv("GATEHOUSE_EDGE_LOG__LEVEL", "debug")
    assert load(file).log == LogSettings(level="debug")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        pytest.param("", "cloud: is missing; write it", id="section missing"),
        pytest.param(
            '[cloud]\nurl = "ftp://x"\n',
            "cloud.url = 'ftp://x': must begin with https:// (http:// only on a network of its own)",
            id="no web address",
        ),
        pytest.param(
            _CLOUD + "[buffer]\nmaximum_dys = 3\n",
            "buffer.maximum_dys: there is no such setting; write maximum_days or delete it",
            id="misspelt",
        ),
        pytest.param(
            _CLOUD + "[metrics]\npassword = 3\n",
            "metrics.password: there is no such setting; write one of port or delete it",
            id="unknown, its value kept out of the log",
        ),
        pytest.param(
            _CLOUD + "[buffer]\nmaximum_days = 0\n",
            "buffer.maximum_days = 0: must be greater than or equal to 1",
            id="below its bound",
        ),
        pytest.param(
            _CLOUD + '[[devices]]\nkey = "Boiler"\nprofile = "p"\nmodbus = { host = "h" }\n',
            "devices[0].key = 'Boiler': must be 1 to 63 lower-case letters, digits and hyphens, the first no hyphen",
            id="bad key",
        ),
        pytest.param(
            _CLOUD + '[[devices]]\nkey = "box"\nprofile = "p"\nmodbus = { host = "h" }\n',
            'devices[0]: must have another key than "box", which is the box itself',
            id="the box's own key",
        ),
        pytest.param(
            _CLOUD + '[[devices]]\nkey = "a"\nprofile = "p"\n',
            "devices[0]: must have exactly one of the tables modbus and mqtt",
            id="reached no way",
        ),
        pytest.param(
            _CLOUD + '[[devices]]\nkey = "a"\nprofile = "p"\nmqtt = { broker = "site", device = "a/+" }\n',
            "devices[0].mqtt.device = 'a/+': must be part of one topic: no +, # or NUL, no slash at either end",
            id="wildcard",
        ),
        pytest.param(
            _CLOUD + '[[devices]]\nkey = "a"\nprofile = "p"\nmqtt = { broker = "site", device = "a" }\n',
            'settings: device "a" names the broker "site", which is not there (there: none; add a [[brokers]] table)',
            id="no such broker",
        ),
        pytest.param(
            _CLOUD + '[[brokers]]\nkey = "site"\n[[brokers]]\nkey = "site"\n',
            'settings: brokers have the key "site" twice; give one of them another',
            id="twins",
        ),
    ],
)
def test_a_refusal_names_file_field_value_and_mend(file: Path, text: str, sentence: str) -> None:
    assert _refusal(file, text) == f"{file}: {sentence}"


def test_every_fault_is_named_at_once(file: Path) -> None:
    refusal = _refusal(file, '[cloud]\nurl = "x"\n[log]\nlevel = "loud"\n[metrics]\nport = 70000\n')
    assert [line.split(": ")[1].split(" = ")[0] for line in refusal.splitlines()] == [
        "cloud.url",
        "metrics.port",
        "log.level",
    ]


def test_a_wrong_variable_is_blamed_and_not_the_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEHOUSE_EDGE_LOG__LEVEL", "loud")
    expected = "GATEHOUSE_EDGE_LOG__LEVEL: log.level = 'loud': must be 'debug', 'info', 'warning' or 'error'"
    assert _refusal(file, _CLOUD) == expected


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("GATEHOUSE_EDGE_BUFER__FOLDER", "bufer: there is no such setting; write buffer or delete it"),
        ("GATEHOUSE_EDGE_CLOUT", "clout: there is no such setting; write cloud or delete it"),
        ("GATEHOUSE_EDGE_LOG__LEVL", "log.levl: there is no such setting; write level or delete it"),
        ("GATEHOUSE_EDGE_BROKERS__KEY", "names no table of the settings; write it to the file"),
        ("GATEHOUSE_EDGE_CLOUD__URL__X", "names no table of the settings; write it to the file"),
    ],
)
def test_a_misspelt_variable_is_refused(file: Path, monkeypatch: pytest.MonkeyPatch, name: str, sentence: str) -> None:
    monkeypatch.setenv(name, "x")
    refusal = _refusal(file, _CLOUD + '[[brokers]]\nkey = "site"\n')
    assert refusal.split(": ", 1)[1] == sentence
    assert refusal.split(": ")[0] in {name, str(file)}


def test_a_variable_may_hold_a_number(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text(_CLOUD)
    monkeypatch.setenv("GATEHOUSE_EDGE_METRICS__PORT", "9100")
    assert load(file).metrics.port == 9100


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsRefused, match=r"nowhere\.toml: there is no such file"):
        load(tmp_path / "nowhere.toml")


def test_what_is_not_toml_is_shown_with_its_line(file: Path) -> None:
    assert "is not TOML: " in _refusal(file, "[cloud\n")
    assert "line 1" in _refusal(file, "[cloud\n")


def test_a_secret_is_the_first_line_of_its_file(file: Path) -> None:
    file.write_text("  s3cret \nnot this\n")
    assert read_secret(file) == "s3cret"


def test_an_empty_secret_is_refused(file: Path) -> None:
    file.write_text("\n")
    with pytest.raises(SettingsRefused, match="its first line is empty"):
        read_secret(file)
