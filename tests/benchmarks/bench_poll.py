"""F1 and F2: meters read over Modbus TCP, decoded and durable in the buffer; what the box's process costs.

The box is the real program, held to one core; the meters answer out of
a process of their own on another.
"""

import os
import re
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from edge.buffer.store import Bounds, Store
from edge.clock import SystemClock
from protocols.modbus.frames import crc16
from tests.benchmarks.figures import RUNS, Figure

FIGURES = ("F1", "F2")

VALUES = 34
WARM_S = 3.0
WINDOW_S = 10.0
BACK_TO_BACK_S = 0.001
"""A period that no box keeps with so many meters: all it can read, it does."""

_ROOT = Path(__file__).parents[2]
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True, kw_only=True)
class Polled:
    """What one run measured."""

    rows_per_s: float
    """Durable."""
    cpu_share: float
    """Of one core."""
    peak_mib: float

    @property
    def cpu_s_per_million(self) -> float:
        return self.cpu_share / self.rows_per_s * 1e6 if self.rows_per_s else 0.0


def run() -> Iterator[Figure]:
    """Yield what the box reads back to back, and what it costs while it keeps its periods and sends."""
    for meters in (20, 200, 400):
        polled = [measure(meters, BACK_TO_BACK_S) for _ in range(RUNS)]
        yield Figure(
            id="F1",
            text=f"{meters} meters of {VALUES} values, back to back, durable, one core",
            runs=[run.rows_per_s for run in polled],
            unit="values/s",
            goal="60,000",
            known="ThingsBoard's gateway 8,000, bare pymodbus 178,000",
        )
    for meters in (0, 20, 200, 400):
        yield from _cost(meters, [measure(meters, 1.0, sends=True) for _ in range(RUNS)])


def _cost(meters: int, polled: list[Polled]) -> Iterator[Figure]:
    text = f"{meters} meters of {VALUES} values at 1 s, sending"
    if meters:
        yield Figure(
            id="F1", text=text, runs=[run.rows_per_s for run in polled], unit="values/s", goal=f"{meters * VALUES:,}"
        )
        yield Figure(
            id="F2",
            text=text,
            runs=[run.cpu_s_per_million for run in polled],
            unit="CPU s a million values",
            goal="15",
            known="ThingsBoard's gateway 97 to 157",
        )
    else:
        yield Figure(
            id="F2",
            text="no meter: idle",
            runs=[100 * run.cpu_share for run in polled],
            unit="% of a core",
            goal="1",
        )
    goal = {200: "72"}.get(meters, "110")
    yield Figure(id="F2", text=f"{text}, peak memory", runs=[run.peak_mib for run in polled], unit="MiB", goal=goal)


def measure(meters: int, period_s: float, *, sends: bool = False) -> Polled:
    """Return what a box does with so many meters of VALUES float32 values each; it may send them to a cloud."""
    with TemporaryDirectory(prefix="gatehouse-poll-") as name, _meters() as port, _cloud() as (url, code):
        folder = Path(name)
        _write_profile(folder / "profiles", period_s)
        _write_settings(folder, meters, port, url)
        if sends:
            command = [sys.executable, "-m", "edge", "claim", code, "--settings", str(folder / "edge.toml")]
            subprocess.run(command, check=True, cwd=_ROOT, stdout=subprocess.DEVNULL)
        with _box(folder) as process:
            time.sleep(WARM_S)
            begun_s, begun_cpu_s = time.monotonic(), _cpu_s(process.pid)
            time.sleep(WINDOW_S)
            cpu_share = (_cpu_s(process.pid) - begun_cpu_s) / (time.monotonic() - begun_s)
            peak_kib = re.findall(r"VmHWM:\s+(\d+)", Path(f"/proc/{process.pid}/status").read_text())[0]
        store = Store(folder / "box/buffer.db", clock=SystemClock(), bounds=Bounds())
        rows = store.head
        store.close()
    return Polled(rows_per_s=rows / (WARM_S + WINDOW_S), cpu_share=cpu_share, peak_mib=int(peak_kib) / 1_024)


