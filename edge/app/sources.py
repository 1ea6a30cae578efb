"""What listens to the devices that speak by themselves."""

from collections.abc import Iterable

from edge.app.devices import BoundDevice
from edge.app.settings_file import read_secret
from edge.app.trust import trust
from edge.drivers.mqtt import MqttSource, Route
from edge.errors import SettingsRefused
from edge.settings.sections import BrokerSettings
from protocols.profiles.codecs import mqtt_decoder


def mqtt_source(broker: BrokerSettings, devices: Iterable[BoundDevice], *, client_id: str | None) -> MqttSource:
    """Return what listens to the devices of one broker, under a session of that name or under none.

    Raises:
        SettingsRefused: two devices would speak under one topic, or the broker's password or certificate authority
            can't be read.
    """
    password = read_secret(broker.password_file) if broker.password_file else None
    tls = trust(broker.ca_file, field=f"broker {broker.key}: ca_file") if broker.tls else None
    return MqttSource(broker, _routes(devices), client_id=client_id, password=password, tls=tls)


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
