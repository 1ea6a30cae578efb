"""From one answer's registers or bits to values: compiled once for each read, called at every poll.

A box decodes tens of thousands of values a second, so all that depends on the profile alone is worked out in
advance, and an answer is taken apart by a single struct.unpack.
"""

import math
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from operator import itemgetter
from typing import Protocol

from protocols.errors import AnswerRefused
from protocols.modbus.declarations import Function, IdentityRegisters, NumberType, Order, RegisterClock, RegisterPoint
from protocols.readings import ANY_VALUE, Decoded, Quality
from protocols.timestamps import TimeFormat, from_epoch, tick_us, zone_named

_Number = int | float
_Shape = Callable[[tuple[_Number, ...]], _Number]
"""Makes a point's number out of all that were unpacked; NaN where the device says that it has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One point of a block."""

    point: str
    at: RegisterPoint
    valid: tuple[float, float] = ANY_VALUE
    """The validity range, both ends in it, in the point's unit: a value outside is kept and marked SUSPECT."""


class BlockDecoder(Protocol):
    """What a read's answer is given to."""

    def decode(self, answer: Sequence[int]) -> list[Decoded]:
        """Return the values of the answer's registers or bits; a point that has none just now is left out.

        Raises:
            AnswerRefused: the answer is not as long as the question.
        """


class RegisterDecoder:
    """Decodes the registers of one read of function code 3 or 4.

    A float that is not finite is "no value", as is any of a point's invalid patterns.
    """

    def __init__(
        self, fields: Sequence[Field], *, address: int, count: int, clock: RegisterClock | None = None
    ) -> None:
        layout = _Layout(address)
        places = [layout.add(field.at) for field in fields]
        self._count = count
        self._shapes = (
            None if layout.is_plain else [_shape(f.at, place) for f, place in zip(fields, places, strict=True)]
        )
        self._rows = [_row(field) for field in fields]
        self._clock = _clock_reader(clock, layout) if clock else None
        self._take = layout.compiled()

    def decode(self, answer: Sequence[int]) -> list[Decoded]:
        """Return the values of the registers, as BlockDecoder says."""
        if len(answer) != self._count:
            raise AnswerRefused(f"the answer holds {len(answer)} registers where {self._count} were asked for")
        numbers = self._take(answer)
        time_us = self._clock(numbers) if self._clock else None
        shaped = [shape(numbers) for shape in self._shapes] if self._shapes else numbers
        values = []
        good, suspect = Quality.GOOD, Quality.SUSPECT  # an enum's member costs a look-up, and this is the hot loop
        # The clock's number comes last and has no row.
        for (point, invalid, times, plus, by, low, high), number in zip(self._rows, shaped, strict=False):
            if number in invalid:
                continue
            value = (number * times + plus) / by
            if low <= value <= high:
                values.append(Decoded(point, value, good, time_us))
            elif math.isfinite(value):
                values.append(Decoded(point, value, suspect, time_us))
        return values


class BitDecoder:
    """Decodes the bits of one read of function code 1 or 2, each to 0 or 1."""

    def __init__(self, fields: Sequence[Field], *, address: int, count: int) -> None:
        self._count = count
        self._rows = [(field.point, field.at.address - address, *field.valid) for field in fields]

    def decode(self, answer: Sequence[int]) -> list[Decoded]:
        """Return the values of the bits, as BlockDecoder says; the padding to whole bytes may follow them."""
        if not self._count <= len(answer) < self._count + 8:
            raise AnswerRefused(f"the answer holds {len(answer)} bits where {self._count} were asked for")
        values = []
        for point, place, low, high in self._rows:
            value = 1.0 if answer[place] else 0.0
            quality = Quality.GOOD if low <= value <= high else Quality.SUSPECT
            values.append(Decoded(point, value, quality))
        return values


def decode_identity(at: IdentityRegisters, answer: Sequence[int]) -> str:
    """Return what a device says of itself: a string up to its first NUL without blanks around it, a number as digits.

    Raises:
        AnswerRefused: the answer has another length, or the string is no ASCII.
    """
    if len(answer) != at.width:
        raise AnswerRefused(f"the answer holds {len(answer)} registers where {at.width} were asked for")
    words = list(answer) if at.word_order is Order.BIG else list(reversed(answer))
    data = struct.pack(f"{'>' if at.byte_order is Order.BIG else '<'}{at.width}H", *words)
    if at.type != "string":
        return str(int.from_bytes(data, "big"))
    try:
        return data.split(b"\0", 1)[0].decode("ascii").strip()
    except UnicodeDecodeError as error:
        raise AnswerRefused(f"the string at address {at.address} is {data!r}, which is no ASCII") from error


