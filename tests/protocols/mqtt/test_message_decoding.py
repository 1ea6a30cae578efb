import pytest

from protocols.errors import AnswerRefused, DictionaryError
from protocols.mqtt.declarations import MessagePoint, MessageTimestamp
from protocols.mqtt.decoding import Field, Message, MqttDecoder, topic_of
from protocols.readings import Decoded, Quality
from protocols.timestamps import TimeFormat

TOPIC = "zigbee2mqtt/lobby"


def field(point: str, pointer: str, **more: object) -> Field:
    topic = more.pop("topic", "zigbee2mqtt/{device}")
    valid = more.pop("valid", (-1e300, 1e300))
    return Field(point=point, at=MessagePoint(pointer=pointer, **more), topic=topic, valid=valid)


def decoder(*fields: Field, timestamp: MessageTimestamp | None = None) -> MqttDecoder:
    return MqttDecoder(fields, device="lobby", timestamp=timestamp)


CLIMATE = decoder(field("temperature", "/temperature", valid=(-40, 85)), field("humidity", "/humidity"))
LEAK = decoder(field("leak", "/water_leak", map={True: 1, False: 0}))
LOCK = decoder(field("lock", "/state", map={"LOCK": 1, "UNLOCK": 0, 3: 2}))


@pytest.mark.parametrize(
    ("source", "payload", "expected"),
    [
        pytest.param(
            CLIMATE,
            b'{"temperature":21.04,"humidity":55}',
            [Decoded("temperature", 21.04), Decoded("humidity", 55.0)],
            id="all at once",
        ),
        pytest.param(CLIMATE, b'{"humidity":55.5}', [Decoded("humidity", 55.5)], id="a partial update"),
        pytest.param(CLIMATE, b'{"temperature":null,"humidity":55}', [Decoded("humidity", 55.0)], id="null"),
        pytest.param(CLIMATE, b'{"linkquality":97}', [], id="nothing that is asked for"),
        pytest.param(CLIMATE, b"[]", [], id="another shape"),
        pytest.param(CLIMATE, b"", [], id="a retained message taken back"),
        pytest.param(
            CLIMATE,
            b'{"temperature":86}',
            [Decoded("temperature", 86.0, Quality.SUSPECT)],
            id="past its valid range",
        ),
        pytest.param(CLIMATE, b'{"temperature":85}', [Decoded("temperature", 85.0)], id="at its end"),
        pytest.param(CLIMATE, b'{"temperature":-4.05e1}', [Decoded("temperature", -40.5, Quality.SUSPECT)], id="e"),
        pytest.param(LEAK, b'{"water_leak":true}', [Decoded("leak", 1.0)], id="true"),
        pytest.param(LEAK, b'{"water_leak":false}', [Decoded("leak", 0.0)], id="false"),
        pytest.param(LOCK, b'{"state":"LOCK"}', [Decoded("lock", 1.0)], id="a word"),
        pytest.param(LOCK, b'{"state":"UNLOCK"}', [Decoded("lock", 0.0)], id="another word"),
        pytest.param(LOCK, b'{"state":3}', [Decoded("lock", 2.0)], id="a code"),
        pytest.param(LOCK, b'{"state":3.0}', [Decoded("lock", 2.0)], id="the same code with a point"),
        pytest.param(decoder(field("power", "")), b"1234.5", [Decoded("power", 1234.5)], id="nothing but the value"),
    ],
)
def test_a_message_gives_its_values(source: MqttDecoder, payload: bytes, expected: list[Decoded]) -> None:
    assert source.decode(TOPIC, payload) == Message(values=expected)


@pytest.mark.parametrize(
    ("source", "payload", "problem"),
    [
        pytest.param(
            CLIMATE,
            b'{"temperature":"21.04"}',
            "topic zigbee2mqtt/lobby, pointer '/temperature': value \"21.04\" is no number; "
            "map it in the profile if it means one",
            id="a text for a number",
        ),
        pytest.param(
            CLIMATE,
            b'{"temperature":true}',
            "topic zigbee2mqtt/lobby, pointer '/temperature': value true is no number; "
            "map it in the profile if it means one",
            id="a boolean is no number",
        ),
        pytest.param(
            CLIMATE,
            b'{"temperature":{"value":21}}',
            "topic zigbee2mqtt/lobby, pointer '/temperature': value {\"value\": 21} is no number; "
            "map it in the profile if it means one",
            id="an object for a number",
        ),
        pytest.param(
            LEAK,
            b'{"water_leak":"yes"}',
            "topic zigbee2mqtt/lobby, pointer '/water_leak': value \"yes\" is none of those that the profile maps "
            "(true, false)",
            id="a word for a boolean",
        ),
        pytest.param(
            LEAK,
            b'{"water_leak":1}',
            "topic zigbee2mqtt/lobby, pointer '/water_leak': value 1 is none of those that the profile maps "
            "(true, false)",
            id="1 is not true",
        ),
        pytest.param(
            LOCK,
            b'{"state":["LOCK"]}',
            "topic zigbee2mqtt/lobby, pointer '/state': value [\"LOCK\"] is none of those that the profile maps "
            '("LOCK", "UNLOCK", 3)',
            id="a list for a word",
        ),
    ],
)
def test_a_value_of_the_wrong_type_is_a_problem_that_names_topic_pointer_and_value(
    source: MqttDecoder, payload: bytes, problem: str
) -> None:
    assert source.decode(TOPIC, payload) == Message(problems=[problem])


def test_one_strange_value_does_not_cost_the_others() -> None:
    message = CLIMATE.decode(TOPIC, b'{"temperature":"n/a","humidity":55}')

    assert message.values == [Decoded("humidity", 55.0)]
    assert len(message.problems) == 1


