import math
import struct
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import AnswerRefused
from protocols.modbus.declarations import Function, NumberType, Order, RegisterClock, RegisterPoint
from protocols.modbus.decoding import Field, RegisterDecoder
from protocols.readings import Decoded, Quality


def at(address: int, number_type: NumberType, **more: object) -> RegisterPoint:
    return RegisterPoint(function=Function.READ_HOLDING_REGISTERS, address=address, type=number_type, **more)


def registers(data: str) -> list[int]:
    """Registers as they stand in a frame: pairs of hexadecimal digits."""
    words = bytes.fromhex(data)
    return list(struct.unpack(f">{len(words) // 2}H", words))


def decode(data: str, *points: RegisterPoint, valid: tuple[float, float] = (-1e300, 1e300)) -> list[Decoded]:
    """Decode a block that begins at address 0; the points are called p0, p1, ..."""
    answer = registers(data)
    fields = [Field(point=f"p{i}", at=point, valid=valid) for i, point in enumerate(points)]
    return RegisterDecoder(fields, address=0, count=len(answer)).decode(answer)


B, L = Order.BIG, Order.LITTLE


@pytest.mark.parametrize(
    ("number_type", "word_order", "byte_order", "data", "expected"),
    [
        pytest.param(NumberType.UINT16, B, B, "FF FE", 65534, id="uint16"),
        pytest.param(NumberType.UINT16, B, L, "FE FF", 65534, id="uint16, bytes swapped"),
        pytest.param(NumberType.INT16, B, B, "FF FE", -2, id="int16"),
        pytest.param(NumberType.UINT32, B, B, "00 01 86 A0", 100_000, id="uint32, ABCD"),
        pytest.param(NumberType.UINT32, L, B, "86 A0 00 01", 100_000, id="uint32, CDAB"),
        pytest.param(NumberType.UINT32, B, L, "01 00 A0 86", 100_000, id="uint32, BADC"),
        pytest.param(NumberType.UINT32, L, L, "A0 86 01 00", 100_000, id="uint32, DCBA"),
        pytest.param(NumberType.UINT32, B, B, "FF FF FF FF", 4_294_967_295, id="uint32, all ones"),
        pytest.param(NumberType.INT32, B, B, "FF FE 79 60", -100_000, id="int32"),
        pytest.param(NumberType.INT32, L, B, "79 60 FF FE", -100_000, id="int32, CDAB"),
        pytest.param(NumberType.UINT64, B, B, "00 00 00 02 54 0B E4 00", 10_000_000_000, id="uint64"),
        pytest.param(NumberType.UINT64, L, B, "E4 00 54 0B 00 02 00 00", 10_000_000_000, id="uint64, words swapped"),
        pytest.param(NumberType.INT64, B, B, "FF FF FF FD AB F4 1C 00", -10_000_000_000, id="int64"),
        pytest.param(NumberType.INT64, L, L, "00 1C F4 AB FD FF FF FF", -10_000_000_000, id="int64, all swapped"),
        pytest.param(NumberType.FLOAT32, B, B, "43 66 33 34", 230.20001220703125, id="float32, ABCD"),
        pytest.param(NumberType.FLOAT32, L, B, "33 34 43 66", 230.20001220703125, id="float32, CDAB"),
        pytest.param(NumberType.FLOAT32, B, L, "66 43 34 33", 230.20001220703125, id="float32, BADC"),
        pytest.param(NumberType.FLOAT32, L, L, "34 33 66 43", 230.20001220703125, id="float32, DCBA"),
        pytest.param(NumberType.FLOAT64, B, B, "40 51 78 5F 9A 59 DD ED", 69.88083514, id="float64"),
        pytest.param(NumberType.FLOAT64, L, B, "DD ED 9A 59 78 5F 40 51", 69.88083514, id="float64, words swapped"),
        pytest.param(NumberType.FLOAT64, L, L, "ED DD 59 9A 5F 78 51 40", 69.88083514, id="float64, all swapped"),
    ],
)
def test_a_number_is_read_in_its_width_and_orders(
    number_type: NumberType, word_order: Order, byte_order: Order, data: str, expected: float
) -> None:
    assert decode(data, at(0, number_type, word_order=word_order, byte_order=byte_order)) == [
        Decoded("p0", expected, Quality.GOOD, None)
    ]


