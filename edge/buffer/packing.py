"""Rows made into chunks as they are committed."""

from collections.abc import Iterator, Mapping, Sequence

from edge.buffer.rows import Columns, Row, pack
from edge.buffer.tables import Chunk
from protocols.readings import RowClass

CHUNK_ROWS = 4_096
"""Rows in one chunk; a batch takes parts of chunks, and unpacks a chunk again for each part."""


def chunks_of(rows: Sequence[Row], *, first_seq: int, numbers: Mapping[str, int]) -> Iterator[Chunk]:
    """Yield the rows as chunks of one class each; rows of a class keep their order."""
    for row_class in RowClass:
        alike = [row for row in rows if row.row_class is row_class]
        for at in range(0, len(alike), CHUNK_ROWS):
            part = alike[at : at + CHUNK_ROWS]
            point, _, value, flags, mono_us, device_time_us = zip(*part, strict=True)
            columns = Columns(
                point=[numbers[key] for key in point],
                mono_us=mono_us,
                device_time_us=device_time_us,
                flags=flags,
                value=value,
            )
            yield Chunk(
                first_seq=first_seq,
                last_seq=first_seq + len(part) - 1,
                row_class=row_class,
                first_us=min(mono_us),
                last_us=max(mono_us),
                packed=pack(columns),
            )
            first_seq += len(part)