def test_a_number_past_the_largest_float_is_a_problem() -> None:
    message = CLIMATE.decode(TOPIC, b'{"temperature":1' + b"0" * 400 + b"}")

    assert message.values == []
    assert message.problems[0].endswith("… is too large for a number")


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(b"ON", id="a bare word"),
        pytest.param(b'{"temperature":NaN}', id="NaN"),
        pytest.param(b'{"temperature":Infinity}', id="infinity"),
        pytest.param(b'{"temperature":1e999}', id="a number past all bounds"),
        pytest.param(b'{"temperature":21.0', id="cut short"),
        pytest.param(b'{"temperature":21.0}}', id="something behind"),
        pytest.param(b'"\xff"', id="no UTF-8"),
        pytest.param(b"[" * 100_000, id="nested without end"),
    ],
)
def test_what_is_no_json_is_refused_with_its_beginning(payload: bytes) -> None:
    with pytest.raises(AnswerRefused, match=r"^topic zigbee2mqtt/lobby: b.* is no JSON: ") as refusal:
        CLIMATE.decode(TOPIC, payload)

    assert len(str(refusal.value)) < 500


def test_a_topic_of_somebody_else_is_refused() -> None:
    with pytest.raises(AnswerRefused, match=r"topic zigbee2mqtt/cellar is none of the device's: zigbee2mqtt/lobby"):
        CLIMATE.decode("zigbee2mqtt/cellar", b"{}")


def test_a_point_may_stand_under_a_topic_of_its_own() -> None:
    source = decoder(
        field("temperature", "/temperature"),
        field("online", "/state", topic="zigbee2mqtt/{device}/availability", map={"online": 1, "offline": 0}),
    )

    assert source.topics == ("zigbee2mqtt/lobby", "zigbee2mqtt/lobby/availability")
    assert source.decode("zigbee2mqtt/lobby/availability", b'{"state":"offline"}') == Message(
        values=[Decoded("online", 0.0)]
    )


@pytest.mark.parametrize(
    ("declared", "payload", "expected_us"),
    [
        pytest.param(TimeFormat.ISO8601, b'"2013-07-04 00:00:00"', 1_372_896_000_000_000, id="ISO 8601, naive"),
        pytest.param(TimeFormat.ISO8601, b'"2013-07-04T08:00:00+08:00"', 1_372_896_000_000_000, id="ISO 8601, offset"),
        pytest.param(TimeFormat.EPOCH_S, b"1372896000", 1_372_896_000_000_000, id="seconds"),
        pytest.param(TimeFormat.EPOCH_S, b"1372896000.25", 1_372_896_000_250_000, id="seconds with a fraction"),
        pytest.param(TimeFormat.EPOCH_MS, b"1372896000123", 1_372_896_000_123_000, id="milliseconds"),
        pytest.param(TimeFormat.ISO8601, b"null", None, id="null"),
    ],
)
def test_values_have_the_message_s_own_time(declared: TimeFormat, payload: bytes, expected_us: int | None) -> None:
    source = decoder(field("value", "/value"), timestamp=MessageTimestamp(pointer="/timestamp", format=declared))

    message = source.decode(TOPIC, b'{"timestamp":' + payload + b',"value":69.88083514}')

    assert message == Message(values=[Decoded("value", 69.88083514, Quality.GOOD, expected_us)])


def test_a_naive_text_is_read_in_the_declared_zone() -> None:
    declared = MessageTimestamp(pointer="/timestamp", format=TimeFormat.ISO8601, zone="Asia/Shanghai")
    source = decoder(field("value", "/value"), timestamp=declared)

    message = source.decode(TOPIC, b'{"timestamp":"2013-07-04 08:00:00","value":1}')

    assert message.values == [Decoded("value", 1.0, Quality.GOOD, 1_372_896_000_000_000)]


@pytest.mark.parametrize(
    ("declared", "payload", "complaint"),
    [
        pytest.param(TimeFormat.ISO8601, b"1372896000", "1372896000 is not written as iso8601", id="a count"),
        pytest.param(TimeFormat.EPOCH_S, b'"2013-07-04"', '"2013-07-04" is not written as epoch_s', id="a text"),
        pytest.param(TimeFormat.EPOCH_S, b"true", "true is not written as epoch_s", id="a boolean"),
        pytest.param(TimeFormat.ISO8601, b'"soon"', "'soon' is no ISO 8601 instant", id="no instant"),
        pytest.param(TimeFormat.EPOCH_MS, b"-5", "-5 lies outside", id="before 1970"),
    ],
)
def test_a_timestamp_that_can_t_be_read_refuses_the_message(
    declared: TimeFormat, payload: bytes, complaint: str
) -> None:
    source = decoder(field("value", "/value"), timestamp=MessageTimestamp(pointer="/timestamp", format=declared))

    with pytest.raises(AnswerRefused, match=f"topic zigbee2mqtt/lobby, pointer '/timestamp': timestamp {complaint}"):
        source.decode(TOPIC, b'{"timestamp":' + payload + b',"value":1}')


@pytest.mark.parametrize("device", ["", "lobby/#", "+", "a\0b"])
def test_a_name_that_would_be_a_filter_is_refused(device: str) -> None:
    with pytest.raises(DictionaryError, match="can't stand in a topic"):
        topic_of("zigbee2mqtt/{device}", device)


def test_a_name_may_have_levels() -> None:
    assert topic_of("zigbee2mqtt/{device}", "floor 1/lobby") == "zigbee2mqtt/floor 1/lobby"
