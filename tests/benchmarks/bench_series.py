"""F6: what pages ask of ten million readings, through the series store that the services are given."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from cloud.fleet.series import HOUR_US, SeriesStore
from cloud.fleet.series_url import open_series
from tests.benchmarks.figures import RUNS, Figure

FIGURES = ("F6",)

_POINTS = 2_000
_HOURS = 5_000
_BEGAN_US = 1_700_000_000_000_000 // HOUR_US * HOUR_US
_ENDED_US = _BEGAN_US + _HOURS * HOUR_US
_ASKED = 100
"""Times that a question is asked in a run, each time of other points."""

Question = Callable[[SeriesStore, random.Random], Awaitable[object]]


async def _newest(store: SeriesStore, rng: random.Random) -> object:
    return await store.newest(rng.sample(range(1, _POINTS + 1), 50))


async def _raw(store: SeriesStore, rng: random.Random) -> object:
    start_us = _BEGAN_US + rng.randrange(_HOURS - 1_000) * HOUR_US
    return await store.read(rng.randint(1, _POINTS), start_us=start_us, end_us=_ENDED_US, limit=1_000)


async def _hours(store: SeriesStore, rng: random.Random) -> object:
    start_us = _BEGAN_US + rng.randrange(_HOURS - 720) * HOUR_US
    return await store.hourly(rng.randint(1, _POINTS), start_us=start_us, end_us=start_us + 720 * HOUR_US)


async def _uses(store: SeriesStore, rng: random.Random) -> object:
    start_us = _BEGAN_US + rng.randrange(_HOURS - 720) * HOUR_US
    return await store.last_minus_first(range(1, _POINTS + 1), start_us=start_us, end_us=start_us + 720 * HOUR_US)


_QUESTIONS: tuple[tuple[str, Question, str], ...] = (
    ("newest of 50 points", _newest, "0.06"),
    ("1,000 raw values of a point", _raw, "0.5"),
    ("30 days of a point by the hour", _hours, "1.0"),
    ("last minus first of 2,000 meters over 30 days", _uses, "7"),
)


def run() -> Iterator[Figure]:
    """Yield the time of each question over readings in SQLite, hourly ones of many meters."""
    with TemporaryDirectory(prefix="gatehouse-series-") as name:
        for text, runs_ms, known in asyncio.run(_measure(Path(name))):
            yield Figure(
                id="F6",
                text=f"{_POINTS * _HOURS:,} readings in SQLite, {text}",
                runs=runs_ms,
                unit="ms",
                goal=f"{known}, SQLite's own",
                known=f"SQLite asked directly {known} ms",
            )


async def _measure(folder: Path) -> list[tuple[str, list[float], str]]:
    store = open_series(f"sqlite+aiosqlite:///{folder / 'series.db'}")
    await store.prepare()
    await _fill(store)
    measured = []
    for text, question, known in _QUESTIONS:
        measured.append((text, [await _ask(store, question, seed) for seed in range(RUNS)], known))
    await store.close()
    return measured


async def _fill(store: SeriesStore) -> None:
    """Append a day of all meters at a time, as a fleet would."""
    rng = random.Random(6)
    for day in range(0, _HOURS, 24):
        hours = range(day, min(day + 24, _HOURS))
        for point in range(1, _POINTS + 1, 100):
            await store.append(
                [
                    (meter, _BEGAN_US + hour * HOUR_US, hour + rng.random(), 0)
                    for meter in range(point, point + 100)
                    for hour in hours
                ]
            )


async def _ask(store: SeriesStore, question: Question, seed: int) -> float:
    rng = random.Random(seed)
    times_ms = []
    for _ in range(_ASKED):
        begun = time.perf_counter()
        await question(store, rng)
        times_ms.append((time.perf_counter() - begun) * 1_000)
    return median(times_ms)
