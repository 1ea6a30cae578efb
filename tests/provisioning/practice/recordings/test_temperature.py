import csv
import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from provisioning.practice.recordings.temperature import FILE, Temperature, temperatures


def _instant(month: str) -> datetime:
    return datetime.fromisoformat(f"{month}:00").replace(tzinfo=UTC)


EPISODES = [
    (_instant("2013-12-21 18:00"), _instant("2013-12-24 11:00"), "high"),
    (_instant("2013-12-25 02:00"), _instant("2013-12-25 05:00"), "high"),
    (_instant("2014-01-12 20:00"), _instant("2014-01-13 05:00"), "high"),
    (_instant("2014-04-12 23:00"), _instant("2014-04-14 09:00"), "low"),
    (_instant("2014-04-20 09:00"), _instant("2014-04-21 08:00"), "low"),
    (_instant("2014-05-18 12:00"), _instant("2014-05-19 09:00"), "low"),
]


def test_the_recording_holds_7267_values_from_57_46_to_86_22() -> None:
    values = temperatures()

    assert len(values) == 7_267
    assert round(min(value.degf for value in values), 2) == 57.46
    assert round(max(value.degf for value in values), 2) == 86.22


def test_timestamps_are_taken_as_utc_and_only_rise() -> None:
    instants = [value.at for value in temperatures()]

    assert instants[0] == datetime(2013, 7, 4, tzinfo=UTC)
    assert instants[-1] == datetime(2014, 5, 28, 15, tzinfo=UTC)
    assert instants == sorted(set(instants))


def test_a_value_written_out_again_shows_the_recordings_own_digits() -> None:
    with FILE.open(newline="") as file:
        cells = [row["value"] for row in csv.DictReader(file)]

    assert [repr(value.degf) for value in temperatures()] == cells


def test_ten_gaps_are_in_it_the_longest_of_seven_days_and_six_hours() -> None:
    values = temperatures()
    gaps = {
        before.at: after.at - before.at
        for before, after in itertools.pairwise(values)
        if after.at - before.at != timedelta(hours=1)
    }

    assert len(gaps) == 10
    assert max(gaps.values()) == gaps[_instant("2014-04-03 09:00")] == timedelta(days=7, hours=6)


def test_with_limits_60_and_80_and_a_deadband_of_2_it_holds_six_episodes() -> None:
    assert list(_episodes(temperatures())) == EPISODES


def _episodes(values: list[Temperature]) -> Iterator[tuple[datetime, datetime, str]]:
    """Yield the episodes by their definition in the recordings' README, independently of the product's rules."""
    limit, since = None, None
    for value in values:
        if limit is None and not 60 <= value.degf <= 80:
            limit, since = ("high" if value.degf > 80 else "low"), value.at
        elif limit is not None and since is not None and 62 <= value.degf <= 78:
            yield since, value.at, limit
            limit = None
