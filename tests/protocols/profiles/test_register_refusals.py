import pytest

from protocols.profiles.parsing import parse_profile
from tests.protocols.profiles.texts import METER, refusal_of


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        pytest.param(
            "unit: kW.h", "unit: kWh", "point energy_import: unit 'kWh' is unknown; did you mean kW.h?", id="unit"
        ),
        pytest.param(
            "    resolution: 0.01\n",
            "",
            "point energy_import: class register needs resolution: the decimal step in which the meter counts, "
            "such as 0.01",
            id="register without resolution",
        ),
        pytest.param(
            "resolution: 0.01", "resolution: 0", "point energy_import: resolution: 0 must be above 0", id="resolution 0"
        ),
        pytest.param(
            "resolution: 0.01",
            "resolution: 0.1",
            "point energy_import: scale 0.01 is no whole multiple of resolution 0.1: steps would be lost",
            id="resolution coarser than the register",
        ),
        pytest.param(
            "kind: counter",
            "kind: gauge",
            "point energy_import: class register is for a meter's counter and kind is gauge; write kind counter or "
            "class sample",
            id="register that is no counter",
        ),
        pytest.param(
            'address: 2, scale: "0.01"',
            'address: 2, type: uint64, scale: "0.01"',
            "point energy_import: valid must end where uint64 in steps of 0.01 is still exact: below 2^53 steps",
            id="more digits than a float holds",
        ),
        pytest.param(
            "name: voltage",
            "name: energy_import",
            "points: the name energy_import stands 2 times; every name stands once",
            id="a name twice",
        ),
        pytest.param(
            "name: voltage",
            "name: Voltage L1",
            "point Voltage L1: field name: Expected `str` matching regex '^[a-z][a-z0-9_]*$'",
            id="a name that is none",
        ),
        pytest.param(
            "    unit: V\n",
            "",
            "point voltage: Object missing required field `unit`",
            id="no unit",
        ),
        pytest.param(
            "kind: gauge",
            "kind: level",
            "point voltage: field kind: Invalid enum value 'level'; write one of gauge, counter, state",
            id="an unknown kind of point",
        ),
        pytest.param(
            "kind: meter-electricity",
            "kind: meter",
            "field kind: Invalid enum value 'meter'; write one of meter-electricity, meter-water, meter-gas, "
            "meter-heat, climate, air-quality, leak, smoke, contact, motion, pump, lift, other",
            id="an unknown kind of device",
        ),
        pytest.param(
            "type: float32",
            "type: real",
            "point voltage: field modbus.type: Invalid enum value 'real'; write one of bit, uint16, int16, uint32, "
            "int32, uint64, int64, float32, float64",
            id="an unknown type",
        ),
        pytest.param(
            "address: 4, type: float32",
            "address: 4, typ: float32",
            "point voltage: field modbus: Object contains unknown field `typ`; write one of function, address, type, "
            "word_order, byte_order, scale, offset, invalid, bit, bits, split",
            id="a misspelt field",
        ),
        pytest.param(
            "limits: {max_registers: 60}",
            "limits: {max_registers: 126}",
            "field modbus.limits.max_registers: Expected `int` <= 125",
            id="more registers than Modbus allows",
        ),
        pytest.param(
            "priority: medium",
            "priority: panic",
            "point voltage: field alarms.high.priority: Invalid enum value 'panic'; write one of critical, high, low, "
            "medium",
            id="an unknown priority",
        ),
        pytest.param(
            "address: 4, type: float32",
            "address: 3, type: float32",
            "points energy_import and voltage overlap at address 3",
            id="overlapping registers",
        ),
        pytest.param(
            "address: 2, scale",
            "address: 1, scale",
            "point energy_import overlaps the clock at address 0",
            id="overlapping the clock",
        ),
        pytest.param(
            "address: 4, type: float32",
            "address: 60, type: float32",
            "point voltage: addresses 0..61 fit no single read; mend the limits, the forbidden ranges or the address",
            id="too far from the clock",
        ),
        pytest.param(
            "address: 4, type: float32",
            "address: 4, type: float32, function: 4",
            "point voltage: function 4 is not the clock's, 3",
            id="another function code than the clock's",
        ),
        pytest.param(
            "{max_registers: 60}",
            "{max_registers: 60, forbidden: [{function: 3, first: 5, last: 5}]}",
            "point voltage: addresses 0..5 fit no single read; mend the limits, the forbidden ranges or the address",
            id="in a forbidden range",
        ),
        pytest.param(
            "{max_registers: 60}",
            "{forbidden: [{function: 3, first: 9, last: 8}]}",
            "modbus.limits.forbidden: 9..8 ends before it begins",
            id="a range that ends before it begins",
        ),
        pytest.param(
            "address: 0, type: uint32}",
            "address: 0, type: uint32, zone: Mars}",
            "modbus.clock: zone 'Mars' is unknown; write an IANA name such as UTC or Asia/Shanghai",
            id="an unknown zone",
        ),
        pytest.param(
            "address: 4, type: float32",
            "address: 65535, type: float32",
            "point voltage: address 65535: its last register would be 65536, and the highest is 65535",
            id="past the last address",
        ),
        pytest.param(
            "address: 4, type: float32",
            "address: 4, type: bit",
            "point voltage: type bit does not go with function 3: bits are read by 1 and 2, registers by 3 and 4",
            id="a bit among registers",
        ),
        pytest.param(
            "address: 4, type: float32",
            "address: 4, type: float32, bit: 3",
            "point voltage: bit and split need a whole number and type is float32",
            id="a bit field in a float",
        ),
        pytest.param(
            "address: 4, type: float32",
            "address: 4, type: int16, bit: 3",
            "point voltage: bit needs an unsigned number and type is int16",
            id="a bit field in a signed number",
        ),
        pytest.param(
            "address: 4, type: float32",
            "address: 4, type: uint16, bit: 14, bits: 3",
            "point voltage: bit 14 and 3 bits do not fit a uint16",
            id="a bit field past its register",
        ),
        pytest.param(
            "address: 4, type: float32",
            "address: 4, type: uint16, bits: 3",
            "point voltage: bits is the width of a bit field and needs bit, its lowest bit",
            id="a width without a bit",
        ),
        pytest.param(
            "address: 4, type: float32",
            "address: 4, type: uint16, bit: 1, split: [1, 2]",
            "point voltage: bit and split exclude each other",
            id="a bit field in a split counter",
        ),
        pytest.param(
            "address: 4, type: float32",
            "address: 4, type: uint16, split: [0, 0]",
            "point voltage: split: at least one weight must be above 0",
            id="a split counter of nothing",
        ),
        pytest.param(
            "address: 4, type: float32",
            "address: 4, type: int16, invalid: [0x18000]",
            "point voltage: invalid: 98304 does not fit a int16",
            id="a pattern that does not fit",
        ),
        pytest.param(
            "address: 4, type: float32",
            'address: 4, type: float32, scale: "0"',
            "point voltage: scale 0 and offset 0 must be numbers of at most 18 places, and scale not 0",
            id="scale 0",
        ),
        pytest.param(
            "address: 4, type: float32",
            "address: 4, type: float32, scale: Infinity",
            "point voltage: scale Infinity and offset 0 must be numbers of at most 18 places, and scale not 0",
            id="an infinite scale",
        ),
        pytest.param(
            "address: 4, type: float32",
            "address: 4, type: float32, offset: 1e19",
            "point voltage: scale 1 and offset 1E+19 must be numbers of at most 18 places, and scale not 0",
            id="an offset past all reason",
        ),
        pytest.param(
            "valid: [0, 300]",
            "valid: [300, 0]",
            "point voltage: valid: [300.0, 0.0] must be [lowest, highest]",
            id="valid",
        ),
        pytest.param(
            "period_s: 10",
            "period_s: 0",
            "point voltage: period_s: 0 is for a device that speaks by itself; a Modbus point needs a period",
            id="no period",
        ),
        pytest.param(
            "    modbus: {address: 4, type: float32}",
            "    mqtt: {pointer: /v}\n    modbus: {address: 4, type: float32}",
            "point voltage: must say where its value stands in the profile's own transport, and in no other",
            id="a point of both transports",
        ),
        pytest.param(
            "source: Acme M1 manual 1.0, page 4\n", "", "Object missing required field `source`", id="no source"
        ),
        pytest.param(
            "source: Acme M1 manual 1.0, page 4",
            'source: ""',
            "field source: Expected `str` of length >= 1",
            id="an empty source",
        ),
        pytest.param("models: [M1, M2]", "models: []", "field models: Expected `array` of length >= 1", id="no model"),
        pytest.param(
            "voltage: 230.2}",
            "voltage: 230.3}",
            "example: voltage decodes to 230.20001220703125 and should be 230.3",
            id="an expected value that does not follow",
        ),
        pytest.param(
            "1209.42, voltage",
            "1209.43, voltage",
            "example: energy_import decodes to 1209.42 and should be 1209.43",
            id="an expected register that is one step off",
        ),
        pytest.param(
            ", voltage: 230.2}",
            "}",
            "example: voltage decodes to 230.20001220703125 and is not among the expected",
            id="a value that nobody expected",
        ),
        pytest.param(
            "voltage: 230.2}",
            "voltage: 230.2, current: 1}",
            "example: current should be 1.0 and the frame holds no value of that name",
            id="an expected value of no point",
        ),
        pytest.param(
            "valid: [0, 300]",
            "valid: [0, 200]",
            "example: voltage decodes to 230.20001220703125, which lies outside its own valid range",
            id="an example outside its own valid range",
        ),
        pytest.param(
            "36 AC",
            "36 AD",
            "example: response '01 03 0C 53 49 C5 F0 00 01 D8 6E 43 66 33 34 36 AD' ends in a wrong check sum; "
            "its bytes make 36 AC",
            id="a damaged frame",
        ),
        pytest.param(
            "expected: {energy_import: 1209.42, voltage: 230.2}",
            "expected: {}",
            "field example.expected: Expected `object` of length >= 1",
            id="nothing expected",
        ),
        pytest.param(
            "    - request: 01 03 00 00 00 06 C5 C8\n"
            "      response: 01 03 0C 53 49 C5 F0 00 01 D8 6E 43 66 33 34 36 AC\n",
            "    []\n",
            "example: a Modbus device's example needs exchanges, request and response, and no messages",
            id="no exchange",
        ),
    ],
)
def test_a_faulty_modbus_profile_is_refused_with_the_place_and_the_mend(old: str, new: str, problem: str) -> None:
    assert old in METER

    assert problem in refusal_of(METER.replace(old, new))


