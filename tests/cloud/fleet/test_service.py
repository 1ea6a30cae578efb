from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from cloud.core.clock import to_us
from cloud.core.database import Database
from cloud.core.errors import Forbidden, Malformed, NotFound
from cloud.core.principal import Principal, Role
from cloud.fleet import bindings, ledger, service
from cloud.fleet.domain import Hour, Reading, Where
from cloud.fleet.intake import Intake
from cloud.fleet.series import SeriesStore
from cloud.properties import service as properties
from cloud.properties.domain import PlaceKind
from tests.clocks import FixedClock
from tests.cloud.fleet.boxes import Yard, batch


async def _another_place(database: Database, clock: FixedClock, yard: Yard, name: str = "配电房") -> int:
    async with database.transaction() as session:
        return await properties.create_place(
            session, clock, yard.administrator, community_id=yard.community_id, name=name, kind=PlaceKind.ROOM
        )


async def _device_id(database: Database, yard: Yard) -> int:
    async with database.reading() as session:
        point = await service.point(session, yard.administrator, point_id=yard.points["probe/temperature"])
    return point.device_id


async def _where(database: Database, yard: Yard, key: str, at: datetime) -> Where:
    async with database.reading() as session:
        return await service.where(session, yard.administrator, point_id=yard.points[key], at=at)


async def test_a_point_stands_where_its_box_does_until_somebody_says_more(
    database: Database, clock: FixedClock, yard: Yard
) -> None:
    assert await _where(database, yard, "probe/temperature", clock.now()) == Where(
        community_id=yard.community_id, place_id=None
    )


async def test_a_devices_place_is_its_points_and_a_points_own_place_wins(
    database: Database, clock: FixedClock, yard: Yard
) -> None:
    other = await _another_place(database, clock, yard)
    device_id = await _device_id(database, yard)
    async with database.transaction() as session:
        await bindings.bind_device(
            session, clock, yard.administrator, device_id=device_id, place_id=yard.place_id, label="供水"
        )
        await bindings.bind_point(
            session, clock, yard.administrator, point_id=yard.points["probe/humidity"], place_id=other
        )
    async with database.reading() as session:
        found = {point.key: point.where for point in await service.points(session, yard.administrator)}
    assert found == {
        "probe/temperature": Where(community_id=yard.community_id, place_id=yard.place_id, label="供水"),
        "probe/humidity": Where(community_id=yard.community_id, place_id=other),
    }


async def test_a_place_is_remembered_for_its_time(database: Database, clock: FixedClock, yard: Yard) -> None:
    other = await _another_place(database, clock, yard)
    device_id = await _device_id(database, yard)
    began = clock.now()
    for place_id in (yard.place_id, other):
        clock.advance(days=1)
        async with database.transaction() as session:
            await bindings.bind_device(session, clock, yard.administrator, device_id=device_id, place_id=place_id)
    places = [
        (await _where(database, yard, "probe/temperature", began + timedelta(days=days))).place_id
        for days in (0.5, 1, 1.5, 2, 9)
    ]
    assert places == [None, yard.place_id, yard.place_id, other, other]


async def test_points_are_found_by_their_places(database: Database, clock: FixedClock, yard: Yard) -> None:
    async with database.transaction() as session:
        await bindings.bind_point(
            session, clock, yard.administrator, point_id=yard.points["probe/humidity"], place_id=yard.place_id
        )
        found = await service.points(session, yard.administrator, place_ids=[yard.place_id])
    assert [point.key for point in found] == ["probe/humidity"]


async def test_only_a_place_of_the_boxs_community_is_taken(
    database: Database, clock: FixedClock, yard: Yard, neighbour: Yard
) -> None:
    async with database.transaction() as session:
        elsewhere = await properties.create_community(session, clock, yard.administrator, name="银杏苑")
        place_id = await properties.create_place(
            session, clock, yard.administrator, community_id=elsewhere, name="x", kind=PlaceKind.ROOM
        )
    for wrong in (place_id, neighbour.place_id, 999):
        with pytest.raises(NotFound):
            async with database.transaction() as session:
                await bindings.bind_point(
                    session, clock, yard.administrator, point_id=yard.points["probe/humidity"], place_id=wrong
                )


async def test_only_an_administrator_binds_and_only_what_is_ours(
    database: Database, clock: FixedClock, yard: Yard, neighbour: Yard
) -> None:
    humidity = yard.points["probe/humidity"]
    with pytest.raises(Forbidden):
        async with database.transaction() as session:
            operator = yard.estate.principals[Role.OPERATOR]
            await bindings.bind_point(session, clock, operator, point_id=humidity, place_id=yard.place_id)
    with pytest.raises(NotFound):
        async with database.transaction() as session:
            stranger = neighbour.administrator
            await bindings.bind_point(session, clock, stranger, point_id=humidity, place_id=neighbour.place_id)
    with pytest.raises(Malformed, match="120 characters at most"):
        async with database.transaction() as session:
            await bindings.bind_point(
                session, clock, yard.administrator, point_id=humidity, place_id=yard.place_id, label="x" * 121
            )


async def test_a_neighbours_points_are_not_there(database: Database, yard: Yard, neighbour: Yard) -> None:
    async with database.reading() as session:
        assert {point.box_id for point in await service.points(session, yard.administrator)} == {
            yard.box.identity.box_id
        }
        with pytest.raises(NotFound):
            await service.point(session, yard.administrator, point_id=neighbour.points["probe/humidity"])


