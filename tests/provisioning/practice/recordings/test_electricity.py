import itertools
from datetime import UTC, datetime, timedelta

import pytest

from provisioning.practice.recordings.electricity import hour_end, meter_hours


@pytest.mark.parametrize(
    ("cell", "instant"),
    [
        pytest.param("11/25/2011 01:00:00", datetime(2011, 11, 25, 6, tzinfo=UTC), id="winter-is-five-hours-behind"),
        pytest.param("11/25/2011 00:00:00", datetime(2011, 11, 26, 5, tzinfo=UTC), id="midnight-is-24-00-of-its-date"),
        pytest.param("12/31/2011 00:00:00", datetime(2012, 1, 1, 5, tzinfo=UTC), id="midnight-into-a-new-year"),
        pytest.param("03/11/2012 01:00:00", datetime(2012, 3, 11, 6, tzinfo=UTC), id="last-hour-before-the-change"),
        pytest.param("03/11/2012 03:00:00", datetime(2012, 3, 11, 7, tzinfo=UTC), id="first-hour-after-the-change"),
        pytest.param("03/11/2012 00:00:00", datetime(2012, 3, 12, 4, tzinfo=UTC), id="summer-is-four-hours-behind"),
    ],
)
def test_a_cell_names_the_end_of_an_hour_in_toronto(cell: str, instant: datetime) -> None:
    assert hour_end(cell) == instant


def test_the_recording_holds_2712_hours_that_follow_one_another_without_a_gap() -> None:
    hours = meter_hours()

    assert len(hours) == 2_712
    assert hours[0].at == datetime(2011, 11, 25, 6, tzinfo=UTC)
    assert hours[-1].at == datetime(2012, 3, 17, 5, tzinfo=UTC)
    assert {after.at - before.at for before, after in itertools.pairwise(hours)} == {timedelta(hours=1)}


def test_the_register_ends_at_the_recordings_sum_of_1209_42_kwh() -> None:
    hours = meter_hours()

    assert hours[-1].register_hundredths == 120_942
    assert sum(hour.consumed_hundredths for hour in hours) == 120_942


def test_the_register_grows_by_what_each_hour_consumed() -> None:
    hours = meter_hours()

    assert hours[0].register_hundredths == hours[0].consumed_hundredths == 39
    grown = [after.register_hundredths - before.register_hundredths for before, after in itertools.pairwise(hours)]
    assert grown == [hour.consumed_hundredths for hour in hours[1:]]
