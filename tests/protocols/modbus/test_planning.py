from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import DictionaryError
from protocols.modbus.declarations import (
    BlockLimits,
    ForbiddenRange,
    Function,
    NumberType,
    RegisterClock,
    RegisterPoint,
)
from protocols.modbus.decoding import Field
from protocols.modbus.planning import plan
from protocols.readings import Decoded

HOLDING = Function.READ_HOLDING_REGISTERS
INPUT = Function.READ_INPUT_REGISTERS
DISCRETE = Function.READ_DISCRETE_INPUTS


def field(address: int, number_type: NumberType = NumberType.UINT16, function: Function = HOLDING) -> Field:
    """A point that is named for its address."""
    return Field(point=f"p{address}", at=RegisterPoint(function=function, address=address, type=number_type))


def reads(fields: list[Field], clock: RegisterClock | None = None, **limits: object) -> list[tuple[int, int, int]]:
    """Function code, address and count of each read."""
    planned = plan(fields, limits=BlockLimits(**limits), clock=clock)
    return [(read.function, read.address, read.count) for read in planned]


def forbidden(first: int, last: int, function: Function = HOLDING) -> tuple[ForbiddenRange, ...]:
    return (ForbiddenRange(function=function, first=first, last=last),)


@pytest.mark.parametrize(
    ("addresses", "limits", "expected"),
    [
        pytest.param([], {}, [], id="nothing to read"),
        pytest.param([7], {}, [(3, 7, 1)], id="one alone"),
        pytest.param([0, 1, 2], {}, [(3, 0, 3)], id="neighbours join"),
        pytest.param([2, 0, 1], {}, [(3, 0, 3)], id="in any order"),
        pytest.param([0, 2], {}, [(3, 0, 1), (3, 2, 1)], id="a gap parts where none is allowed"),
        pytest.param([0, 3], {"max_gap": 2}, [(3, 0, 4)], id="a gap of 2 joins where 2 are allowed"),
        pytest.param([0, 4], {"max_gap": 2}, [(3, 0, 1), (3, 4, 1)], id="a gap of 3 parts"),
        pytest.param(range(125), {}, [(3, 0, 125)], id="125 registers are one read"),
        pytest.param(range(126), {}, [(3, 0, 125), (3, 125, 1)], id="126 are two"),
        pytest.param(range(5), {"max_registers": 2}, [(3, 0, 2), (3, 2, 2), (3, 4, 1)], id="the device's own maximum"),
        pytest.param(
            [0, 3], {"max_gap": 5, "forbidden": forbidden(1, 1)}, [(3, 0, 1), (3, 3, 1)], id="a forbidden address parts"
        ),
        pytest.param(
            [0, 3],
            {"max_gap": 5, "forbidden": forbidden(1, 1, INPUT)},
            [(3, 0, 4)],
            id="unless it is forbidden to another function code",
        ),
    ],
)
def test_registers_join_into_as_few_reads_as_the_limits_allow(
    addresses: list[int], limits: dict[str, object], expected: list[tuple[int, int, int]]
) -> None:
    assert reads([field(address) for address in addresses], **limits) == expected


def test_function_codes_are_read_apart() -> None:
    fields = [field(0), field(1, function=INPUT), field(2, NumberType.BIT, DISCRETE), field(1)]

    assert reads(fields) == [(2, 2, 1), (3, 0, 2), (4, 1, 1)]


def test_bits_have_a_limit_of_their_own() -> None:
    fields = [field(address, NumberType.BIT, DISCRETE) for address in range(2_001)]

    assert reads(fields) == [(2, 0, 2_000), (2, 2_000, 1)]


def test_a_wide_number_is_never_split_over_two_reads() -> None:
    fields = [field(0), field(1, NumberType.FLOAT32)]

    assert reads(fields, max_registers=2) == [(3, 0, 1), (3, 1, 2)]


def test_bit_fields_of_one_register_are_one_read() -> None:
    points = [
        Field(point=f"b{bit}", at=RegisterPoint(function=HOLDING, address=9, type=NumberType.UINT16, bit=bit))
        for bit in range(16)
    ]

    assert reads(points) == [(3, 9, 1)]


def test_a_read_decodes_its_own_answer() -> None:
    (read,) = plan([field(4), field(6)], limits=BlockLimits(max_gap=1))

    assert read.points == ("p4", "p6")
    assert read.decoder.decode([40, 50, 60]) == [Decoded("p4", 40.0), Decoded("p6", 60.0)]


CLOCK = RegisterClock(function=3, address=10, type="uint32")


