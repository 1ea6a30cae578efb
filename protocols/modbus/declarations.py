"""What a profile says of a device's registers: where a value stands, how it is written, how much may be asked."""

from decimal import Decimal
from enum import IntEnum, StrEnum
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Address = Annotated[int, Meta(ge=0, le=65_535)]
"""As sent on the wire, counted from 0: what a manual calls 40001 is address 0 with function code 3."""


class Function(IntEnum):
    """The function codes that read."""

    READ_COILS = 1
    READ_DISCRETE_INPUTS = 2
    READ_HOLDING_REGISTERS = 3
    READ_INPUT_REGISTERS = 4

    @property
    def reads_bits(self) -> bool:
        """Whether the answer holds bits instead of registers."""
        return self in {Function.READ_COILS, Function.READ_DISCRETE_INPUTS}


class NumberType(StrEnum):
    """How a number is written in one or more registers, or that it is a bit of its own."""

    BIT = "bit"  # function codes 1 and 2 only
    UINT16 = "uint16"
    INT16 = "int16"
    UINT32 = "uint32"
    INT32 = "int32"
    UINT64 = "uint64"
    INT64 = "int64"
    FLOAT32 = "float32"
    FLOAT64 = "float64"

    @property
    def width(self) -> int:
        """How many registers (or, for a bit, bits) one number takes."""
        return _WIDTHS[self]

    @property
    def struct_letter(self) -> str:
        """The number's code in the struct module's format language."""
        return _STRUCT_LETTERS[self]

    @property
    def is_float(self) -> bool:
        return self in {NumberType.FLOAT32, NumberType.FLOAT64}


_WIDTHS = {
    NumberType.BIT: 1,
    NumberType.UINT16: 1,
    NumberType.INT16: 1,
    NumberType.UINT32: 2,
    NumberType.INT32: 2,
    NumberType.UINT64: 4,
    NumberType.INT64: 4,
    NumberType.FLOAT32: 2,
    NumberType.FLOAT64: 4,
}
_STRUCT_LETTERS = {
    NumberType.BIT: "?",
    NumberType.UINT16: "H",
    NumberType.INT16: "h",
    NumberType.UINT32: "I",
    NumberType.INT32: "i",
    NumberType.UINT64: "Q",
    NumberType.INT64: "q",
    NumberType.FLOAT32: "f",
    NumberType.FLOAT64: "d",
}


class Order(StrEnum):
    """Which end comes first."""

    BIG = "big"  # the most significant word (or byte) first, as the standard has it
    LITTLE = "little"


class RegisterPoint(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where one value stands and how it is written; value = number x scale + offset."""

    function: Function
    address: Address
    type: NumberType
    word_order: Order = Order.BIG
    """Of the registers of one number."""
    byte_order: Order = Order.BIG
    """Inside one register."""
    scale: Decimal = Decimal(1)
    offset: Decimal = Decimal(0)
    """Added after scaling, in the point's unit."""
    invalid: tuple[int, ...] = ()
    """Patterns that mean "no value", as the bits stand in the registers (0x8000 for an int16) or as the number."""
    bit: Annotated[int, Meta(ge=0, le=63)] | None = None
    """Lowest bit of a bit field inside an unsigned number, counted from 0; None: the whole number."""
    bits: Annotated[int, Meta(ge=1, le=64)] = 1
    """Width of the bit field."""
    split: tuple[Annotated[int, Meta(ge=0)], ...] = ()
    """A counter that stands in several neighbouring numbers of `type`: the weight of each, 0 for one to leave out.

    [10000, 1] is "ten thousands, then units". Empty: one number.
    """

    @property
    def width(self) -> int:
        """How many registers or bits it takes."""
        return self.type.width * max(1, len(self.split))

    @property
    def last(self) -> int:
        """The last address it takes."""
        return self.address + self.width - 1


class RegisterClock(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A register that holds the device's own time, which is the time of every value read with it."""

    function: Literal[3, 4]
    address: Address
    type: Literal["uint32", "uint64"]
    format: Literal["epoch_s", "epoch_ms"] = "epoch_s"
    zone: str = "UTC"
    """The zone whose wall clock the device counts as if it were UTC; most count UTC itself."""
    word_order: Order = Order.BIG
    byte_order: Order = Order.BIG
    invalid: tuple[int, ...] = (0,)
    """What the register holds while the device's clock was never set."""

    @property
    def last(self) -> int:
        """The last address it takes."""
        return self.address + NumberType(self.type).width - 1


class IdentityRegisters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a device says who it is: a serial number, a firmware's name."""

    function: Literal[3, 4]
    address: Address
    type: Literal["string", "uint16", "uint32", "uint64"]
    registers: Annotated[int, Meta(ge=1, le=125)] | None = None
    """Length of a string; a number's follows from its type."""
    word_order: Order = Order.BIG
    byte_order: Order = Order.BIG

    @property
    def width(self) -> int:
        """How many registers it takes."""
        return self.registers or 1 if self.type == "string" else NumberType(self.type).width


class ForbiddenRange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Addresses that the device answers with an exception, or worse: no read may touch them."""

    function: Function
    first: Address
    last: Address


class BlockLimits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much one request may ask of the device."""

    max_registers: Annotated[int, Meta(ge=1, le=125)] = 125
    max_bits: Annotated[int, Meta(ge=1, le=2_000)] = 2_000
    max_gap: Annotated[int, Meta(ge=0)] = 0
    """Addresses that nobody asked for but that may be read to join two neighbours."""
    forbidden: tuple[ForbiddenRange, ...] = ()
    pause_s: Annotated[float, Meta(ge=0, le=60)] = 0.0
    """Silence that the device wants between an answer and the next request."""
