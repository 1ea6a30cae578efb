from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.core.money import Money

minors = st.integers(-(10**15), 10**15)
factors = st.decimals(allow_nan=False, allow_infinity=False, min_value=-10_000, max_value=10_000, places=6)


@pytest.mark.parametrize(
    ("amount", "minor"),
    [
        pytest.param("1.005", 101, id="a half goes up"),
        pytest.param("-1.005", -101, id="a half goes away from zero"),
        pytest.param("1.00499999", 100, id="less than a half goes down"),
        pytest.param("0.1", 10, id="a tenth is exact"),
        pytest.param(7, 700, id="whole yuan"),
        pytest.param(Decimal("2.675"), 268, id="what a float would round wrong"),
        pytest.param("99999999999999999999.995", 10_000_000_000_000_000_000_000, id="more digits than a float has"),
    ],
)
def test_an_amount_is_rounded_half_up_to_the_fen(amount: Decimal | int | str, minor: int) -> None:
    assert Money.of(amount, "CNY") == Money(minor, "CNY")


def test_a_currency_without_minor_units_is_rounded_to_the_whole() -> None:
    assert Money.of("100.5", "JPY") == Money(101, "JPY")


@pytest.mark.parametrize("wrong", [0.1, True], ids=["float", "bool"])
def test_a_float_is_never_money(wrong: float) -> None:
    with pytest.raises(TypeError, match="money is reckoned in Decimal"):
        Money.of(wrong, "CNY")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="must be an int"):
        Money(wrong, "CNY")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="money is reckoned in Decimal"):
        Money(1, "CNY").times(wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["", "abc", "1,000", "NaN", "Infinity"])
def test_text_that_is_no_amount_is_refused_by_what_it_says(text: str) -> None:
    with pytest.raises(ValueError, match="number"):
        Money.of(text, "CNY")


def test_an_unknown_currency_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(ValueError, match="'RMB' is unknown: it is one of CNY"):
        Money(1, "RMB")


def test_currencies_do_not_mix() -> None:
    with pytest.raises(ValueError, match="CNY and USD don't mix"):
        Money(1, "CNY") + Money(1, "USD")
    with pytest.raises(ValueError, match="CNY and USD don't mix"):
        assert Money(1, "CNY") < Money(2, "USD")


@given(minors)
def test_an_amount_survives_its_decimal_form(minor: int) -> None:
    assert Money.of(Money(minor, "CNY").amount, "CNY") == Money(minor, "CNY")


@given(minors, minors, minors)
def test_sums_do_not_depend_on_their_order(a: int, b: int, c: int) -> None:
    x, y, z = Money(a, "CNY"), Money(b, "CNY"), Money(c, "CNY")
    assert (x + y) + z == x + (y + z) == z + (y + x)
    assert x - x == Money.zero("CNY")
    assert x + -x == Money.zero("CNY")


@given(minors, factors)
def test_a_product_is_within_half_a_fen_of_the_exact_one(minor: int, factor: Decimal) -> None:
    exact = Fraction(minor) * Fraction(factor)
    assert abs(Fraction(Money(minor, "CNY").times(factor).minor) - exact) <= Fraction(1, 2)


@given(minors, factors)
def test_rounding_knows_no_sign(minor: int, factor: Decimal) -> None:
    assert Money(-minor, "CNY").times(factor) == -Money(minor, "CNY").times(factor)
