import asyncio
from itertools import count

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from cloud.core.clock import to_us
from cloud.core.database import Database, Routes
from cloud.core.outbox import OutboxEvent
from cloud.fleet import service
from cloud.fleet.domain import Reading
from cloud.fleet.intake import Intake
from cloud.fleet.series import SeriesStore
from protocols.ranges import normalise
from protocols.wire import Batch
from tests.clocks import FixedClock
from tests.cloud.fleet.boxes import Yard, batch

_ROWS = 24
_KEYS = ("probe/temperature", "probe/humidity")
_runs = count()

sendings = st.lists(st.sets(st.integers(1, _ROWS), min_size=1), max_size=8)
"""Which rows a batch brings, batch by batch: overlapping, repeated, with holes, in any order."""


@pytest.fixture
def routes() -> Routes:
    return {"fleet.readings_taken": ("alarms",)}


def _batch(numbers: set[int], *, store: str, began_us: int) -> Batch:
    rows = [(_KEYS[number % 2], began_us + number * 1_000_000, number / 7) for number in sorted(numbers)]
    return batch(normalise((number, number) for number in numbers), rows, head=_ROWS, pending=1, store=store)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(sent=sendings, together=st.booleans())
async def test_batches_in_any_order_and_number_leave_each_row_once(
    database: Database, clock: FixedClock, yard: Yard, store: SeriesStore, sent: list[set[int]], together: bool
) -> None:
    run = next(_runs)
    began_us = to_us(clock.now()) - (run + 2) * 3_600_000_000
    name = f"{run:032x}"
    async with database.transaction() as session:
        await service.watch(session, clock, yard.administrator, point_ids=yard.points.values())
    taker = Intake(database, store, clock)
    batches = [_batch(numbers, store=name, began_us=began_us) for numbers in (*sent, set(range(1, _ROWS + 1)))]
    if together:
        await asyncio.gather(*(taker.take(yard.box.identity, part) for part in batches))
    else:
        for part in batches:
            await taker.take(yard.box.identity, part)

    answer = await taker.take(yard.box.identity, batch([], [], head=_ROWS, store=name))
    assert (answer.held, answer.set_aside) == ([(1, _ROWS)], [])
    expected = {
        number: (_KEYS[number % 2], began_us + number * 1_000_000, number / 7) for number in range(1, _ROWS + 1)
    }
    period = {"start_us": began_us, "end_us": began_us + 3_600_000_000}
    for key in _KEYS:
        found = await store.read(yard.points[key], **period)
        assert found == [Reading(time_us=at, value=value) for of, at, value in expected.values() if of == key]
    async with database.reading() as session:
        payloads = (await session.scalars(select(OutboxEvent.payload))).all()
    handed_on = [tuple(row) for said in payloads for row in msgspec.json.decode(said)["rows"]]
    handed_on = [row for row in handed_on if period["start_us"] <= row[1] < period["end_us"]]
    assert sorted(handed_on) == sorted((yard.points[key], at, value, 0) for key, at, value in expected.values())
