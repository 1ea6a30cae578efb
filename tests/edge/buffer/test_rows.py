import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.buffer.rows import ChunkDamaged, Columns, pack, unpack

_INT64 = st.integers(min_value=-(2**62), max_value=2**62)
_TIMES = st.one_of(st.none(), st.integers(min_value=-(10**15), max_value=4 * 10**15))
_ROWS = st.lists(
    st.tuples(st.integers(0, 100_000), st.integers(0, 10**15), _TIMES, st.integers(0, 255), st.floats(allow_nan=False)),
    min_size=1,
    max_size=200,
)


def _columns(rows: list[tuple[int, int, int | None, int, float]]) -> Columns:
    point, mono_us, device_time_us, flags, value = zip(*rows, strict=True)
    return Columns(point=point, mono_us=mono_us, device_time_us=device_time_us, flags=flags, value=value)


@given(_ROWS)
def test_what_is_unpacked_is_what_was_packed(rows: list[tuple[int, int, int | None, int, float]]) -> None:
    columns = unpack(pack(_columns(rows)))
    assert list(zip(columns.point, columns.mono_us, columns.device_time_us, columns.flags, columns.value)) == rows  # noqa: B905  lengths are compared by it


def test_a_value_keeps_every_bit() -> None:
    bits = struct.pack("<d", 0.1 + 0.2)
    columns = unpack(pack(_columns([(0, 0, None, 0, 0.1 + 0.2), (0, 0, None, 0, float("-0.0"))])))
    assert struct.pack("<2d", *columns.value) == bits + struct.pack("<d", -0.0)


def test_a_second_of_a_thousand_float32_samples_takes_under_12_bytes_each() -> None:
    rows = [
        (at, 10**12 + at // 34 * 30_000, None, 0, struct.unpack("<f", struct.pack("<f", 230 + at / 7))[0])
        for at in range(1_000)
    ]
    assert len(pack(_columns(rows))) < 12 * len(rows)


@pytest.mark.parametrize("count", [1, 200], ids=["plain", "deflated"])
def test_a_flipped_bit_is_noticed(count: int) -> None:
    packed = bytearray(pack(_columns([(at, at, None, 0, at * 1.1) for at in range(count)])))
    packed[-1] ^= 1
    with pytest.raises(ChunkDamaged, match="checksum"):
        unpack(bytes(packed))


@pytest.mark.parametrize("packed", [b"", b"\x01\x02"], ids=["nothing", "too short"])
def test_too_few_bytes_are_noticed(packed: bytes) -> None:
    with pytest.raises(ChunkDamaged, match="no chunk"):
        unpack(packed)
