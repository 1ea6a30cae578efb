import asyncio
from typing import Any

import aiohttp
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select

from cloud.core.clock import to_us
from cloud.core.database import Database
from cloud.core.outbox import OutboxEvent
from cloud.fleet import boxes, service
from cloud.fleet.channel import Ending
from cloud.fleet.tables import BoxRow, PresenceRow, StoreRow
from protocols import wire
from tests.clocks import FixedClock
from tests.cloud.api.door import Door
from tests.cloud.fleet.boxes import STORE, ClaimedBox, Yard, batch
from tests.cloud.waiting import until

_BOOT, _OTHER_BOOT = "a" * 32, "b" * 32
_from_cloud: msgspec.json.Decoder[wire.FromCloud] = msgspec.json.Decoder(wire.FromCloud)


def _hello(**changes: Any) -> wire.Hello:
    said = {
        "v": 1,
        "minimum_v": 1,
        "boot": _BOOT,
        "store": STORE,
        "head": 0,
        "software": "edge 1.0",
        "configuration": 0,
    }
    return wire.Hello(**{**said, **changes})


async def _say(socket: aiohttp.ClientWebSocketResponse, message: wire.FromBox) -> None:
    await socket.send_str(msgspec.json.encode(message).decode())


async def _hear(socket: aiohttp.ClientWebSocketResponse) -> wire.FromCloud:
    async with asyncio.timeout(60):
        return _from_cloud.decode(await socket.receive_str())


async def _ending(socket: aiohttp.ClientWebSocketResponse) -> int | None:
    """Return the code with which the cloud closes the channel, after whatever it says before."""
    async with asyncio.timeout(60):
        async for _ in socket:
            pass
    return socket.close_code


async def _greeted(door: Door, yard: Yard, **changes: Any) -> tuple[aiohttp.ClientWebSocketResponse, wire.Welcome]:
    socket = await door.open_channel(yard.box)
    await _say(socket, _hello(**changes))
    welcome = await _hear(socket)
    assert isinstance(welcome, wire.Welcome)
    return socket, welcome


async def _presence(database: Database) -> PresenceRow:
    async with database.reading() as session:
        return (await session.scalars(select(PresenceRow))).one()


async def test_a_box_that_says_hello_is_welcomed_and_there(
    door: Door, database: Database, clock: FixedClock, yard: Yard
) -> None:
    now_us = to_us(clock.now())
    await door.send("POST", wire.PATH_BATCHES, batch([(2, 3)], [("probe/temperature", now_us, 1.0)] * 2), box=yard.box)
    socket, welcome = await _greeted(door, yard, head=5)
    assert welcome == wire.Welcome(v=1, time_us=now_us, heartbeat_s=30.0, held={STORE: [(2, 3)]})
    row = await _presence(database)
    assert (row.boot, row.opened_at, row.seen_at, row.closed_at) == (_BOOT, clock.now(), clock.now(), None)
    async with database.reading() as session:
        assert await session.scalar(select(StoreRow.head)) == 5
        assert await session.scalar(select(BoxRow.software)) == "edge 1.0"
    await socket.close()


async def test_a_heartbeat_is_answered_at_once_and_written_down_within_a_tick(
    door: Door, database: Database, clock: FixedClock, yard: Yard
) -> None:
    socket, _ = await _greeted(door, yard)
    clock.advance(seconds=30)
    await _say(socket, wire.Ping(id=7, head=12, pending=3, buffer_hours_left=71.5))
    assert await _hear(socket) == wire.Pong(id=7, time_us=to_us(clock.now()))
    await door.channels.tick()
    row = await _presence(database)
    assert (row.seen_at, row.pending, row.buffer_hours_left) == (clock.now(), 3, 71.5)
    await socket.close()


async def test_a_quiet_box_proves_by_its_heartbeat_that_nothing_is_missing(
    door: Door, database: Database, clock: FixedClock, yard: Yard
) -> None:
    now_us = to_us(clock.now())
    await door.send("POST", wire.PATH_BATCHES, batch([(1, 1)], [("probe/temperature", now_us, 1.0)]), box=yard.box)
    socket, _ = await _greeted(door, yard, head=1)
    clock.advance(hours=5)
    await _say(socket, wire.Ping(id=1, head=1, pending=0))
    await _hear(socket)
    await door.channels.tick()
    async with database.reading() as session:
        assert await session.scalar(select(StoreRow.head_us)) == to_us(clock.now())
    await socket.close()


