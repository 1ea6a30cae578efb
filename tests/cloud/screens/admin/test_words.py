"""What other slices write down must have its words here."""

import re

from cloud.properties.domain import PlaceKind
from cloud.screens.admin.words import ACTIONS, JOBS, PLACE_KINDS, SUBJECTS
from tests.architecture.source import ROOT

_ACTION = re.compile(r'(?:action=|principal, )f?"([a-z]+\.[a-z_{}]+)"')
_SUBJECT = re.compile(r'subject=?.*? ?=?f"([a-z_]+|\{noun\}):\{')
_JOB = re.compile(r'Job\(\s*name="([a-z_.]+)"')


def _written(pattern: re.Pattern[str]) -> set[str]:
    sources = [file for file in (ROOT / "cloud").rglob("*.py") if "screens" not in file.parts]
    return {found for file in sources for found in pattern.findall(file.read_text())}


def _patterns() -> list[re.Pattern[str]]:
    return [re.compile(re.sub(r"\\\{\w+\\\}", "[a-z]+", re.escape(action))) for action in sorted(_written(_ACTION))]


def test_every_action_of_the_audit_has_its_words() -> None:
    assert [p.pattern for p in _patterns() if not any(p.fullmatch(action) for action in ACTIONS)] == []


def test_no_words_are_left_of_an_action_that_nobody_writes_down() -> None:
    assert [action for action in ACTIONS if not any(p.fullmatch(action) for p in _patterns())] == []


def test_every_subject_of_the_audit_has_its_word() -> None:
    sources = [file.read_text() for file in (ROOT / "cloud").rglob("*.py") if "screens" not in file.parts]
    audited = {noun for text in sources if "audit.record(" in text for noun in _SUBJECT.findall(text)}
    assert "person" in audited
    assert audited - {"{noun}"} - set(SUBJECTS) == set()


def test_every_job_has_its_words_and_no_other() -> None:
    assert _written(_JOB) == set(JOBS)


def test_every_kind_of_place_has_its_word() -> None:
    assert set(PLACE_KINDS) == set(PlaceKind)
