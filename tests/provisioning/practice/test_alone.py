import asyncio
from pathlib import Path

import aiomqtt

from provisioning.practice.alone import run_building
from provisioning.practice.building import PracticeBuilding


async def test_the_building_alone_plays_the_recording_as_soon_as_somebody_listens(tmp_path: Path) -> None:
    opened: asyncio.Queue[PracticeBuilding] = asyncio.Queue()
    running = asyncio.create_task(run_building(tmp_path, speed=1e9, opened=opened.put_nowait))
    try:
        async with asyncio.timeout(100):
            building = await opened.get()
            async with aiomqtt.Client("127.0.0.1", building.brokers[0].port) as listener:
                await listener.subscribe("practice/office", qos=1)
                first = await anext(aiter(listener.messages))
    finally:
        running.cancel()
        await asyncio.wait([running])

    assert first.payload == b'{"value": 69.88083514, "timestamp": "2013-07-04T00:00:00+00:00"}'
