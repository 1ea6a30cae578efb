"""The page that tells a technician how to write a profile names all there is."""

from pathlib import Path

import msgspec
import pytest

from firmware_configs.profiles.loader import load_profiles
from protocols.modbus.declarations import (
    BlockLimits,
    ForbiddenRange,
    IdentityRegisters,
    NumberType,
    RegisterClock,
    RegisterPoint,
)
from protocols.mqtt.declarations import MessagePoint, MessageTimestamp, MqttTransport
from protocols.profiles.schema import (
    AlarmDefaults,
    Example,
    ExampleMessage,
    Exchange,
    IdentityField,
    LimitAlarm,
    ModbusTransport,
    Point,
    Profile,
    StateAlarm,
)

PAGE = (Path(__file__).parents[2] / "docs" / "devices.md").read_text()


@pytest.mark.parametrize(
    "struct",
    [
        AlarmDefaults,
        BlockLimits,
        Example,
        ExampleMessage,
        Exchange,
        ForbiddenRange,
        IdentityField,
        IdentityRegisters,
        LimitAlarm,
        MessagePoint,
        MessageTimestamp,
        ModbusTransport,
        MqttTransport,
        Point,
        RegisterClock,
        RegisterPoint,
        StateAlarm,
    ],
)
def test_every_field_is_on_the_page(struct: type[msgspec.Struct]) -> None:
    names = [field.encode_name for field in msgspec.structs.fields(struct)]

    assert [name for name in names if f"`{name}`" not in PAGE and f"`limits.{name}`" not in PAGE] == []


def test_every_field_of_the_file_is_on_the_page() -> None:
    names = {field.encode_name for field in msgspec.structs.fields(Profile)} - {"key"}

    assert [name for name in sorted(names) if f"`{name}`" not in PAGE] == []


def test_every_type_of_number_is_on_the_page() -> None:
    assert [each for each in NumberType if f"`{each}`" not in PAGE] == []


def test_every_profile_is_on_the_page() -> None:
    assert [key for key in load_profiles() if f"`{key}`" not in PAGE] == []
