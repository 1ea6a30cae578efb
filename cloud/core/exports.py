"""Lists that somebody asked for as a file and that are too long to wait for: what was asked, how far it is, the file.

A row is built by a job, one at a time in a deployment; `attempt` is what the builder shows with every note, so that
one that lost its place to another notices and stops.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, cast

from sqlalchemy import CursorResult, ForeignKey, Index, String, Text, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from cloud.core import audit, files
from cloud.core.clock import Clock
from cloud.core.database import Base, Json
from cloud.core.errors import Conflict, Forbidden, NotFound
from cloud.core.files import Saved
from cloud.core.principal import Principal
from firmware_configs.look.words import _

KEPT = timedelta(days=7)
_ATTEMPTS = 2
"""A build that ends with its process is begun once more: the second end is hardly the process's fault."""
_PURGED_AT_ONCE = 100


class Format(StrEnum):
    """What a list is written as; the value is the file's suffix."""

    CSV = "csv"
    XLSX = "xlsx"

    @property
    def media_type(self) -> str:
        """Return what a browser is told that the file is."""
        sheet = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
        return {Format.CSV: "text/csv; charset=utf-8", Format.XLSX: sheet}[self]


class ExportState(StrEnum):
    """How far an export is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"  # its file is there until KEPT is over
    REFUSED = "refused"  # whoever asked may not see the list any more
    FAILED = "failed"
    CANCELLED = "cancelled"


OPEN = (ExportState.WAITING, ExportState.RUNNING)


class ExportRow(Base):
    """One file that somebody asked for.

    Attributes:
        caption: the catalogue id of the list's name.
        path, query: the list's address.
        roles: in which the person asked; what they have lost since is lost for the file too.
        rows: written so far.
        total: rows that match, once they are counted.
        reason: catalogue id of why there is no file.
    """

    __tablename__ = "exports"

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    list_name: Mapped[str] = mapped_column(String(40))
    caption: Mapped[str] = mapped_column(String(80))
    path: Mapped[str] = mapped_column(String(200))
    query: Mapped[str] = mapped_column(Text)
    format: Mapped[Format]
    locale: Mapped[str] = mapped_column(String(20))
    roles: Mapped[list[str]] = mapped_column(Json)
    state: Mapped[ExportState]
    attempt: Mapped[int] = mapped_column(default=0)
    rows: Mapped[int] = mapped_column(default=0)
    total: Mapped[int | None]
    asked_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    file_id: Mapped[int | None] = mapped_column(ForeignKey("files.id"))
    reason: Mapped[str] = mapped_column(String(200), default="")


_IS_OPEN = ExportRow.state.in_(OPEN)
Index("ix_exports_open", ExportRow.person_id, unique=True, sqlite_where=_IS_OPEN, postgresql_where=_IS_OPEN)
Index("ix_exports_ended_at", ExportRow.ended_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A list's address, and as what it is wanted."""

    list_name: str
    caption: str
    path: str
    query: str
    format: Format
    locale: str


async def ask_for(session: AsyncSession, clock: Clock, principal: Principal, wanted: Wanted) -> int:
    """Return the id of a new export, which the job finds.

    Raises:
        Conflict: another one of this person's is not ready yet.
        Forbidden: the principal is no person.
    """
    if principal.person_id is None:
        raise Forbidden(_("Only a person can ask for an export."))
    mine = select(ExportRow.id).where(
        ExportRow.organisation_id == principal.organisation_id, ExportRow.person_id == principal.person_id, _IS_OPEN
    )
    if await session.scalar(mine.limit(1)) is not None:
        raise Conflict(_("Your last export is not ready yet: wait for it, or cancel it."))
    row = ExportRow(
        organisation_id=principal.organisation_id,
        person_id=principal.person_id,
        list_name=wanted.list_name,
        caption=wanted.caption,
        path=wanted.path,
        query=wanted.query,
        format=wanted.format,
        locale=wanted.locale,
        roles=sorted(principal.roles),
        state=ExportState.WAITING,
        asked_at=clock.now(),
    )
    session.add(row)
    await session.flush()
    after = {"list": wanted.list_name, "path": wanted.path, "query": wanted.query, "format": wanted.format}
    audit.record(session, clock, principal, action="core.export_asked", subject=f"export:{row.id}", after=after)
    return row.id


async def list_exports(session: AsyncSession, principal: Principal) -> Sequence[ExportRow]:
    """Return the principal's own exports, the newest first."""
    mine = select(ExportRow).where(
        ExportRow.organisation_id == principal.organisation_id, ExportRow.person_id == principal.person_id
    )
    return (await session.scalars(mine.order_by(ExportRow.id.desc()))).all()


