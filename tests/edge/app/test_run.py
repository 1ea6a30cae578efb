import asyncio
import json
import os
import random
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import aiomqtt
import pytest

from edge.buffer.buffer import Buffer
from edge.buffer.store import Flow
from edge.clock import SystemClock
from provisioning.practice.ports import free_port
from tests.edge.app.clouds import NOW_US, TakingCloud
from tests.edge.app.conftest import METER_REGISTERS, BoxFiles
from tests.servers.modbus import device, modbus_server
from tests.servers.mosquitto import Mosquitto

_STARTS_S = 60.0
_COMMIT_S = 4.0
"""What an answer and a commit may take on a busy machine."""


class Running:
    """A gatehouse-edge that runs as a program of its own."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.log: list[dict[str, str]] = []
        self.status: int | None = None

    async def until(self, event: str, **fields: str) -> dict[str, str]:
        """Read the log until an event begins so and has these fields."""
        async with asyncio.timeout(_STARTS_S):
            while line := await self._process.stderr.readline():
                self.log.append(json.loads(line))
                if self.log[-1]["event"].startswith(event) and fields.items() <= self.log[-1].items():
                    return self.log[-1]
        raise AssertionError(f"no {event!r} in {self.log}")

    async def kill(self) -> float:
        """End it as a power cut does, and return when (monotonic)."""
        self._process.kill()
        killed_at_s = time.monotonic()
        await self._process.wait()
        return killed_at_s

    async def stop(self) -> None:
        """Send SIGTERM, and read the rest of the log."""
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGTERM)
        rest = await asyncio.wait_for(self._process.stderr.read(), _STARTS_S)
        self.log += [json.loads(line) for line in rest.splitlines()]
        self.status = await self._process.wait()


@asynccontextmanager
async def _running(box: BoxFiles, **environment: str) -> AsyncIterator[Running]:
    command = [sys.executable, "-m", "edge", "run", "--settings", str(box.file)]
    process = await asyncio.create_subprocess_exec(
        *command, stderr=asyncio.subprocess.PIPE, env=os.environ | environment
    )
    running = Running(process)
    try:
        yield running
    finally:
        await running.stop()


async def _until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(_STARTS_S):
        while not true():  # noqa: ASYNC110  it comes true in another program
            await asyncio.sleep(0.05)


async def _buffered(box: BoxFiles) -> dict[str, list[float]]:
    """Return the values of each point that the buffer holds unsent."""
    found: dict[str, list[float]] = {}
    async with await Buffer.open(box.root / "box/buffer.db", clock=SystemClock()) as buffer:
        await buffer.learn_offset(NOW_US)
        for flow in (Flow.BACKLOG, Flow.LIVE):
            while drawn := await buffer.draw(flow, max_rows=1_000):
                for point, value in zip(drawn.batch.rows.point, drawn.batch.rows.value, strict=True):
                    found.setdefault(drawn.batch.rows.points[point], []).append(value)
    return found


async def test_readings_of_every_bus_reach_the_cloud(box: BoxFiles, cloud: TakingCloud, broker: Mosquitto) -> None:
    box.add("[upload]", "flush_s = 0.2")
    box.add_sensor()
    async with modbus_server(device(1, METER_REGISTERS)) as (port, _):
        box.add_meter(port)
        await box.run("claim", cloud.code)
        async with _running(box) as running, aiomqtt.Client("127.0.0.1", broker.port) as publisher:
            await running.until("running")
            await _until(lambda: cloud.values("meter/energy") and cloud.values("box/uptime"))
            await publisher.publish("zigbee2mqtt/pump-room", b'{"water_leak": true}', qos=1)
            await _until(lambda: cloud.values("pump-room/water_leak"))
    assert set(cloud.values("meter/energy")) == {1234.56}
    assert set(cloud.values("meter/power")) == {1500.5}
    assert cloud.values("meter/online") == [1]
    assert cloud.values("pump-room/water_leak") == [1]
    [inventory] = cloud.inventories
    assert [(each.key, each.profile, each.name) for each in inventory.devices] == [
        ("box", "gatehouse-box", "North gate"),
        ("pump-room", "aqara-sjcgq11lm", "pump-room"),
        ("meter", "meter", "meter"),
    ]
    assert {point.key for each in inventory.devices for point in each.points} >= {
        point for batch in cloud.batches for point in batch.rows.points
    }


async def test_a_stop_is_clean_and_commits_what_was_gathered(box: BoxFiles) -> None:
    box.add("[cloud]", 'url = "http://127.0.0.1:9"', "[log]", 'level = "debug"')
    box.text = box.text.replace("maximum_bytes", "sample_commit_s = 10.0\nmaximum_bytes")
    async with modbus_server(device(1, METER_REGISTERS)) as (port, traffic):
        box.add_meter(port)
        async with _running(box) as running:
            await running.until("device gives values")
            await _until(lambda: len(traffic.asked) > 5)
    assert (running.status, running.log[-1]["event"]) == (0, "stopped")
    found = await _buffered(box)
    assert found["meter/online"] == [1]
    assert len(found["meter/power"]) >= 5


@pytest.mark.slow
@pytest.mark.soak
@pytest.mark.timeout(600)
async def test_a_power_cut_costs_at_most_the_last_second_of_samples(box: BoxFiles, *, soaking: bool, seed: int) -> None:
    rng = random.Random(seed)
    box.add("[cloud]", 'url = "http://127.0.0.1:9"', "[log]", 'level = "debug"')
    owed = 0
    async with modbus_server(device(1, METER_REGISTERS)) as (port, traffic):
        box.add_meter(port)
        for _ in range(30 if soaking else 3):
            traffic.asked_at_s.clear()
            async with _running(box) as running:
                await running.until("device gives values")
                await asyncio.sleep(rng.uniform(1.5, 3.0) + _COMMIT_S)
                killed_at_s = await running.kill()
            asked_in_time = [at_s for at_s in traffic.asked_at_s if at_s < killed_at_s - 1 - _COMMIT_S]
            owed += len(asked_in_time)
            assert asked_in_time
    assert len((await _buffered(box))["meter/power"]) >= owed


@pytest.mark.slow
async def test_an_unclaimed_box_reads_and_sends_once_it_is_claimed(box: BoxFiles, cloud: TakingCloud) -> None:
    box.add("[upload]", "flush_s = 0.2")
    async with modbus_server(device(1, METER_REGISTERS)) as (port, _):
        box.add_meter(port)
        async with _running(box) as running:
            await running.until("the box belongs to nobody yet")
            assert (await box.run("claim", cloud.code)).exit_code == 0
            await _until(lambda: cloud.values("meter/energy"))


async def _leak(broker: Mosquitto) -> None:
    """Say for ever that water leaks."""
    async with aiomqtt.Client("127.0.0.1", broker.port) as publisher:
        while True:
            await publisher.publish("zigbee2mqtt/pump-room", b'{"water_leak": true}', qos=1)
            await asyncio.sleep(0.2)


@pytest.mark.slow
async def test_a_broker_or_a_device_that_is_away_stops_nothing_else(box: BoxFiles, broker: Mosquitto) -> None:
    box.add("[cloud]", 'url = "http://127.0.0.1:9"', "[log]", 'level = "debug"')
    box.add_sensor()
    broker.stop()
    async with modbus_server(device(1, METER_REGISTERS), device(2, METER_REGISTERS), silent=[2]) as (port, traffic):
        box.add_meter(port)
        box.add_meter(port, key="dead", unit=2, timeout_s=0.3)
        async with _running(box) as running:
            await running.until("device gives no values", device="dead")
            broker.start()
            leaking = asyncio.create_task(_leak(broker))
            await running.until("device gives values", device="pump-room")
            leaking.cancel()
            await asyncio.wait([leaking])
            await _until(lambda: traffic.asked.count(1) > 12)
    found = await _buffered(box)
    assert len(found["meter/power"]) > 10
    assert (found["dead/online"], "dead/power" in found) == ([0], False)
    assert set(found["pump-room/water_leak"]) == {1}


async def test_systemd_is_told_of_the_start_the_life_and_the_end(box: BoxFiles, tmp_path: Path) -> None:
    box.add("[cloud]", 'url = "http://127.0.0.1:9"')
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.setblocking(False)
        told: list[bytes] = []

        async def hear_until(enough: Callable[[], bool]) -> None:
            async with asyncio.timeout(_STARTS_S):
                while not enough():
                    told.append(await asyncio.get_running_loop().sock_recv(systemd, 100))

        async with _running(box, NOTIFY_SOCKET=str(tmp_path / "notify"), WATCHDOG_USEC="200000") as running:
            await hear_until(lambda: told.count(b"WATCHDOG=1") >= 3)
            # A socket that nobody reads takes few messages, and a stop takes its time.
            await asyncio.gather(running.stop(), hear_until(lambda: told[-1] == b"STOPPING=1"))
    assert told[0] == b"READY=1"


async def _figures(session: aiohttp.ClientSession, page: int) -> dict[str, str]:
    async with session.get(f"http://127.0.0.1:{page}/metrics") as answer:
        lines = (await answer.text()).splitlines()
    return dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))


async def test_the_metrics_page_counts_values_by_device(box: BoxFiles, cloud: TakingCloud) -> None:
    page = free_port()
    box.add("[metrics]", f"port = {page}")
    async with modbus_server(device(1, METER_REGISTERS)) as (port, _):
        box.add_meter(port)
        async with _running(box) as running, aiohttp.ClientSession() as session:
            await running.until("running")
            figures: dict[str, str] = {}
            async with asyncio.timeout(_STARTS_S):
                while float(figures.get('gatehouse_edge_values_taken_total{device="meter"}', 0)) < 4:
                    figures = await _figures(session, page)
                    await asyncio.sleep(0.05)
    assert float(figures["gatehouse_edge_buffer_rows_unsent"]) >= 1


async def _refused(box: BoxFiles) -> tuple[int | None, str]:
    """Return the status and the words of a program that can't run."""
    command = [sys.executable, "-m", "edge", "run", "--settings", str(box.file)]
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    _, said = await asyncio.wait_for(process.communicate(), _STARTS_S)
    return process.returncode, said.decode()


