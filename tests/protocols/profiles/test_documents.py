import pytest

from protocols.errors import DictionaryError
from protocols.profiles.documents import load_document


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("ON", "ON", id="ON is a word"),
        pytest.param("no", "no", id="no is a word"),
        pytest.param("true", True, id="true"),
        pytest.param("false", False, id="false"),
        pytest.param("True", "True", id="True is a word"),
        pytest.param("12", 12, id="a whole number"),
        pytest.param("-5", -5, id="a negative one"),
        pytest.param("0xFC00", 0xFC00, id="hexadecimal"),
        pytest.param("0", 0, id="zero"),
        pytest.param("010", "010", id="a leading zero makes a text, not eight"),
        pytest.param("12:30", "12:30", id="a time of day is a text, not 750"),
        pytest.param("2014-04-12", "2014-04-12", id="a date is a text"),
        pytest.param("0.01", 0.01, id="a fraction"),
        pytest.param(".5", 0.5, id="a fraction without its zero"),
        pytest.param("1e3", 1000.0, id="an exponent"),
        pytest.param("-1.5e-3", -0.0015, id="a fraction with an exponent"),
        pytest.param(".nan", ".nan", id="not a number is a text"),
        pytest.param("~", None, id="null"),
        pytest.param('"12"', "12", id="a quoted number is a text"),
        pytest.param("{a: 1, b: [2, x]}", {"a": 1, "b": [2, "x"]}, id="nested"),
        pytest.param("a: &x {k: 1}\nb: *x", {"a": {"k": 1}, "b": {"k": 1}}, id="an anchor"),
        pytest.param("{<<: 1}", {"<<": 1}, id="merging is a key like any other"),
        pytest.param("", None, id="nothing"),
    ],
)
def test_plain_values_are_those_of_yaml_1_2(text: str, expected: object) -> None:
    loaded = load_document(text)

    assert (loaded, type(loaded)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        pytest.param("a: 1\nb: 2\na: 3", "line 3: 'a' stands here twice", id="a key twice"),
        pytest.param("p: {x: 1, x: 1}", "line 1: 'x' stands here twice", id="a key twice, nested"),
        pytest.param("map: {true: 1, 1: 2}", "line 1: 1 stands here twice", id="true and 1 are equal keys"),
        pytest.param("a: [1, 2", "line 1: ", id="cut short"),
        pytest.param("a: 1\n---\nb: 2", "line 2: but found another document", id="two documents"),
        pytest.param("a: !!python/object/apply:os.getcwd []", "line 1: could not determine a constructor", id="a call"),
        pytest.param("? [1, 2]\n: 3", "line 1: a key must be a plain value", id="a list as a key"),
        pytest.param(b"a: \xff", "no YAML", id="no UTF-8"),
        pytest.param("a: \x00", "no YAML", id="a NUL"),
    ],
)
def test_what_is_no_plain_document_is_refused_with_its_line(text: str | bytes, complaint: str) -> None:
    with pytest.raises(DictionaryError) as refusal:
        load_document(text)

    assert str(refusal.value).startswith(complaint)
