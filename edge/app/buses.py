"""The drivers of the box's devices, and the connections that they share."""

from collections.abc import Iterable

from edge.app.devices import BoundDevice
from edge.app.settings_file import read_secret
from edge.drivers.modbus.device import ModbusDevice, ReadPlans
from edge.drivers.modbus.line import Line
from edge.drivers.mqtt import MqttSource, Route
from edge.errors import SettingsRefused
from edge.settings.sections import BrokerSettings, ModbusSettings
from protocols.profiles.codecs import mqtt_decoder


class Lines:
    """One Modbus connection for each address, whoever asks for it; one set of reads for each model."""

    def __init__(self) -> None:
        self._lines: dict[tuple[str, int], Line] = {}
        self._plans: dict[str, ReadPlans] = {}

    def line(self, settings: ModbusSettings) -> Line:
        """Return the line that a device hangs on."""
        return self._lines.setdefault((settings.host, settings.port), Line(settings.host, settings.port))

    def device(self, device: BoundDevice, settings: ModbusSettings) -> ModbusDevice:
        """Return what reads the device."""
        plans = self._plans.setdefault(device.profile.key, ReadPlans(device.profile))
        return ModbusDevice(self.line(settings), settings, plans)

    def close(self) -> None:
        """Let go of all connections."""
        for line in self._lines.values():
            line.close()


def mqtt_source(broker: BrokerSettings, devices: Iterable[BoundDevice], *, client_id: str | None) -> MqttSource:
    """Return what listens to the devices of one broker, under a session of that name or under none.

    Raises:
        SettingsRefused: two devices would speak under one topic, or the broker's password can't be read.
    """
    password = read_secret(broker.password_file) if broker.password_file else None
    return MqttSource(broker, _routes(devices), client_id=client_id, password=password)


def _routes(devices: Iterable[BoundDevice]) -> dict[str, Route]:
    routes: dict[str, Route] = {}
    for device in devices:
        if device.settings.mqtt is None:
            continue
        decoder = mqtt_decoder(device.profile, device=device.settings.mqtt.device)
        for topic in decoder.topics:
            if topic in routes:
                raise SettingsRefused(
                    f'devices "{routes[topic].device}" and "{device.key}" both publish under {topic}; '
                    "give one of them another mqtt.device"
                )
            routes[topic] = Route(device.key, decoder)
    return routes