async def test_a_box_that_leaves_is_gone(
    door: Door, database: Database, clock: FixedClock, yard: Yard, changes: list[int]
) -> None:
    socket, _ = await _greeted(door, yard)
    assert changes == [yard.estate.organisation_id]
    clock.advance(minutes=5)
    await socket.close()

    async def is_gone() -> bool:
        return (await _presence(database)).closed_at == clock.now()

    await until(is_gone)
    assert changes == [yard.estate.organisation_id] * 2


@pytest.mark.parametrize("heartbeat_s", [0.2])
async def test_a_box_that_falls_silent_is_closed_after_three_heartbeats(door: Door, yard: Yard) -> None:
    socket, _ = await _greeted(door, yard)
    assert await _ending(socket) == Ending.SILENT


async def test_what_is_watched_goes_to_the_box_and_its_answer_is_kept(
    door: Door, database: Database, clock: FixedClock, yard: Yard
) -> None:
    socket, _ = await _greeted(door, yard)
    async with database.transaction() as session:
        await service.watch(session, clock, yard.administrator, point_ids=yard.points.values())
    await door.channels.tick()
    assert await _hear(socket) == wire.Configuration(revision=1, watched=["probe/humidity", "probe/temperature"])
    await _say(socket, wire.Configured(revision=1))
    await _is_configured(database, (1, None))
    await door.channels.tick()
    await _say(socket, wire.Ping(id=1, head=0, pending=0))
    assert isinstance(await _hear(socket), wire.Pong)  # it was told once
    await socket.close()


async def _is_configured(database: Database, expected: tuple[int, str | None]) -> None:
    async def holds() -> bool:
        async with database.reading() as session:
            row = (await session.execute(select(BoxRow.configured_revision, BoxRow.configuration_error))).one()
        return tuple(row) == expected

    await until(holds)


async def test_a_configuration_that_the_box_refuses_is_kept_with_its_error(
    door: Door, database: Database, clock: FixedClock, yard: Yard
) -> None:
    socket, _ = await _greeted(door, yard)
    await _say(socket, wire.Configured(revision=4, error="watched: no such point"))
    await _is_configured(database, (0, "watched: no such point"))
    await socket.close()


async def test_a_box_that_missed_a_configuration_gets_it_with_its_welcome(
    door: Door, database: Database, clock: FixedClock, yard: Yard
) -> None:
    async with database.transaction() as session:
        await service.watch(session, clock, yard.administrator, point_ids=[yard.points["probe/humidity"]])
    socket, _ = await _greeted(door, yard)
    assert await _hear(socket) == wire.Configuration(revision=1, watched=["probe/humidity"])
    await socket.close()


async def test_a_box_that_knows_a_later_configuration_than_a_restored_cloud_gets_a_newer_one(
    door: Door, yard: Yard
) -> None:
    socket, _ = await _greeted(door, yard, configuration=9)
    assert await _hear(socket) == wire.Configuration(revision=10, watched=[])
    await socket.close()


async def test_two_machines_with_one_key_are_told_and_the_newest_stays(
    door: Door, database: Database, clock: FixedClock, yard: Yard
) -> None:
    older, _ = await _greeted(door, yard)
    newer, _ = await _greeted(door, yard, boot=_OTHER_BOOT)
    for socket in (older, newer):
        await _say(socket, wire.Ping(id=1, head=0, pending=0))
        await _hear(socket)
    await door.channels.tick()
    assert await _ending(older) == Ending.PUSHED_OUT
    async with database.reading() as session:
        events = (await session.scalars(select(OutboxEvent))).all()
    assert [event.kind for event in events] == ["fleet.box_cloned"]
    assert msgspec.json.decode(events[0].payload)["boots"] == [_BOOT, _OTHER_BOOT]
    await _say(newer, wire.Ping(id=2, head=0, pending=0))
    assert isinstance(await _hear(newer), wire.Pong)
    await newer.close()


async def test_two_machines_that_push_each_other_out_are_one_piece_of_news_an_hour(
    door: Door, database: Database, clock: FixedClock, yard: Yard
) -> None:
    for minutes in (0, 1, 61):
        clock.advance(minutes=minutes)
        older, _ = await _greeted(door, yard)
        newer, _ = await _greeted(door, yard, boot=_OTHER_BOOT)
        await _say(older, wire.Ping(id=1, head=0, pending=0))
        await _hear(older)
        await door.channels.tick()
        await newer.close()
        await older.close()
    async with database.reading() as session:
        assert len((await session.scalars(select(OutboxEvent))).all()) == 2


