import struct

import pytest

from protocols.errors import AnswerRefused
from protocols.modbus.declarations import IdentityRegisters, Order
from protocols.modbus.decoding import decode_identity


def registers(data: bytes) -> list[int]:
    return list(struct.unpack(f">{len(data) // 2}H", data))


def identity(**more: object) -> IdentityRegisters:
    return IdentityRegisters(**{"function": 3, "address": 0, "type": "string", **more})


@pytest.mark.parametrize(
    ("at", "data", "expected"),
    [
        pytest.param(identity(registers=4), b"SDM630\0\0", "SDM630", id="a string up to its NUL"),
        pytest.param(identity(registers=4), b"SDM630  ", "SDM630", id="a string with blanks behind"),
        pytest.param(identity(registers=3), b"SDM630", "SDM630", id="a string that fills its registers"),
        pytest.param(identity(registers=3), b"\0\xff\xff\xff\xff\xff", "", id="nothing, and rubbish behind it"),
        pytest.param(identity(registers=3, byte_order=Order.LITTLE), b"DS6M03", "SDM630", id="bytes swapped"),
        pytest.param(identity(registers=3, word_order=Order.LITTLE), b"30M6SD", "SDM630", id="words swapped"),
        pytest.param(identity(type="uint32"), b"\x01\x23\x45\x67", "19088743", id="a serial number"),
        pytest.param(identity(type="uint32", word_order=Order.LITTLE), b"\x45\x67\x01\x23", "19088743", id="low word"),
        pytest.param(identity(type="uint16"), b"\x00\x89", "137", id="a model's code"),
        pytest.param(identity(type="uint64"), b"\xff" * 8, "18446744073709551615", id="64 bits"),
    ],
)
def test_a_device_says_who_it_is(at: IdentityRegisters, data: bytes, expected: str) -> None:
    assert decode_identity(at, registers(data)) == expected


def test_a_string_of_other_bytes_is_refused_and_shown() -> None:
    with pytest.raises(AnswerRefused, match=r"the string at address 0 is b'\\xff\\xfeAB', which is no ASCII"):
        decode_identity(identity(registers=2), registers(b"\xff\xfeAB"))


def test_an_answer_of_another_length_is_refused() -> None:
    with pytest.raises(AnswerRefused, match="the answer holds 1 registers where 2 were asked for"):
        decode_identity(identity(type="uint32"), [1])
