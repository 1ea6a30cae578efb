import asyncio
import logging
import random
import time as stopwatch
from collections.abc import Callable, Sequence
from pathlib import Path

import aiohttp
import pytest

from edge.buffer.buffer import Buffer
from edge.clock import SystemClock
from edge.sync.cloud import Cloud
from edge.sync.cloudtime import CloudTime
from edge.sync.identity import Identity
from edge.sync.persistence import Patience
from edge.sync.uploader import Pace, Uploader
from protocols import wire
from tests.edge.sync.faulty_cloud import CODE, Fault, FaultyCloud, running
from tests.edge.sync.uploads import DEVICES, PATIENCE, at_work, counted, everything_held, rows


async def test_the_inventory_goes_before_the_first_batch(
    make: Callable[..., Uploader], faulty: FaultyCloud, buffer: Buffer
) -> None:
    await buffer.append(rows(3))
    async with at_work(make()):
        await faulty.until(lambda: bool(faulty.batches))
    sent = [path for path in faulty.requests if path in {wire.PATH_INVENTORY, wire.PATH_BATCHES}]
    assert sent[:2] == [wire.PATH_INVENTORY, wire.PATH_BATCHES]
    assert faulty.inventories[0].devices == DEVICES


async def test_rows_arrive_with_the_clouds_time(
    make: Callable[..., Uploader], faulty: FaultyCloud, buffer: Buffer
) -> None:
    faulty.skew_us = 5_000_000_000  # the box's own clock is of no consequence
    await buffer.append(rows(1))
    async with at_work(make()):
        await faulty.until(lambda: bool(faulty.batches))
    (kept,) = faulty.kept[buffer.store_id].values()
    assert (kept.point, kept.value) == ("meter/energy", 0.0)
    assert abs(kept.time_us - faulty.now_us()) < 5_000_000


@pytest.mark.parametrize("answer_s", [0.5])
@pytest.mark.parametrize("fault", Fault, ids=str)
async def test_whatever_goes_wrong_everything_arrives_in_the_end_and_the_box_knows_it(
    make: Callable[..., Uploader], faulty: FaultyCloud, buffer: Buffer, fault: Fault
) -> None:
    faulty.faults.extend([fault, fault])
    await buffer.append(rows(40))
    async with at_work(make(batch_rows=10)):
        await everything_held(buffer)
        await buffer.append(rows(10, first=40))
        await everything_held(buffer)
    assert faulty.values() == counted(50)


@pytest.mark.parametrize("answer_s", [0.5])
async def test_faults_in_a_row_of_every_kind_lose_and_double_nothing(
    make: Callable[..., Uploader], faulty: FaultyCloud, buffer: Buffer, rng: random.Random
) -> None:
    faults = [*Fault, *Fault]
    rng.shuffle(faults)
    faulty.faults.extend(faults)
    async with at_work(make(batch_rows=7)):
        for at in range(20):
            await buffer.append(rows(10, first=10 * at))
            await asyncio.sleep(0.02)
        await everything_held(buffer)
    assert faulty.values() == counted(200)
    assert not faulty.faults


async def test_a_row_that_was_answered_is_not_sent_again(
    make: Callable[..., Uploader], faulty: FaultyCloud, buffer: Buffer
) -> None:
    async with at_work(make(batch_rows=5)):
        for at in range(10):
            await buffer.append(rows(3, first=3 * at))
        await everything_held(buffer)
    assert set(faulty.arrivals.values()) == {1}
    assert len(faulty.arrivals) == 30


async def test_a_batch_that_is_too_large_is_halved_until_it_fits(
    make: Callable[..., Uploader], faulty: FaultyCloud, buffer: Buffer, caplog: pytest.LogCaptureFixture
) -> None:
    faulty.largest_batch = 12
    await buffer.append(rows(100))
    async with at_work(make(batch_rows=100)):
        await everything_held(buffer)
    assert faulty.values() == counted(100)
    assert len(faulty.batches[0].rows.point) == 12
    assert "a batch of 100 rows is too large for the cloud: on with 50" in caplog.text


async def test_a_busy_cloud_is_left_alone_for_as_long_as_it_asks(
    make: Callable[..., Uploader], faulty: FaultyCloud, buffer: Buffer
) -> None:
    faulty.faults.append(Fault.LIMITED)  # Retry-After: 1
    await buffer.append(rows(3))
    async with at_work(make()):
        await faulty.until(lambda: not faulty.faults)
        begun_s = stopwatch.perf_counter()
        await faulty.until(lambda: bool(faulty.batches))
        assert stopwatch.perf_counter() - begun_s >= 0.95
    assert len(faulty.inventories) == 1


async def test_a_wrong_idea_of_the_time_mends_itself(
    make: Callable[..., Uploader], faulty: FaultyCloud, buffer: Buffer, time: CloudTime
) -> None:
    time.offset_us = 0
    await buffer.append(rows(3))
    async with at_work(make()):
        await everything_held(buffer)
    assert faulty.values() == counted(3)


