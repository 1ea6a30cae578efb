"""From values to MQTT messages: what a sensor publishes by its profile, and the inverse of protocols.mqtt."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cloud.core.clock import to_us
from protocols.mqtt.declarations import MessagePoint, MqttTransport
from protocols.mqtt.decoding import topic_of
from protocols.mqtt.pointers import Pointer, parse_pointer
from protocols.profiles.schema import Profile
from protocols.timestamps import TimeFormat, tick_us


def messages(profile: Profile, device: str, values: Mapping[str, float], *, at: datetime) -> dict[str, bytes]:
    """Return what a device that publishes under the name `device` says of its values, by topic.

    Args:
        profile: of an MQTT device.
        device: its name on the broker.
        values: by point; a point that is missing is left out of its message.
        at: the message's own timestamp, where the profile has one.

    Raises:
        ValueError: the profile is of a Modbus device, or maps no word to a value.
    """
    if profile.mqtt is None:
        raise ValueError(f"profile {profile.key} is of a Modbus device and publishes no messages")
    documents: dict[str, Any] = {}
    for point in profile.points:
        if point.mqtt and point.name in values:
            topic = topic_of(point.mqtt.topic or profile.mqtt.topic, device)
            pointer = parse_pointer(point.mqtt.pointer)
            documents[topic] = _placed(documents.get(topic), pointer, _said(point.mqtt, values[point.name]))
    return {
        topic: json.dumps(_stamped(document, profile.mqtt, at)).encode()  # repr of a float: its very bits come back
        for topic, document in documents.items()
    }


def _said(at: MessagePoint, value: float) -> str | bool | float:
    if not at.map:
        return value
    for word, meaning in at.map.items():
        if meaning == value:
            return word
    raise ValueError(f"pointer {at.pointer!r}: the profile maps no word to {value}")


def _stamped(document: Any, transport: MqttTransport, at: datetime) -> Any:
    if transport.timestamp is None:
        return document
    declared = transport.timestamp
    text = at.isoformat() if declared.format is TimeFormat.ISO8601 else to_us(at) // tick_us(declared.format)
    return _placed(document, parse_pointer(declared.pointer), text)


def _placed(document: Any, pointer: Pointer, value: Any) -> Any:
    """Return the document with the value at the pointer, objects made on the way."""
    if not pointer:
        return value
    first, *rest = pointer
    members = document if isinstance(document, dict) else {}
    return {**members, first: _placed(members.get(first), tuple(rest), value)}
