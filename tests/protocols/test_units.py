import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import UnitRefused
from protocols.units import UNITS, alike, convert, convert_decimal, convert_difference, symbol, unit_of

PAIRS = [(a, b) for a in UNITS for b in UNITS if alike(a, b)]


@pytest.mark.parametrize(
    ("value", "source", "target", "expected"),
    [
        pytest.param(32.0, "[degF]", "Cel", 0.0, id="ice melts"),
        pytest.param(212.0, "[degF]", "Cel", 100.0, id="water boils"),
        pytest.param(-40.0, "[degF]", "Cel", -40.0, id="where both scales meet"),
        pytest.param(0.0, "K", "[degF]", -459.67, id="absolute zero"),
        pytest.param(20.0, "Cel", "K", 293.15, id="room in kelvin"),
        pytest.param(1.0, "kW.h", "MJ", 3.6, id="a kilowatt-hour in megajoules"),
        pytest.param(1.0, "m3/h", "L/s", 0.2777777777777778, id="flow"),
        pytest.param(1013.25, "hPa", "bar", 1.01325, id="air pressure"),
        pytest.param(0.5, "1", "%", 50.0, id="a share in percent"),
        pytest.param(400.0, "[ppm]", "%", 0.04, id="parts per million in percent"),
        pytest.param(36.0, "km/h", "m/s", 10.0, id="speed"),
        pytest.param(1.0, "MiBy", "KiBy", 1024.0, id="binary prefixes"),
        pytest.param(69.88083514, "[degF]", "[degF]", 69.88083514, id="the same unit changes no bit"),
    ],
)
def test_a_value_converts_to_the_nearest_float(value: float, source: str, target: str, expected: float) -> None:
    assert convert(value, source, target) == expected


@pytest.mark.parametrize(
    ("value", "source", "target", "expected"),
    [
        pytest.param("1209.42", "kW.h", "W.h", "1209420", id="kilowatt-hours in watt-hours"),
        pytest.param("12345.67", "m3", "L", "12345670", id="cubic metres in litres"),
        pytest.param("98.6", "[degF]", "Cel", "37", id="an offset unit"),
        pytest.param("1", "J", "kW.h", "2.777777777777777777777777778E-7", id="what no decimal holds has 28 digits"),
        pytest.param("1209.420", "kW.h", "kW.h", "1209.420", id="the same unit keeps its zeros"),
    ],
)
def test_a_decimal_converts_exactly(value: str, source: str, target: str, expected: str) -> None:
    converted = convert_decimal(Decimal(value), source, target)

    assert (converted, str(Decimal(expected))) == (Decimal(expected), str(converted))


@pytest.mark.parametrize(
    ("difference", "source", "target", "expected"),
    [
        pytest.param(9.0, "[degF]", "Cel", 5.0, id="no offset in a difference"),
        pytest.param(2.0, "Cel", "K", 2.0, id="same size of degree"),
        pytest.param(1.5, "kW", "W", 1500.0, id="plain factor"),
        pytest.param(0.1, "[degF]", "[degF]", 0.1, id="the same unit changes no bit"),
    ],
)
def test_a_difference_converts_without_the_offset(difference: float, source: str, target: str, expected: float) -> None:
    assert convert_difference(difference, source, target) == expected


@pytest.mark.parametrize(
    ("source", "target"),
    [
        pytest.param("W", "var", id="active and reactive power"),
        pytest.param("W", "V.A", id="active and apparent power"),
        pytest.param("kW.h", "kvar.h", id="active and reactive energy"),
        pytest.param("kW", "kW.h", id="power and energy"),
        pytest.param("Cel", "%", id="temperature and share"),
        pytest.param("m3", "m3/h", id="volume and flow"),
    ],
)
def test_unlike_quantities_do_not_convert(source: str, target: str) -> None:
    with pytest.raises(UnitRefused, match=f"{source} measures .* and {target} measures .*: convert to a unit of"):
        convert(1.0, source, target)
    with pytest.raises(UnitRefused):
        convert_decimal(Decimal(1), source, target)
    with pytest.raises(UnitRefused):
        convert_difference(1.0, source, target)


@pytest.mark.parametrize(
    ("code", "mend"),
    [
        pytest.param("kWh", "did you mean kW.h?", id="the symbol instead of the code"),
        pytest.param("°C", "did you mean Cel?", id="the sign"),
        pytest.param("kw.h", "did you mean kW.h?", id="wrong case"),
        pytest.param("furlong", "write one of 1 % ", id="something else"),
    ],
)
def test_an_unknown_unit_is_refused_with_the_one_that_was_meant(code: str, mend: str) -> None:
    with pytest.raises(UnitRefused) as refusal:
        unit_of(code)

    assert mend in str(refusal.value)
    assert repr(code) in str(refusal.value)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_does_not_convert(value: float) -> None:
    with pytest.raises(ValueError, match="is not finite"):
        convert(value, "Cel", "K")


@pytest.mark.parametrize(
    ("code", "expected"),
    [("Cel", "°C"), ("[degF]", "°F"), ("kW.h", "kWh"), ("m3", "m³"), ("ug/m3", "µg/m³"), ("V.A", "VA"), ("1", "")],
)
def test_a_unit_is_shown_as_people_write_it(code: str, expected: str) -> None:
    assert symbol(code) == expected


@given(value=st.floats(-1e9, 1e9), pair=st.sampled_from(PAIRS))
def test_there_and_back_is_the_same_float_but_for_rounding(value: float, pair: tuple[str, str]) -> None:
    source, target = pair

    back = convert(convert(value, source, target), target, source)

    # Absolute: an offset of some 460 degrees swallows what lies below its own last bit.
    assert back == pytest.approx(value, rel=1e-15, abs=1e-12)


@given(value=st.decimals(-(10**9), 10**9, places=3), pair=st.sampled_from(PAIRS))
def test_there_and_back_is_the_same_decimal(value: Decimal, pair: tuple[str, str]) -> None:
    source, target = pair

    back = convert_decimal(convert_decimal(value, source, target), target, source)

    assert back.quantize(Decimal("0.001")) == value


@given(value=st.floats(-1e6, 1e6), pair=st.sampled_from(PAIRS))
def test_a_float_and_its_decimal_convert_to_the_same(value: float, pair: tuple[str, str]) -> None:
    source, target = pair

    assert convert(value, source, target) == pytest.approx(float(convert_decimal(Decimal(value), source, target)))
