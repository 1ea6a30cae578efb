import pytest

from tests.protocols.profiles.texts import LEAK, refusal_of


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        pytest.param(
            "topic: acme/{device}\n",
            "topic: acme/+\n",
            'mqtt.topic: topic \'acme/+\' must name one device\'s messages, without "+" and "#"',
            id="a filter for a topic",
        ),
        pytest.param(
            "topic: acme/{device}\n",
            "topic: acme/leak\n",
            "mqtt.topic: topic 'acme/leak' must hold {device} once, where the device's own name stands",
            id="a topic for all devices",
        ),
        pytest.param(
            "topic: acme/{device}\n",
            "topic: acme/{device}\n  timestamp: {pointer: time, format: iso8601, zone: Mars}\n",
            "mqtt.timestamp: zone 'Mars' is unknown; write an IANA name such as UTC or Asia/Shanghai",
            id="an unknown zone",
        ),
        pytest.param(
            "topic: acme/{device}\n",
            "topic: acme/{device}\n  timestamp: {pointer: time, format: iso8601}\n",
            'mqtt.timestamp: pointer \'time\' must be "" or begin with "/"',
            id="a bad timestamp pointer",
        ),
        pytest.param(
            "pointer: /leak", "pointer: leak", 'point leak: pointer \'leak\' must be "" or begin with "/"', id="slash"
        ),
        pytest.param(
            "map: {ON: 1, OFF: 0}",
            "topic: acme/#, map: {ON: 1, OFF: 0}",
            'point leak: topic \'acme/#\' must name one device\'s messages, without "+" and "#"',
            id="a point's own topic",
        ),
        pytest.param(
            "    states:\n      0: {zh: 干燥, en: Dry}\n      1: {zh: 漏水, en: Wet}\n    alarms: {state: {state: 1, "
            "priority: high}}\n",
            "",
            "point leak: kind state needs states: what each number is called",
            id="a state without names",
        ),
        pytest.param(
            "kind: state",
            "kind: gauge",
            "point leak: states are for kind state and kind is gauge; leave them out or write kind state",
            id="states of a gauge",
        ),
        pytest.param(
            'unit: "1"', "unit: W", "point leak: kind state has no unit and unit is 'W'; write '1'", id="a state's unit"
        ),
        pytest.param(
            "{state: 1, priority",
            "{state: 2, priority",
            "point leak: alarms: state 2 is none of the point's states",
            id="an alarm of no state",
        ),
        pytest.param(
            "label: {zh: 水浸, en: Leak}\nsource",
            "label: {zh: 水浸}\nsource",
            "field label: Object missing required field `en`",
            id="a label in one language",
        ),
        pytest.param(
            '{"leak":"ON"}',
            '{"leak":"WET"}',
            "example: topic acme/cellar, pointer '/leak': value \"WET\" is none of those that the profile maps "
            '("ON", "OFF")',
            id="an example that the map does not know",
        ),
        pytest.param(
            "topic: acme/cellar",
            "topic: acme/attic",
            "example: topic acme/attic is none of the device's: acme/cellar",
            id="an example of another device",
        ),
        pytest.param(
            'device: cellar\n  messages:\n    - topic: acme/cellar\n      payload: \'{"leak":"ON"}\'',
            "messages: []",
            "example: an MQTT device's example needs device and messages, and no exchanges",
            id="no message",
        ),
        pytest.param(
            "mqtt:\n  topic",
            "modbus: {}\nmqtt:\n  topic",
            "modbus and mqtt: write exactly one of the two, {} where nothing needs saying",
            id="both transports",
        ),
        pytest.param(
            "example:\n",
            "identity:\n  - name: serial\n    label: {zh: 编号, en: Serial}\n    modbus: {function: 3, address: 0, "
            "type: uint32}\nexample:\n",
            "identity: only a Modbus device is asked for it; leave it out",
            id="an identity over MQTT",
        ),
    ],
)
def test_a_faulty_mqtt_profile_is_refused_with_the_place_and_the_mend(old: str, new: str, problem: str) -> None:
    assert old in LEAK

    assert problem in refusal_of(LEAK.replace(old, new))
