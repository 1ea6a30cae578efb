import asyncio
import logging
import random
from collections.abc import Callable

import msgspec
import pytest

from edge.buffer.buffer import Buffer
from edge.clock import SystemClock
from edge.sync.channel import Channel
from edge.sync.cloud import Cloud
from edge.sync.cloudtime import CloudTime
from edge.sync.configuration import Configuration
from edge.sync.persistence import Patience
from edge.sync.uploader import Uploader
from protocols import wire
from tests.edge.sync.faulty_cloud import FaultyCloud
from tests.edge.sync.uploads import PATIENCE, at_work, counted, everything_held, rows


@pytest.fixture
def channel(buffer: Buffer, cloud: Cloud, time: CloudTime, configuration: Configuration, rng: random.Random) -> Channel:
    return Channel(
        buffer,
        cloud,
        time=time,
        configuration=configuration,
        boot_id=SystemClock().boot_id,
        software="gatehouse-edge test",
        patience=PATIENCE,
        rng=rng,
    )


async def test_a_box_says_who_it_is_and_is_welcomed(channel: Channel, faulty: FaultyCloud, buffer: Buffer) -> None:
    await buffer.append(rows(3))
    assert not channel.connected
    async with at_work(channel):
        await faulty.until(lambda: bool(faulty.pings))
        assert channel.connected
    assert faulty.hellos == [
        wire.Hello(
            v=1,
            minimum_v=1,
            boot=SystemClock().boot_id,
            store=buffer.store_id,
            head=3,
            software="gatehouse-edge test",
            configuration=0,
        )
    ]
    assert not channel.connected


async def test_the_welcome_tells_the_time_and_what_is_held(
    channel: Channel, faulty: FaultyCloud, buffer: Buffer, time: CloudTime, make: Callable[..., Uploader]
) -> None:
    await buffer.append(rows(10))
    async with at_work(make()):
        await everything_held(buffer)
    for seq in range(4, 11):  # the cloud is restored from yesterday's backup
        del faulty.kept[buffer.store_id][seq]
    async with at_work(channel):
        await faulty.until(lambda: bool(faulty.pings))
        assert (await buffer.statistics()).unsent_rows == 7
    async with at_work(make()):
        await everything_held(buffer)
    assert faulty.values() == counted(10)
    assert time.offset_us is not None


async def test_heartbeats_carry_head_and_pending(channel: Channel, faulty: FaultyCloud, buffer: Buffer) -> None:
    async with at_work(channel):
        await buffer.append(rows(3))
        await faulty.until(lambda: any(ping.head == 3 for ping in faulty.pings))
    ping = faulty.pings[-1]
    assert (ping.head, ping.pending) == (3, 3)
    assert ping.buffer_hours_left
    assert [ping.id for ping in faulty.pings] == list(range(1, len(faulty.pings) + 1))


async def test_a_cloud_that_changes_its_time_is_followed(
    channel: Channel, faulty: FaultyCloud, time: CloudTime
) -> None:
    async with at_work(channel):
        await faulty.until(lambda: bool(faulty.pings))
        faulty.skew_us = 3_600_000_000
        seen = len(faulty.pings)
        await faulty.until(lambda: len(faulty.pings) >= seen + 2)
        now_us = time.now_us()
    assert now_us is not None
    assert abs(now_us - faulty.now_us()) < 1_000_000


async def test_a_configuration_is_put_in_force_and_confirmed(
    channel: Channel, faulty: FaultyCloud, buffer: Buffer
) -> None:
    async with at_work(channel):
        await faulty.until(lambda: bool(faulty.hellos))
        await faulty.tell(wire.Configuration(revision=4, watched=["meter/energy"]))
        await faulty.until(lambda: bool(faulty.configured))
    assert faulty.configured == [wire.Configured(revision=4)]
    assert buffer.watched == {"meter/energy"}


async def test_a_configuration_that_cannot_be_is_refused_with_the_reason(
    channel: Channel, faulty: FaultyCloud, caplog: pytest.LogCaptureFixture
) -> None:
    async with at_work(channel):
        await faulty.until(lambda: bool(faulty.hellos))
        for revision in (4, 3):
            await faulty.tell(wire.Configuration(revision=revision, watched=[]))
        await faulty.until(lambda: len(faulty.configured) == 2)
    assert faulty.configured[1].error == "revision 3 is older than 4, which is in force; send a newer one"
    assert "configuration 3 refused" in caplog.text


async def test_a_line_that_went_dead_is_noticed_and_left(channel: Channel, faulty: FaultyCloud) -> None:
    async with at_work(channel):
        await faulty.until(lambda: len(faulty.pings) >= 2)
        faulty.answers_pings = False  # what a half-open line looks like
        await faulty.until(lambda: len(faulty.hellos) == 2)


