"""What an entry of the audit says: its subject by name, and what changed field by field."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from cloud.accounts import people
from cloud.core.audit import AuditEntry
from cloud.properties import service as properties
from cloud.properties.domain import SEPARATOR
from cloud.screens.admin.words import FIELDS, PLACE_KINDS, SUBJECTS
from cloud.web import words
from cloud.web.pages import Page
from cloud.web.session import Unit
from firmware_configs.look.words import _


async def names(work: Unit, entries: Sequence[AuditEntry]) -> dict[str, str]:
    """Return what the people and places that the entries speak of are called now, by subject."""
    ids: dict[str, set[int]] = {"person": set(), "place": set()}
    for entry in entries:
        noun, _colon, number = entry.subject.partition(":")
        if noun in ids:
            ids[noun].add(int(number))
    called = await people.names(work.session, work.principal, ids["person"])
    labels = await properties.labels(work.session, work.principal, ids["place"])
    return {
        **{f"person:{number}": name for number, name in called.items()},
        **{f"place:{number}": label for number, label in labels.items()},
    }


def title(page: Page, entry: AuditEntry, named: Mapping[str, str]) -> str:
    """Return what an entry is about: "Person · 张三", by its name then where it has none now, else by its number."""
    noun, _colon, number = entry.subject.partition(":")
    then = (entry.after or {}).get("name") or (entry.before or {}).get("name")
    name = named.get(entry.subject) or (then if isinstance(then, str) else number)
    return SEPARATOR.join((page.say(SUBJECTS.get(noun, noun)), name))


def details(page: Page, entry: AuditEntry) -> str:
    """Return what changed, field by field: "Name: 东门 → 西门"."""
    return "; ".join(_changes(page, entry.before or {}, entry.after or {}))


def _changes(page: Page, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    for field in dict.fromkeys([*before, *after]):
        closed = _CLOSED.get(field, {})
        values = [_text(page, state[field], closed) for state in (before, after) if field in state]
        yield f"{page.say(FIELDS.get(field, field))}: {' → '.join(values)}"


def _text(page: Page, value: Any, closed: Mapping[str, str]) -> str:
    """Return a value in words where it is one of a closed set, else as it is stored."""
    match value:
        case None:
            return "–"
        case bool():
            return page.say(_("Yes") if value else _("No"))
        case str():
            return page.say(closed[value]) if value in closed else value
        case list():
            return ", ".join(_text(page, part, closed) for part in value)
        case _other:
            return msgspec.json.encode(value).decode()


_CLOSED: Mapping[str, Mapping[str, str]] = {
    "roles": {str(role): label for role, label in words.ROLES.items()},
    "kind": {str(kind): label for kind, label in PLACE_KINDS.items()},
}
"""By field, the words of its values."""
