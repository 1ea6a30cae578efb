"""Whether a box would work where it stands: a finding for each thing that it needs."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, closing
from dataclasses import dataclass

from edge.app.cloud import way_to_cloud
from edge.app.devices import BoundDevice, bind_all
from edge.app.identity import inventory, load_identity
from edge.app.lines import Lines
from edge.app.sources import mqtt_source
from edge.clock import SystemClock
from edge.errors import CloudError, CloudRefused, DeviceError, DeviceRefused, SettingsRefused
from edge.settings.sections import BrokerSettings, ModbusSettings, Settings
from edge.sync.cloud import Cloud
from edge.sync.cloudtime import CloudTime
from edge.sync.identity import Identity

_UNREACHABLE = (
    "look at power, cable, address and unit id; a device that takes one connection is busy while the box runs"
)


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at and what was seen."""

    subject: str
    seen: str
    mend: str | None = None
    """What to do about it; None where all is well."""


@dataclass(frozen=True, slots=True)
class _Box:
    settings: Settings
    devices: list[BoundDevice]
    identity: Identity


async def check_all(settings: Settings) -> AsyncIterator[Finding]:
    """Yield findings, each as soon as it is known; what can't be looked at without the others comes last or never."""
    try:
        box = _Box(settings, bind_all(settings), load_identity(settings.buffer.folder))
    except SettingsRefused as error:
        yield Finding("settings", str(error), "mend them")
        return
    yield Finding("settings", f"{len(box.devices)} devices with their profiles")
    for check in _CHECKS:
        try:
            findings = await check(box)
        except SettingsRefused as error:
            findings = [Finding("settings", str(error), "mend them")]
        for finding in findings:
            yield finding


async def _check_folder(box: _Box) -> list[Finding]:
    buffer = box.settings.buffer
    free = shutil.disk_usage(buffer.folder).free
    seen = f"{buffer.folder}: {free / 1e9:.1f} GB free, the buffer may take {buffer.maximum_bytes / 1e9:.1f} GB"
    if not os.access(buffer.folder, os.W_OK):
        return [Finding("folder", seen, "let the program's user write to it")]
    if free < buffer.maximum_bytes - _used_bytes(box):
        return [Finding("folder", seen, "lower buffer.maximum_bytes or use a larger disk")]
    return [Finding("folder", seen)]


def _used_bytes(box: _Box) -> int:
    return sum(file.stat().st_size for file in box.settings.buffer.folder.glob("buffer.db*"))


async def _check_cloud(box: _Box) -> list[Finding]:
    url, time = box.settings.cloud.url, CloudTime(SystemClock())
    async with way_to_cloud(box.settings.cloud, identity=box.identity, time=time) as cloud:
        try:
            cloud_us = await cloud.look_at_time()
        except CloudError as error:
            return [Finding("cloud", f"{url}: {error}", "look at cloud.url, cloud.ca_file and the way to the internet")]
        ahead_s = (SystemClock().wall_us() - cloud_us) / 1e6
        clock = Finding(
            "clock", f"known from the cloud; the machine's own is {ahead_s:+.1f} s off, which moves no reading"
        )
        return [Finding("cloud", f"{url}: answers"), clock, await _check_claim(box, cloud)]


async def _check_claim(box: _Box, cloud: Cloud) -> Finding:
    if box.identity.box_id is None:
        return Finding(
            "claim", "the box belongs to nobody yet", "get a code from the cloud and run gatehouse-edge claim CODE"
        )
    try:
        taken = await cloud.put_inventory(inventory(box.identity, box.devices))
    except CloudRefused as error:
        return Finding("claim", str(error), "claim the box again with a new code")
    except CloudError as error:
        return Finding("claim", str(error), "try again in a minute")
    return Finding("claim", f"the cloud takes readings of {box.identity.name}; it watches {len(taken.watched)} points")


async def _check_brokers(box: _Box) -> list[Finding]:
    return await asyncio.gather(*(_check_broker(box, broker) for broker in box.settings.brokers))


async def _check_broker(box: _Box, broker: BrokerSettings) -> Finding:
    heard = [each for each in box.devices if each.settings.mqtt and each.settings.mqtt.broker == broker.key]
    subject = f"broker {broker.key}"
    try:
        async with aclosing(mqtt_source(broker, heard, client_id=None).pushes()) as pushes:
            await anext(pushes)
    except SettingsRefused as error:
        return Finding(subject, str(error), "mend the settings")
    except DeviceError as error:
        return Finding(subject, str(error), "look at its host, port, user and password, and whether it runs")
    return Finding(subject, f"lets us in and read the topics of {len(heard)} devices")


async def _check_devices(box: _Box) -> list[Finding]:
    with closing(Lines()) as lines:
        reads = (_check_device(each, each.settings.modbus, lines) for each in box.devices if each.settings.modbus)
        return await asyncio.gather(*reads)


async def _check_device(device: BoundDevice, settings: ModbusSettings, lines: Lines) -> Finding:
    subject = f"device {device.key}"
    try:
        values = await lines.device(device, settings).read([point.name for point in device.profile.points])
    except DeviceRefused as error:
        return Finding(subject, str(error), "look at its unit id and its profile")
    except DeviceError as error:
        return Finding(subject, str(error), _UNREACHABLE)
    return Finding(subject, f"gives {len(values)} of its {len(device.profile.points)} values")


_CHECKS: tuple[Callable[[_Box], Awaitable[list[Finding]]], ...] = (
    _check_folder,
    _check_cloud,
    _check_brokers,
    _check_devices,
)
