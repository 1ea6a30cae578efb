"""From values to Modbus registers: what a real device does before it answers, and the inverse of protocols.modbus."""

import struct
from decimal import ROUND_HALF_EVEN, Decimal

from protocols.modbus.declarations import IdentityRegisters, NumberType, Order, RegisterClock, RegisterPoint

Registers = dict[int, int]
"""Register by address."""


def encode(at: RegisterPoint, value: Decimal | float) -> Registers:
    """Return the registers in which a device holds `value`, which is in the point's unit.

    Raises:
        ValueError: the number does not fit the registers, or stands in a bit field, which no practice device has.
    """
    if at.bit is not None:
        raise ValueError(f"address {at.address}: the practice building has no device with bit fields")
    number = _raw(at, value)
    if not at.split:
        return _words(at.address, _packed(at, number), at.word_order, at.byte_order)
    registers: Registers = {}
    for place, weight in enumerate(at.split):
        digits, number = divmod(number, weight) if weight else (0, number)
        address = at.address + place * at.type.width
        registers |= _words(address, _packed(at, digits), at.word_order, at.byte_order)
    return registers


def encode_identity(at: IdentityRegisters, serial: int) -> Registers:
    """Return the registers in which a device says who it is; a text is the serial number's digits."""
    size_bytes = 2 * at.width
    if at.type == "string":
        return _words(
            at.address, str(serial).encode().ljust(size_bytes, b"\0")[:size_bytes], at.word_order, at.byte_order
        )
    return _words(
        at.address, (serial % (1 << 8 * size_bytes)).to_bytes(size_bytes, "big"), at.word_order, at.byte_order
    )


def encode_clock(at: RegisterClock, time_us: int) -> Registers:
    """Return the registers of a device's own clock, which counts UTC."""
    ticks = time_us // (1_000 if at.format == "epoch_ms" else 1_000_000)
    return _words(at.address, ticks.to_bytes(2 * NumberType(at.type).width, "big"), at.word_order, at.byte_order)


def _raw(at: RegisterPoint, value: Decimal | float) -> int | float:
    if at.type.is_float and not at.offset and at.scale == 1:
        return float(value)  # not through Decimal: the very bits are to arrive
    scaled = (Decimal(value) - at.offset) / at.scale
    return float(scaled) if at.type.is_float else int(scaled.to_integral_value(ROUND_HALF_EVEN))


def _packed(at: RegisterPoint, number: float) -> bytes:
    try:
        return struct.pack(f">{at.type.struct_letter}", number)
    except struct.error as error:
        raise ValueError(f"address {at.address}: {number} does not fit a {at.type}") from error


def _words(address: int, data: bytes, word_order: Order, byte_order: Order) -> Registers:
    """Lay bytes, the most significant first, into registers in the orders that the device has."""
    words = list(struct.unpack(f"{'>' if byte_order is Order.BIG else '<'}{len(data) // 2}H", data))
    if word_order is Order.LITTLE:
        words.reverse()
    return dict(enumerate(words, start=address))
