from decimal import Decimal

import pytest

from protocols.errors import ProfileRefused
from protocols.modbus.declarations import BlockLimits, Function, NumberType, RegisterClock, RegisterPoint
from protocols.mqtt.declarations import MessagePoint, MqttTransport
from protocols.profiles.parsing import parse_profile
from protocols.profiles.schema import (
    AlarmDefaults,
    DeviceKind,
    Example,
    ExampleMessage,
    Exchange,
    Label,
    LimitAlarm,
    ModbusTransport,
    Point,
    Profile,
    StateAlarm,
)
from protocols.readings import PointKind, RowClass
from tests.protocols.profiles.texts import LEAK, METER, refusal_of


def test_a_modbus_profile_is_read_whole() -> None:
    assert parse_profile(METER, file="acme-m1.yaml") == Profile(
        key="acme-m1",
        maker="Acme",
        models=("M1", "M2"),
        kind=DeviceKind.ELECTRICITY_METER,
        label=Label(zh="电表", en="Meter"),
        source="Acme M1 manual 1.0, page 4",
        modbus=ModbusTransport(
            limits=BlockLimits(max_registers=60), clock=RegisterClock(function=3, address=0, type="uint32")
        ),
        points=(
            Point(
                name="energy_import",
                label=Label(zh="电能", en="Energy"),
                unit="kW.h",
                kind=PointKind.COUNTER,
                row_class=RowClass.REGISTER,
                period_s=60.0,
                resolution=Decimal("0.01"),
                modbus=RegisterPoint(
                    function=Function.READ_HOLDING_REGISTERS, address=2, type=NumberType.UINT32, scale=Decimal("0.01")
                ),
            ),
            Point(
                name="voltage",
                label=Label(zh="电压", en="Voltage"),
                unit="V",
                kind=PointKind.GAUGE,
                row_class=RowClass.SAMPLE,
                period_s=10.0,
                valid=(0.0, 300.0),
                alarms=AlarmDefaults(high=LimitAlarm(limit=250.0, deadband=5.0, on_delay_s=60.0, priority="medium")),
                modbus=RegisterPoint(function=Function.READ_HOLDING_REGISTERS, address=4, type=NumberType.FLOAT32),
            ),
        ),
        example=Example(
            constructed=True,
            exchanges=(
                Exchange(
                    request="01 03 00 00 00 06 C5 C8",
                    response="01 03 0C 53 49 C5 F0 00 01 D8 6E 43 66 33 34 36 AC",
                ),
            ),
            expected={"energy_import": 1209.42, "voltage": 230.2},
            expected_time="2014-04-12T23:02:08Z",
        ),
    )


def test_an_mqtt_profile_is_read_whole() -> None:
    assert parse_profile(LEAK.encode(), file="/home/pi/profiles/acme-l1.yaml") == Profile(
        key="acme-l1",
        maker="Acme",
        models=("L1",),
        kind=DeviceKind.LEAK,
        label=Label(zh="水浸", en="Leak"),
        source="Acme L1 manual 1.0, page 2",
        mqtt=MqttTransport(topic="acme/{device}"),
        points=(
            Point(
                name="leak",
                label=Label(zh="水浸", en="Leak"),
                unit="1",
                kind=PointKind.STATE,
                row_class=RowClass.EVENT,
                period_s=0.0,
                states={0: Label(zh="干燥", en="Dry"), 1: Label(zh="漏水", en="Wet")},
                alarms=AlarmDefaults(state=StateAlarm(state=1, priority="high")),
                mqtt=MessagePoint(pointer="/leak", map={"ON": 1.0, "OFF": 0.0}),
            ),
        ),
        example=Example(
            constructed=False,
            device="cellar",
            messages=(ExampleMessage(topic="acme/cellar", payload='{"leak":"ON"}'),),
            expected={"leak": 1.0},
        ),
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param(
            "- a\n- b", "the file must be a mapping that begins with maker, models, kind, label, source", id="list"
        ),
        pytest.param("", "the file must be a mapping that begins with maker, models, kind, label, source", id="empty"),
        pytest.param("maker: [", "line 1: expected the node content, but found '<stream end>'", id="no YAML"),
        pytest.param("maker: Acme", "points must be a list with at least one point", id="no points"),
        pytest.param("points: []", "points must be a list with at least one point", id="empty points"),
        pytest.param(
            "points: [a]", "point 1: must be a mapping that begins with name, label, unit, kind, class", id="text"
        ),
        pytest.param(LEAK + "\n5: five", "Expected `str` as a key", id="a key that is no word"),
        pytest.param("points: [{}]", "point 1: Object missing required field `name`", id="a point without a name"),
        pytest.param("defaults: 5\npoints: [{}]", "defaults must be a mapping of a point's fields", id="defaults"),
    ],
)
def test_what_is_no_profile_at_all_is_refused(text: str, problem: str) -> None:
    assert refusal_of(text) == (problem,)


@pytest.mark.parametrize("file", ["Our Meter.yaml", "our_meter.yaml", ".yaml"])
def test_a_file_whose_name_is_no_key_is_refused(file: str) -> None:
    with pytest.raises(ProfileRefused, match="the file's name is the profile's key: small letters, digits and hyphens"):
        parse_profile(LEAK, file=file)


def test_all_faults_are_told_at_once() -> None:
    text = METER.replace("unit: kW.h", "unit: kWh").replace("valid: [0, 300]", "valid: [1, 0]")

    assert refusal_of(text) == (
        "point energy_import: unit 'kWh' is unknown; did you mean kW.h?",
        "point voltage: valid: [1.0, 0.0] must be [lowest, highest]",
    )
