from datetime import datetime, timedelta

import pytest

from cloud.core.clock import to_us
from cloud.core.database import Database
from cloud.core.errors import NotFound
from cloud.core.listing import Ask, Filter, Operator
from cloud.core.principal import Principal
from cloud.fleet import boxes, presence, service
from cloud.fleet.domain import Connection, SetAsideReason
from cloud.fleet.intake import Intake
from cloud.fleet.overview import Box, find_box, list_boxes
from cloud.fleet.presence import Heard
from cloud.fleet.series import SeriesStore
from cloud.fleet.set_aside import list_set_aside
from protocols.wire import Hello, Ping
from tests.clocks import FixedClock
from tests.cloud.fleet.boxes import STORE, Yard, batch

_T = "probe/temperature"


async def _greet(database: Database, clock: FixedClock, yard: Yard, *, number: str = "1" * 32) -> None:
    hello = Hello(v=1, minimum_v=1, boot="a" * 32, store=STORE, head=0, software="edge 1.0", configuration=0)
    async with database.transaction() as session:
        await presence.open_session(session, clock, yard.box.identity, number=number, hello=hello)


async def _beat(database: Database, clock: FixedClock, yard: Yard, **said: float) -> None:
    ping = Ping(id=1, head=0, **{"pending": 0, **said})
    heard = Heard(box=yard.box.identity, session="1" * 32, boot="a" * 32, store=STORE, ping=ping)
    async with database.transaction() as session:
        assert await presence.note_heartbeats(session, clock, [heard]) == []


async def _found(database: Database, clock: FixedClock, yard: Yard) -> Box:
    async with database.reading() as session:
        return await find_box(session, clock, yard.administrator, box_id=yard.box.identity.box_id)


async def _listed(database: Database, clock: FixedClock, principal: Principal, **asked: object) -> list[str]:
    async with database.reading() as session:
        return [box.name for box in (await list_boxes(session, clock, principal, Ask(**asked))).rows]


async def test_a_box_that_was_never_heard_is_away(database: Database, clock: FixedClock, yard: Yard) -> None:
    box = await _found(database, clock, yard)
    assert (box.connection, box.since, box.seen_at) == (Connection.AWAY, None, None)
    assert (box.points, box.stale, box.set_aside, box.pending) == (2, 2, 0, None)


async def test_a_box_on_its_channel_is_connected_since_its_hello(
    database: Database, clock: FixedClock, yard: Yard
) -> None:
    greeted_at = clock.now()
    await _greet(database, clock, yard)
    clock.advance(seconds=40)
    await _beat(database, clock, yard, pending=9, buffer_hours_left=3.5)
    clock.advance(seconds=45)
    box = await _found(database, clock, yard)
    assert (box.connection, box.since, box.seen_at) == (
        Connection.CONNECTED,
        greeted_at,
        clock.now() - timedelta(seconds=45),
    )
    assert (box.pending, box.buffer_hours_left, box.software) == (9, 3.5, "edge 1.0")
    clock.advance(seconds=1)
    assert (await _found(database, clock, yard)).connection is Connection.AWAY


async def test_a_box_that_left_is_away_since_then(database: Database, clock: FixedClock, yard: Yard) -> None:
    await _greet(database, clock, yard)
    clock.advance(seconds=10)
    left_at = clock.now()
    async with database.transaction() as session:
        await presence.close_session(session, clock, box_id=yard.box.identity.box_id, number="1" * 32)
    clock.advance(seconds=5)
    box = await _found(database, clock, yard)
    assert (box.connection, box.since) == (Connection.AWAY, left_at)


async def test_the_later_of_heartbeat_and_batch_is_when_a_box_was_last_heard(
    database: Database, clock: FixedClock, yard: Yard, store: SeriesStore
) -> None:
    intake = Intake(database, store, clock)
    seen: list[datetime | None] = []
    for act in ("batch", "hello", "batch"):
        clock.advance(minutes=1)
        if act == "hello":
            await _greet(database, clock, yard)
        else:
            await intake.take(yard.box.identity, batch([], [], head=0))
        seen.append((await _found(database, clock, yard)).seen_at)
    assert seen == [clock.now() - timedelta(minutes=2), clock.now() - timedelta(minutes=1), clock.now()]


