from markupsafe import Markup

from cloud.core.errors import Refused
from cloud.web.catalogues import Catalogue, Locale, Message, catalogue

_ZH = catalogue(Locale.ZH_HANS)
_EN = catalogue(Locale.EN)


def test_english_is_the_id_itself() -> None:
    assert _EN.say("Sign in") == "Sign in"
    assert _ZH.say("Sign in") == "登录"


def test_a_context_before_the_bar_is_not_shown() -> None:
    assert _EN.say("state|Open") == "Open"


def test_places_are_filled() -> None:
    assert _ZH.say("yesterday %(clock)s", clock="14:02") == "昨天 14:02"


def test_a_message_brings_what_stands_in_its_places() -> None:
    assert _ZH.say(Message("from %(value)s", {"value": "2026-03-02"})) == "从 2026-03-02 起"


def test_an_errors_sentence_is_said_in_the_readers_language() -> None:
    error = Refused("Must be %(ge)s or more.", field="minutes", ge=15)
    assert (_EN.say(error), _ZH.say(error)) == ("Must be 15 or more.", "必须不小于 15。")


def test_markup_in_a_place_stays_markup_and_all_else_is_escaped() -> None:
    said = Catalogue(texts={}).say("<%(a)s> and %(b)s", a=Markup("<b>1</b>"), b="<i>")
    assert said == Markup("&lt;<b>1</b>&gt; and &lt;i&gt;")
    assert isinstance(said, Markup)


def test_a_number_chooses_its_form() -> None:
    assert [_EN.say_number("%(number)s row", "%(number)s rows", n) for n in (0, 1, 2)] == ["0 rows", "1 row", "2 rows"]
    plural = Catalogue(texts={"%(number)s row": ("%(number)s 行",)})
    assert [plural.say_number("%(number)s row", "%(number)s rows", n) for n in (1, 2)] == ["1 行", "2 行"]
