from decimal import Decimal
from typing import Any

import pytest

from protocols.modbus.declarations import Function, NumberType, Order, RegisterClock, RegisterPoint
from provisioning.practice.registers import encode, encode_clock


def _point(kind: NumberType, **declared: Any) -> RegisterPoint:
    return RegisterPoint(function=Function.READ_INPUT_REGISTERS, address=16, type=kind, **declared)


@pytest.mark.parametrize(
    ("at", "value", "registers"),
    [
        pytest.param(_point(NumberType.FLOAT32), 230.2, {16: 0x4366, 17: 0x3333}, id="float-most-significant-first"),
        pytest.param(
            _point(NumberType.FLOAT32, word_order=Order.LITTLE),
            230.2,
            {16: 0x3333, 17: 0x4366},
            id="float-words-swapped",
        ),
        pytest.param(
            _point(NumberType.UINT32, byte_order=Order.LITTLE), 0x01020304, {16: 0x0201, 17: 0x0403}, id="bytes-swapped"
        ),
        pytest.param(
            _point(NumberType.INT16, scale=Decimal("0.1")), -12.34, {16: 0x10000 - 123}, id="rounded-to-the-scale"
        ),
        pytest.param(
            _point(NumberType.UINT16, scale=Decimal("0.1"), offset=Decimal(-40)), 21.5, {16: 615}, id="offset-taken-off"
        ),
        pytest.param(
            _point(NumberType.UINT32, scale=Decimal("0.01")),
            Decimal("1209.42"),
            {16: 1, 17: 55_406},
            id="exact-hundredths",
        ),
        pytest.param(
            _point(NumberType.UINT16, split=(10_000, 1)), 123_456, {16: 12, 17: 3_456}, id="ten-thousands-then-units"
        ),
        pytest.param(_point(NumberType.UINT16, split=(0, 1)), 7, {16: 0, 17: 7}, id="a-number-to-leave-out"),
    ],
)
def test_a_value_is_written_as_its_point_declares(
    at: RegisterPoint, value: Decimal | float, registers: dict[int, int]
) -> None:
    assert encode(at, value) == registers


def test_a_number_that_does_not_fit_is_an_error_that_names_address_and_number() -> None:
    with pytest.raises(ValueError, match="address 16: 70000 does not fit a uint16"):
        encode(_point(NumberType.UINT16), 70_000)


def test_the_devices_clock_counts_seconds_or_milliseconds_of_utc() -> None:
    seconds = RegisterClock(function=4, address=0, type="uint32")
    milliseconds = RegisterClock(function=4, address=0, type="uint64", format="epoch_ms")

    assert encode_clock(seconds, 1_322_200_800_000_000) == {0: 0x4ECF, 1: 0x2EE0}
    assert encode_clock(milliseconds, 1_322_200_800_123_000) == {0: 0, 1: 0x133, 2: 0xD94F, 3: 0x1B7B}
