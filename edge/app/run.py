"""The box at work: every loop a named task, ended together and cleanly."""

import asyncio
import logging
import random
import signal
from collections.abc import Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from functools import partial
from importlib import import_module

from edge.app.cloud import SOFTWARE
from edge.app.devices import BoundDevice, bind_all
from edge.app.identity import load_identity, mqtt_client_id
from edge.app.lines import Lines
from edge.app.sending import send
from edge.app.systemd import feed_watchdog, notify
from edge.buffer.buffer import Buffer
from edge.buffer.store import Bounds
from edge.clock import Clock, SystemClock
from edge.health.box import BoxHealth
from edge.poller.forever import repeat
from edge.poller.polled import PolledDevice
from edge.poller.pushed import PushedDevice, PushedSource
from edge.settings.sections import BOX_KEY, Settings

BUFFER_FILE = "buffer.db"

_LIVE_S = 10.0
"""Rows committed this long ago are backlog, where the pause between two live batches is not longer still."""

_log = logging.getLogger(__name__)


async def run_until_stopped(settings: Settings) -> None:
    """Run the box until SIGTERM or SIGINT; what it had gathered by then is committed.

    Raises:
        SettingsRefused: the settings can't work.
        BufferUnusable: the buffer can't be opened.
    """
    running = asyncio.create_task(_run(settings), name="box")

    def stop() -> None:
        notify("STOPPING=1")
        running.cancel()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop)
    await asyncio.wait([running])
    if not running.cancelled():
        running.result()
    _log.info("stopped")


async def open_buffer(settings: Settings, clock: Clock) -> Buffer:
    """Return the box's buffer.

    Raises:
        BufferUnusable: it can't be opened; another program may be using it.
    """
    bounds = Bounds(
        max_bytes=settings.buffer.maximum_bytes,
        keep_held_days=settings.buffer.maximum_days,
        live_s=max(_LIVE_S, 2 * settings.upload.flush_s),  # what waits for the next flush is no backlog
    )
    path = settings.buffer.folder / BUFFER_FILE
    return await Buffer.open(path, clock=clock, bounds=bounds, gather_s=settings.buffer.sample_commit_s)


async def _run(settings: Settings) -> None:
    clock = SystemClock()
    devices = bind_all(settings)
    client_id = mqtt_client_id(load_identity(settings.buffer.folder))
    async with await open_buffer(settings, clock) as buffer:
        with closing(Lines()) as lines:
            polled = _polled(devices, lines, buffer=buffer, clock=clock)
            sources = _sources(settings, devices, buffer=buffer, clock=clock, client_id=client_id)
            with _metrics(settings.metrics.port, polled, sources, buffer=buffer):
                await _work(settings, devices, polled, sources, buffer=buffer, clock=clock)


async def _work(
    settings: Settings,
    devices: Sequence[BoundDevice],
    polled: Sequence[PolledDevice],
    sources: Sequence[PushedSource],
    *,
    buffer: Buffer,
    clock: Clock,
) -> None:
    health = BoxHealth(settings.buffer.folder, buffer=buffer, clock=clock)
    sending = partial(send, settings, devices, buffer=buffer, clock=clock)
    async with asyncio.TaskGroup() as tasks:
        for device in polled:
            tasks.create_task(device.run(), name=device.key)
        for source in sources:
            tasks.create_task(source.run(), name=source.key)
        tasks.create_task(repeat(health.take, device=BOX_KEY), name=BOX_KEY)
        tasks.create_task(repeat(sending, part="sending"), name="sending")
        tasks.create_task(feed_watchdog(), name="watchdog")
        notify("READY=1")
        _log.info("running %s with %s devices", SOFTWARE, len(devices), extra={"store": buffer.store_id})


def _metrics(
    port: int | None, polled: Sequence[PolledDevice], sources: Sequence[PushedSource], *, buffer: Buffer
) -> AbstractContextManager[None]:
    """Return what shows the figures while it is entered; the library for it is loaded where a port is set."""
    if port is None:
        return nullcontext()
    pushed = [device for source in sources for device in source.devices]
    page = import_module("edge.app.metrics").metrics_page
    shown: AbstractContextManager[None] = page(port, buffer=buffer, polled=polled, pushed=pushed)
    return shown


def _polled(devices: Sequence[BoundDevice], lines: Lines, *, buffer: Buffer, clock: Clock) -> list[PolledDevice]:
    rng = random.Random()  # noqa: S311  spreads load, keeps no secret
    return [
        PolledDevice(
            device.key,
            device.profile.points,
            lines.device(device, device.settings.modbus),
            buffer=buffer,
            clock=clock,
            rng=rng,
        )
        for device in devices
        if device.settings.modbus
    ]


def _sources(
    settings: Settings, devices: Sequence[BoundDevice], *, buffer: Buffer, clock: Clock, client_id: str
) -> list[PushedSource]:
    sources = []
    for broker in settings.brokers:
        heard = [device for device in devices if device.settings.mqtt and device.settings.mqtt.broker == broker.key]
        if heard:
            # loaded where there is a broker; a box on Modbus alone has no use for its library
            driver = import_module("edge.app.sources").mqtt_source(broker, heard, client_id=client_id)
            pushed = [PushedDevice(each.key, each.profile.points, buffer=buffer, clock=clock) for each in heard]
            sources.append(PushedSource(broker.key, driver, pushed, buffer=buffer))
    return sources
