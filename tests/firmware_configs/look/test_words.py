import re
from pathlib import Path

import pytest

from tests.architecture.source import ROOT
from tests.firmware_configs.look import strings

_PLACES = re.compile(r"%(?:\((\w+)\)[-#0 +]*\d*(?:\.\d+)?([a-zA-Z])|.)")
_OWN_NAMES_OF_LANGUAGES = {"cloud/web/catalogues.py"}


def _places(text: str) -> set[str]:
    return {match[0] for match in _PLACES.finditer(text)}


def test_every_string_that_is_shown_is_in_the_catalogue() -> None:
    held = strings.catalogued("zh_Hans")
    assert [f"{use.where}: {use.id!r}" for use in strings.used() if use.id not in held] == []


def test_every_entry_is_translated() -> None:
    held = strings.catalogued("zh_Hans")
    assert [key for key, given in held.items() if not all(all(texts) for texts in given)] == []


def test_no_entry_is_left_over() -> None:
    used = {use.id for use in strings.used()}
    assert sorted(strings.catalogued("zh_Hans").keys() - used) == []


def test_an_id_that_stands_in_two_areas_says_the_same_in_both() -> None:
    held = strings.catalogued("zh_Hans")
    assert {key: given for key, given in held.items() if len(set(given)) > 1} == {}


def test_a_translation_keeps_the_places_of_its_id() -> None:
    held = strings.catalogued("zh_Hans")
    assert [key for key, given in held.items() for text in given[0] if not _places(text) <= _places(key)] == []
    assert [key for key, given in held.items() if not set().union(*map(_places, given[0])) >= _places(key)] == []


def test_no_error_composes_its_sentence() -> None:
    assert strings.composed_sentences() == []


def test_no_chinese_stands_in_python() -> None:
    bare = strings.chinese_in_python()
    assert [place for place in bare if place.split(":")[0] not in _OWN_NAMES_OF_LANGUAGES] == []


@pytest.mark.parametrize("page", strings.templates(), ids=lambda page: str(page.relative_to(ROOT)))
def test_a_template_holds_no_words_of_its_own(page: Path) -> None:
    text = page.read_text("utf-8")
    assert strings.bare_texts(text) == []
    assert strings.literal_arguments(text) == []


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("<p>{{ _('Hello') }} · 12</p>", []),
        ("<p>Hello</p>", ["Hello"]),
        ("<b>{% if x %}你好{% endif %}</b>", ["你好"]),
        ('<button aria-label="Close"></button>', ["Close"]),
        ("<kbd>Esc</kbd><code>make help</code><script>let a</script>", []),
    ],
    ids=["through the catalogue", "english", "chinese", "spoken", "keys, commands and scripts"],
)
def test_bare_words_are_found(template: str, words: list[str]) -> None:
    assert strings.bare_texts(template) == words
