"""A measured figure beside what it is held against, and the machine that it was measured on."""

import os
import platform
import re
import sqlite3
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

RUNS = 3
"""At least as many runs are behind each figure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """What one benchmark prints; a benchmark is a module bench_*.py with FIGURES and `run() -> Iterable[Figure]`."""

    id: str
    """As in FIGURES.md: F3."""
    text: str
    """What was measured, with its load."""
    runs: Sequence[float]
    unit: str
    goal: str
    known: str = ""
    """Limit or peer of the same run, or the recorded one."""

    @property
    def value(self) -> float:
        """The runs' median."""
        return median(self.runs)

    def __str__(self) -> str:
        low, high = min(self.runs), max(self.runs)
        known = f"; known {self.known}" if self.known else ""
        return (
            f"{self.id:<4}{self.text}: {_number(self.value)} {self.unit} "
            f"({_number(low)} to {_number(high)} in {len(self.runs)} runs; goal {self.goal}{known})"
        )


def machine() -> str:
    """Return a line about the machine and the versions that a figure depends on."""
    processor = re.search(r"model name\s*: (.*)", _read("/proc/cpuinfo"))
    memory = re.search(r"MemTotal:\s*(\d+)", _read("/proc/meminfo"))
    system = re.search(r'PRETTY_NAME="(.*)"', _read("/etc/os-release"))
    return (
        f"{len(os.sched_getaffinity(0))} cores of {processor[1] if processor else platform.machine()}, "
        f"{int(memory[1]) / 2**20 if memory else 0:.0f} GiB, {system[1] if system else platform.system()}, "
        f"Python {sys.version.split()[0]}, SQLite {sqlite3.sqlite_version}"
    )


def _read(file: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8")
    except OSError:
        return ""


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.3g}"
