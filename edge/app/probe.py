"""One device, read once by its profile: for the technician's eye, and as a capture for the profile's example."""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing, closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from rich.console import Console
from rich.table import Table

from edge.app.capture import capture_of_exchanges, capture_of_messages
from edge.app.devices import BoundDevice, bind_all
from edge.app.lines import Lines
from edge.app.sources import mqtt_source
from edge.drivers.mqtt import MqttPush
from edge.errors import DeviceUnreachable, SettingsRefused
from edge.settings.sections import BrokerSettings, ModbusSettings, MqttSettings, Settings
from protocols.readings import Decoded
from protocols.units import symbol

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Probe:
    """What the device said."""

    device: BoundDevice
    values: Sequence[Decoded]
    capture: bytes
    """The `example` of a profile, in YAML."""


async def probe_device(settings: Settings, key: str, *, wait_s: float) -> Probe:
    """Return what the device of that key says.

    Args:
        settings: the box's.
        key: of one of its devices.
        wait_s: how long to listen to a device that speaks by itself.

    Raises:
        SettingsRefused: there is no device of that key, or it can't be reached as the settings say.
        DeviceUnreachable: it does not answer, or has said nothing.
        DeviceRefused: its answer does not fit its profile.
    """
    devices = {device.key: device for device in bind_all(settings)}
    if key not in devices:
        raise SettingsRefused(f'there is no device "{key}"; name one of: {", ".join(devices) or "none"}')
    device = devices[key]
    if device.settings.modbus:
        return await _ask(device, device.settings.modbus)
    for broker in settings.brokers:
        if device.settings.mqtt and device.settings.mqtt.broker == broker.key:
            return await _listen(device, device.settings.mqtt, broker, wait_s=wait_s)
    raise SettingsRefused(f'device "{key}": its broker is not in the settings; add it')


def show(probe: Probe) -> None:
    """Print the device's points and what it said of them."""
    said = {value.point: value for value in probe.values}
    title = f"{probe.device.key}: {probe.device.profile.key}"
    table = Table("point", "value", "unit", "quality", "device's time", title=title)
    for point in probe.device.profile.points:
        value = said.get(point.name)
        if value is None:
            table.add_row(point.name, "no value", "", "", "")
        else:
            quality = value.quality.name.lower()
            table.add_row(point.name, f"{value.value:.12g}", symbol(point.unit), quality, _shown_time(value.time_us))
    Console().print(table)


async def _ask(device: BoundDevice, settings: ModbusSettings) -> Probe:
    with closing(Lines()) as lines:
        points = [point.name for point in device.profile.points]
        exchanges = await lines.device(device, settings).exchanges(points)
    values = [value for exchange in exchanges for value in exchange.values]
    return Probe(device, values, capture_of_exchanges(device.profile, exchanges))


async def _listen(device: BoundDevice, mqtt: MqttSettings, broker: BrokerSettings, *, wait_s: float) -> Probe:
    """Listen until every topic of the device was heard, or the time is over."""
    heard: dict[str, MqttPush] = {}
    source = mqtt_source(broker, [device], client_id=None)
    with suppress(TimeoutError):
        async with asyncio.timeout(wait_s), aclosing(source.pushes()) as arriving:
            async for pushes in arriving:
                heard |= {push.message.topic.value: push for push in pushes if push.values}
                if heard.keys() >= source.topics:
                    break
    if not heard:
        raise DeviceUnreachable(f"{source}: nothing new under {', '.join(source.topics)} within {wait_s:g} s")
    values = [value for push in heard.values() for value in push.values]
    messages = [(topic, bytes(push.message.payload)) for topic, push in heard.items()]
    return Probe(device, values, capture_of_messages(mqtt.device, messages, values))


def _shown_time(time_us: int | None) -> str:
    return "" if time_us is None else (_EPOCH + timedelta(microseconds=time_us)).isoformat()
