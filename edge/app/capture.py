"""What a device really said, as the example of its profile; what tells whose device it is, is masked."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from edge.drivers.modbus.device import Exchange
from protocols.modbus.declarations import RegisterClock, RegisterPoint
from protocols.modbus.frames import crc16
from protocols.profiles.schema import Profile
from protocols.readings import Decoded

_MASK = "device"

_TELLTALE = re.compile(r"(?i)serial|ieee|address|key|token|password|imei|iccid|ssid|(^|_)mac($|_)")
"""Names of members whose values tell who a device is, or open it."""

_LONG_NUMBER = re.compile(r"(?i)(?:0x)?[0-9a-f]{12,}|(?:[0-9a-f]{2}[:-]){5,}[0-9a-f]{2}")
"""Hardware addresses and serial numbers, wherever they stand."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def capture_of_exchanges(profile: Profile, exchanges: Sequence[Exchange]) -> bytes:
    """Return a profile's `example` in YAML: frames as on a serial line, with registers that are no point's zeroed."""
    frames = [_frames(exchange, _known_registers(profile, exchange.question.function)) for exchange in exchanges]
    return _example({"exchanges": frames}, [value for exchange in exchanges for value in exchange.values])


def capture_of_messages(device: str, messages: Iterable[tuple[str, bytes]], values: Sequence[Decoded]) -> bytes:
    """Return a profile's `example` in YAML: messages with the device's name, serial numbers and keys masked."""
    masked = [
        {"topic": topic.replace(device, _MASK), "payload": _masked_payload(payload, device)}
        for topic, payload in messages
    ]
    return _example({"device": _MASK, "messages": masked}, values)


def _example(said: Mapping[str, Any], values: Sequence[Decoded]) -> bytes:
    example = {"constructed": False, **said, "expected": {value.point: value.value for value in values}}
    times_us = {value.time_us for value in values if value.time_us is not None}
    if times_us:
        example["expected_time"] = (_EPOCH + timedelta(microseconds=max(times_us))).isoformat()
    return msgspec.yaml.encode({"example": example})


def _frames(exchange: Exchange, known: set[int]) -> dict[str, str]:
    question, data = exchange.question, exchange.data
    if not question.reads_bits:
        words = [data[at : at + 2] for at in range(0, len(data), 2)]
        data = b"".join(word if question.address + at in known else b"\0\0" for at, word in enumerate(words))
    head = bytes([question.unit, question.function])
    request = head + question.address.to_bytes(2) + question.count.to_bytes(2)
    response = head + bytes([len(data)]) + data
    return {"request": _sealed(request), "response": _sealed(response)}


def _sealed(frame: bytes) -> str:
    return (frame + crc16(frame)).hex(" ").upper()


def _known_registers(profile: Profile, function: int) -> set[int]:
    known = {address for point in profile.points if point.modbus for address in _span(point.modbus, function)}
    clock = profile.modbus.clock if profile.modbus else None
    return known | set(_span(clock, function)) if clock else known


def _span(at: RegisterPoint | RegisterClock, function: int) -> range:
    return range(at.address, at.last + 1) if at.function == function else range(0)


def _masked_payload(payload: bytes, device: str) -> str:
    return msgspec.json.encode(_masked(msgspec.json.decode(payload), device)).decode()


def _masked(part: Any, device: str) -> Any:
    match part:
        case dict():
            return {name: _MASK if _TELLTALE.search(name) else _masked(value, device) for name, value in part.items()}
        case list():
            return [_masked(value, device) for value in part]
        case str():
            return _LONG_NUMBER.sub(_MASK, part.replace(device, _MASK))
        case _:
            return part
