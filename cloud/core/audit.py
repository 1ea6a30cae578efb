"""Who did what to what, and when; append only, and free of secrets."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Index, String, Table, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from cloud.core.append_only import append_only
from cloud.core.clock import Clock, told_at, told_late
from cloud.core.database import Base, Json
from cloud.core.listing import Ask, Found, Listing, fetch
from cloud.core.principal import Principal, Role
from cloud.core.search import search_index

State = Mapping[str, Any]
"""Fields of a thing by name, in plain JSON: strings, numbers, lists, mappings, None."""

_SECRETS = ("password", "secret", "token", "hash", "private", "pin")


class AuditEntry(Base):
    """One change, as it was made."""

    __tablename__ = "audit_entries"

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int]
    at: Mapped[datetime]
    person_id: Mapped[int | None]
    """Without a foreign key: the entry outlives everything."""
    actor: Mapped[str] = mapped_column(String(80))
    """The person's name at the time, or what the principal was instead."""
    action: Mapped[str] = mapped_column(String(80))
    """`slice.what_was_done`, stable: it is stored."""
    subject: Mapped[str] = mapped_column(String(120))
    """What it was done to, e.g. `person:17`."""
    before: Mapped[dict[str, Any] | None] = mapped_column(Json)
    after: Mapped[dict[str, Any] | None] = mapped_column(Json)

    __table_args__ = (
        Index("ix_audit_entries_at", "organisation_id", "at"),
        Index("ix_audit_entries_subject", "organisation_id", "subject"),
    )


_ENTRIES = cast("Table", AuditEntry.__table__)
append_only(_ENTRIES)
_SEARCH = search_index(_ENTRIES, "actor", "subject")


def record(
    session: AsyncSession,
    clock: Clock,
    principal: Principal,
    *,
    action: str,
    subject: str,
    before: State | None = None,
    after: State | None = None,
) -> None:
    """Write down what `principal` did, in the transaction that does it.

    `before` and `after` hold the fields that changed, as they were and as they are; None where there was nothing,
    or is nothing any more. The time is that at which it came to the cloud; of what is told late, `after` holds also
    when it happened.

    Raises:
        ValueError: a field is named like a secret; say that it changed, not what it is.
    """
    for name in {*(before or {}), *(after or {})}:
        if any(word in name.split("_") for word in _SECRETS):
            raise ValueError(f"audit field {name!r} of {action} looks like a secret: leave it out")
    session.add(
        AuditEntry(
            organisation_id=principal.organisation_id,
            at=told_at(clock),
            person_id=principal.person_id,
            actor=principal.name,
            action=action,
            subject=subject,
            before=dict(before) if before is not None else None,
            after=_after(clock, after),
        )
    )


def _after(clock: Clock, after: State | None) -> dict[str, Any] | None:
    if told_late(clock) is None:
        return dict(after) if after is not None else None
    return {**(after or {}), "happened_at": clock.now().isoformat()}


async def list_entries(session: AsyncSession, principal: Principal, ask: Ask) -> Found[AuditEntry]:
    """Return the organisation's audit, the newest first.

    Raises:
        Forbidden: the principal is no administrator.
    """
    principal.require(Role.ADMINISTRATOR)
    listing = Listing(
        select=select(AuditEntry).where(AuditEntry.organisation_id == principal.organisation_id),
        columns={
            "at": _ENTRIES.c.at,
            "actor": _ENTRIES.c.actor,
            "action": _ENTRIES.c.action,
            "subject": _ENTRIES.c.subject,
        },
        key=_ENTRIES.c.id,
        order=(_ENTRIES.c.at.desc(), _ENTRIES.c.id.desc()),
        search=_SEARCH,
    )
    found = await fetch(session, listing, ask)
    return found.of([row.AuditEntry for row in found.rows])


def changed(before: State, after: State) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return only what differs, as it was and as it is; both empty when nothing does."""
    names = [name for name in after if before.get(name) != after[name]]
    return {name: before.get(name) for name in names}, {name: after[name] for name in names}
