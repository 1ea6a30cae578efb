import asyncio
import socket
from pathlib import Path

import aiomqtt
import pytest

from provisioning.errors import BrokerMissing, SiteError
from provisioning.practice.broker import find_mosquitto, running_broker
from provisioning.practice.ports import is_free


async def test_what_is_published_arrives_and_the_port_is_free_again_afterwards(tmp_path: Path) -> None:
    async with running_broker(tmp_path / "broker") as broker:
        async with aiomqtt.Client("127.0.0.1", broker.port) as client:
            await client.subscribe("office/probe", qos=1)
            await client.publish("office/probe", b"21.5", qos=1)
            message = await anext(aiter(client.messages))
        assert message.payload == b"21.5"
    assert is_free(broker.port)


async def test_a_queue_outlives_the_broker(tmp_path: Path) -> None:
    async with running_broker(tmp_path) as broker, _box(broker.port) as box:
        await box.subscribe("office/probe", qos=1)
    async with running_broker(tmp_path) as broker, aiomqtt.Client("127.0.0.1", broker.port) as probe:
        await probe.publish("office/probe", b"1", qos=1)
    async with running_broker(tmp_path) as broker, _box(broker.port) as box:
        assert (await anext(aiter(box.messages))).payload == b"1"


async def test_it_knows_when_somebody_listens_to_a_topic(tmp_path: Path) -> None:
    async with running_broker(tmp_path) as broker, aiomqtt.Client("127.0.0.1", broker.port) as client:
        with pytest.raises(SiteError, match="waited 0 s in vain for a subscription to office/probe"):
            await broker.subscribed("office/probe", within_s=0.2)
        await client.subscribe("office/probe", qos=1)
        await broker.subscribed("office/probe")


async def test_a_port_in_use_is_an_error_that_shows_what_mosquitto_said(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
        with pytest.raises(SiteError, match=f"did not start on port {port}.*Address already in use"):
            async with running_broker(tmp_path, port=port):
                await asyncio.sleep(0)


def test_where_mosquitto_is_missing_the_error_says_what_goes_on_and_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    with pytest.raises(BrokerMissing, match=r"goes on with its Modbus devices.*apt-get install mosquitto"):
        find_mosquitto()


def _box(port: int) -> aiomqtt.Client:
    return aiomqtt.Client("127.0.0.1", port, identifier="box", clean_session=False)
