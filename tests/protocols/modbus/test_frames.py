import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import DictionaryError
from protocols.modbus.declarations import Function
from protocols.modbus.frames import ReadExchange, crc16, parse_exchange


@pytest.mark.parametrize(
    ("request_frame", "response_frame", "expected"),
    [
        pytest.param(
            "01 04 00 00 00 02 71 CB",
            "01 04 04 43 66 33 34 1B 38",
            ReadExchange(unit=1, function=Function.READ_INPUT_REGISTERS, address=0, answer=(0x4366, 0x3334)),
            id="the example of Eastron's manuals",
        ),
        pytest.param(
            "010400010001600A",
            "01040201317974",
            ReadExchange(unit=1, function=Function.READ_INPUT_REGISTERS, address=1, answer=(0x0131,)),
            id="the example of the XY-MD02's sheet, without blanks",
        ),
        pytest.param(
            "11 02 00 C4 00 16 BA A9",
            "11 02 03 AC DB 35 20 18",
            ReadExchange(
                unit=0x11,
                function=Function.READ_DISCRETE_INPUTS,
                address=0xC4,
                answer=(0, 0, 1, 1, 0, 1, 0, 1, 1, 1, 0, 1, 1, 0, 1, 1, 1, 0, 1, 0, 1, 1),
            ),
            id="discrete inputs, the example of the Modbus specification",
        ),
    ],
)
def test_an_exchange_says_what_was_asked_and_answered(
    request_frame: str, response_frame: str, expected: ReadExchange
) -> None:
    assert parse_exchange(request_frame, response_frame) == expected


@pytest.mark.parametrize(
    ("request_frame", "response_frame", "complaint"),
    [
        pytest.param("01 04 00 00 00 02 71 CC", "01 04 04 43 66 33 34 1B 38", "its bytes make 71 CB", id="check sum"),
        pytest.param("01 04 00 00 00 02 71 CB", "01 04 04 43 66 33 35 1B 38", "wrong check sum", id="a bit flipped"),
        pytest.param("01 04 00 00 00 02 71 CB", "01 84 02 C2 C1", "is exception 2", id="an exception"),
        pytest.param("01 04 00 00 00 02 71 CB", "02 04 04 43 66 33 34 28 38", "not answer unit 1", id="other unit"),
        pytest.param("01 04 00 00 00 02 71 CB", "01 04 02 01 31 79 74", "does not answer", id="too short an answer"),
        pytest.param("01 06 01 01 00 08 D8 30", "01 06 01 01 00 08 D8 30", "is no read request", id="a write"),
        pytest.param("01 04 zz", "01", "must be pairs of hexadecimal digits", id="no digits"),
        pytest.param("01 04", "01", "too short for a frame", id="a torn frame"),
    ],
)
def test_a_damaged_exchange_is_refused_with_what_is_wrong(
    request_frame: str, response_frame: str, complaint: str
) -> None:
    with pytest.raises(DictionaryError, match=complaint):
        parse_exchange(request_frame, response_frame)


@given(st.binary(max_size=260))
def test_data_with_its_check_sum_behind_has_the_check_sum_0(data: bytes) -> None:
    assert crc16(data + crc16(data)) == b"\0\0"
