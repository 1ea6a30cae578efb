"""Whether a profile's example decodes to what it says: the proof that a profile reads its device right."""

import math
from collections.abc import Iterator

from protocols.errors import DictionaryError
from protocols.modbus.declarations import NumberType
from protocols.modbus.decoding import BitDecoder, BlockDecoder, RegisterDecoder, decode_identity
from protocols.modbus.frames import ReadExchange, parse_exchange
from protocols.profiles.codecs import modbus_fields, mqtt_decoder
from protocols.profiles.schema import ModbusTransport, Profile
from protocols.readings import Decoded, Quality
from protocols.timestamps import from_iso8601

_FLOAT32_STEP = 2.0**-23
"""A float32 shows 230.2 as 230.19999695: as near as this, relatively, is the same number."""


def problems_of_example(profile: Profile) -> list[str]:
    """Return how the decoded example differs from what is expected of it."""
    try:
        decoded = _of_exchanges(profile, profile.modbus) if profile.modbus else _of_messages(profile)
        expected_us = None if profile.example.expected_time is None else from_iso8601(profile.example.expected_time)
        problems = [*_differences(profile, decoded, expected_us), *_identity_differences(profile)]
    except DictionaryError as error:
        problems = [str(error)]
    return [f"example: {problem}" for problem in problems]


def _of_exchanges(profile: Profile, transport: ModbusTransport) -> list[Decoded]:
    if not profile.example.exchanges or profile.example.messages:
        raise DictionaryError("a Modbus device's example needs exchanges, request and response, and no messages")
    exchanges = [parse_exchange(each.request, each.response) for each in profile.example.exchanges]
    return [value for exchange in exchanges for value in _decoder(profile, transport, exchange).decode(exchange.answer)]


def _decoder(profile: Profile, transport: ModbusTransport, exchange: ReadExchange) -> BlockDecoder:
    """Return the decoder of all that stands whole in the exchange."""
    first, last = exchange.address, exchange.address + len(exchange.answer) - 1
    fields = [
        field
        for field in modbus_fields(profile)
        if field.at.function == exchange.function and first <= field.at.address and field.at.last <= last
    ]
    if exchange.function.reads_bits:
        return BitDecoder(fields, address=first, count=len(exchange.answer))
    clock = transport.clock
    if clock and not (clock.function == exchange.function and first <= clock.address and clock.last <= last):
        clock = None
    return RegisterDecoder(fields, address=first, count=len(exchange.answer), clock=clock)


def _of_messages(profile: Profile) -> list[Decoded]:
    example = profile.example
    if not example.messages or example.exchanges:
        raise DictionaryError("an MQTT device's example needs device and messages, and no exchanges")
    decoder = mqtt_decoder(profile, device=example.device)
    decoded = [decoder.decode(each.topic, each.payload.encode()) for each in example.messages]
    problems = [problem for message in decoded for problem in message.problems]
    if problems:
        raise DictionaryError("; ".join(problems))
    return [value for message in decoded for value in message.values]


def _differences(profile: Profile, decoded: list[Decoded], expected_us: int | None) -> Iterator[str]:
    expected, found = profile.example.expected, {each.point: each for each in decoded}
    for name in sorted(expected.keys() - found.keys()):
        yield f"{name} should be {expected[name]} and the frame holds no value of that name"
    for name, each in found.items():
        if name not in expected:
            yield f"{name} decodes to {each.value} and is not among the expected"
        elif not _same(profile, name, each.value, expected[name]):
            yield f"{name} decodes to {each.value} and should be {expected[name]}"
        if each.quality is not Quality.GOOD:
            yield f"{name} decodes to {each.value}, which lies outside its own valid range"
        if each.time_us != expected_us:
            yield f"{name} has the time {_instant(each.time_us)} and expected_time is {_instant(expected_us)}"


def _same(profile: Profile, name: str, value: float, expected: float) -> bool:
    at = profile.point(name).modbus
    inexact = at is not None and at.type is NumberType.FLOAT32
    return value == expected or (inexact and math.isclose(value, expected, rel_tol=_FLOAT32_STEP))


def _instant(time_us: int | None) -> str:
    return "none" if time_us is None else f"{time_us} us"


def _identity_differences(profile: Profile) -> Iterator[str]:
    exchanges = [parse_exchange(each.request, each.response) for each in profile.example.exchanges]
    said = {
        field.name: decode_identity(field.modbus, exchange.answer)
        for field in profile.identity
        for exchange in exchanges
        if (exchange.function, exchange.address, len(exchange.answer))
        == (field.modbus.function, field.modbus.address, field.modbus.width)
    }
    if said != profile.example.expected_identity:
        yield f"identity decodes to {said} and should be {profile.example.expected_identity} (expected_identity)"