@pytest.mark.parametrize("heartbeat_s", [1.5])
async def test_a_box_that_comes_back_after_a_power_cut_is_no_clone(
    door: Door, database: Database, clock: FixedClock, yard: Yard
) -> None:
    dead, _ = await _greeted(door, yard)
    back, _ = await _greeted(door, yard, boot=_OTHER_BOOT)
    await _say(back, wire.Ping(id=1, head=0, pending=0))
    await _hear(back)
    await door.channels.tick()
    assert await _ending(dead) == Ending.SILENT
    async with database.reading() as session:
        assert (await session.scalars(select(OutboxEvent))).all() == []
    assert (await _presence(database)).boot == _OTHER_BOOT
    await back.close()


async def test_an_older_session_that_ends_leaves_the_newer_one_there(
    door: Door, database: Database, clock: FixedClock, yard: Yard
) -> None:
    older, _ = await _greeted(door, yard)
    newer, _ = await _greeted(door, yard)
    await older.close()
    await _say(newer, wire.Ping(id=1, head=0, pending=0))
    await _hear(newer)
    await door.channels.tick()
    assert (await _presence(database)).closed_at is None
    await newer.close()


async def test_a_box_that_is_shown_out_is_closed_within_a_tick(
    door: Door, database: Database, clock: FixedClock, yard: Yard
) -> None:
    socket, _ = await _greeted(door, yard)
    async with database.transaction() as session:
        await boxes.revoke(session, clock, yard.administrator, box_id=yard.box.identity.box_id)
    await door.channels.tick()
    assert await _ending(socket) == Ending.NOT_SIGNED_IN


async def test_a_box_that_was_shown_out_is_not_welcomed_with_a_token_of_before(
    door: Door, database: Database, clock: FixedClock, yard: Yard
) -> None:
    socket = await door.open_channel(yard.box)
    async with database.transaction() as session:
        await boxes.revoke(session, clock, yard.administrator, box_id=yard.box.identity.box_id)
    await _say(socket, _hello())
    assert await _ending(socket) == Ending.NOT_SIGNED_IN


async def test_a_stranger_gets_no_channel(door: Door, yard: Yard) -> None:
    forger = ClaimedBox(key=Ed25519PrivateKey.generate(), identity=yard.box.identity)
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await door.open_channel(forger)
    assert refused.value.status == 401


@pytest.mark.parametrize(
    "first",
    [
        "no json",
        "{}",
        '{"type": "shout"}',
        msgspec.json.encode(wire.Ping(id=1, head=0, pending=0)).decode(),
        msgspec.json.encode(_hello(v=2)).decode(),
        msgspec.json.encode(_hello(v=0)).decode(),
    ],
    ids=["no json", "no type", "another type", "no hello", "a later version", "an earlier version"],
)
async def test_a_channel_that_begins_otherwise_is_closed(
    door: Door, database: Database, yard: Yard, first: str
) -> None:
    socket = await door.open_channel(yard.box)
    await socket.send_str(first)
    assert await _ending(socket) == Ending.NO_MESSAGE
    async with database.reading() as session:
        assert (await session.scalars(select(PresenceRow))).all() == []


@pytest.mark.parametrize("later", [b"\xff\x00", msgspec.json.encode(_hello())], ids=["binary", "a second hello"])
async def test_nonsense_on_an_open_channel_closes_it(door: Door, yard: Yard, later: bytes) -> None:
    socket, _ = await _greeted(door, yard)
    await socket.send_bytes(later)
    assert await _ending(socket) == Ending.NO_MESSAGE


async def test_pages_are_told_of_heartbeats_once_in_a_period(door: Door, yard: Yard, changes: list[int]) -> None:
    socket, _ = await _greeted(door, yard)
    changes.clear()
    told = []
    for number, period_s in enumerate((3_600.0, 3_600.0, 3_600.0, 0.0)):
        door.channels._heartbeat_s = 3_600.0
        await _say(socket, wire.Ping(id=number, head=12, pending=3, buffer_hours_left=71.5))
        await _hear(socket)
        door.channels._heartbeat_s = period_s
        await door.channels.tick()
        told.append(len(changes))
    assert told == [1, 1, 1, 2]
    await socket.close()
