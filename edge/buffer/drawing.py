"""Rows for one batch, gathered out of chunks into the wire's columns."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from edge.buffer.rows import ChunkDamaged, Columns, unpack
from edge.buffer.tables import Tables
from edge.buffer.timeline import Stretch, stretch_of
from protocols.ranges import Range, normalise, subtract
from protocols.readings import TIME_ESTIMATED
from protocols.wire import Rows


def first_of(ranges: Iterable[Range], count: int) -> list[Range]:
    """Return the lowest `count` numbers of ascending ranges."""
    taken: list[Range] = []
    for first, last in ranges:
        if count <= 0:
            break
        taken.append((first, min(last, first + count - 1)))
        count -= last - first + 1
    return taken


@dataclass(slots=True)
class Gathering:
    """Columns under construction."""

    ranges: list[Range] = field(default_factory=list)
    point: list[int] = field(default_factory=list)
    time_us: list[int] = field(default_factory=list)
    value: list[float] = field(default_factory=list)
    flags: list[int] = field(default_factory=list)

    def add(self, columns: Columns, part: slice, stretch: Stretch) -> None:
        """Append some rows of a chunk, with their wall times."""
        anchor = stretch.anchor
        if anchor is None:
            raise ValueError(f"rows from {stretch.first_seq} on have no wall time yet and can't be sent")
        own = columns.device_time_us[part]
        times = zip(own, columns.mono_us[part], strict=True)
        self.time_us += [anchor.wall_of(mono) if device is None else device for device, mono in times]
        estimated = TIME_ESTIMATED if anchor.estimated else 0
        marked = zip(columns.flags[part], own, strict=True)
        self.flags += [flags | estimated if device is None else flags for flags, device in marked]
        self.point += columns.point[part]
        self.value += columns.value[part]

    def finish(self, keys: Sequence[str]) -> Rows:
        """Return the rows with a dictionary of the points that occur in them."""
        used = {number: place for place, number in enumerate(dict.fromkeys(self.point))}
        return Rows(
            ranges=normalise(self.ranges),
            points=[keys[number] for number in used],
            point=[used[number] for number in self.point],
            time_us=self.time_us,
            value=self.value,
            flags=self.flags if any(self.flags) else [],
        )


def gather(
    tables: Tables, wanted: Sequence[Range], *, stretches: Sequence[Stretch], keys: Sequence[str]
) -> tuple[Rows, list[Range]]:
    """Return the wanted rows as far as they can be read, and the ranges that can't."""
    gathering = Gathering()
    for first, last in wanted:
        for chunk_first, chunk_last, packed in tables.chunks(first, last):
            try:
                columns = unpack(packed)
            except ChunkDamaged:
                continue
            low, high = max(first, chunk_first), min(last, chunk_last)
            part = slice(low - chunk_first, high - chunk_first + 1)
            gathering.add(columns, part, stretch_of(stretches, chunk_first))
            gathering.ranges.append((low, high))
    return gathering.finish(keys), subtract(wanted, normalise(gathering.ranges))
