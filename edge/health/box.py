"""The box's own condition, read once a minute like any device's."""

import asyncio
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edge.buffer.buffer import Buffer
from edge.buffer.growth import Statistics
from edge.buffer.rows import Row
from edge.clock import Clock
from edge.settings.sections import BOX_KEY
from protocols.readings import PointKind, Quality, RowClass
from protocols.wire import DeviceInfo, PointInfo

PERIOD_S = 60.0

PROFILE = "gatehouse-box"
"""In the inventory; there is no file of that name, since nothing is to be decoded."""

THERMOMETER = Path("/sys/class/thermal/thermal_zone0/temp")
"""Thousandths of a degree Celsius, on a Pi those of the processor; a machine without one has no such file."""

_STATM = Path("/proc/self/statm")
_UPTIME = Path("/proc/uptime")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Condition:
    """What the box's values are read from."""

    folder: Path
    statistics: Statistics
    clock_is_known: bool
    samples_not_taken: int


@dataclass(frozen=True, slots=True)
class _BoxPoint:
    name: str
    unit: str
    kind: PointKind
    value: Callable[[_Condition], float | None]
    """None where the box has no such value just now."""


_POINTS = (
    _BoxPoint("cpu_temperature", "Cel", PointKind.GAUGE, lambda _: _cpu_temperature_cel()),
    _BoxPoint("disk_free", "By", PointKind.GAUGE, lambda box: shutil.disk_usage(box.folder).free),
    _BoxPoint("memory_used", "By", PointKind.GAUGE, lambda _: _resident_bytes()),
    _BoxPoint("uptime", "s", PointKind.GAUGE, lambda _: float(_UPTIME.read_text().split()[0])),
    _BoxPoint("clock_known", "1", PointKind.STATE, lambda box: box.clock_is_known),
    _BoxPoint("buffer_rows_unsent", "1", PointKind.GAUGE, lambda box: box.statistics.unsent_rows),
    _BoxPoint("buffer_hours_left", "h", PointKind.GAUGE, lambda box: box.statistics.hours_left),
    _BoxPoint("samples_not_taken", "1", PointKind.COUNTER, lambda box: box.samples_not_taken),
)


class BoxHealth:
    """Takes the box's own values."""

    def __init__(self, folder: Path, *, buffer: Buffer, clock: Clock) -> None:
        self._folder = folder
        self._buffer = buffer
        self._clock = clock

    async def take(self) -> None:
        """Take all values once and wait for the next time.

        Raises:
            BufferUnusable: the buffer can't be asked.
        """
        condition = _Condition(
            folder=self._folder,
            statistics=await self._buffer.statistics(),
            clock_is_known=self._buffer.offset_us is not None,
            samples_not_taken=self._buffer.samples_not_taken,
        )
        at_us = self._clock.monotonic_us()
        values = ((point.name, point.value(condition)) for point in _POINTS)
        self._buffer.append_soon(
            [
                Row(f"{BOX_KEY}/{name}", RowClass.SAMPLE, float(value), Quality.GOOD, at_us, None)
                for name, value in values
                if value is not None
            ]
        )
        await asyncio.sleep(PERIOD_S)


def box_info(name: str) -> DeviceInfo:
    """Return the box as a device, for the inventory."""
    points = [
        PointInfo(
            key=f"{BOX_KEY}/{point.name}",
            unit=point.unit,
            row_class=RowClass.SAMPLE.value,
            kind=point.kind.value,
            period_s=PERIOD_S,
        )
        for point in _POINTS
        if point.name != "cpu_temperature" or _cpu_temperature_cel() is not None
    ]
    return DeviceInfo(key=BOX_KEY, profile=PROFILE, name=name, points=points)


def _cpu_temperature_cel() -> float | None:
    try:
        return int(THERMOMETER.read_text()) / 1_000
    except (OSError, ValueError):
        return None


def _resident_bytes() -> int:
    return int(_STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