@pytest.mark.parametrize(
    ("expected_time", "found"),
    [
        pytest.param(
            '"2014-04-12T23:02:09Z"', "1397343728000000 us and expected_time is 1397343729000000 us", id="off"
        ),
        pytest.param("~", "1397343728000000 us and expected_time is none", id="missing"),
    ],
)
def test_the_example_s_time_is_checked_for_every_value(expected_time: str, found: str) -> None:
    assert refusal_of(METER.replace('"2014-04-12T23:02:08Z"', expected_time)) == (
        f"example: energy_import has the time {found}",
        f"example: voltage has the time {found}",
    )


IDENTITY = """
identity:
  - name: serial_number
    label: {zh: 编号, en: Serial number}
    modbus: {function: 3, address: 100, type: uint32}
"""
SERIAL = """
    - request: 01 03 00 64 00 02 85 D4
      response: 01 03 04 01 23 45 67 79 7F
"""


@pytest.mark.parametrize(
    ("declared", "frame", "expected", "problem"),
    [
        pytest.param(IDENTITY, SERIAL, "'19088743'", None, id="as expected"),
        pytest.param(
            IDENTITY,
            SERIAL,
            "'19088744'",
            "example: identity decodes to {'serial_number': '19088743'} and should be {'serial_number': '19088744'} "
            "(expected_identity)",
            id="another number",
        ),
        pytest.param(
            IDENTITY,
            "",
            "'19088743'",
            "example: identity decodes to {} and should be {'serial_number': '19088743'} (expected_identity)",
            id="not in the example",
        ),
        pytest.param(
            IDENTITY.replace("uint32", "string, registers: 2"),
            SERIAL.replace("01 23 45 67 79 7F", "FF FE 41 42 1B B6"),
            "'19088743'",
            "example: the string at address 100 is b'\\xff\\xfeAB', which is no ASCII",
            id="a string of other bytes",
        ),
        pytest.param(
            IDENTITY.replace("uint32", "string"),
            SERIAL,
            "'19088743'",
            "identity serial_number: registers is the length of a string, compulsory there and nowhere else",
            id="a string of no length",
        ),
        pytest.param(
            IDENTITY.replace("100", "65535"),
            SERIAL,
            "'19088743'",
            "identity serial_number: address 65535 leaves no room for 2 registers",
            id="past the last address",
        ),
    ],
)
def test_an_identity_is_proved_by_the_example_too(
    declared: str, frame: str, expected: str, problem: str | None
) -> None:
    head, example = METER.split("example:")
    text = head + declared + "example:" + example.replace("  expected: ", frame.lstrip("\n") + "  expected: ")
    text += f"  expected_identity: {{serial_number: {expected}}}\n"

    if problem is None:
        assert parse_profile(text, file="acme.yaml").identity[0].name == "serial_number"
    else:
        assert refusal_of(text) == (problem,)


def test_bit_fields_may_share_a_register_but_no_bit() -> None:
    flags = (
        "modbus: {address: 4, type: uint16, bit: %d, bits: %d}\n"
        "  - {name: other, label: {zh: 其他, en: Other}, unit: '1', kind: gauge, class: sample, "
        "modbus: {address: 4, type: uint16, bit: 2}}"
    )
    exchange = "01 03 0C 53 49 C5 F0 00 01 D8 6E 00 07 00 00"
    text = METER.replace("modbus: {address: 4, type: float32}", flags).replace(
        "voltage: 230.2}", "voltage: 3, other: 1}"
    )
    text = text.replace("01 03 0C 53 49 C5 F0 00 01 D8 6E 43 66 33 34 36 AC", exchange + " 67 D1")

    assert [point.name for point in parse_profile(text % (0, 2), file="a.yaml").points][1:] == ["voltage", "other"]
    assert refusal_of(text % (0, 3)) == ("points voltage and other overlap at address 4",)
