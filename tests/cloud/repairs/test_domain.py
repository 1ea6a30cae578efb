from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.core.errors import Refused
from cloud.core.money import Money
from cloud.repairs.domain import (
    Difference,
    Differs,
    Line,
    LineKind,
    Terms,
    charged,
    checked_quantity,
    differences,
    from_milli,
    to_milli,
    total,
)
from cloud.tickets.domain import Payer

HOUR = Line(kind=LineKind.LABOUR, text="维修工", quantity=Decimal("1.5"), unit="h", rate=Money(8_000, "CNY"))
PIPE = Line(
    kind=LineKind.MATERIAL,
    item="pipe-20",
    text="PPR 管 20",
    quantity=Decimal("2.35"),
    unit="m",
    rate=Money(1_299, "CNY"),
)
LIFT = Line(kind=LineKind.OTHER, text="登高车", quantity=Decimal(1), unit="次", rate=Money(30_000, "CNY"))
QUANTITIES = st.integers(1, 10_000_000).map(from_milli)


def terms(*lines: Line) -> Terms:
    return Terms(
        lines=lines,
        payer=Payer.OWNER,
        visits=1,
        finish_on=date(2026, 3, 9),
        valid_until=datetime(2026, 3, 9, tzinfo=UTC),
    )


def test_a_line_is_rounded_half_up_once_and_the_budget_is_the_sum_of_the_lines() -> None:
    assert PIPE.total == Money(3_053, "CNY")  # 2.35 * 12.99 = 30.5265
    assert terms(HOUR, PIPE, LIFT).budget == Money(12_000 + 3_053 + 30_000, "CNY")


@pytest.mark.parametrize(
    ("lines", "field"),
    [
        ((), "lines"),
        ((HOUR, Line(kind=LineKind.OTHER, text="x", quantity=Decimal(1), unit="", rate=Money(1, "USD"))), "lines"),
    ],
    ids=["no line", "two currencies"],
)
def test_a_plan_without_lines_or_in_two_currencies_is_refused(lines: tuple[Line, ...], field: str) -> None:
    with pytest.raises(Refused) as refused:
        total(lines)
    assert refused.value.field == field


@pytest.mark.parametrize("quantity", ["0", "-1", "0.0005", "1000000.001", "NaN", "Infinity"])
def test_a_quantity_that_nothing_can_have_is_refused(quantity: str) -> None:
    with pytest.raises(Refused, match="three decimals"):
        checked_quantity(Decimal(quantity), "quantity")


@given(QUANTITIES)
def test_a_quantity_keeps_its_thousandths(quantity: Decimal) -> None:
    assert from_milli(to_milli(checked_quantity(quantity, "quantity"))) == quantity


def test_a_newer_version_shows_what_was_added_changed_and_left_out() -> None:
    longer = Line(**{**{f: getattr(PIPE, f) for f in PIPE.__slots__}, "quantity": Decimal(3)})
    assert differences([HOUR, PIPE], [HOUR, longer, LIFT]) == [
        Difference(how=Differs.CHANGED, before=PIPE, after=longer),
        Difference(how=Differs.ADDED, before=None, after=LIFT),
    ]
    assert differences([HOUR, PIPE], [PIPE]) == [Difference(how=Differs.REMOVED, before=HOUR, after=None)]
    assert differences([HOUR, PIPE], [PIPE, HOUR]) == []


def test_of_two_lines_alike_the_first_is_compared_with_the_first() -> None:
    assert differences([HOUR, HOUR], [HOUR]) == [Difference(how=Differs.REMOVED, before=HOUR, after=None)]


def test_what_was_not_worked_or_used_is_not_charged() -> None:
    lines = charged(terms(HOUR, PIPE, LIFT), worked=Decimal("0.5"), used={"pipe-20": Decimal(1)})
    assert [(line.text, line.quantity) for line in lines] == [
        ("维修工", Decimal("0.5")),
        ("PPR 管 20", Decimal(1)),
        ("登高车", Decimal(1)),
    ]
    assert charged(terms(HOUR, PIPE), worked=Decimal(0), used={}) == ()


def test_hours_and_material_fill_the_lines_in_their_order() -> None:
    lines = charged(terms(HOUR, HOUR, PIPE, PIPE), worked=Decimal(2), used={"pipe-20": Decimal("2.5")})
    assert [line.quantity for line in lines] == [Decimal("1.5"), Decimal("0.5"), Decimal("2.35"), Decimal("0.15")]


@given(
    st.lists(st.tuples(st.sampled_from(LineKind), QUANTITIES, st.integers(0, 1_000_000)), min_size=1, max_size=8),
    QUANTITIES,
    QUANTITIES,
)
def test_nobody_is_charged_more_than_was_agreed_to(
    written: list[tuple[LineKind, Decimal, int]], worked: Decimal, used: Decimal
) -> None:
    lines = tuple(
        Line(kind=kind, item="a" if kind is LineKind.MATERIAL else "", text="t", quantity=quantity, unit="", rate=rate)
        for kind, quantity, minor in written
        for rate in [Money(minor, "CNY")]
    )
    agreed = terms(*lines)
    found = charged(agreed, worked=worked, used={"a": used})
    assert not found or total(found) <= agreed.budget
