import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.calendars import hours
from cloud.calendars.domain import DAY_MIN, Window
from cloud.core.errors import Refused


@pytest.mark.parametrize(
    ("text", "windows"),
    [
        pytest.param("09:00-12:00, 13:30-18:00", (Window(540, 720), Window(810, 1_080)), id="a day with lunch"),
        pytest.param(
            "9：00—12：00，13：30至18：00", (Window(540, 720), Window(810, 1_080)), id="as Chinese keyboards write"
        ),
        pytest.param("13:30-18:00 9:00-12:00", (Window(540, 720), Window(810, 1_080)), id="in any order"),
        pytest.param("22:00-06:00", (Window(1_320, 1_800),), id="over midnight"),
        pytest.param("18:00-00:00", (Window(1_080, 1_440),), id="to midnight"),
        pytest.param("00:00-24:00", (Window(0, 1_440),), id="a whole day"),
        pytest.param("  ", (), id="nothing"),
    ],
)
def test_hours_are_read_as_people_write_them(text: str, windows: tuple[Window, ...]) -> None:
    assert hours.parse(text, field="hours") == windows


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        pytest.param("nine to five", "“nine to five” is not understood", id="words"),
        pytest.param("09:00-12:00 and so on", "“and so on” is not understood", id="words behind"),
        pytest.param("09:00-25:00", "“09:00-25:00” holds no time of the day", id="no such hour"),
        pytest.param("09:75-12:00", "“09:75-12:00” holds no time of the day", id="no such minute"),
        pytest.param("24:00-06:00", "“24:00-06:00” holds no time of the day", id="a start past the day"),
        pytest.param("09:00-09:00", "“09:00-09:00” ends when it begins", id="no length"),
        pytest.param("09:00-12:00, 11:00-18:00", "11:00-18:00 begins before", id="overlapping"),
        pytest.param("22:00-06:00, 23:00-24:00", "23:00-24:00 begins before", id="overlapping at night"),
    ],
)
def test_hours_that_can_not_be_are_refused_with_the_field_and_the_mend(text: str, sentence: str) -> None:
    with pytest.raises(Refused, match=sentence) as refused:
        hours.parse(text, field="friday")
    assert refused.value.field == "friday"


@given(st.integers(0, DAY_MIN - 1), st.integers(1, DAY_MIN - 1))
def test_what_is_written_is_read_the_same(start_min: int, length_min: int) -> None:
    window = Window(start_min, start_min + length_min)
    assert hours.parse(hours.written([window]), field="hours") == (window,)