async def find_export(session: AsyncSession, principal: Principal, export_id: int) -> ExportRow:
    """Return one of the principal's own exports.

    Raises:
        NotFound: the organisation has none such.
        Forbidden: it is somebody else's.
    """
    row = await session.scalar(
        select(ExportRow).where(ExportRow.id == export_id, ExportRow.organisation_id == principal.organisation_id)
    )
    if row is None:
        raise NotFound(_("There is no such export."))
    if row.person_id != principal.person_id:
        raise Forbidden(_("Only whoever asked for an export may have it."))
    return row


async def cancel(session: AsyncSession, clock: Clock, principal: Principal, export_id: int) -> None:
    """Let an export be; one that has ended already stays as it is.

    Raises:
        NotFound: the organisation has none such.
        Forbidden: it is somebody else's.
    """
    row = await find_export(session, principal, export_id)
    if row.state not in OPEN:
        return
    row.state, row.ended_at = ExportState.CANCELLED, clock.now()
    audit.record(session, clock, principal, action="core.export_cancelled", subject=f"export:{row.id}")


async def claim(session: AsyncSession, clock: Clock) -> ExportRow | None:
    """Return the export to be built next, the one that its process left behind included; None when there is none."""
    # any organisation: whose turn it is
    row = await session.scalar(
        select(ExportRow).where(_IS_OPEN).order_by(ExportRow.id).limit(1).with_for_update(skip_locked=True)
    )
    if row is None:
        return None
    row.attempt += 1
    row.rows = 0
    row.state = ExportState.RUNNING
    if row.attempt > _ATTEMPTS:
        row.state, row.ended_at, row.reason = ExportState.FAILED, clock.now(), _("It broke off twice.")
    return row


async def note(session: AsyncSession, row: ExportRow, *, rows: int, total: int) -> bool:
    """Note how far the export is; return whether it is to go on."""
    # any organisation: the builder's own row
    return await _change(session, row, rows=rows, total=total)


async def finish(session: AsyncSession, clock: Clock, row: ExportRow, saved: Saved, *, name: str, rows: int) -> bool:
    """Give the export its file; return False when it was cancelled or taken over meanwhile."""
    asker = Principal(organisation_id=row.organisation_id, person_id=row.person_id)
    file_id = await files.add(session, clock, asker, saved, name=name, media_type=row.format.media_type)
    is_ours = await _change(
        session, row, state=ExportState.DONE, file_id=file_id, rows=rows, total=rows, ended_at=clock.now()
    )
    if not is_ours:
        await files.remove(session, clock, asker, file_id)
    return is_ours


async def give_up(session: AsyncSession, clock: Clock, row: ExportRow, state: ExportState, *, reason: str) -> None:
    """Note that there will be no file, and why, in a sentence of the catalogues."""
    await _change(session, row, state=state, ended_at=clock.now(), reason=reason)


async def withdraw(session: AsyncSession, clock: Clock, principal: Principal, *, person_id: int) -> None:
    """Take a person's exports away, finished or not: what is in them they may see no more."""
    theirs = select(ExportRow).where(
        ExportRow.organisation_id == principal.organisation_id, ExportRow.person_id == person_id
    )
    for row in (await session.scalars(theirs.where(ExportRow.state.in_((*OPEN, ExportState.DONE))))).all():
        if row.file_id is not None:
            await files.remove(session, clock, principal, row.file_id)
        row.state, row.file_id, row.ended_at = ExportState.REFUSED, None, clock.now()
        row.reason = _("You may not see this list any more.")


async def purge(session: AsyncSession, clock: Clock) -> None:
    """Delete exports that ended more than KEPT ago, with their files; a job."""
    # any organisation: age alone decides
    old = select(ExportRow).where(ExportRow.ended_at < clock.now() - KEPT).limit(_PURGED_AT_ONCE)
    for row in (await session.scalars(old)).all():
        if row.file_id is not None:
            owner = Principal(organisation_id=row.organisation_id, person_id=row.person_id)
            await files.remove(session, clock, owner, row.file_id)
        await session.delete(row)


async def _change(session: AsyncSession, row: ExportRow, **values: Any) -> bool:
    ours = update(ExportRow).where(
        ExportRow.id == row.id, ExportRow.state == ExportState.RUNNING, ExportRow.attempt == row.attempt
    )
    result = await session.execute(ours.values(**values).execution_options(synchronize_session=False))
    return bool(cast("CursorResult[Any]", result).rowcount)
