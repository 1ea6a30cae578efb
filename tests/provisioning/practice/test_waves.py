import itertools
from datetime import timedelta

import pytest

from provisioning.practice.waves import EPOCH, Wave


def test_the_same_seed_tells_the_same_story_and_another_name_another() -> None:
    instant = EPOCH + timedelta(days=400, seconds=12_345)
    told = [Wave("power", mean=2.0, daily=0.5, restless=1.0, seed=7).at(instant) for _ in range(2)]
    other = Wave("current", mean=2.0, daily=0.5, restless=1.0, seed=7).at(instant)

    assert told[0] == told[1] != other


def test_the_value_stays_within_its_swings_and_peaks_in_the_early_afternoon() -> None:
    wave = Wave("power", mean=2.0, daily=1.0, restless=0.5)
    day = [wave.at(EPOCH + timedelta(minutes=minute)) for minute in range(1_440)]
    hours = [sum(day[first : first + 60]) for first in range(0, 1_440, 60)]

    assert all(0.5 < value < 3.5 for value in day)
    assert 3 <= hours.index(max(hours)) <= 9  # 11:00 to 17:00 in China


def test_the_total_of_a_positive_quantity_only_grows() -> None:
    wave = Wave("power", mean=2.0, daily=1.0, restless=0.9)
    totals = [wave.total(EPOCH + timedelta(seconds=10 * n)) for n in range(10_000)]

    assert all(after > before for before, after in itertools.pairwise(totals))


def test_the_total_is_the_integral_of_the_value() -> None:
    wave = Wave("power", mean=2.0, daily=1.0, restless=0.5)
    start = EPOCH + timedelta(days=300)
    summed = sum(wave.at(start + timedelta(seconds=n + 0.5)) for n in range(3_600))

    assert wave.total(start + timedelta(hours=1)) - wave.total(start) == pytest.approx(summed, rel=1e-4)
