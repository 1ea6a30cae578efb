"""How a rig's box and cloud are set up: their settings, and profiles that are asked more often than supplied ones."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from provisioning.demo.programs import Program
from provisioning.demo.toml import to_toml
from provisioning.practice.ports import LOOPBACK

FLAT_PERIOD_S = 1.0
"""Between two reads of the flat's meter."""

_PROFILES = Path(__file__).parents[2] / "firmware_configs/profiles"
_METER_PERIOD_S = 0.01
"""A poll confirms a row, so this is how fast the register can be replayed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Where a rig's cloud keeps its data; SQLAlchemy URLs."""

    database: str
    series: str


def cloud_program(folder: Path, addresses: Addresses, *, port: int) -> Program:
    settings = folder / "cloud.toml"
    told = {
        "data_folder": str(folder / "cloud"),
        "database_url": addresses.database,
        "series_url": addresses.series,
        "port": port,
        "log_level": "debug",
    }
    settings.write_text(to_toml(told))
    return Program(module="cloud", arguments=("run", "--settings", str(settings)), log=folder / "cloud.log")


def box_program(settings: Path, *arguments: str) -> Program:
    return Program(
        module="edge", arguments=(*arguments, "--settings", str(settings)), log=settings.with_name("box.log")
    )


def install_box(folder: Path, ports: Mapping[str, int], *, backlog_rows_per_s: int) -> Path:
    """Write the box's settings, and profiles of meters that are asked more often than supplied ones."""
    folder.mkdir()
    for profile, period_s in (("practice-hourly-meter", _METER_PERIOD_S), ("eastron-sdm120", FLAT_PERIOD_S)):
        text = (_PROFILES / f"{profile}.yaml").read_text()
        (folder / f"{profile}.yaml").write_text(re.sub(r"period_s: \d+\n", f"period_s: {period_s}\n", text))
    settings = {
        "cloud": {"url": f"http://{LOOPBACK}:{ports['cloud']}"},
        "buffer": {"folder": str(folder)},
        "upload": {"flush_s": 0.2, "backlog_rows_per_s": backlog_rows_per_s},
        "log": {"level": "debug"},
        "profiles_folder": str(folder),
        "brokers": [{"key": "building", "port": ports["broker"]}],
        "devices": [
            {
                "key": "practice-meter",
                "profile": "practice-hourly-meter",
                "modbus": {"host": LOOPBACK, "port": ports["meter"], "timeout_s": 30.0},
            },
            {
                "key": "flat-meter",
                "profile": "eastron-sdm120",
                "modbus": {"host": LOOPBACK, "port": ports["flat"]},
            },
            {
                "key": "office-probe",
                "profile": "practice-office-probe",
                "mqtt": {"broker": "building", "device": "office"},
            },
        ],
    }
    file = folder / "edge.toml"
    file.write_text(to_toml(settings))
    return file