@pytest.mark.parametrize(
    ("addresses", "limits", "expected"),
    [
        pytest.param([12], {}, [(3, 10, 3)], id="beside the clock"),
        pytest.param([20], {}, [(3, 10, 11)], id="over any gap"),
        pytest.param([5], {}, [(3, 5, 7)], id="before the clock"),
        pytest.param([5, 20], {}, [(3, 5, 16)], id="on both sides in one read"),
        pytest.param([5, 20], {"max_registers": 12}, [(3, 5, 7), (3, 10, 11)], id="in two where one is too long"),
        pytest.param([12, 14, 16, 18], {}, [(3, 10, 9)], id="with gaps that would part other registers"),
    ],
)
def test_every_read_of_a_device_with_a_clock_holds_the_clock(
    addresses: list[int], limits: dict[str, object], expected: list[tuple[int, int, int]]
) -> None:
    assert reads([field(address) for address in addresses], CLOCK, **limits) == expected


def test_another_function_code_is_read_without_the_clock() -> None:
    assert reads([field(0, function=INPUT)], CLOCK) == [(4, 0, 1)]


@pytest.mark.parametrize(
    ("address", "clock", "limits"),
    [
        pytest.param(0, None, {"max_registers": 1}, id="wider than a read"),
        pytest.param(0, None, {"forbidden": forbidden(1, 1)}, id="in a forbidden range"),
        pytest.param(200, CLOCK, {}, id="too far from the clock"),
        pytest.param(14, CLOCK, {"forbidden": forbidden(13, 13)}, id="a forbidden address between it and the clock"),
    ],
)
def test_a_point_that_fits_no_read_is_refused_by_name(
    address: int, clock: RegisterClock | None, limits: dict[str, object]
) -> None:
    with pytest.raises(DictionaryError, match=rf"point p{address}: addresses .* fit no single read; mend"):
        reads([field(address, NumberType.UINT32)], clock, **limits)


@st.composite
def fields(draw: st.DrawFn) -> list[Field]:
    """Points of one or two registers that begin at multiples of 3, so that what follows two of them is always free."""
    places = draw(st.lists(st.integers(0, 14), min_size=1, max_size=8, unique=True))
    types = st.sampled_from([NumberType.UINT16, NumberType.UINT32])
    return [field(3 * place, draw(types)) for place in places]


@st.composite
def limits(draw: st.DrawFn) -> BlockLimits:
    """Limits with forbidden addresses, each where no point stands."""
    banned = draw(st.sets(st.integers(0, 14), max_size=4))
    return BlockLimits(
        max_registers=draw(st.integers(2, 20)),
        max_gap=draw(st.integers(0, 6)),
        forbidden=tuple(ban for place in banned for ban in forbidden(3 * place + 2, 3 * place + 2)),
    )


@given(fields(), limits())
def test_every_point_is_read_once_and_no_limit_is_broken(points: list[Field], allowed: BlockLimits) -> None:
    planned = plan(points, limits=allowed)

    assert sorted(name for read in planned for name in read.points) == sorted(point.point for point in points)
    assert all(read.count <= allowed.max_registers for read in planned)
    assert not any(
        read.address <= ban.last and read.address + read.count > ban.first
        for read in planned
        for ban in allowed.forbidden
    )


@given(fields(), limits())
def test_no_two_reads_could_have_been_one(points: list[Field], allowed: BlockLimits) -> None:
    planned = plan(points, limits=allowed)

    assert len(planned) == fewest(sorted(points, key=lambda point: point.at.address), allowed)


def fewest(points: list[Field], allowed: BlockLimits) -> int:
    """Return the fewest blocks of neighbours by trying every way to cut the row of points."""
    cuts = range(1, len(points))
    for count in range(len(points)):
        for chosen in combinations(cuts, count):
            edges = [0, *chosen, len(points)]
            blocks = [points[a:b] for a, b in pairwise(edges)]
            if all(readable(block, allowed) for block in blocks):
                return count + 1
    return len(points)


def readable(block: list[Field], allowed: BlockLimits) -> bool:
    first, last = block[0].at.address, max(point.at.last for point in block)
    held = {address for point in block for address in range(point.at.address, point.at.last + 1)}
    longest = gap = 0
    for address in range(first, last + 1):
        gap = 0 if address in held else gap + 1
        longest = max(longest, gap)
    banned = any(first <= ban.first <= last for ban in allowed.forbidden)
    return last - first < allowed.max_registers and longest <= allowed.max_gap and not banned