async def test_who_is_limited_to_other_communities_sees_no_point(database: Database, yard: Yard) -> None:
    limited = Principal(organisation_id=yard.estate.organisation_id, communities=frozenset({yard.community_id + 1}))
    async with database.reading() as session:
        assert await service.points(session, limited) == []


async def test_readings_hours_and_the_latest_value_are_read_through_the_service(
    database: Database, clock: FixedClock, yard: Yard, store: SeriesStore
) -> None:
    now = clock.now()
    rows = [("probe/temperature", to_us(now + timedelta(minutes=minutes - 50)), 20.0 + minutes) for minutes in (0, 30)]
    await Intake(database, store, clock).take(yard.box.identity, batch([(1, 2)], rows))
    temperature = yard.points["probe/temperature"]
    period = {"start": now - timedelta(hours=2), "end": now}
    async with database.reading() as session:
        found = await service.readings(session, store, yard.administrator, point_id=temperature, **period)
        hours = await service.hourly(session, store, yard.administrator, point_id=temperature, **period)
        uses = await service.last_minus_first(
            session, store, yard.administrator, point_ids=[temperature, 999], **period
        )
        latest = await service.latest(session, yard.administrator, point_ids=yard.points.values())
    assert [(row.time, row.value) for row in found] == [
        (now - timedelta(minutes=50), 20.0),
        (now - timedelta(minutes=20), 50.0),
    ]
    assert hours == [
        Hour(
            start_us=to_us(now) - ledger.MARGIN_US * 6,
            count=2,
            minimum=20.0,
            maximum=50.0,
            mean=35.0,
            first=20.0,
            last=50.0,
        )
    ]
    assert {point_id: use.difference for point_id, use in uses.items()} == {temperature: 30.0}
    assert latest == {temperature: Reading(time_us=to_us(now - timedelta(minutes=20)), value=50.0)}


async def test_a_neighbour_reads_nothing_of_ours(
    database: Database, clock: FixedClock, yard: Yard, neighbour: Yard, store: SeriesStore
) -> None:
    await Intake(database, store, clock).take(
        yard.box.identity, batch([(1, 1)], [("probe/temperature", to_us(clock.now()), 1.0)])
    )
    temperature = yard.points["probe/temperature"]
    stranger = neighbour.administrator
    period = {"start": clock.now() - timedelta(hours=1), "end": clock.now() + timedelta(hours=1)}
    async with database.reading() as session:
        for read in (service.readings, service.hourly):
            with pytest.raises(NotFound):
                await read(session, store, stranger, point_id=temperature, **period)
        with pytest.raises(NotFound):
            await service.coverage(session, stranger, point_id=temperature, **period)
        assert await service.last_minus_first(session, store, stranger, point_ids=[temperature], **period) == {}
        assert await service.latest(session, stranger, point_ids=[temperature]) == {}


async def test_coverage_tells_what_a_box_still_has(
    database: Database, clock: FixedClock, yard: Yard, store: SeriesStore
) -> None:
    start = clock.now()
    clock.advance(hours=6)
    rows = [("probe/temperature", to_us(start + timedelta(hours=hours)), float(hours)) for hours in (1, 2, 4, 5)]
    await Intake(database, store, clock).take(
        yard.box.identity, batch([(1, 2), (13, 14)], rows, head=20, pending=16, lost=[(3, 5)])
    )
    async with database.reading() as session:
        found = await service.coverage(
            session,
            yard.administrator,
            point_id=yard.points["probe/humidity"],
            start=start,
            end=start + timedelta(hours=6),
        )
    margin = ledger.MARGIN
    assert found.complete == (
        (to_us(start), to_us(start + timedelta(hours=2) - margin)),
        (to_us(start + timedelta(hours=4) + margin), to_us(start + timedelta(hours=5) - margin)),
    )
    assert [(gap.absence, gap.rows) for gap in found.gaps] == [
        (ledger.Absence.LOST, 3),
        (ledger.Absence.MISSING, 7),
        (ledger.Absence.MISSING, 6),
        (ledger.Absence.UNTOLD, None),
    ]


async def test_watching_is_exact_and_tells_only_the_boxes_it_concerns(
    database: Database, clock: FixedClock, yard: Yard, neighbour: Yard
) -> None:
    async with database.transaction() as session:
        await service.watch(session, clock, yard.administrator, point_ids=yard.points.values())
        await service.watch(session, clock, neighbour.administrator, point_ids=[])
    async with database.transaction() as session:
        await service.watch(
            session, clock, yard.administrator, point_ids=[yard.points["probe/humidity"], *neighbour.points.values()]
        )
    async with database.reading() as session:
        ours = await service.points(session, yard.administrator)
        theirs = await service.points(session, neighbour.administrator)
    assert {point.key: point.watched for point in ours} == {"probe/temperature": False, "probe/humidity": True}
    assert {point.watched for point in theirs} == {False}


@pytest.mark.parametrize(
    ("age_s", "period_s", "is_stale"),
    [(None, 60.0, True), (179, 60.0, False), (181, 60.0, True), (59, 1.0, False), (61, 1.0, True), (None, 0.0, False)],
    ids=["never", "two periods", "past three", "quick point", "quick point past a minute", "speaks at events"],
)
async def test_a_point_is_stale_after_three_periods_and_a_minute(
    database: Database, clock: FixedClock, yard: Yard, age_s: float | None, period_s: float, is_stale: bool
) -> None:
    async with database.reading() as session:
        point = await service.point(session, yard.administrator, point_id=yard.points["probe/humidity"])
    newest = None if age_s is None else clock.now() - timedelta(seconds=age_s)
    assert replace(point, period_s=period_s).is_stale(newest, clock.now()) is is_stale