@pytest.mark.parametrize(
    ("number_type", "scale", "offset", "data", "expected"),
    [
        pytest.param(NumberType.UINT32, "0.01", "0", "00 01 D8 6E", 1209.42, id="hundredths of a kilowatt-hour"),
        pytest.param(NumberType.UINT16, "0.1", "0", "00 03", 0.3, id="0.1 x 3 is 0.3 and not 0.30000000000000004"),
        pytest.param(NumberType.INT16, "0.1", "0", "FF 33", -20.5, id="a frosty day"),
        pytest.param(NumberType.UINT16, "1", "-273.15", "01 2C", 26.85, id="offset"),
        pytest.param(NumberType.UINT16, "0.1", "-40", "02 58", 20.0, id="scale and offset"),
        pytest.param(NumberType.INT16, "-1", "0", "00 05", -5.0, id="a current transformer the wrong way round"),
        pytest.param(NumberType.UINT16, "1000", "0", "00 07", 7000.0, id="thousands"),
        pytest.param(NumberType.FLOAT32, "0.001", "0", "44 7A 00 00", 1.0, id="a scaled float"),
    ],
)
def test_a_scaled_number_is_the_nearest_float_to_the_decimal_that_the_device_means(
    number_type: NumberType, scale: str, offset: str, data: str, expected: float
) -> None:
    point = at(0, number_type, scale=Decimal(scale), offset=Decimal(offset))

    assert decode(data, point) == [Decoded("p0", expected)]


@given(number=st.integers(0, 2**32 - 1), places=st.integers(0, 6))
def test_a_register_quantised_to_its_step_is_exact(number: int, places: int) -> None:
    step = Decimal(1).scaleb(-places)

    (value,) = decode(f"{number:08X}", at(0, NumberType.UINT32, scale=step))

    assert Decimal(value.value).quantize(step) == number * step


@pytest.mark.parametrize(
    ("number_type", "invalid", "data", "expected"),
    [
        pytest.param(NumberType.UINT16, (0xFFFF,), "FF FF", [], id="all ones are no value"),
        pytest.param(NumberType.UINT16, (0xFFFF,), "FF FE", [Decoded("p0", 65534.0)], id="one less is a value"),
        pytest.param(NumberType.INT16, (0x8000,), "80 00", [], id="a signed number by its bits"),
        pytest.param(NumberType.INT16, (-32768,), "80 00", [], id="a signed number by its value"),
        pytest.param(NumberType.UINT32, (0xFFFFFFFF, 0x80000000), "80 00 00 00", [], id="one of several patterns"),
        pytest.param(NumberType.INT64, (0x8000000000000000,), "80 00 00 00 00 00 00 00", [], id="64 bits"),
        pytest.param(NumberType.FLOAT32, (0xFF7FFFFF,), "FF 7F FF FF", [], id="a float by its bits"),
        pytest.param(NumberType.FLOAT32, (), "7F C0 00 00", [], id="NaN is always no value"),
        pytest.param(NumberType.FLOAT32, (), "FF 80 00 00", [], id="minus infinity too"),
        pytest.param(NumberType.FLOAT64, (), "7F F8 00 00 00 00 00 00", [], id="NaN in 64 bits"),
        pytest.param(NumberType.UINT16, (), "00 00", [Decoded("p0", 0.0)], id="0 is a value"),
    ],
)
def test_a_no_value_pattern_gives_no_value(
    number_type: NumberType, invalid: tuple[int, ...], data: str, expected: list[Decoded]
) -> None:
    assert decode(data, at(0, number_type, invalid=invalid)) == expected


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param("00 00", Decoded("p0", 0.0, Quality.SUSPECT), id="below"),
        pytest.param("00 01", Decoded("p0", 1.0, Quality.GOOD), id="the lower end"),
        pytest.param("00 64", Decoded("p0", 100.0, Quality.GOOD), id="the upper end"),
        pytest.param("00 65", Decoded("p0", 101.0, Quality.SUSPECT), id="above"),
    ],
)
def test_a_value_outside_its_valid_range_is_kept_and_suspect(data: str, expected: Decoded) -> None:
    assert decode(data, at(0, NumberType.UINT16), valid=(1, 100)) == [expected]


