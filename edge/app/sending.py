"""The box's side of the cloud: readings leave and the channel stands, as soon as the box belongs to somebody."""

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path

from edge.app.cloud import SOFTWARE, way_to_cloud
from edge.app.devices import BoundDevice
from edge.app.identity import inventory, load_identity
from edge.buffer.buffer import Buffer
from edge.clock import Clock
from edge.settings.sections import Settings
from edge.sync.channel import Channel
from edge.sync.cloudtime import CloudTime
from edge.sync.configuration import Configuration
from edge.sync.identity import Identity
from edge.sync.persistence import Patience
from edge.sync.uploader import Pace, Uploader

_BATCH_ROWS = 2_000
"""In memory a larger batch costs a MiB; this one keeps 400 meters live over a line with 100 ms there and back."""

_UNCLAIMED_S = 5.0
"""Between two looks whether `gatehouse-edge claim` has run meanwhile."""

_log = logging.getLogger(__name__)


async def send(settings: Settings, devices: Sequence[BoundDevice], *, buffer: Buffer, clock: Clock) -> None:
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
            devices=inventory(identity, devices),
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
