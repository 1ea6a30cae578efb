import asyncio
import logging
import struct
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from edge.__main__ import app
from protocols.modbus.frames import crc16
from tests.edge.app.clouds import TakingCloud, taking_cloud
from tests.servers.mosquitto import Mosquitto, running_mosquitto

_PROFILE = """
maker: Gatehouse
models: [Test meter]
kind: meter-electricity
label: {{zh: 测试电表, en: Test meter}}
source: The tests' own; no such device exists.
practice: true
modbus: {{}}
defaults: {{modbus: {{function: 4}}}}
points:
  - name: power
    label: {{zh: 功率, en: Power}}
    unit: W
    kind: gauge
    class: sample
    period_s: 0.1
    modbus: {{address: 0, type: float32}}
  - name: energy
    label: {{zh: 电能, en: Energy}}
    unit: kW.h
    kind: counter
    class: register
    period_s: 0.1
    resolution: "0.01"
    valid: [0, 1000000]
    modbus: {{address: 2, type: uint32, scale: "0.01"}}
example:
  constructed: true
  exchanges: [{{request: "{request}", response: "{response}"}}]
  expected: {{power: 1500.5, energy: 1234.56}}
"""

_WORDS = struct.pack(">fI", 1500.5, 123456)

METER_REGISTERS = list(struct.unpack(">4H", _WORDS))
"""Of a meter that shows 1500.5 W and 1234.56 kWh."""


def _sealed(frame: bytes) -> str:
    return (frame + crc16(frame)).hex(" ")


@dataclass
class BoxFiles:
    """A box's settings and folder, under a test's own."""

    root: Path
    text: str = field(init=False)

    def __post_init__(self) -> None:
        profiles = self.root / "profiles"
        profiles.mkdir()
        frames = {"request": _sealed(b"\x01\x04\x00\x00\x00\x04"), "response": _sealed(b"\x01\x04\x08" + _WORDS)}
        (profiles / "meter.yaml").write_text(_PROFILE.format(**frames))
        self.text = (
            f'profiles_folder = "{profiles}"\n[buffer]\nfolder = "{self.root / "box"}"\nmaximum_bytes = 20000000\n'
        )

    @property
    def file(self) -> Path:
        return self.root / "edge.toml"

    def add(self, *lines: str) -> None:
        """Add lines to the settings."""
        self.text += "\n".join(lines) + "\n"
        self.file.write_text(self.text)

    def add_meter(self, port: int, *, key: str = "meter", unit: int = 1, timeout_s: float = 5.0) -> None:
        """Add a meter on a Modbus server of the test's."""
        modbus = f'modbus = {{ host = "127.0.0.1", port = {port}, unit = {unit}, timeout_s = {timeout_s} }}'
        self.add("[[devices]]", f'key = "{key}"', 'profile = "meter"', modbus)

    def add_sensor(self, *, key: str = "pump-room") -> None:
        """Add a leak sensor on the broker."""
        mqtt = f'mqtt = {{ broker = "site", device = "{key}" }}'
        self.add("[[devices]]", f'key = "{key}"', 'profile = "aqara-sjcgq11lm"', mqtt)

    async def run(self, *arguments: str) -> Result:
        """Return what a command of gatehouse-edge did; it has a loop of its own, in a thread."""
        return await asyncio.to_thread(CliRunner().invoke, app, [*arguments, "--settings", str(self.file)])


@pytest.fixture
def box(tmp_path: Path) -> BoxFiles:
    return BoxFiles(tmp_path)


@pytest.fixture
async def cloud(box: BoxFiles) -> AsyncIterator[TakingCloud]:
    """A cloud that the box's settings name."""
    async with taking_cloud() as cloud:
        box.add("[cloud]", f'url = "{cloud.url}"')
        yield cloud


@pytest.fixture
def broker(box: BoxFiles, tmp_path: Path) -> Iterator[Mosquitto]:
    """A broker that the box's settings name."""
    folder = tmp_path / "broker"
    folder.mkdir()
    with running_mosquitto(folder) as broker:
        box.add("[[brokers]]", 'key = "site"', f"port = {broker.port}")
        yield broker


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    """Undo what a command does to the logging of the whole process."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
