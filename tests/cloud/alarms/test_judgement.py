from dataclasses import replace

import pytest

from cloud.alarms.domain import Side
from cloud.alarms.judgement import (
    Raised,
    Reading,
    State,
    due_us,
    episodes,
    first_state,
    heard,
    waited,
)
from cloud.alarms.terms import Equals, Limits, Rate, Silence, Terms
from cloud.core.clock import from_us, to_us
from provisioning.practice.recordings.temperature import temperatures

S = 1_000_000
OFFICE = Limits(low=60.0, high=80.0, deadband=2.0)


def at(*values: float, every_s: int = 1) -> list[Reading]:
    return [(index * every_s * S, value) for index, value in enumerate(values)]


def spans(terms: Terms, readings: list[Reading], *, until_s: float = 10_000) -> list[tuple[str, float, float | None]]:
    """Side, begin and end in seconds of every episode."""
    return [
        (found.side, found.raised_us / S, None if found.returned_us is None else found.returned_us / S)
        for found in episodes(terms, readings, until_us=round(until_s * S))
    ]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param([79, 80, 79], [], id="the limit itself is normal"),
        pytest.param([79, 80.1], [("high", 1, None)], id="past the high limit"),
        pytest.param([61, 59.9], [("low", 1, None)], id="past the low limit"),
        pytest.param([81, 79, 78.1], [("high", 0, None)], id="inside the limit and not past the deadband"),
        pytest.param([81, 79, 78], [("high", 0, 2)], id="back by the deadband"),
        pytest.param([59, 61.9, 62], [("low", 0, 2)], id="back up by the deadband"),
        pytest.param([81, 59], [("high", 0, 1), ("low", 1, None)], id="from one side to the other at once"),
        pytest.param([81, 78, 81], [("high", 0, 1), ("high", 2, None)], id="twice"),
        pytest.param([79, 78.5], [], id="inside the deadband without having been past the limit"),
    ],
)
def test_limits(values: list[float], expected: list[tuple[str, float, float | None]]) -> None:
    assert spans(OFFICE, at(*values)) == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param([81, 81, 79, 81, 81], [], id="never long enough"),
        pytest.param([79, 81, 81, 81, 81, 79], [("high", 4, None)], id="long enough counts from its end"),
        pytest.param([81, 59, 59, 59, 59], [("low", 4, None)], id="another side begins anew"),
    ],
)
def test_an_on_delay(values: list[float], expected: list[tuple[str, float, float | None]]) -> None:
    terms = replace(OFFICE, on_delay_s=3, off_delay_s=60)
    assert spans(terms, at(*values), until_s=len(values) - 1) == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param([81, 70, 70, 81], [("high", 0, None)], id="not back for long enough"),
        pytest.param([81, 70, 70, 70, 70], [("high", 0, 4)], id="back for long enough"),
        pytest.param([81, 70, 79, 70, 70, 70], [("high", 0, None)], id="the deadband holds while it is waited"),
        pytest.param([81, 59, 59, 59, 59], [("high", 0, 4), ("low", 4, None)], id="the other side waits for it"),
    ],
)
def test_an_off_delay(values: list[float], expected: list[tuple[str, float, float | None]]) -> None:
    assert spans(replace(OFFICE, off_delay_s=3), at(*values), until_s=len(values) - 1) == expected


def test_a_delay_runs_out_at_its_own_instant_between_two_readings() -> None:
    terms = replace(OFFICE, on_delay_s=60)
    assert spans(terms, at(81, 70, every_s=3600)) == [("high", 60, 3600)]


def test_a_reading_at_the_instant_a_delay_runs_out_is_heard_first() -> None:
    terms = replace(OFFICE, on_delay_s=60)
    assert spans(terms, at(81, 70, every_s=60)) == []


def test_a_state_is_abnormal_while_it_is_equal() -> None:
    assert spans(Equals(value=1.0), at(0, 1, 1, 0)) == [("equal", 1, 3)]


def test_silence_is_raised_when_no_reading_follows_and_returns_with_the_next() -> None:
    readings = [(0, 1.0), (50 * S, 1.0), (200 * S, 1.0)]
    assert spans(Silence(after_s=60), readings, until_s=230) == [("silent", 110, 200)]


def test_silence_counts_from_the_rules_beginning_when_nothing_ever_came() -> None:
    state = first_state(Silence(after_s=60), now_us=1_000 * S)
    state, changes = waited(Silence(after_s=60), state, 1_060 * S)
    assert changes == [Raised(time_us=1_060 * S, value=None, side=Side.SILENT)]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param([20, 20.5, 21, 21.5], [], id="as fast as allowed"),
        pytest.param([20, 20.5, 22], [("high", 1200, None)], id="too fast up"),
        pytest.param([20, 15, 15], [("low", 600, 1200)], id="too fast down, until it stands still"),
    ],
)
def test_a_rate_per_hour(values: list[float], expected: list[tuple[str, float, float | None]]) -> None:
    assert spans(Rate(low=-3, high=3, over_s=600), at(*values, every_s=600)) == expected


def test_a_rate_is_taken_over_its_time_and_not_between_neighbours() -> None:
    flicker = at(*[20.0, 20.1] * 1200, every_s=1)
    assert spans(Rate(high=3, over_s=600), flicker) == []


def test_a_rate_keeps_few_readings_of_a_fast_point() -> None:
    terms, state = Rate(high=3, over_s=600), State()
    for reading in at(*[20.0] * 5_000, every_s=1):
        state, _ = heard(terms, state, reading)
    assert len(state.past) <= 18


def test_a_gap_longer_than_twice_the_rates_time_says_nothing() -> None:
    assert spans(Rate(high=3, over_s=600), [(0, 20.0), (7_200 * S, 90.0)]) == []


def test_the_passing_of_time_moves_the_state_to_the_change_and_no_further() -> None:
    terms = replace(OFFICE, on_delay_s=60)
    state, _ = heard(terms, State(), (0, 81.0))
    assert due_us(terms, state) == 60 * S
    state, changes = waited(terms, state, 100 * S)
    assert changes == [Raised(time_us=60 * S, value=81.0, side=Side.HIGH)]
    assert (state.time_us, due_us(terms, state)) == (60 * S, None)


def test_time_that_runs_out_nothing_changes_nothing() -> None:
    state, _ = heard(OFFICE, State(), (0, 70.0))
    assert waited(OFFICE, state, 100 * S) == (state, [])


def test_the_recorded_office_has_six_episodes() -> None:
    readings = [(to_us(reading.at), reading.degf) for reading in temperatures()]
    found = episodes(OFFICE, readings, until_us=readings[-1][0])
    assert [(e.side, f"{from_us(e.raised_us):%F %H:%M}", f"{from_us(e.returned_us):%F %H:%M}") for e in found] == [
        ("high", "2013-12-21 18:00", "2013-12-24 11:00"),
        ("high", "2013-12-25 02:00", "2013-12-25 05:00"),
        ("high", "2014-01-12 20:00", "2014-01-13 05:00"),
        ("low", "2014-04-12 23:00", "2014-04-14 09:00"),
        ("low", "2014-04-20 09:00", "2014-04-21 08:00"),
        ("low", "2014-05-18 12:00", "2014-05-19 09:00"),
    ]
