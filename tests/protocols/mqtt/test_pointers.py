import pytest

from protocols.errors import DictionaryError
from protocols.mqtt.pointers import parse_pointer, resolve

RFC_6901 = {
    "foo": ["bar", "baz"],
    "": 0,
    "a/b": 1,
    "c%d": 2,
    "e^f": 3,
    "g|h": 4,
    "i\\j": 5,
    'k"l': 6,
    " ": 7,
    "m~n": 8,
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", RFC_6901),
        ("/foo", ["bar", "baz"]),
        ("/foo/0", "bar"),
        ("/", 0),
        ("/a~1b", 1),
        ("/c%d", 2),
        ("/e^f", 3),
        ("/g|h", 4),
        ("/i\\j", 5),
        ('/k"l', 6),
        ("/ ", 7),
        ("/m~0n", 8),
    ],
)
def test_the_examples_of_rfc_6901_resolve(text: str, expected: object) -> None:
    assert resolve(RFC_6901, parse_pointer(text)) == expected


@pytest.mark.parametrize(
    ("document", "text"),
    [
        pytest.param({}, "/a", id="no such member"),
        pytest.param({"a": None}, "/a", id="null"),
        pytest.param({"a": None}, "/a/b", id="under null"),
        pytest.param({"a": 1}, "/a/b", id="under a number"),
        pytest.param({"a": "text"}, "/a/0", id="a text is no array"),
        pytest.param([1, 2], "/2", id="past the end"),
        pytest.param([1, 2], "/-", id="the element after the last"),
        pytest.param([1, 2], "/01", id="an index with a leading zero"),
        pytest.param([1, 2], "/-1", id="a negative index"),
        pytest.param([1, 2], "/１", id="a digit of another script"),
        pytest.param([1, 2], "/x", id="a name in an array"),
    ],
)
def test_where_nothing_stands_there_is_nothing(document: object, text: str) -> None:
    assert resolve(document, parse_pointer(text)) is None


@pytest.mark.parametrize(
    ("document", "text", "expected"),
    [
        pytest.param([[], [{"t": 1}]], "/1/0/t", 1, id="through arrays"),
        pytest.param({"~1": 5}, "/~01", 5, id="an escaped tilde before a digit"),
        pytest.param({"0": "member"}, "/0", "member", id="a digit names a member of an object"),
        pytest.param({"a": False}, "/a", False, id="false is a value"),
    ],
)
def test_a_path_is_followed(document: object, text: str, expected: object) -> None:
    assert resolve(document, parse_pointer(text)) == expected


@pytest.mark.parametrize(
    ("text", "mend"),
    [
        ("temperature", 'must be "" or begin with "/"'),
        ("#/temperature", 'must be "" or begin with "/"'),
        ("/a~b", 'write "~" as "~0"'),
        ("/a~", 'write "~" as "~0"'),
        ("/a~2b", 'write "~" as "~0"'),
    ],
)
def test_what_is_no_pointer_is_refused_with_a_mend(text: str, mend: str) -> None:
    with pytest.raises(DictionaryError, match=mend):
        parse_pointer(text)