class _Layout:
    """Which registers go where, so that one unpack in network order finds every number."""

    def __init__(self, address: int) -> None:
        self._address = address
        self._registers: list[int] = []
        self._swapped: list[bool] = []
        self._letters: list[str] = []
        self.is_plain = True

    def add(self, at: RegisterPoint) -> int:
        """Lay a point's registers down and return the place of its first number among the unpacked ones."""
        place = len(self._letters)
        numbers = max(1, len(at.split))
        for number in range(numbers):
            first = at.address - self._address + number * at.type.width
            registers = list(range(first, first + at.type.width))
            self._registers += registers if at.word_order is Order.BIG else reversed(registers)
            self._swapped += [at.byte_order is Order.LITTLE] * at.type.width
            self._letters.append(at.type.struct_letter)
        if at.split or at.bit is not None:
            self.is_plain = False
        return place

    def compiled(self) -> Callable[[Sequence[int]], tuple[_Number, ...]]:
        """Return what takes an answer's registers to all numbers, in the order in which they were laid down."""
        registers, swapped = tuple(self._registers), tuple(self._swapped)
        pack = struct.Struct(f">{len(registers)}H").pack
        unpack = struct.Struct(">" + "".join(self._letters)).unpack
        if any(swapped):
            pairs = list(zip(registers, swapped, strict=True))
            return lambda answer: unpack(
                pack(*[_swap(answer[index]) if swap else answer[index] for index, swap in pairs])
            )
        if registers == tuple(range(len(registers))):
            return lambda answer: unpack(pack(*answer[: len(registers)]))
        if len(registers) == 1:
            return lambda answer: unpack(pack(answer[registers[0]]))
        gather = itemgetter(*registers)
        return lambda answer: unpack(pack(*gather(answer)))


def _swap(register: int) -> int:
    return (register & 0xFF) << 8 | register >> 8


def _shape(at: RegisterPoint, place: int) -> _Shape:
    if at.split:
        return _split_shape(at, place)
    if at.bit is not None:
        return _bits_shape(at, place, lowest=at.bit)
    return itemgetter(place)


def _split_shape(at: RegisterPoint, place: int) -> _Shape:
    weights = list(enumerate(at.split, start=place))
    invalid = _invalid_numbers(at)

    def shape(numbers: tuple[_Number, ...]) -> _Number:
        if any(numbers[index] in invalid for index, weight in weights if weight):
            return math.nan
        return sum(int(numbers[index]) * weight for index, weight in weights)

    return shape


def _bits_shape(at: RegisterPoint, place: int, *, lowest: int) -> _Shape:
    mask = (1 << at.bits) - 1
    invalid = _invalid_numbers(at)

    def shape(numbers: tuple[_Number, ...]) -> _Number:
        number = int(numbers[place])
        return math.nan if number in invalid else number >> lowest & mask

    return shape


def _row(field: Field) -> tuple[str, frozenset[_Number], int, int, int, float, float]:
    """Return what the hot loop needs of a field.

    Scale and offset become whole numbers over one denominator: products of integers are exact and their quotient is
    the float nearest to the decimal that the device means, so that rounding it to the resolution gives that decimal.
    """
    scale, offset = Fraction(field.at.scale), Fraction(field.at.offset)
    by = math.lcm(scale.denominator, offset.denominator)
    composed = field.at.split or field.at.bit is not None
    invalid = frozenset[_Number]() if composed else _invalid_numbers(field.at)
    return field.point, invalid, int(scale * by), int(offset * by), by, *field.valid


def _invalid_numbers(at: RegisterPoint) -> frozenset[_Number]:
    """Return the invalid patterns as the numbers that unpacking them gives, and those that are numbers already."""
    letter, size_bits = at.type.struct_letter, at.type.width * 16
    numbers: set[_Number] = set()
    for pattern in at.invalid:
        if pattern >= 0:
            numbers.add(struct.unpack(f">{letter}", pattern.to_bytes(size_bits // 8, "big"))[0])
        else:
            numbers.add(pattern)
    return frozenset(numbers)


def _clock_reader(clock: RegisterClock, layout: _Layout) -> Callable[[tuple[_Number, ...]], int | None]:
    """Return what finds the block's time in microseconds since 1970; None while the device's clock is not set."""
    at = RegisterPoint(
        function=Function(clock.function),
        address=clock.address,
        type=NumberType(clock.type),
        word_order=clock.word_order,
        byte_order=clock.byte_order,
        invalid=clock.invalid,
    )
    place, invalid, tick = layout.add(at), _invalid_numbers(at), tick_us(TimeFormat(clock.format))
    zone = zone_named(clock.zone)

    def read(numbers: tuple[_Number, ...]) -> int | None:
        number = int(numbers[place])
        return None if number in invalid else from_epoch(number, tick_us=tick, zone=zone)

    return read
