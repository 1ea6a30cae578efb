"""From one message to values."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from protocols.errors import AnswerRefused, DictionaryError
from protocols.mqtt.declarations import DEVICE, MessagePoint, MessageTimestamp
from protocols.mqtt.pointers import Pointer, parse_pointer, resolve
from protocols.readings import ANY_VALUE, Decoded, Quality
from protocols.timestamps import TimeFormat, from_epoch, from_iso8601, tick_us, zone_named

_SHOWN = 80
"""Characters of a strange value that an error repeats: enough to know it by, little enough for a log line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One point of a device's messages."""

    point: str
    at: MessagePoint
    topic: str
    """Topic pattern."""
    valid: tuple[float, float] = ANY_VALUE
    """The validity range, both ends in it, in the point's unit: a value outside is kept and marked SUSPECT."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What one message gave."""

    values: list[Decoded] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    """A sentence for each point whose value could not be understood; the other points' values stand."""


class MqttDecoder:
    """Decodes the messages of one device."""

    def __init__(self, fields: Sequence[Field], *, device: str, timestamp: MessageTimestamp | None = None) -> None:
        self._rows: dict[str, list[_Row]] = {}
        for each in fields:
            self._rows.setdefault(topic_of(each.topic, device), []).append(_row(each))
        self._clock = _Clock(timestamp) if timestamp else None

    @property
    def topics(self) -> tuple[str, ...]:
        """The topics to subscribe to; none has a wildcard."""
        return tuple(self._rows)

    def decode(self, topic: str, payload: bytes) -> Message:
        """Return the message's values; a point that is missing or null has none, and an empty message has none.

        Raises:
            AnswerRefused: the topic is none of the device's, the payload is no JSON, or its timestamp can't be read.
        """
        if topic not in self._rows:
            raise AnswerRefused(f"topic {topic} is none of the device's: {', '.join(self._rows)}")
        if not payload:  # how a retained message is taken back
            return Message()
        document = _document(topic, payload)
        time_us = self._clock.read(topic, document) if self._clock else None
        message = Message()
        for row in self._rows[topic]:
            found = resolve(document, row.pointer)
            if found is None:
                continue
            try:
                value = row.number(found)
            except AnswerRefused as error:
                message.problems.append(f"topic {topic}, pointer {row.at.pointer!r}: {error}")
                continue
            quality = Quality.GOOD if row.low <= value <= row.high else Quality.SUSPECT
            message.values.append(Decoded(row.point, value, quality, time_us))
        return message


def topic_of(pattern: str, device: str) -> str:
    """Return the topic under which a device of that name publishes.

    Raises:
        DictionaryError: the name can't stand in a topic.
    """
    if not device or any(mark in device for mark in "+#\0"):
        raise DictionaryError(f'device name {device!r} can\'t stand in a topic: write one without "+", "#" and NUL')
    return pattern.replace(DEVICE, device)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """A field with all that depends on the profile alone worked out."""

    point: str
    at: MessagePoint
    pointer: Pointer
    meanings: dict[tuple[bool, object], float]
    """By whether the key is a boolean, because True equals 1 and the two may mean different things."""
    low: float
    high: float

    def number(self, found: object) -> float:
        """Return the number that stands in a message or that the map gives for it."""
        if self.meanings:
            if isinstance(found, str | bool | int | float) and (isinstance(found, bool), found) in self.meanings:
                return self.meanings[isinstance(found, bool), found]
            known = ", ".join(_shown(key) for key in self.at.map)
            raise AnswerRefused(f"value {_shown(found)} is none of those that the profile maps ({known})")
        if isinstance(found, bool) or not isinstance(found, int | float):
            raise AnswerRefused(f"value {_shown(found)} is no number; map it in the profile if it means one")
        try:
            return float(found)
        except OverflowError as error:
            raise AnswerRefused(f"value {_shown(found)} is too large for a number") from error


def _row(each: Field) -> _Row:
    return _Row(
        point=each.point,
        at=each.at,
        pointer=parse_pointer(each.at.pointer),
        meanings={(isinstance(key, bool), key): value for key, value in each.at.map.items()},
        low=each.valid[0],
        high=each.valid[1],
    )


class _Clock:
    """Finds a message's own timestamp."""

    def __init__(self, timestamp: MessageTimestamp) -> None:
        self._declared = timestamp
        self._pointer = parse_pointer(timestamp.pointer)
        self._zone = zone_named(timestamp.zone)

    def read(self, topic: str, document: object) -> int | None:
        """Return microseconds since 1970; None where the message has no timestamp."""
        found = resolve(document, self._pointer)
        if found is None:
            return None
        try:
            return self._instant(found)
        except AnswerRefused as error:
            raise AnswerRefused(f"topic {topic}, pointer {self._declared.pointer!r}: {error}") from error

    def _instant(self, found: object) -> int:
        if self._declared.format is TimeFormat.ISO8601:
            if isinstance(found, str):
                return from_iso8601(found, zone=self._zone)
        elif isinstance(found, int | float) and not isinstance(found, bool):
            return from_epoch(found, tick_us=tick_us(self._declared.format), zone=self._zone)
        raise AnswerRefused(f"timestamp {_shown(found)} is not written as {self._declared.format}")


def _document(topic: str, payload: bytes) -> object:
    try:
        return msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise AnswerRefused(f"topic {topic}: {payload[:_SHOWN]!r} is no JSON: {error}") from error


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
