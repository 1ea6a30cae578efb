"""What must hold in the messages that a profile declares."""

import math
from collections.abc import Iterator

from protocols.errors import DictionaryError
from protocols.mqtt.declarations import DEVICE, MessagePoint, MqttTransport
from protocols.mqtt.pointers import parse_pointer
from protocols.profiles.schema import Profile
from protocols.timestamps import zone_named


def problems_of_messages(profile: Profile, transport: MqttTransport) -> Iterator[str]:
    """Yield what is wrong with topics, pointers, maps and the timestamp."""
    yield from (f"mqtt.topic: {problem}" for problem in _of_topic(transport.topic))
    if transport.timestamp:
        yield from (f"mqtt.timestamp: {problem}" for problem in _of_pointer(transport.timestamp.pointer))
        try:
            zone_named(transport.timestamp.zone)
        except DictionaryError as error:
            yield f"mqtt.timestamp: {error}"
    for point in profile.points:
        if point.mqtt is not None:
            yield from (f"point {point.name}: {problem}" for problem in _of_point(point.mqtt))


def _of_point(at: MessagePoint) -> Iterator[str]:
    yield from _of_pointer(at.pointer)
    if at.topic is not None:
        yield from _of_topic(at.topic)
    for key, value in at.map.items():
        if not math.isfinite(value):
            yield f"map: {key!r} must mean a finite number"


def _of_pointer(text: str) -> Iterator[str]:
    try:
        parse_pointer(text)
    except DictionaryError as error:
        yield str(error)


def _of_topic(pattern: str) -> Iterator[str]:
    if any(mark in pattern for mark in "+#\0"):
        yield f'topic {pattern!r} must name one device\'s messages, without "+" and "#"'
    if pattern.count(DEVICE) != 1:
        yield f"topic {pattern!r} must hold {DEVICE} once, where the device's own name stands"
