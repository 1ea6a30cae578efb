from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from cloud.core.money import Money
from cloud.web import formats
from cloud.web.catalogues import Locale
from cloud.web.reader import Reader

_NOW = datetime(2026, 3, 2, 8, 30, tzinfo=UTC)  # 16:30 in Shanghai


def _reader(locale: Locale = Locale.ZH_HANS, zone: str = "Asia/Shanghai") -> Reader:
    return Reader(locale=locale, zone=ZoneInfo(zone), now=_NOW)


@pytest.mark.parametrize(
    ("instant", "text"),
    [
        (datetime(2026, 3, 2, 6, 2, tzinfo=UTC), "14:02"),
        (datetime(2026, 3, 1, 16, 0, tzinfo=UTC), "00:00"),
        (datetime(2026, 3, 1, 15, 59, tzinfo=UTC), "昨天 23:59"),
        (datetime(2026, 2, 28, 15, 59, tzinfo=UTC), "02-28 23:59"),
        (datetime(2025, 12, 31, 15, 59, tzinfo=UTC), "2025-12-31 23:59"),
        (datetime(2026, 3, 3, 1, 0, tzinfo=UTC), "03-03 09:00"),
    ],
    ids=["today", "midnight is today", "yesterday", "this year", "another year", "tomorrow"],
)
def test_a_time_is_as_short_as_its_day_allows(instant: datetime, text: str) -> None:
    assert formats.time(instant, _reader()) == text


def test_yesterday_is_said_in_the_readers_language() -> None:
    assert formats.time(datetime(2026, 3, 1, 6, 2, tzinfo=UTC), _reader(Locale.EN)) == "yesterday 14:02"


def test_a_communitys_zone_comes_before_the_readers() -> None:
    instant = datetime(2026, 3, 2, 6, 2, tzinfo=UTC)
    assert formats.time(instant, _reader(), zone=ZoneInfo("Europe/Berlin")) == "07:02"


@pytest.mark.parametrize(
    ("zone", "text"),
    [("Asia/Shanghai", "2026-03-02 14:02:09 UTC+08:00"), ("America/St_Johns", "2026-03-02 02:32:09 UTC-03:30")],
    ids=["east", "west, half an hour"],
)
def test_an_exact_time_names_its_offset(zone: str, text: str) -> None:
    assert formats.exact_time(datetime(2026, 3, 2, 6, 2, 9, tzinfo=UTC), _reader(zone=zone)) == text


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (timedelta(seconds=59), "0 分钟"),
        (timedelta(minutes=3), "3 分钟"),
        (timedelta(hours=2, minutes=5), "2 小时 05 分"),
        (timedelta(days=4, hours=3, minutes=59), "4 天 3 小时"),
        (timedelta(seconds=-5), "0 分钟"),
    ],
    ids=["seconds", "minutes", "hours", "days", "negative"],
)
def test_a_duration_is_said_in_its_two_largest_units(length: timedelta, text: str) -> None:
    assert formats.duration(length, _reader()) == text


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (64.88, None, "64.88"),
        (1234567.891, None, "1,234,568"),
        (68.0, None, "68"),
        (0.1 + 0.2, None, "0.3"),
        (-3.5, None, "−3.5"),
        (100.0, None, "100"),
        (Decimal("1209.420"), 2, "1,209.42"),
        (5.0, 1, "5.0"),
        (0, None, "0"),
    ],
)
def test_a_number_has_six_digits_at_most_unless_its_own_are_given(
    value: float | Decimal, digits: int | None, text: str
) -> None:
    assert formats.number(value, digits=digits) == text


def test_a_quantity_stands_a_thin_space_before_its_symbol() -> None:
    assert formats.quantity(81.5, "[degF]") == "81.5\N{NARROW NO-BREAK SPACE}°F"
    assert formats.quantity(3, "1") == "3"
    assert formats.quantity(3, "") == "3"


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (Money(123450, "CNY"), "¥1,234.50"),
        (Money(-5, "CNY"), "−¥0.05"),
        (Money(1200, "JPY"), "JPY\N{NARROW NO-BREAK SPACE}1,200"),
    ],
)
def test_money_has_its_sign_its_separators_and_a_minus(amount: Money, text: str) -> None:
    assert formats.money(amount) == text