async def test_a_taken_metrics_port_is_a_refusal_that_names_it(box: BoxFiles) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        box.add("[cloud]", 'url = "http://127.0.0.1:9"', "[metrics]", f"port = {port}")
        status, said = await _refused(box)
    assert (status, f"metrics.port = {port}: Address already in use" in said) == (78, True)


@pytest.mark.slow
async def test_a_second_program_on_the_same_buffer_is_refused(box: BoxFiles) -> None:
    box.add("[cloud]", 'url = "http://127.0.0.1:9"')
    async with _running(box) as running:
        await running.until("running")
        status, said = await _refused(box)
    assert (status, "buffer.db" in said) == (1, True)


async def test_two_devices_under_one_topic_are_refused(box: BoxFiles, cloud: TakingCloud, broker: Mosquitto) -> None:
    box.add_sensor(key="a")
    box.text = box.text.replace('device = "a"', 'device = "same"')
    box.add_sensor(key="b")
    box.text = box.text.replace('device = "b"', 'device = "same"')
    box.add()
    assert await _refused(box) == (
        78,
        'devices "a" and "b" both publish under zigbee2mqtt/same; give one of them another mqtt.device\n',
    )


@pytest.mark.parametrize("line", ["[cloud", "[clod]"])
async def test_settings_that_can_not_work_end_with_a_status_of_their_own(box: BoxFiles, line: str) -> None:
    box.add(line)
    result = await box.run("run")
    assert result.exit_code == 78
