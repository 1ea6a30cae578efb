import itertools

import pytest

from cloud.core.errors import Malformed
from cloud.fleet import codes


def test_a_drawn_code_is_written_in_groups_and_read_again() -> None:
    code = codes.draw()
    written = codes.written(code)
    assert [len(group) for group in written.split("-")] == [4, 4, 4]
    assert codes.read(written) == code


@pytest.mark.parametrize(
    "typed",
    [
        "01AB-CDEF-GHJS",
        "01ab cdef ghjs",
        " o1ab_cdef.ghjs ",
        "OIABCDEFGHJS",
        "0lab—cdef—ghjs",
        "０１ＡＢ－ＣＤＥＦ－ＧＨＪＳ",
    ],
    ids=["as shown", "lower case", "other separators", "look-alikes", "dashes", "full width"],
)
def test_a_code_is_read_however_it_is_typed(typed: str) -> None:
    assert codes.read(typed) == "01ABCDEFGHJS"


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("01AB-CDEF-GHJ", "has 12 characters, this one 11"),
        ("01AB-CDEF-GHJSS", "has 12 characters, this one 13"),
        ("", "has 12 characters, this one 0"),
        ("01AB-CDEF-GHUS", "has no U in it"),
        ("01AB-CDEF-GH门S", "has no 门 in it"),
        ("01AB-CDEF-GHJT", "mistyped"),
    ],
)
def test_a_code_that_can_be_none_is_refused_with_the_reason(typed: str, said: str) -> None:
    with pytest.raises(Malformed, match=said):
        codes.read(typed)


def test_every_single_wrong_character_is_found() -> None:
    alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    code = "01ABCDEFGHJS"
    wrong = [code[:place] + other + code[place + 1 :] for place, other in itertools.product(range(12), alphabet)]
    assert [typed for typed in wrong if typed != code and _is_read(typed)] == []


def test_swapped_neighbours_are_found() -> None:
    code = "01ABCDEFGHJS"
    swapped = [code[:place] + code[place + 1] + code[place] + code[place + 2 :] for place in range(11)]
    assert [typed for typed in swapped if _is_read(typed)] == []


def _is_read(typed: str) -> bool:
    try:
        codes.read(typed)
    except Malformed:
        return False
    return True
