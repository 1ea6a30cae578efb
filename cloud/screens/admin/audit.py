"""The audit: who did what to what, and when."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from starlette.responses import Response

from cloud.core.audit import AuditEntry, list_entries
from cloud.core.listing import Ask, Found
from cloud.core.principal import Role
from cloud.screens.admin.words import ACTIONS
from cloud.web.lists import Column, Kind, ListView, Option
from cloud.web.pages import OnPage
from cloud.web.routing import pages_for
from cloud.web.session import Work
from firmware_configs.look.words import _

router = pages_for(Role.ADMINISTRATOR)


def _details(entry: AuditEntry) -> str:
    """Return what changed, field by field: `name: 张三 → 李四`."""
    return "; ".join(_changes(entry.before or {}, entry.after or {}))


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    for field in dict.fromkeys([*before, *after]):
        values = [_text(state[field]) for state in (before, after) if field in state]
        yield f"{field}: {' → '.join(values)}"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


ENTRIES = ListView[AuditEntry](
    name="audit_list",
    caption=_("Audit"),
    key=lambda row: row.id,
    columns=(
        Column(name="at", label=_("Time"), value=lambda row: row.at, kind=Kind.TIME, filtered=True),
        Column(name="actor", label=_("Who"), value=lambda row: row.actor, filtered=True),
        Column(
            name="action",
            label=_("Did what"),
            value=lambda row: row.action,
            filtered=True,
            options=tuple(Option(value=action, label=label) for action, label in ACTIONS.items()),
        ),
        Column(name="subject", label=_("To what"), value=lambda row: row.subject, filtered=True),
        Column(name="details", label=_("What changed"), value=_details, sortable=False),
    ),
)


@router.get("/admin/audit")
async def audit(work: Work, page: OnPage) -> Response:
    """Draw the organisation's audit."""

    async def load(ask: Ask) -> Found[AuditEntry]:
        return await list_entries(work.session, work.principal, ask)

    return await page.list("admin/audit.html", ENTRIES, load)
