"""What reads a device by its profile: the reads of a Modbus device, the decoder of an MQTT one."""

from collections.abc import Iterable

from protocols.errors import DictionaryError
from protocols.modbus import decoding as modbus
from protocols.modbus.planning import Read, plan
from protocols.mqtt import decoding as mqtt
from protocols.profiles.schema import Profile


def plan_reads(profile: Profile, points: Iterable[str] | None = None) -> list[Read]:
    """Return the fewest reads that fetch the named points of a Modbus device; None names all.

    Raises:
        DictionaryError: the device speaks no Modbus, or has no point of that name.
    """
    if profile.modbus is None:
        raise DictionaryError(f"profile {profile.key} is of an MQTT device and has no registers to read")
    fields = modbus_fields(profile, points)
    return plan(fields, limits=profile.modbus.limits, clock=profile.modbus.clock)


def modbus_fields(profile: Profile, points: Iterable[str] | None = None) -> list[modbus.Field]:
    """Return where the named points stand in the device's registers; None names all."""
    chosen = profile.points if points is None else [profile.point(name) for name in points]
    return [modbus.Field(point=each.name, at=each.modbus, valid=each.valid) for each in chosen if each.modbus]


def mqtt_decoder(profile: Profile, *, device: str) -> mqtt.MqttDecoder:
    """Return the decoder of an MQTT device that publishes under the name `device`.

    Raises:
        DictionaryError: the device speaks no MQTT, or the name can't stand in a topic.
    """
    if profile.mqtt is None:
        raise DictionaryError(f"profile {profile.key} is of a Modbus device and publishes no messages")
    fields = [
        mqtt.Field(point=each.name, at=each.mqtt, topic=each.mqtt.topic or profile.mqtt.topic, valid=each.valid)
        for each in profile.points
        if each.mqtt
    ]
    return mqtt.MqttDecoder(fields, device=device, timestamp=profile.mqtt.timestamp)
