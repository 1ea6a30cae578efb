"""From a device's values to the buffer's rows."""

from collections.abc import Iterable, Sequence

from edge.buffer.rows import Row
from edge.clock import Clock
from protocols.profiles.schema import Point
from protocols.readings import Decoded


class Intake:
    """Makes rows of what one device says.

    A value with the timestamp of the last one taken of its point is no new reading: the device has only said again
    what it said before.
    """

    def __init__(self, device: str, points: Iterable[Point], *, clock: Clock) -> None:
        self._points = {point.name: (f"{device}/{point.name}", point.row_class) for point in points}
        self._clock = clock
        self._taken_us: dict[str, int] = {}

    def rows(self, values: Sequence[Decoded]) -> list[Row]:
        """Return the rows of values that have just come."""
        mono_us = self._clock.monotonic_us()
        points = self._points
        rows = []
        for name, value, quality, time_us in values:
            key, row_class = points[name]
            if time_us is None or self._taken_us.get(key) != time_us:
                rows.append(Row(key, row_class, value, quality, mono_us, time_us))
        return rows

    def taken(self, rows: Iterable[Row]) -> None:
        """Remember that the rows are in the buffer."""
        self._taken_us.update((row.point, row.device_time_us) for row in rows if row.device_time_us is not None)
