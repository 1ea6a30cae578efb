"""The audit: who did what to what, and when."""

from dataclasses import dataclass

from starlette.responses import Response

from cloud.core.audit import AuditEntry, list_entries
from cloud.core.listing import Ask, Found
from cloud.core.principal import Role
from cloud.screens.admin.audit_words import words_for
from cloud.screens.admin.words import ACTIONS
from cloud.web.lists import Column, Kind, ListView, Option
from cloud.web.pages import OnPage
from cloud.web.routing import pages_for
from cloud.web.session import Work
from firmware_configs.look.words import _

router = pages_for(Role.ADMINISTRATOR)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditLine:
    """An entry as it stands in the list, in the reader's words."""

    entry: AuditEntry
    actor: str
    title: str
    details: str


ENTRIES = ListView[AuditLine](
    name="audit_list",
    caption=_("Audit"),
    searchable=_("who, or key"),
    key=lambda row: row.entry.id,
    columns=(
        Column(name="at", label=_("Time"), value=lambda row: row.entry.at, kind=Kind.TIME, filtered=True),
        Column(name="actor", label=_("Who"), value=lambda row: row.actor, filtered=True),
        Column(
            name="action",
            label=_("Did what"),
            value=lambda row: row.entry.action,
            filtered=True,
            options=tuple(Option(value=action, label=label) for action, label in ACTIONS.items()),
        ),
        Column(name="title", label=_("To what"), value=lambda row: row.title, sortable=False),
        Column(name="details", label=_("What changed"), value=lambda row: row.details, sortable=False),
        Column(name="subject", label=_("Key"), value=lambda row: row.entry.subject, filtered=True, phone=False),
    ),
)


@router.get("/admin/audit")
async def audit(work: Work, page: OnPage) -> Response:
    """Draw the organisation's audit."""

    async def load(ask: Ask) -> Found[AuditLine]:
        found = await list_entries(work.session, work.principal, ask)
        words = await words_for(work, page, found.rows)
        rows = [
            AuditLine(entry=entry, actor=words.actor(entry), title=words.title(entry), details=words.details(entry))
            for entry in found.rows
        ]
        return found.of(rows)

    return await page.list("admin/audit.html", ENTRIES, load)
