"""What must hold in the registers that a profile declares."""

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from itertools import combinations

from protocols.errors import DictionaryError
from protocols.modbus.declarations import NumberType, RegisterClock, RegisterPoint
from protocols.modbus.planning import plan
from protocols.profiles.codecs import modbus_fields
from protocols.profiles.schema import ModbusTransport, Point, Profile
from protocols.readings import RowClass
from protocols.timestamps import zone_named

_LAST_ADDRESS = 65_535
_PLACES = 18
_LARGEST_EXACT = 2**53
"""A float holds every whole number up to this one, and not the next."""


def problems_of_registers(profile: Profile, transport: ModbusTransport) -> Iterator[str]:
    """Yield what is wrong with where the points stand."""
    problems = [*_of_points(profile), *_of_transport(transport), *_of_identity(profile)]
    yield from problems or [*_overlaps(profile, transport.clock), *_unreadable(profile, transport)]


def _of_points(profile: Profile) -> Iterator[str]:
    for point in profile.points:
        if point.modbus is not None:
            problems = [*_of_number(point.modbus), *_of_parts(point.modbus)] or _of_exactness(point, point.modbus)
            yield from (f"point {point.name}: {problem}" for problem in problems)


def _of_number(at: RegisterPoint) -> Iterator[str]:
    if at.function.reads_bits != (at.type is NumberType.BIT):
        yield f"type {at.type} does not go with function {at.function}: bits are read by 1 and 2, registers by 3 and 4"
    if at.last > _LAST_ADDRESS:
        yield f"address {at.address}: its last register would be {at.last}, and the highest is {_LAST_ADDRESS}"
    if not _is_plain(at.scale) or at.scale == 0 or not _is_plain(at.offset):
        yield f"scale {at.scale} and offset {at.offset} must be numbers of at most 18 places, and scale not 0"
    if at.type is NumberType.BIT and (at.scale != 1 or at.offset != 0 or at.invalid):
        yield "type bit takes no scale, offset or invalid"
    size_bits = at.type.width * 16
    for pattern in at.invalid:
        if not -(1 << size_bits - 1) <= pattern < 1 << size_bits:
            yield f"invalid: {pattern} does not fit a {at.type}"


def _is_plain(number: Decimal) -> bool:
    """Return whether the number is one that a table would hold, so that arithmetic with it can't overflow."""
    digits, exponent = number.as_tuple().digits, number.as_tuple().exponent
    return isinstance(exponent, int) and abs(exponent) <= _PLACES and len(digits) <= _PLACES


def _of_parts(at: RegisterPoint) -> Iterator[str]:
    if (at.bit is not None or at.split) and (at.type.is_float or at.type is NumberType.BIT):
        yield f"bit and split need a whole number and type is {at.type}"
    if at.bit is not None and at.split:
        yield "bit and split exclude each other"
    if at.bit is None and at.bits != 1:
        yield "bits is the width of a bit field and needs bit, its lowest bit"
    if at.bit is not None and at.bit + at.bits > at.type.width * 16:
        yield f"bit {at.bit} and {at.bits} bits do not fit a {at.type}"
    if at.bit is not None and at.type in {NumberType.INT16, NumberType.INT32, NumberType.INT64}:
        yield f"bit needs an unsigned number and type is {at.type}"
    if at.split and not any(at.split):
        yield "split: at least one weight must be above 0"


def _of_exactness(point: Point, at: RegisterPoint) -> Iterator[str]:
    """Yield why a meter's register would not reach the bill as the meter shows it."""
    if point.row_class is not RowClass.REGISTER or point.resolution is None or at.type.is_float or at.bit is not None:
        return
    scale, resolution = Fraction(at.scale), Fraction(point.resolution)
    if scale % resolution != 0:
        yield f"scale {at.scale} is no whole multiple of resolution {point.resolution}: steps would be lost"
    largest = abs(scale) * max(at.split, default=1) * 2 ** (at.type.width * 16)
    reach = min(largest, max(abs(Fraction(end)) for end in point.valid))
    if reach / resolution > _LARGEST_EXACT:
        yield f"valid must end where {at.type} in steps of {point.resolution} is still exact: below 2^53 steps"


def _of_transport(transport: ModbusTransport) -> Iterator[str]:
    for forbidden in transport.limits.forbidden:
        if forbidden.last < forbidden.first:
            yield f"modbus.limits.forbidden: {forbidden.first}..{forbidden.last} ends before it begins"
    if transport.clock:
        try:
            zone_named(transport.clock.zone)
        except DictionaryError as error:
            yield f"modbus.clock: {error}"
        if transport.clock.last > _LAST_ADDRESS:
            yield f"modbus.clock: address {transport.clock.address} leaves no room for a {transport.clock.type}"


def _of_identity(profile: Profile) -> Iterator[str]:
    for field in profile.identity:
        at = field.modbus
        if (at.type == "string") != (at.registers is not None):
            yield f"identity {field.name}: registers is the length of a string, compulsory there and nowhere else"
        if at.address + at.width - 1 > _LAST_ADDRESS:
            yield f"identity {field.name}: address {at.address} leaves no room for {at.width} registers"


def _overlaps(profile: Profile, clock: RegisterClock | None) -> Iterator[str]:
    fields = modbus_fields(profile)
    for left, right in combinations(fields, 2):
        if _overlap(left.at, right.at) and not _share_bits(left.at, right.at):
            yield f"points {left.point} and {right.point} overlap at address {max(left.at.address, right.at.address)}"
    for field in fields:
        if clock and field.at.function == clock.function and _meet(field.at, clock):
            yield f"point {field.point} overlaps the clock at address {clock.address}"


def _overlap(left: RegisterPoint, right: RegisterPoint) -> bool:
    return left.function == right.function and _meet(left, right)


def _meet(left: RegisterPoint, right: RegisterPoint | RegisterClock) -> bool:
    return left.address <= right.last and right.address <= left.last


def _share_bits(left: RegisterPoint, right: RegisterPoint) -> bool:
    """Return whether both are bit fields of one number and have no bit in common."""
    if left.bit is None or right.bit is None or (left.address, left.type) != (right.address, right.type):
        return False
    return left.bit + left.bits <= right.bit or right.bit + right.bits <= left.bit


def _unreadable(profile: Profile, transport: ModbusTransport) -> Iterator[str]:
    for field in modbus_fields(profile):
        if transport.clock and field.at.function != transport.clock.function:
            yield f"point {field.point}: function {field.at.function} is not the clock's, {transport.clock.function}"
            continue
        try:
            plan([field], limits=transport.limits, clock=transport.clock)
        except DictionaryError as error:
            yield str(error)
