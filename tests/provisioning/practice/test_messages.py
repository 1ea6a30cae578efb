from datetime import UTC, datetime

import pytest

from firmware_configs.profiles.loader import load_profile
from protocols.profiles.codecs import mqtt_decoder
from protocols.readings import Decoded, Quality
from provisioning.practice.messages import messages
from provisioning.practice.quantities import Air, leak_sensor
from provisioning.practice.recordings.temperature import temperatures

_NOW = datetime(2026, 3, 2, 8, 0, 0, 250_000, tzinfo=UTC)


def test_the_office_probe_sends_its_own_timestamp_and_the_very_bits_of_its_value() -> None:
    profile = load_profile("practice-office-probe")
    said = messages(profile, "office", {"temperature": 69.88083514}, at=_NOW)

    assert said == {"practice/office": b'{"value": 69.88083514, "timestamp": "2026-03-02T08:00:00.250000+00:00"}'}


def test_every_row_of_the_recording_comes_back_bit_for_bit() -> None:
    profile = load_profile("practice-office-probe")
    decoder = mqtt_decoder(profile, device="office")
    rows = temperatures()
    said = [messages(profile, "office", {"temperature": row.degf}, at=row.at)["practice/office"] for row in rows]

    assert [decoder.decode("practice/office", payload).values for payload in said] == [
        [Decoded("temperature", row.degf, Quality.GOOD, int(row.at.timestamp()) * 1_000_000)] for row in rows
    ]


def test_a_leak_is_said_with_the_sensors_own_word() -> None:
    said = messages(load_profile("aqara-sjcgq11lm"), "pump-room", leak_sensor(wet=True), at=_NOW)

    assert said == {
        "zigbee2mqtt/pump-room": b'{"water_leak": true, "battery_low": false, "battery": 100, "voltage": 3015, '
        b'"linkquality": 131}'
    }


def test_a_climate_sensors_message_holds_every_point_of_its_profile() -> None:
    profile = load_profile("aqara-wsdcgq11lm")
    values = Air("lobby", mean_cel=21).sensor(_NOW)
    [(topic, payload)] = messages(profile, "lobby", values, at=_NOW).items()
    decoded = mqtt_decoder(profile, device="lobby").decode(topic, payload).values

    assert {value.point: value.value for value in decoded} == values
    assert {point.name for point in profile.points} == set(values)


def test_a_modbus_device_publishes_nothing() -> None:
    with pytest.raises(ValueError, match="xy-md02 is of a Modbus device"):
        messages(load_profile("xy-md02"), "lobby", {}, at=_NOW)
