"""Units of measure: UCUM codes, what they measure, how they are shown, and the one place that converts.

Codes are UCUM's, case sensitive. UCUM has none for reactive power; `var` and `kvar.h` stand in for it here, because
reactive, apparent and active power have the same dimension and must never be added up.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction

from protocols.errors import UnitRefused


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit; a value in it is value x factor + offset in the quantity's own base unit."""

    code: str
    symbol: str
    """As people write it beside a number; empty for a number without a unit."""
    quantity: str
    factor: Fraction
    offset: Fraction = Fraction(0)


_TABLE: dict[str, list[tuple[str, str, str]]] = {
    # quantity: (UCUM code, symbol, factor to the quantity's base unit)
    "ratio": [
        ("1", "", "1"),
        ("%", "%", "0.01"),
        ("[ppm]", "ppm", "0.000001"),
        ("[ppb]", "ppb", "0.000000001"),
    ],
    "level": [("dB", "dB", "1")],
    "time": [
        ("us", "µs", "0.000001"),
        ("ms", "ms", "0.001"),
        ("s", "s", "1"),
        ("min", "min", "60"),
        ("h", "h", "3600"),
        ("d", "d", "86400"),
    ],
    "frequency": [("Hz", "Hz", "1"), ("kHz", "kHz", "1000"), ("MHz", "MHz", "1000000")],
    "length": [("mm", "mm", "0.001"), ("cm", "cm", "0.01"), ("m", "m", "1"), ("km", "km", "1000")],
    "area": [("m2", "m²", "1")],
    "speed": [("m/s", "m/s", "1"), ("km/h", "km/h", "5/18")],
    "plane angle": [("deg", "°", "1")],
    "mass": [("g", "g", "0.001"), ("kg", "kg", "1"), ("t", "t", "1000")],
    "volume": [("mL", "mL", "0.000001"), ("L", "L", "0.001"), ("m3", "m³", "1")],
    "volume flow": [
        ("L/h", "L/h", "1/3600000"),
        ("L/min", "L/min", "1/60000"),
        ("L/s", "L/s", "0.001"),
        ("m3/h", "m³/h", "1/3600"),
    ],
    "mass concentration": [("ug/m3", "µg/m³", "0.000001"), ("mg/m3", "mg/m³", "0.001")],
    "pressure": [
        ("Pa", "Pa", "1"),
        ("hPa", "hPa", "100"),
        ("kPa", "kPa", "1000"),
        ("mbar", "mbar", "100"),
        ("bar", "bar", "100000"),
        ("MPa", "MPa", "1000000"),
    ],
    "voltage": [("mV", "mV", "0.001"), ("V", "V", "1"), ("kV", "kV", "1000")],
    "electric current": [("mA", "mA", "0.001"), ("A", "A", "1")],
    "electric resistance": [("Ohm", "Ω", "1"), ("kOhm", "kΩ", "1000")],
    "active power": [("mW", "mW", "0.001"), ("W", "W", "1"), ("kW", "kW", "1000"), ("MW", "MW", "1000000")],
    "apparent power": [("V.A", "VA", "1"), ("kV.A", "kVA", "1000")],
    "reactive power": [("var", "var", "1"), ("kvar", "kvar", "1000")],
    "energy": [
        ("J", "J", "1"),
        ("kJ", "kJ", "1000"),
        ("MJ", "MJ", "1000000"),
        ("GJ", "GJ", "1000000000"),
        ("W.h", "Wh", "3600"),
        ("kW.h", "kWh", "3600000"),
        ("MW.h", "MWh", "3600000000"),
    ],
    "apparent energy": [("V.A.h", "VAh", "1"), ("kV.A.h", "kVAh", "1000")],
    "reactive energy": [("var.h", "varh", "1"), ("kvar.h", "kvarh", "1000")],
    "electric charge": [("A.h", "Ah", "1")],
    "irradiance": [("W/m2", "W/m²", "1")],
    "illuminance": [("lx", "lx", "1"), ("klx", "klx", "1000")],
    "amount of data": [
        ("By", "B", "1"),
        ("kBy", "kB", "1000"),
        ("MBy", "MB", "1000000"),
        ("GBy", "GB", "1000000000"),
        ("KiBy", "KiB", "1024"),
        ("MiBy", "MiB", "1048576"),
        ("GiBy", "GiB", "1073741824"),
    ],
}

