import pytest

from protocols.errors import AnswerRefused
from protocols.modbus.declarations import Function, NumberType, RegisterPoint
from protocols.modbus.decoding import BitDecoder, Field
from protocols.readings import Decoded, Quality


def field(point: str, address: int, **more: object) -> Field:
    at = RegisterPoint(function=Function.READ_DISCRETE_INPUTS, address=address, type=NumberType.BIT)
    return Field(point=point, at=at, **more)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        pytest.param([True, False, True], [Decoded("a", 1.0), Decoded("c", 1.0)], id="both set"),
        pytest.param([True, True, False], [Decoded("a", 1.0), Decoded("c", 0.0)], id="one set"),
        pytest.param([False] * 8, [Decoded("a", 0.0), Decoded("c", 0.0)], id="with the padding of a whole byte"),
        pytest.param([0, 0, 1], [Decoded("a", 0.0), Decoded("c", 1.0)], id="as numbers"),
    ],
)
def test_bits_are_0_and_1(answer: list[bool], expected: list[Decoded]) -> None:
    assert BitDecoder([field("a", 10), field("c", 12)], address=10, count=3).decode(answer) == expected


def test_a_bit_outside_its_valid_range_is_suspect() -> None:
    decoder = BitDecoder([field("tamper_contact", 0, valid=(1, 1))], address=0, count=1)

    assert decoder.decode([False]) == [Decoded("tamper_contact", 0.0, Quality.SUSPECT)]


@pytest.mark.parametrize("count", [0, 2, 11])
def test_an_answer_of_another_length_is_refused(count: int) -> None:
    decoder = BitDecoder([field("a", 0)], address=0, count=3)

    with pytest.raises(AnswerRefused, match=f"the answer holds {count} bits where 3 were asked for"):
        decoder.decode([False] * count)
