"""A reading in the buffer, and the packed columns in which a commit's rows are stored."""

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from protocols.readings import RowClass

COMPRESS_FROM_BYTES = 512
"""Below this a deflate stream saves less than setting it up costs."""

_HEAD = struct.Struct("<BI")  # encoding, CRC-32 of what follows
_PLAIN, _DEFLATED = 0, 1
_COUNTS = struct.Struct("<Iqq")  # rows, base of the monotonic column, base of the device time column
_WIDTHS = (("B", 1 << 8), ("H", 1 << 16), ("I", 1 << 32), ("Q", 1 << 64))


class Row(NamedTuple):
    """A value as a driver took it; a tuple, because the box makes tens of thousands a second.

    `point` is the point's key (`device/point`), `value` stands in its declared unit, `flags` holds the Quality
    (protocols.readings), `mono_us` is Clock.monotonic_us() when the value was taken, `device_time_us` the device's
    own timestamp in microseconds since 1970, or None where it sends none.
    """

    point: str
    row_class: RowClass
    value: float
    flags: int
    mono_us: int
    device_time_us: int | None


class ChunkDamaged(Exception):
    """Packed columns that are not what was stored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """The rows of one chunk; entry i of each column belongs to row i."""

    point: Sequence[int]
    """Numbers in the buffer's dictionary of points."""
    mono_us: Sequence[int]
    device_time_us: Sequence[int | None]
    flags: Sequence[int]
    value: Sequence[float]


def pack(columns: Columns) -> bytes:
    """Return the columns, little-endian, each as narrow as its largest number, with a checksum."""
    mono_base = min(columns.mono_us)
    device_base = min((time for time in columns.device_time_us if time is not None), default=0)
    body = b"".join(
        (
            _COUNTS.pack(len(columns.point), mono_base, device_base),
            _narrow(columns.point),
            _narrow([time - mono_base for time in columns.mono_us]),
            _narrow([0 if time is None else time - device_base + 1 for time in columns.device_time_us]),
            _narrow(columns.flags),
            struct.pack(f"<{len(columns.value)}d", *columns.value),
        )
    )
    encoding = _PLAIN
    if len(body) >= COMPRESS_FROM_BYTES:
        encoding, body = _DEFLATED, zlib.compress(body, 1)
    return _HEAD.pack(encoding, zlib.crc32(body)) + body


def unpack(packed: bytes) -> Columns:
    """Return what `pack` was given.

    Raises:
        ChunkDamaged: the checksum does not fit the bytes, or they are too few.
    """
    if len(packed) < _HEAD.size:
        raise ChunkDamaged(f"{len(packed)} bytes are no chunk")
    encoding, checksum = _HEAD.unpack_from(packed)
    body = packed[_HEAD.size :]
    if zlib.crc32(body) != checksum:
        raise ChunkDamaged(f"checksum of {len(packed)} bytes does not fit")
    if encoding == _DEFLATED:
        body = zlib.decompress(body)
    count, mono_base, device_base = _COUNTS.unpack_from(body)
    point, at = _widen(body, _COUNTS.size, count)
    mono, at = _widen(body, at, count)
    device, at = _widen(body, at, count)
    flags, at = _widen(body, at, count)
    return Columns(
        point=point,
        mono_us=[mono_base + time for time in mono],
        device_time_us=[device_base + time - 1 if time else None for time in device],
        flags=flags,
        value=struct.unpack_from(f"<{count}d", body, at),
    )


def _narrow(numbers: Sequence[int]) -> bytes:
    largest = max(numbers)
    code = next(code for code, limit in _WIDTHS if largest < limit)
    return code.encode() + struct.pack(f"<{len(numbers)}{code}", *numbers)


def _widen(body: bytes, at: int, count: int) -> tuple[Sequence[int], int]:
    layout = struct.Struct(f"<{count}{chr(body[at])}")
    return layout.unpack_from(body, at + 1), at + 1 + layout.size
