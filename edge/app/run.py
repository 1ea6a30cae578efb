"""The box at work: every loop a named task, ended together and cleanly."""

import asyncio
import logging
import random
import signal
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from functools import partial
from importlib import import_module
from pathlib import Path

from edge.app.cloud import SOFTWARE, way_to_cloud
from edge.app.devices import BoundDevice, bind_all
from edge.app.lines import Lines
from edge.app.systemd import feed_watchdog, notify
from edge.buffer.buffer import Buffer
from edge.buffer.store import Bounds
from edge.clock import Clock, SystemClock
from edge.errors import SettingsRefused
from edge.health.box import BoxHealth, box_info
from edge.health.inventory import device_info
from edge.poller.forever import repeat
from edge.poller.polled import PolledDevice
from edge.poller.pushed import PushedDevice, PushedSource
from edge.settings.sections import BOX_KEY, Settings
from edge.sync.channel import Channel
from edge.sync.cloudtime import CloudTime
from edge.sync.configuration import Configuration
from edge.sync.identity import Identity
from edge.sync.persistence import Patience
from edge.sync.uploader import Pace, Uploader
from protocols.wire import DeviceInfo

BUFFER_FILE = "buffer.db"

_LIVE_S = 10.0
"""Rows committed this long ago are backlog, where the pause between two live batches is not longer still."""

_BATCH_ROWS = 2_000
"""In memory a larger batch costs a MiB; this one keeps 400 meters live over a line with 100 ms there and back."""

_UNCLAIMED_S = 5.0
"""Between two looks whether `gatehouse-edge claim` has run meanwhile."""

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


def load_identity(folder: Path) -> Identity:
    """Return who the box is; its folder is made where there is none.

    Raises:
        SettingsRefused: the folder can't be made, or what it holds can't be used.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsRefused(f"buffer.folder = {folder}: {error.strerror}; name one that can be written") from error
    return Identity.load(folder)


def inventory(identity: Identity, devices: Iterable[BoundDevice]) -> list[DeviceInfo]:
    """Return the box and all that hangs on it."""
    return [box_info(identity.name or BOX_KEY), *(device_info(each.settings, each.profile) for each in devices)]


def mqtt_client_id(identity: Identity) -> str:
    """Return the name of the box's sessions at brokers: its own, for ever, and short enough for every broker."""
    return f"gatehouse-{identity.public_key[:12]}"


async def _run(settings: Settings) -> None:
    clock = SystemClock()
    devices = bind_all(settings)
    client_id = mqtt_client_id(load_identity(settings.buffer.folder))
    async with await open_buffer(settings, clock) as buffer:
        with closing(Lines()) as lines:
            polled = _polled(devices, lines, buffer=buffer, clock=clock)
            sources = _sources(settings, devices, buffer=buffer, clock=clock, client_id=client_id)
            pushed = [device for source in sources for device in source.devices]
            health = BoxHealth(settings.buffer.folder, buffer=buffer, clock=clock)
            with _metrics(settings.metrics.port, buffer=buffer, polled=polled, pushed=pushed):
                async with asyncio.TaskGroup() as tasks:
                    for device in polled:
                        tasks.create_task(device.run(), name=device.key)
                    for source in sources:
                        tasks.create_task(source.run(), name=source.key)
                    tasks.create_task(repeat(health.take, device=BOX_KEY), name=BOX_KEY)
                    sync = partial(_sync, settings, devices, buffer=buffer, clock=clock)
                    tasks.create_task(repeat(sync, part="sync"), name="sync")
                    tasks.create_task(feed_watchdog(), name="watchdog")
                    notify("READY=1")
                    _log.info("running %s with %s devices", SOFTWARE, len(devices), extra={"store": buffer.store_id})


def _metrics(
    port: int | None, *, buffer: Buffer, polled: Sequence[PolledDevice], pushed: Sequence[PushedDevice]
) -> AbstractContextManager[None]:
    """Return what shows the figures while it is entered; the library for it is loaded where a port is set."""
    if port is None:
        return nullcontext()
    page: AbstractContextManager[None] = import_module("edge.app.metrics").metrics_page(
        port, buffer=buffer, polled=polled, pushed=pushed
    )
    return page


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


async def _sync(settings: Settings, devices: Sequence[BoundDevice], *, buffer: Buffer, clock: Clock) -> None:
    """Send readings and keep the channel, as soon as the box belongs to somebody."""
    folder = settings.buffer.folder
    identity = await _claimed_identity(folder)

    def watch(points: frozenset[str]) -> None:
        buffer.watched = points

    configuration = Configuration.load(folder, watch=watch)
    time = CloudTime(clock, offset_us=buffer.offset_us, learn=buffer.learn_offset)
    async with way_to_cloud(settings.cloud, identity=identity, time=time) as cloud, asyncio.TaskGroup() as tasks:
        uploader = Uploader(
            buffer,
            cloud,
            devices=[
                box_info(identity.name or BOX_KEY),
                *(device_info(each.settings, each.profile) for each in devices),
            ],
            watch_points=configuration.watch_points,
            pace=Pace(
                flush_s=settings.upload.flush_s,
                backlog_rows_per_s=settings.upload.backlog_rows_per_s,
                batch_rows=_BATCH_ROWS,
            ),
            patience=Patience(),
        )
        channel = Channel(
            buffer,
            cloud,
            time=time,
            configuration=configuration,
            boot_id=clock.boot_id,
            software=SOFTWARE,
            patience=Patience(),
        )
        tasks.create_task(uploader.run(), name="uploader")
        tasks.create_task(channel.run(), name="channel")


async def _claimed_identity(folder: Path) -> Identity:
    identity = load_identity(folder)
    if identity.box_id is None:
        _log.warning("the box belongs to nobody yet; readings wait here until `gatehouse-edge claim CODE` has run")
    while identity.box_id is None:
        await asyncio.sleep(_UNCLAIMED_S)
        identity = load_identity(folder)
    return identity
