"""Power cuts and full disks, on a process of its own."""

import random
import signal
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

import pytest

from edge.buffer.store import Bounds, Flow, Store
from tests.edge.buffer.clocks import BOOTS, HandClock
from tests.edge.buffer.stores import OFFSET_US

_PROGRAM = [sys.executable, "-m", "tests.edge.buffer.programs"]
_ROOT = Path(__file__).parents[3]


def _run_until_killed(path: Path, seconds: float) -> dict[str, list[float]]:
    """Let the program append, kill it after some time of work, and return what it had promised by then."""
    with subprocess.Popen([*_PROGRAM, "promise", str(path)], cwd=_ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        lines = [process.stdout.readline()]
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
        lines += process.stdout.readlines()
    promised = defaultdict(list)
    for line in lines:
        if line.endswith("\n"):  # the last one may be cut
            row_class, value = line.split()
            promised[row_class].append(float(value))
    return promised


def _stored(path: Path) -> dict[str, list[float]]:
    """Return all values in the file by the class in their point's name, and check that each number is there once."""
    store = Store(path, clock=HandClock(boot_id=BOOTS[0]), bounds=Bounds())
    try:
        store.learn_offset(OFFSET_US)
        drawn = store.draw(Flow.BACKLOG, 1_000_000)
        assert drawn
        rows = drawn.batch.rows
        assert rows.ranges == [(1, store.head)]
    finally:
        store.close()
    stored = defaultdict(list)
    for point, value in zip(rows.point, rows.value, strict=True):
        stored[rows.points[point].removeprefix("meter/")].append(value)
    return stored


@pytest.mark.slow
def test_every_promised_row_outlives_a_kill_at_any_instant(tmp_path: Path) -> None:
    rng = random.Random(20_261_124)
    path = tmp_path / "buffer.db"
    promised: dict[str, list[float]] = defaultdict(list)
    for _ in range(10):
        for row_class, values in _run_until_killed(path, rng.uniform(0, 0.3)).items():
            promised[row_class] += values
        stored = _stored(path)
        assert promised["register"]
        for row_class, values in promised.items():
            assert set(values) <= set(stored[row_class])
            assert len(stored[row_class]) == len(set(stored[row_class]))


def test_a_full_disk_refuses_registers_counts_samples_and_recovers_by_itself(tmp_path: Path) -> None:
    """The kernel lets no file grow past 256 KiB, which is a full disk that needs no rights."""
    program = subprocess.run(
        [*_PROGRAM, "fill", str(tmp_path / "buffer.db")],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    first, full, recovered = program.stdout.splitlines()
    assert first == "taken"
    assert full == "full full 50"
    assert recovered.startswith("taken taken ")
    assert program.stderr.count("took no more") == 1
    assert program.stderr.count("takes readings again; 50 samples were not taken") == 1
