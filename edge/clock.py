"""The box's clocks; the one module of the box that reads the wall.

A Pi has no battery clock, so a reading holds its boot and monotonic time, and wall time is attached once the
boot's offset is known (see edge.buffer).
"""

import time
from pathlib import Path
from typing import Protocol

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Clock(Protocol):
    """The two times a box has."""

    @property
    def boot_id(self) -> str:
        """32 hexadecimal digits that change with every boot of the machine."""

    def monotonic_us(self) -> int:
        """Return microseconds since some instant of this boot; never steps."""

    def wall_us(self) -> int:
        """Return microseconds since 1970 by the machine's own clock, which may be years off."""


class SystemClock:
    """The machine's clocks. CLOCK_BOOTTIME goes on while a box sleeps, as CLOCK_MONOTONIC does not."""

    def __init__(self) -> None:
        self._boot_id = _BOOT_ID.read_text().strip().replace("-", "")

    @property
    def boot_id(self) -> str:
        return self._boot_id

    def monotonic_us(self) -> int:
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000

    def wall_us(self) -> int:
        return time.time_ns() // 1_000  # noqa: TID251  the one place that reads the wall