@pytest.mark.parametrize(
    ("lowest", "width", "expected"),
    [
        pytest.param(0, 1, 0.0, id="bit 0"),
        pytest.param(1, 1, 1.0, id="bit 1"),
        pytest.param(15, 1, 1.0, id="bit 15"),
        pytest.param(4, 3, 5.0, id="three bits from bit 4"),
        pytest.param(0, 16, 0xA05A, id="all sixteen"),
    ],
)
def test_a_bit_field_is_cut_out_of_its_register(lowest: int, width: int, expected: float) -> None:
    assert decode("A0 5A", at(0, NumberType.UINT16, bit=lowest, bits=width)) == [Decoded("p0", expected)]


def test_several_bit_fields_share_a_register_with_others_between() -> None:
    values = decode(
        "00 05 00 2A",
        at(0, NumberType.UINT16, bit=0),
        at(1, NumberType.UINT16),
        at(0, NumberType.UINT16, bit=2),
    )

    assert values == [Decoded("p0", 1.0), Decoded("p1", 42.0), Decoded("p2", 1.0)]


def test_a_bit_field_of_an_invalid_register_has_no_value() -> None:
    assert decode("FF FF", at(0, NumberType.UINT16, bit=3, invalid=(0xFFFF,))) == []


@pytest.mark.parametrize(
    ("split", "more", "data", "expected"),
    [
        pytest.param((10_000, 1), {}, "00 7B 0D 80", [Decoded("p0", 1_233_456.0)], id="ten thousands, then units"),
        pytest.param((1, 1000), {}, "01 F4 00 02", [Decoded("p0", 2500.0)], id="the lower part first"),
        pytest.param((1000, 0, 1), {}, "00 02 FF FF 01 F4", [Decoded("p0", 2500.0)], id="a register between left out"),
        pytest.param((1000, 1), {"scale": Decimal("0.001")}, "00 02 01 F4", [Decoded("p0", 2.5)], id="then scaled"),
        pytest.param((10_000, 1), {"invalid": (0xFFFF,)}, "00 7B FF FF", [], id="a part without a value"),
        pytest.param(
            (1000, 0, 1), {"invalid": (0xFFFF,)}, "00 02 FF FF 01 F4", [Decoded("p0", 2500.0)], id="a part left out"
        ),
    ],
)
def test_a_split_counter_is_put_together(
    split: tuple[int, ...], more: dict[str, object], data: str, expected: list[Decoded]
) -> None:
    assert decode(data, at(0, NumberType.UINT16, split=split, **more)) == expected


def test_a_split_counter_of_wide_parts_keeps_their_word_order() -> None:
    point = at(0, NumberType.UINT32, split=(1_000_000, 1), word_order=L)

    assert decode("00 03 00 00 86 A0 00 01", point) == [Decoded("p0", 3_100_000.0)]


def test_a_block_of_many_kinds_is_decoded_whole_and_gaps_are_left_out() -> None:
    values = decode(
        "43 66 33 34 DE AD 86 A0 00 01 01 00 FF 33",
        at(0, NumberType.FLOAT32),
        at(3, NumberType.UINT32, word_order=L),
        at(5, NumberType.UINT16, byte_order=L),
        at(6, NumberType.INT16, scale=Decimal("0.1")),
    )

    assert values == [
        Decoded("p0", 230.20001220703125),
        Decoded("p1", 100_000.0),
        Decoded("p2", 1.0),
        Decoded("p3", -20.5),
    ]


