import pytest

from protocols.errors import DictionaryError
from protocols.modbus.declarations import Function
from protocols.mqtt.decoding import Message
from protocols.profiles.codecs import mqtt_decoder, plan_reads
from protocols.profiles.parsing import parse_profile
from protocols.readings import Decoded, Quality
from tests.protocols.profiles.texts import LEAK, METER

METER_PROFILE = parse_profile(METER, file="acme-m1.yaml")
LEAK_PROFILE = parse_profile(LEAK, file="acme-l1.yaml")
TIME_US = 1_397_343_728_000_000


def test_all_points_of_a_modbus_device_are_read_in_one_block_with_its_clock() -> None:
    (read,) = plan_reads(METER_PROFILE)

    assert (read.function, read.address, read.count) == (Function.READ_HOLDING_REGISTERS, 0, 6)
    assert read.points == ("energy_import", "voltage")
    assert read.decoder.decode([0x5349, 0xC5F0, 0x0001, 0xD86E, 0x43C8, 0x0000]) == [
        Decoded("energy_import", 1209.42, Quality.GOOD, TIME_US),
        Decoded("voltage", 400.0, Quality.SUSPECT, TIME_US),
    ]


def test_only_the_points_that_are_asked_for_are_read() -> None:
    (read,) = plan_reads(METER_PROFILE, ["energy_import"])

    assert (read.address, read.count, read.points) == (0, 4, ("energy_import",))


def test_nothing_asked_for_is_nothing_read() -> None:
    assert plan_reads(METER_PROFILE, []) == []


def test_an_mqtt_device_is_decoded_under_its_own_name() -> None:
    decoder = mqtt_decoder(LEAK_PROFILE, device="attic")

    assert decoder.topics == ("acme/attic",)
    assert decoder.decode("acme/attic", b'{"leak":"ON"}') == Message(values=[Decoded("leak", 1.0)])


def test_an_unknown_point_is_refused_with_the_known_ones() -> None:
    with pytest.raises(DictionaryError, match="profile acme-m1 has no point 'power'; it has energy_import, voltage"):
        plan_reads(METER_PROFILE, ["power"])


def test_a_device_is_not_read_over_the_other_transport() -> None:
    with pytest.raises(DictionaryError, match="profile acme-l1 is of an MQTT device"):
        plan_reads(LEAK_PROFILE)
    with pytest.raises(DictionaryError, match="profile acme-m1 is of a Modbus device"):
        mqtt_decoder(METER_PROFILE, device="attic")