async def test_a_heartbeat_is_answered_by_its_own_pong_only(channel: Channel, faulty: FaultyCloud) -> None:
    faulty.answers_pings = False
    async with at_work(channel):
        await faulty.until(lambda: bool(faulty.pings))
        await faulty.tell(wire.Pong(id=77, time_us=faulty.now_us()))
        await faulty.until(lambda: len(faulty.hellos) == 2)


@pytest.mark.parametrize(
    ("greeting", "said", "welcome_s"),
    [
        ("", "no welcome within", 0.1),
        ("{", "a frame came that is no message", 20),
        ('{"type":"later","x":1}', "a frame came that is no message", 20),
        (msgspec.json.encode(wire.Pong(id=1, time_us=1)).decode(), "a Pong came before the welcome", 20),
        (
            msgspec.json.encode(wire.Welcome(v=1, time_us=1, heartbeat_s=1, held={"STORE": [(5, 3)]})).decode(),
            "the welcome holds ranges that are none",
            20,
        ),
    ],
    ids=["silence", "no JSON", "an unknown message", "another message", "ranges that are none"],
)
async def test_a_strange_greeting_is_left_and_tried_again(
    channel: Channel,
    faulty: FaultyCloud,
    buffer: Buffer,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    greeting: str,
    said: str,
    welcome_s: float,
) -> None:
    monkeypatch.setattr("edge.sync.channel.WELCOME_S", welcome_s)
    faulty.greeting = greeting.replace("STORE", buffer.store_id)
    async with at_work(channel):
        await faulty.until(lambda: len(faulty.hellos) == 2)
        faulty.greeting = None
        await faulty.until(lambda: bool(faulty.pings))
    assert said in caplog.text


async def test_a_second_welcome_ends_the_channel(channel: Channel, faulty: FaultyCloud) -> None:
    async with at_work(channel):
        await faulty.until(lambda: bool(faulty.pings))
        await faulty.tell(wire.Welcome(v=1, time_us=faulty.now_us(), heartbeat_s=1, held={}))
        await faulty.until(lambda: len(faulty.hellos) == 2)


async def test_a_line_that_is_closed_is_opened_again_and_logged_once_down_and_once_up(
    channel: Channel, faulty: FaultyCloud, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "edge.sync"):
        async with at_work(channel):
            await faulty.until(lambda: bool(faulty.pings))
            await faulty.sockets[-1].close(code=1001)
            await faulty.until(lambda: len(faulty.hellos) == 2)
            seen = len(faulty.pings)
            await faulty.until(lambda: len(faulty.pings) > seen)
    assert [message.partition(";")[0] for message in caplog.messages] == [
        "channel stopped: /edge/v1/channel: closed by the cloud (1001)",
        "channel goes on",
    ]


async def test_a_box_that_was_pushed_out_leaves_the_other_one_alone(
    buffer: Buffer,
    cloud: Cloud,
    time: CloudTime,
    configuration: Configuration,
    faulty: FaultyCloud,
    caplog: pytest.LogCaptureFixture,
) -> None:
    channel = Channel(
        buffer,
        cloud,
        time=time,
        configuration=configuration,
        boot_id="0" * 32,
        software="",
        patience=Patience(start_jitter_s=0, first_s=0.01, longest_s=0.01, refused_s=300),
        rng=random.Random(7),
    )
    faulty.greeting = ""
    async with at_work(channel):
        for number in (1, 2):
            await faulty.until(lambda number=number: len(faulty.hellos) == number)  # type: ignore[misc]
            await faulty.sockets[-1].close(code=4409, message=b"a newer session counts")
        await asyncio.sleep(0.3)
    assert len(faulty.hellos) == 2
    assert "closed by the cloud (4409) a newer session counts" in caplog.text


async def test_a_box_that_is_not_let_in_tries_rarely(
    channel: Channel, faulty: FaultyCloud, caplog: pytest.LogCaptureFixture
) -> None:
    key, faulty.public_key = faulty.public_key, None
    async with at_work(channel):
        await faulty.until(lambda: "refused" in faulty.requests)
        faulty.public_key = key
        await faulty.until(lambda: bool(faulty.hellos))
    assert "the box is not let in (HTTP 401)" in caplog.text


async def test_the_channel_ends_at_once_on_a_line_that_takes_nothing(channel: Channel, faulty: FaultyCloud) -> None:
    faulty.answers_pings = False
    async with asyncio.timeout(9):
        async with at_work(channel):
            await faulty.until(lambda: bool(faulty.pings))
