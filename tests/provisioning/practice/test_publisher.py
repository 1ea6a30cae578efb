import asyncio
from contextlib import aclosing
from pathlib import Path

import aiomqtt

from provisioning.practice.broker import running_broker
from provisioning.practice.ports import free_port
from provisioning.practice.publisher import Publisher


async def test_what_is_said_reaches_every_topic(tmp_path: Path) -> None:
    async with (
        running_broker(tmp_path) as broker,
        aclosing(Publisher(broker.port)) as sensor,
        aiomqtt.Client("127.0.0.1", broker.port) as listener,
    ):
        await listener.subscribe("#", qos=1)
        await sensor.say({"office/probe": b"1", "office/leak": b"2"})
        heard = [await anext(aiter(listener.messages)) for _ in range(2)]

    assert [(message.topic.value, message.payload) for message in heard] == [
        ("office/probe", b"1"),
        ("office/leak", b"2"),
    ]


async def test_a_message_waits_for_a_broker_that_is_away_and_is_said_once_it_is_back(tmp_path: Path) -> None:
    port = free_port()
    async with aclosing(Publisher(port)) as sensor:
        said = asyncio.create_task(sensor.say({"office/probe": b"1"}))
        await asyncio.sleep(0.1)
        assert not said.done()
        async with running_broker(tmp_path, port=port):
            await said
        again = asyncio.create_task(sensor.say({"office/probe": b"2"}))
        await asyncio.sleep(0.1)
        assert not again.done()
        async with running_broker(tmp_path, port=port):
            await again
