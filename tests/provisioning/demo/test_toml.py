import tomllib

from provisioning.demo.toml import to_toml


def test_what_is_written_reads_back_the_same() -> None:
    settings = {
        "cloud": {"url": "http://127.0.0.1:8080"},
        "buffer": {"folder": 'a "quoted" folder\\with 汉字', "maximum_days": 90},
        "log": {"level": "info", "colours": True},
        "devices": [
            {"key": "riser-meter", "modbus": {"host": "127.0.0.1", "port": 502, "timeout_s": 1.5}},
            {"key": "office-probe", "mqtt": {"broker": "building", "device": "office"}},
        ],
        "brokers": [],
    }
    assert tomllib.loads(to_toml(settings)) == {key: value for key, value in settings.items() if value != []}
