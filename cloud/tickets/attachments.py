"""Photos and documents of tickets, and whose they are to see."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from cloud.core.clock import Clock
from cloud.core.database import Base
from cloud.core.principal import Principal
from cloud.tickets.discretion import is_of_others, of_others
from cloud.tickets.moving import locked
from cloud.tickets.tables import NAME_LENGTH, TicketRow, visible_tickets


class TicketAttachmentRow(Base):
    """A file of a ticket.

    Attributes:
        file_id: of core.files, which knows nothing of tickets.
        name: as whoever sent it called it.
        width, height: pixels of a photo; 0 for a document.
        is_public: whether whoever asked for the ticket may see it too.
        actor: the name of who sent it, at the time.
    """

    __tablename__ = "ticket_attachments"

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"), index=True)
    file_id: Mapped[int] = mapped_column(ForeignKey("files.id"))
    name: Mapped[str] = mapped_column(String(200))
    width: Mapped[int]
    height: Mapped[int]
    is_public: Mapped[bool]
    added_at: Mapped[datetime]
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    actor: Mapped[str] = mapped_column(String(NAME_LENGTH))

    __table_args__ = (Index("ix_ticket_attachments_file", "organisation_id", "file_id"),)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAttachment:
    """A stored file that is to become a ticket's."""

    file_id: int
    name: str
    width: int = 0
    height: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment(NewAttachment):
    """A ticket's file; `actor` sent it."""

    is_public: bool
    added_at: datetime
    actor: str

    @property
    def is_photo(self) -> bool:
        """Return whether it can be shown in a page."""
        return self.width > 0


async def attach(
    session: AsyncSession,
    clock: Clock,
    principal: Principal,
    *,
    ticket_id: int,
    attachments: Sequence[NewAttachment],
    is_public: bool,
) -> None:
    """Add files to a ticket; what an owner adds is public.

    Raises:
        NotFound: there is no such ticket that the principal may see.
    """
    if not attachments:
        return
    row = await locked(session, principal, ticket_id=ticket_id)
    session.add_all(
        TicketAttachmentRow(
            organisation_id=row.organisation_id,
            ticket_id=row.id,
            file_id=new.file_id,
            name=new.name,
            width=new.width,
            height=new.height,
            is_public=is_public or not principal.is_staff,
            added_at=clock.now(),
            person_id=principal.person_id,
            actor=principal.name,
        )
        for new in attachments
    )
    await session.flush()


async def attachments_of(
    session: AsyncSession, principal: Principal, *, ticket_ids: Collection[int]
) -> dict[int, list[Attachment]]:
    """Return the files of tickets that the principal has seen, the oldest first.

    An owner sees the public ones, and none where somebody outside their household asked.
    """
    found = select(TicketAttachmentRow).where(
        TicketAttachmentRow.organisation_id == principal.organisation_id,
        TicketAttachmentRow.ticket_id.in_(ticket_ids),
    )
    if not principal.is_staff:
        found = found.where(TicketAttachmentRow.is_public)
    theirs: dict[int, list[Attachment]] = {ticket_id: [] for ticket_id in ticket_ids}
    strange = await of_others(session, principal, ticket_ids=ticket_ids)
    if strange:
        found = found.where(TicketAttachmentRow.ticket_id.not_in(strange))
    for row in await session.scalars(found.order_by(TicketAttachmentRow.id)):
        theirs[row.ticket_id].append(
            Attachment(
                file_id=row.file_id,
                name=row.name,
                width=row.width,
                height=row.height,
                is_public=row.is_public,
                added_at=row.added_at,
                actor=row.actor,
            )
        )
    return theirs


async def may_see(session: AsyncSession, principal: Principal, *, file_id: int) -> bool:
    """Return whether the file is one of a ticket that the principal may see, and theirs to see in it."""
    found = (
        visible_tickets(principal)
        .with_only_columns(TicketRow)
        .join(TicketAttachmentRow, TicketAttachmentRow.ticket_id == TicketRow.id)
        .where(TicketAttachmentRow.organisation_id == principal.organisation_id, TicketAttachmentRow.file_id == file_id)
    )
    if not principal.is_staff:
        found = found.where(TicketAttachmentRow.is_public)
    return any(not is_of_others(principal, row) for row in await session.scalars(found))
