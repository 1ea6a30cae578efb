"""What an entry of the audit says: its subject by name, and what changed field by field."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cloud.accounts import people
from cloud.core.audit import AuditEntry
from cloud.core.words import Words
from cloud.properties import occupancies
from cloud.properties import service as properties
from cloud.properties.domain import SEPARATOR
from cloud.screens.admin.calendar_words import LEAVE_KINDS, WEEKDAY_LABELS
from cloud.screens.admin.words import FIELDS, OCCUPANCY_KINDS, PLACE_KINDS, SUBJECTS
from cloud.web import words
from cloud.web.pages import Page
from cloud.web.session import Unit
from firmware_configs.look.words import _

_NOTHING = "–"

_NAMED = {"place_id": "place", "community_id": "community", "communities": "community", "person_id": "person"}
"""Fields that hold ids of what has a name."""

_CLOSED: Mapping[str, Mapping[str, str]] = {
    "leave": {str(kind): label for kind, label in LEAVE_KINDS.items()},
    "weekdays": {str(weekday): label for weekday, label in enumerate(WEEKDAY_LABELS)},
    "roles": {str(role): label for role, label in words.ROLES.items()},
    "kind": {str(kind): label for kind, label in (PLACE_KINDS | OCCUPANCY_KINDS).items()},
}
"""By field, the words of its values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditWords:
    """Says entries in a reader's language.

    Attributes:
        named: what people, places and communities are called now, by `person:17`.
    """

    page: Page
    named: Mapping[str, str]

    def actor(self, entry: AuditEntry) -> str:
        """Return who it was: a person by their name at the time."""
        is_system = entry.person_id is None and entry.actor == "system"
        return self.page.say(_("Gatehouse itself")) if is_system else entry.actor

    def title(self, entry: AuditEntry) -> str:
        """Return what it is about: "Person · 张三", by its name then where it has none now, else by its number."""
        noun, _colon, number = entry.subject.partition(":")
        then = (entry.after or {}).get("name") or (entry.before or {}).get("name")
        name = self.named.get(entry.subject) or (self._text("name", then) if then else number)
        return SEPARATOR.join((self.page.say(SUBJECTS.get(noun, noun)), name))

    def details(self, entry: AuditEntry) -> str:
        """Return what changed, field by field: "Name: 东门 → 西门"."""
        return "; ".join(self._changes(entry.before or {}, entry.after or {}))

    def _changes(self, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
        for field in dict.fromkeys([*before, *after]):
            values = [self._text(field, state[field]) for state in (before, after) if field in state]
            yield f"{self.page.say(FIELDS.get(field, field))}: {' → '.join(values)}"

    def _text(self, field: str, value: Any) -> str:
        """Return a value in words where it has some, else as it is stored."""
        match value:
            case None | "" | []:
                return _NOTHING
            case list():
                return ", ".join(self._text(field, part) for part in value)
            case {"zh": str(zh), "en": str(en)}:
                return words.written(Words(zh=zh, en=en), self.page.reader.locale) or _NOTHING
            case dict():
                return ", ".join(f"{name} {self._text(name, part)}" for name, part in value.items())
            case _one:
                return self._word(field, value)

    def _word(self, field: str, value: Any) -> str:
        if isinstance(value, bool):
            return self.page.say(_("Yes") if value else _("No"))
        if field in _NAMED:
            return self.named.get(f"{_NAMED[field]}:{value}", str(value))
        known = _CLOSED.get(field, {}).get(str(value))
        return self.page.say(known) if known else str(value)


async def words_for(work: Unit, page: Page, entries: Sequence[AuditEntry]) -> AuditWords:
    """Return the words for entries, with the names of all that they speak of."""
    ids: dict[str, set[int]] = {"person": set(), "place": set(), "unit": set()}
    for noun, number in (reference for entry in entries for reference in _references(entry)):
        ids.get(noun, set()).add(number)
    called = {
        "person": await people.names(work.session, work.principal, ids["person"]),
        "place": await properties.labels(work.session, work.principal, ids["place"]),
        "unit": await occupancies.unit_labels(work.session, work.principal, ids["unit"]),
        "community": {
            found.id: found.name for found in await properties.list_communities(work.session, work.principal)
        },
    }
    named = {f"{noun}:{number}": name for noun, names in called.items() for number, name in names.items()}
    return AuditWords(page=page, named=named)


def _references(entry: AuditEntry) -> Iterator[tuple[str, int]]:
    noun, _colon, number = entry.subject.partition(":")
    if number.isdecimal():
        yield noun, int(number)
    for state in (entry.before or {}, entry.after or {}):
        yield from ((noun, state[field]) for field, noun in _NAMED.items() if isinstance(state.get(field), int))
