"""What a profile says of a device's messages: which topics, which value stands where, how time is written."""

from typing import Annotated

import msgspec
from msgspec import Meta

from protocols.timestamps import TimeFormat

DEVICE = "{device}"
"""Stands in a topic pattern for the name under which the device publishes, slashes and all."""


class MessagePoint(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where one value stands in a message."""

    pointer: str
    """JSON pointer (RFC 6901); "" for a message that is nothing but the value."""
    map: dict[str | bool | int, float] = {}
    """What a text, boolean or code means as a number; empty where the message holds the number itself."""
    topic: str | None = None
    """Topic pattern, where it is not the device's usual one."""


class MessageTimestamp(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a message says when its values were measured."""

    pointer: str
    format: TimeFormat
    zone: str = "UTC"
    """Of a text without an offset; with an epoch format, the zone whose wall clock is counted as if it were UTC."""


class MqttTransport(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the device publishes."""

    topic: Annotated[str, Meta(min_length=1)]
    """Topic pattern of every point that names none itself, such as zigbee2mqtt/{device}."""
    timestamp: MessageTimestamp | None = None