_TEMPERATURES = [
    Unit("K", "K", "temperature", Fraction(1)),
    Unit("Cel", "°C", "temperature", Fraction(1), Fraction("273.15")),
    Unit("[degF]", "°F", "temperature", Fraction(5, 9), Fraction("459.67") * Fraction(5, 9)),
]

_DIGITS = Context(prec=28, rounding=ROUND_HALF_EVEN)


def _units() -> Iterable[Unit]:
    for quantity, rows in _TABLE.items():
        for code, symbol, factor in rows:
            yield Unit(code, symbol, quantity, Fraction(factor))
    yield from _TEMPERATURES


UNITS = {unit.code: unit for unit in _units()}
"""Every unit that a point may declare, by UCUM code."""


def unit_of(code: str) -> Unit:
    """Return the unit of a UCUM code.

    Raises:
        UnitRefused: the code is not in the table.
    """
    if code in UNITS:
        return UNITS[code]
    meant = [unit.code for unit in UNITS.values() if code.lower() in {unit.code.lower(), unit.symbol.lower()}]
    mend = f"did you mean {' or '.join(meant)}?" if meant else f"write one of {' '.join(UNITS)}"
    raise UnitRefused(f"unit {code!r} is unknown; {mend}")


def symbol(code: str) -> str:
    """Return how people write the unit beside a number: "kWh" for kW.h; empty for "1"."""
    return unit_of(code).symbol


def alike(source: str, target: str) -> bool:
    """Return whether both units measure the same quantity, so that values convert."""
    return unit_of(source).quantity == unit_of(target).quantity


def convert(value: float, source: str, target: str) -> float:
    """Return the value in the target unit: the float nearest to the exact result.

    Raises:
        UnitRefused: a unit is unknown, or the two do not measure the same quantity.
        ValueError: the value is not finite.
    """
    return value if source == target else float(_convert(value, source, target))


def convert_decimal(value: Decimal, source: str, target: str) -> Decimal:
    """Return the value in the target unit, exactly where 28 digits can hold it, else rounded half even to them.

    Raises:
        UnitRefused: a unit is unknown, or the two do not measure the same quantity.
        ValueError: the value is not finite.
    """
    if source == target:
        return value
    exact = _convert(value, source, target)
    return _DIGITS.divide(Decimal(exact.numerator), Decimal(exact.denominator))


def convert_difference(value: float, source: str, target: str) -> float:
    """Return a difference (a deadband, a step) in the target unit: 9 [degF] are 5 Cel, wherever they lie.

    Raises:
        UnitRefused: a unit is unknown, or the two do not measure the same quantity.
        ValueError: the value is not finite.
    """
    given, wanted = _pair(source, target)
    return value if source == target else float(_finite(value) * given.factor / wanted.factor)


def _convert(value: float | Decimal, source: str, target: str) -> Fraction:
    given, wanted = _pair(source, target)
    return (_finite(value) * given.factor + given.offset - wanted.offset) / wanted.factor


def _pair(source: str, target: str) -> tuple[Unit, Unit]:
    given, wanted = unit_of(source), unit_of(target)
    if given.quantity != wanted.quantity:
        raise UnitRefused(
            f"{source} measures {given.quantity} and {target} measures {wanted.quantity}: "
            f"convert to a unit of {given.quantity}"
        )
    return given, wanted


def _finite(value: float | Decimal) -> Fraction:
    if not math.isfinite(value):
        raise ValueError(f"{value} is not finite and can't be converted")
    return Fraction(value)
