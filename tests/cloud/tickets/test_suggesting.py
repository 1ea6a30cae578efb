import pytest

from cloud.tickets.default_types import DEFAULT_TYPES
from cloud.tickets.suggesting import suggested


@pytest.mark.parametrize(
    ("text", "code", "word"),
    [
        ("厨房水管漏水", "water_indoor", "水管"),
        ("The tap in the kitchen is leaking", "water_indoor", "leaking"),
        ("有人被困在电梯里", "lift_trapped", "被困"),
        ("楼道灯不亮", "light_public", "灯不亮"),
        ("楼上噪音太大", "noise", "噪音"),
        ("这个月物业费怎么算的", "fee_enquiry", "物业费"),
        ("水管爆了，到处是水", "water_burst", "到处是水"),
    ],
)
def test_words_speak_for_a_type_and_are_named(text: str, code: str, word: str) -> None:
    first = suggested(text, DEFAULT_TYPES)[0]
    assert first.type.code == code
    assert word in first.found


def test_words_of_one_length_always_come_in_one_order() -> None:
    assert suggested("厨房漏水，水管堵", DEFAULT_TYPES)[0].found == ("水管", "漏水")


def test_what_nothing_speaks_for_gets_no_suggestion() -> None:
    assert suggested("你好", DEFAULT_TYPES) == []


def test_an_emergency_comes_before_what_more_words_speak_for() -> None:
    found = suggested("水管、水龙头、马桶都漏水，插座还漏电", DEFAULT_TYPES)
    assert found[0].type.code == "electric_danger"


def test_english_words_count_as_whole_words_only() -> None:
    assert "water_indoor" not in {each.type.code for each in suggested("the tape on the shelf", DEFAULT_TYPES)}