def test_a_block_that_does_not_begin_at_0_is_counted_from_its_own_address() -> None:
    field = Field(point="power", at=at(0x34, NumberType.UINT16))

    assert RegisterDecoder([field], address=0x30, count=6).decode([0, 1, 2, 3, 4, 5]) == [Decoded("power", 4.0)]


@pytest.mark.parametrize("count", [0, 1, 3, 125])
def test_an_answer_of_another_length_is_refused(count: int) -> None:
    decoder = RegisterDecoder([Field(point="p", at=at(0, NumberType.UINT32))], address=0, count=2)

    with pytest.raises(AnswerRefused, match=f"the answer holds {count} registers where 2 were asked for"):
        decoder.decode([0] * count)


ALL_TYPES = [each for each in NumberType if each is not NumberType.BIT]


@given(
    number_type=st.sampled_from(ALL_TYPES),
    word_order=st.sampled_from(Order),
    byte_order=st.sampled_from(Order),
    data=st.data(),
)
def test_what_a_device_packs_is_what_is_read(
    number_type: NumberType, word_order: Order, byte_order: Order, data: st.DataObject
) -> None:
    bits = number_type.width * 16
    packed = data.draw(st.binary(min_size=bits // 8, max_size=bits // 8))
    (number,) = struct.unpack(f">{number_type.struct_letter}", packed)
    words = list(struct.unpack(f">{number_type.width}H", packed))
    words = words if word_order is B else words[::-1]
    sent = words if byte_order is B else [word >> 8 | (word & 0xFF) << 8 for word in words]
    point = at(0, number_type, word_order=word_order, byte_order=byte_order)

    values = RegisterDecoder([Field(point="p0", at=point)], address=0, count=len(sent)).decode(sent)

    assert values == ([Decoded("p0", float(number))] if math.isfinite(number) else [])


def clock(**more: object) -> RegisterClock:
    return RegisterClock(**{"function": 3, "address": 0, "type": "uint32", **more})


@pytest.mark.parametrize(
    ("declared", "data", "expected_us"),
    [
        pytest.param(clock(), "53 49 C5 F0 00 07", 1_397_343_728_000_000, id="seconds"),
        pytest.param(clock(word_order=L), "C5 F0 53 49 00 07", 1_397_343_728_000_000, id="seconds, low word first"),
        pytest.param(clock(zone="Asia/Shanghai"), "53 4A 36 70 00 07", 1_397_343_728_000_000, id="wall clock"),
        pytest.param(clock(), "00 00 00 00 00 07", None, id="never set"),
        pytest.param(clock(invalid=(0xFFFFFFFF,)), "FF FF FF FF 00 07", None, id="its own no-value pattern"),
    ],
)
def test_a_block_has_the_time_of_its_clock_register(
    declared: RegisterClock, data: str, expected_us: int | None
) -> None:
    answer = registers(data)
    fields = [Field(point="p", at=at(len(answer) - 1, NumberType.UINT16))]

    values = RegisterDecoder(fields, address=0, count=len(answer), clock=declared).decode(answer)

    assert values == [Decoded("p", 7.0, Quality.GOOD, expected_us)]


def test_a_clock_of_milliseconds_is_exact_in_64_bits() -> None:
    declared = clock(type="uint64", format="epoch_ms", address=1)
    answer = registers("00 07 00 00 01 45 58 2B A2 7B")

    values = RegisterDecoder(
        [Field(point="p", at=at(0, NumberType.UINT16))], address=0, count=5, clock=declared
    ).decode(answer)

    assert values == [Decoded("p", 7.0, Quality.GOOD, 1_397_343_625_851_000)]


def test_a_clock_beyond_the_calendar_is_refused() -> None:
    declared = clock(type="uint64")
    decoder = RegisterDecoder([Field(point="p", at=at(4, NumberType.UINT16))], address=0, count=5, clock=declared)

    with pytest.raises(AnswerRefused, match="timestamp 18446744073709551615 lies outside"):
        decoder.decode([0xFFFF] * 5)