@contextmanager
def _cloud() -> Iterator[tuple[str, str]]:
    """Yield the address of a cloud on the machine's last core, and its claim code."""
    command = [sys.executable, "-m", "tests.benchmarks.forgetful_cloud"]
    with subprocess.Popen(command, cwd=_ROOT, stdout=subprocess.PIPE, text=True) as process:
        os.sched_setaffinity(process.pid, {_cores()[-1]})
        try:
            url, code = process.stdout.readline().split()
            yield url, code
        finally:
            process.terminate()


@contextmanager
def _meters() -> Iterator[int]:
    """Yield the port of a process of meters, on the machine's last core."""
    command = [sys.executable, "-m", "tests.benchmarks.meters", str(2 * VALUES)]
    with subprocess.Popen(command, cwd=_ROOT, stdout=subprocess.PIPE, text=True) as process:
        os.sched_setaffinity(process.pid, {_cores()[-1]})
        try:
            yield int(process.stdout.readline())
        finally:
            process.terminate()


@contextmanager
def _box(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Yield a box that has just begun, on the machine's first core; it ends cleanly."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd, (folder / "log").open("wb") as log:
        systemd.bind(str(folder / "notify"))
        command = ["taskset", "-c", str(_cores()[0]), sys.executable, "-m", "edge", "run"]
        environment = os.environ | {
            "NOTIFY_SOCKET": str(folder / "notify"),
            "GATEHOUSE_EDGE_SETTINGS": str(folder / "edge.toml"),
        }
        with subprocess.Popen(command, cwd=_ROOT, env=environment, stderr=log) as process:
            try:
                systemd.settimeout(30)
                systemd.recv(100)
                yield process
            finally:
                process.terminate()


def _cores() -> list[int]:
    return sorted(os.sched_getaffinity(0))


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _write_settings(folder: Path, meters: int, port: int, url: str) -> None:
    tables = [
        f'[[devices]]\nkey = "meter-{number}"\nprofile = "meter"\n'
        f'modbus = {{ host = "127.1.{number // 250}.{number % 250 + 1}", port = {port} }}\n'
        for number in range(meters)
    ]
    head = f'profiles_folder = "{folder / "profiles"}"\n[cloud]\nurl = "{url}"\n'
    (folder / "edge.toml").write_text(f'{head}[buffer]\nfolder = "{folder / "box"}"\n' + "".join(tables))


def _write_profile(folder: Path, period_s: float) -> None:
    """Write the profile of a meter with neighbouring float32 values; a profile needs an example, built here."""
    data = struct.pack(f">{VALUES}f", *(230.0 + number for number in range(VALUES)))
    request = b"\x01\x04\x00\x00" + (2 * VALUES).to_bytes(2)
    response = bytes([1, 4, len(data)]) + data
    points = "".join(
        f"  - name: value_{number}\n    label: {{zh: 值, en: Value}}\n    unit: V\n    kind: gauge\n"
        f"    modbus: {{address: {2 * number}}}\n"
        for number in range(VALUES)
    )
    folder.mkdir()
    (folder / "meter.yaml").write_text(
        "maker: Gatehouse\nmodels: [Benchmark meter]\nkind: meter-electricity\nlabel: {zh: 表, en: Meter}\n"
        "source: The benchmark's own; no such device exists.\npractice: true\nmodbus: {}\n"
        f"defaults: {{class: sample, period_s: {period_s}, modbus: {{function: 4, type: float32}}}}\n"
        f"points:\n{points}example:\n  constructed: true\n  exchanges:\n"
        f"    - {{request: {(request + crc16(request)).hex(' ')}, response: {(response + crc16(response)).hex(' ')}}}\n"
        f"  expected: {{{', '.join(f'value_{number}: {230.0 + number}' for number in range(VALUES))}}}\n"
    )
