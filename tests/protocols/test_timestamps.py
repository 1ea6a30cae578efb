import math
from datetime import UTC
from zoneinfo import ZoneInfo

import pytest

from protocols.errors import AnswerRefused, DictionaryError
from protocols.timestamps import from_epoch, from_iso8601, zone_named

SHANGHAI = ZoneInfo("Asia/Shanghai")
TORONTO = ZoneInfo("America/Toronto")


@pytest.mark.parametrize(
    ("text", "zone", "expected_s"),
    [
        pytest.param("2014-04-12 23:00:00", UTC, 1_397_343_600, id="no offset, read as UTC"),
        pytest.param("2014-04-12T23:00:00Z", SHANGHAI, 1_397_343_600, id="Z beats the declared zone"),
        pytest.param("2014-04-13T07:00:00+08:00", UTC, 1_397_343_600, id="an offset beats the declared zone"),
        pytest.param("2014-04-13 07:00:00", SHANGHAI, 1_397_343_600, id="no offset, read in Shanghai"),
        pytest.param("2014-04-12T23:00:00.250000", UTC, 1_397_343_600.25, id="with a fraction"),
        pytest.param("2012-03-10 12:00:00", TORONTO, 1_331_398_800, id="winter time"),
        pytest.param("2012-03-12 12:00:00", TORONTO, 1_331_568_000, id="summer time"),
    ],
)
def test_an_iso_8601_text_is_an_instant(text: str, zone: ZoneInfo, expected_s: float) -> None:
    assert from_iso8601(text, zone=zone) == expected_s * 1_000_000


@pytest.mark.parametrize(
    ("number", "tick_us", "zone", "expected_us"),
    [
        pytest.param(1_397_343_600, 1_000_000, UTC, 1_397_343_600_000_000, id="seconds"),
        pytest.param(1_397_343_600_123, 1_000, UTC, 1_397_343_600_123_000, id="milliseconds"),
        pytest.param(1_397_343_600.5, 1_000_000, UTC, 1_397_343_600_500_000, id="seconds with a fraction"),
        pytest.param(1_397_372_400, 1_000_000, SHANGHAI, 1_397_343_600_000_000, id="a count of the wall clock"),
        pytest.param(0, 1_000_000, UTC, 0, id="1970 itself"),
    ],
)
def test_an_epoch_count_is_an_instant(number: float, tick_us: int, zone: ZoneInfo, expected_us: int) -> None:
    assert from_epoch(number, tick_us=tick_us, zone=zone) == expected_us


@pytest.mark.parametrize("number", [-1, 2**64 - 1, math.nan, math.inf, 10**400], ids=str)
def test_a_count_outside_of_any_calendar_is_refused(number: float) -> None:
    with pytest.raises(AnswerRefused, match="lies outside the years 1970 to 9999"):
        from_epoch(number, tick_us=1_000_000)


@pytest.mark.parametrize("text", ["yesterday", "2014-13-01 00:00:00", "", "1397343600"])
def test_what_is_no_iso_8601_is_refused_with_the_text(text: str) -> None:
    with pytest.raises(AnswerRefused, match=f"timestamp {text!r} is no ISO 8601 instant"):
        from_iso8601(text)


def test_a_text_before_1970_is_refused() -> None:
    with pytest.raises(AnswerRefused, match="lies outside the years 1970 to 9999"):
        from_iso8601("1969-12-31 23:59:59")


@pytest.mark.parametrize("name", ["Mars/Olympus", "../etc/passwd", "Asia", ""])
def test_an_unknown_zone_is_refused_with_a_mend(name: str) -> None:
    with pytest.raises(DictionaryError, match="write an IANA name such as UTC or Asia/Shanghai"):
        zone_named(name)