async def test_a_box_that_was_shut_out_says_so_once_and_tries_rarely(
    make: Callable[..., Uploader], faulty: FaultyCloud, buffer: Buffer, caplog: pytest.LogCaptureFixture
) -> None:
    key, faulty.public_key = faulty.public_key, None
    patience = Patience(start_jitter_s=0, first_s=0.01, longest_s=0.01, refused_s=0.4)
    with caplog.at_level(logging.INFO, "edge.sync"):
        async with at_work(make(patience)):
            await faulty.until(lambda: faulty.requests.count("refused") == 2)  # soon after each other
            faulty.public_key = key
            await buffer.append(rows(3))
            await everything_held(buffer)
    assert faulty.requests.count("refused") == 2
    said = [message.partition(";")[0] for message in caplog.messages]
    assert said == [f"upload stopped: {wire.PATH_INVENTORY}: the token is not good", "upload goes on"]


async def test_the_inventorys_answer_says_what_is_watched(
    make: Callable[..., Uploader], faulty: FaultyCloud, buffer: Buffer
) -> None:
    faulty.watched = ["meter/alarm"]
    await buffer.append(rows(1))
    async with at_work(make()):
        await everything_held(buffer)
    assert buffer.watched == {"meter/alarm"}


async def test_a_watched_point_does_not_wait_for_the_flush(
    make: Callable[..., Uploader], faulty: FaultyCloud, buffer: Buffer
) -> None:
    faulty.watched = ["meter/alarm"]
    buffer.watch(frozenset(faulty.watched))
    await buffer.append(rows(1, point="meter/power"))
    async with at_work(make(flush_s=500.0)):
        await everything_held(buffer)  # from here on the next flush is minutes away
        await buffer.append(rows(1, point="meter/energy"))
        await buffer.append(rows(1, point="meter/alarm"))
        await faulty.until(lambda: len(faulty.batches) == 2)
    assert faulty.batches[1].rows.points == ["meter/energy", "meter/alarm"]


async def test_after_an_outage_the_inventory_is_sent_again(
    make: Callable[..., Uploader], faulty: FaultyCloud, buffer: Buffer
) -> None:
    faulty.faults.append(Fault.CUT_BEFORE)
    await buffer.append(rows(3))
    async with at_work(make()):
        await everything_held(buffer)
    assert len(faulty.inventories) == 2


async def test_polling_goes_on_and_readings_are_kept_while_the_cloud_is_away(
    tmp_path: Path, session: aiohttp.ClientSession, identity: Identity, rng: random.Random
) -> None:
    faulty = FaultyCloud()
    async with await Buffer.open(tmp_path / "other.db", clock=SystemClock()) as buffer:
        time = CloudTime(SystemClock(), learn=buffer.learn_offset)
        async with running(faulty):
            cloud = Cloud(session, url=faulty.url, identity=identity, time=time, timeout_s=30)
            await cloud.claim(CODE)
        port = int(faulty.url.rpartition(":")[2])

        async def watch_points(points: Sequence[str]) -> None:
            pass

        uploader = Uploader(
            buffer, cloud, devices=[], watch_points=watch_points, pace=Pace(flush_s=0.05), patience=PATIENCE, rng=rng
        )
        async with at_work(uploader):
            for at in range(20):
                await asyncio.wait_for(buffer.append(rows(1, first=at)), timeout=30)
                await asyncio.sleep(0.01)
            assert not uploader.online
            async with running(faulty, port=port):
                await everything_held(buffer)
                assert uploader.online
    assert faulty.values() == counted(20)


async def test_each_reason_for_setting_rows_aside_is_logged_once_a_point(
    make: Callable[..., Uploader], faulty: FaultyCloud, buffer: Buffer, caplog: pytest.LogCaptureFixture
) -> None:
    faulty.set_aside = [wire.SetAside(seq=seq, reason="unknown_point") for seq in (1, 2, 3)]
    async with at_work(make()):
        await buffer.append(rows(3))
        await everything_held(buffer)
        await buffer.append(rows(3, first=3))
        await everything_held(buffer)
    said = [message for message in caplog.messages if "aside" in message]
    assert said[0] == "the cloud set row 1 of meter/energy aside: unknown_point"
    assert len(said) == len(set(said))


async def test_the_commit_points_are_logged_in_words_that_stay(
    make: Callable[..., Uploader], faulty: FaultyCloud, buffer: Buffer, caplog: pytest.LogCaptureFixture
) -> None:
    """A crash test kills the box right after it sees one of them."""
    with caplog.at_level(logging.DEBUG, "edge"):
        await buffer.append(rows(3))
        async with at_work(make()):
            await everything_held(buffer)
    points = [
        point
        for message in caplog.messages
        for point in ("committed rows", "batch sent", "batch answered", "held ranges stored")
        if message.startswith(point)
    ]
    assert points == ["committed rows", "batch sent", "batch answered", "held ranges stored"]
