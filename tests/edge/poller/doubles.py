"""Stand-ins for what a test of time and faults can't have real: the clock is looptime's."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass

from edge.buffer.rows import Row
from edge.errors import DeviceUnreachable
from protocols.profiles.schema import Label, Point
from protocols.readings import Decoded, PointKind, RowClass


def point(name: str, *, period_s: float = 1.0, row_class: RowClass = RowClass.SAMPLE) -> Point:
    """Return a point of which only name, period and class matter."""
    label = Label(zh=name, en=name)
    return Point(name=name, label=label, unit="1", kind=PointKind.GAUGE, row_class=row_class, period_s=period_s)


class LoopClock:
    """The box's clocks, following the event loop's time."""

    boot_id = "0" * 32

    def monotonic_us(self) -> int:
        return round(asyncio.get_running_loop().time() * 1_000_000)

    def wall_us(self) -> int:
        return self.monotonic_us()


class ListBuffer:
    """A buffer in memory, which may refuse."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.refuses: Exception | None = None

    async def append(self, rows: Sequence[Row], *, at_once: bool = False) -> None:
        if self.refuses and rows:
            raise self.refuses
        self.append_soon(rows)

    def append_soon(self, rows: Sequence[Row]) -> None:
        self.rows += rows

    def of(self, key: str) -> list[float]:
        """Return the values of one point."""
        return [row.value for row in self.rows if row.point == key]


class FaultyDevice:
    """A device that answers as a script says: with the seconds that an answer takes, or with an error."""

    def __init__(self, script: Callable[[int, Sequence[str]], float | Exception]) -> None:
        self._script = script
        self.asked: list[tuple[float, tuple[str, ...]]] = []
        """When, and for which points."""

    async def read(self, points: Sequence[str]) -> list[Decoded]:
        self.asked.append((round(asyncio.get_running_loop().time(), 6), tuple(points)))
        outcome = self._script(len(self.asked), points)
        if isinstance(outcome, Exception):
            raise outcome
        await asyncio.sleep(outcome)
        return [Decoded(name, float(len(self.asked))) for name in points]


@dataclass
class ListPush:
    """A message, and whether it was confirmed."""

    device: str
    values: Sequence[Decoded]
    problems: Sequence[str] = ()
    confirmed: bool = False

    def confirm(self) -> None:
        self.confirmed = True


class FaultySource:
    """A source that plays one script a connection: pauses in seconds, messages, and the error that ends it."""

    def __init__(self, *connections: Sequence[float | Sequence[ListPush] | Exception]) -> None:
        self._connections = list(connections)
        self.connected_at: list[float] = []

    async def pushes(self) -> AsyncGenerator[Sequence[ListPush], None]:
        self.connected_at.append(round(asyncio.get_running_loop().time(), 6))
        script = self._connections.pop(0) if self._connections else [DeviceUnreachable("broker gone")]
        if not isinstance(script[0], Exception):
            yield []
        for step in script:
            if isinstance(step, Exception):
                raise step
            if isinstance(step, Sequence):
                yield step
            else:
                await asyncio.sleep(step)