async def test_a_box_that_was_shut_out_says_so(database: Database, clock: FixedClock, yard: Yard) -> None:
    await _greet(database, clock, yard)
    async with database.transaction() as session:
        await boxes.revoke(session, clock, yard.administrator, box_id=yard.box.identity.box_id)
    assert (await _found(database, clock, yard)).connection is Connection.REVOKED


@pytest.mark.parametrize("age_s", [0, 179, 180, 181, 400])
async def test_the_list_counts_as_silent_what_each_point_says_of_itself(
    database: Database, clock: FixedClock, yard: Yard, store: SeriesStore, age_s: int
) -> None:
    row = (_T, to_us(clock.now() - timedelta(seconds=age_s)), 1.0)
    await Intake(database, store, clock).take(yard.box.identity, batch([(1, 1)], [row]))
    async with database.reading() as session:
        points = await service.points(session, yard.administrator)
        latest = await service.latest(session, yard.administrator, point_ids=yard.points.values())
    times = {point_id: reading.time for point_id, reading in latest.items()}
    silent = [point.key for point in points if point.is_stale(times.get(point.id), clock.now())]
    assert (await _found(database, clock, yard)).stale == len(silent)


async def test_boxes_are_filtered_and_sorted_by_when_they_were_heard(
    database: Database, clock: FixedClock, yard: Yard, neighbour: Yard
) -> None:
    await _greet(database, clock, yard)
    for operator, instant, is_there in (
        (Operator.FROM, clock.now(), True),
        (Operator.FROM, clock.now() + timedelta(seconds=1), False),
        (Operator.UNTIL, clock.now(), False),
        (Operator.UNTIL, clock.now() + timedelta(seconds=1), True),
    ):
        heard = Filter(column="seen_at", operator=operator, values=(instant,))
        assert bool(await _listed(database, clock, yard.administrator, filters=(heard,))) is is_there
    assert await _listed(database, clock, yard.administrator, sort="seen_at", descending=True) == ["3 栋网关"]


async def test_a_neighbours_box_is_neither_listed_nor_found(
    database: Database, clock: FixedClock, yard: Yard, neighbour: Yard
) -> None:
    limited = Principal(organisation_id=yard.estate.organisation_id, communities=frozenset())
    async with database.reading() as session:
        assert len((await list_boxes(session, clock, yard.administrator, Ask())).rows) == 1
        assert (await list_boxes(session, clock, limited, Ask())).rows == []
        with pytest.raises(NotFound):
            await find_box(session, clock, neighbour.administrator, box_id=yard.box.identity.box_id)
        with pytest.raises(NotFound):
            await list_set_aside(session, neighbour.administrator, box_id=yard.box.identity.box_id, ask=Ask())
        with pytest.raises(NotFound):
            await service.gaps(session, neighbour.administrator, box_id=yard.box.identity.box_id)


async def test_rows_set_aside_are_listed_newest_first_as_they_came(
    database: Database, clock: FixedClock, yard: Yard, store: SeriesStore
) -> None:
    rows = [("x/y", to_us(clock.now()), 1.5), (_T, 2**62, 2.0), (_T, to_us(clock.now()), float("inf"))]
    await Intake(database, store, clock).take(yard.box.identity, batch([(4, 6)], rows))
    async with database.reading() as session:
        found = await list_set_aside(session, yard.administrator, box_id=yard.box.identity.box_id, ask=Ask())
    assert [(line.seq, line.reason, line.time, line.value) for line in found.rows] == [
        (6, SetAsideReason.NOT_A_NUMBER, clock.now(), "inf"),
        (5, SetAsideReason.FAR_FUTURE, None, "2.0"),
        (4, SetAsideReason.UNKNOWN_POINT, clock.now(), "1.5"),
    ]


async def test_devices_are_found_with_their_places(database: Database, clock: FixedClock, yard: Yard) -> None:
    async with database.reading() as session:
        (device,) = await service.devices(session, yard.administrator, box_id=yard.box.identity.box_id)
        assert await service.device(session, yard.administrator, device_id=device.id) == device
        with pytest.raises(NotFound):
            await service.device(session, yard.administrator, device_id=device.id + 1)
    assert (device.key, device.profile, device.gone_at) == ("probe", "practice-probe", None)
    assert device.where.community_id == yard.community_id
