"""The rows of the desk's mail: what came, what is attached, what goes out, and whose addresses are known."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, Select, String, Text, UniqueConstraint, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from cloud.core.database import Base
from cloud.core.principal import Principal
from cloud.reception.domain import NAME_LENGTH

LINE_LENGTH = 200
ID_LENGTH = 250


class MailState(StrEnum):
    """Where a mail stands."""

    NEW = "new"  # somebody must look at it
    HELD = "held"  # too many of one sender: it waits aside until somebody lets it through
    AUTOMATIC = "automatic"  # a machine wrote it
    JOINED = "joined"  # it stands in its ticket's timeline
    ANSWERED = "answered"
    TICKET = "ticket"
    NO_MATTER = "no_matter"


class ReplyState(StrEnum):
    """Where an answer stands that goes out."""

    WAITING = "waiting"
    SENT = "sent"
    DEAD = "dead"  # given up


class MailRow(Base):
    """A mail that came in.

    Attributes:
        community_id: of the unit of whoever wrote it; None while nobody knows.
        message_id: the same message twice is one row.
        root_id: the first mail of its thread; None for that one itself.
        left_out: files that were not kept: too many, too large, or of no kind that is.
        person_id: whose address it is, as somebody at the desk said.
        ticket_id: the ticket that it is about.
    """

    __tablename__ = "mails"

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    community_id: Mapped[int | None] = mapped_column(ForeignKey("communities.id"))
    message_id: Mapped[str] = mapped_column(String(ID_LENGTH))
    root_id: Mapped[int | None] = mapped_column(ForeignKey("mails.id"), index=True)
    sender: Mapped[str] = mapped_column(String(LINE_LENGTH))
    sender_name: Mapped[str] = mapped_column(String(LINE_LENGTH))
    subject: Mapped[str] = mapped_column(String(LINE_LENGTH))
    text: Mapped[str] = mapped_column(Text)
    sent_at: Mapped[datetime | None]
    received_at: Mapped[datetime]
    left_out: Mapped[int]
    state: Mapped[MailState]
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    ticket_id: Mapped[int | None] = mapped_column(ForeignKey("tickets.id"))
    handled_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    handled_name: Mapped[str] = mapped_column(String(NAME_LENGTH), default="")
    handled_at: Mapped[datetime | None]

    __table_args__ = (
        UniqueConstraint("organisation_id", "message_id"),
        Index("ix_mails_state", "organisation_id", "state", "received_at"),
        Index("ix_mails_sender", "organisation_id", "sender", "received_at"),
    )


class MailFileRow(Base):
    """A file that came with a mail; width and height are a photo's, 0 for a document."""

    __tablename__ = "mail_files"

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    mail_id: Mapped[int] = mapped_column(ForeignKey("mails.id"), index=True)
    file_id: Mapped[int] = mapped_column(ForeignKey("files.id"), index=True)
    name: Mapped[str] = mapped_column(String(LINE_LENGTH))
    width: Mapped[int]
    height: Mapped[int]


class ReplyRow(Base):
    """An answer that the desk wrote to a mail.

    Attributes:
        message_id: ours, by which an answer to it is known and a copy that comes back is recognised.
        due_at: when it is tried next; None when it will not be.
    """

    __tablename__ = "mail_replies"

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    mail_id: Mapped[int] = mapped_column(ForeignKey("mails.id"), index=True)
    message_id: Mapped[str] = mapped_column(String(ID_LENGTH))
    receiver: Mapped[str] = mapped_column(String(LINE_LENGTH))
    subject: Mapped[str] = mapped_column(String(LINE_LENGTH))
    text: Mapped[str] = mapped_column(Text)
    state: Mapped[ReplyState]
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime | None]
    error: Mapped[str | None] = mapped_column(String(300))
    written_at: Mapped[datetime]
    author: Mapped[str] = mapped_column(String(NAME_LENGTH))

    __table_args__ = (
        UniqueConstraint("organisation_id", "message_id"),
        Index("ix_mail_replies_due", "state", "due_at"),
    )


class MailAddressRow(Base):
    """Whose a mail address is, as somebody at the desk said; a sender's own word is none."""

    __tablename__ = "mail_addresses"

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    address: Mapped[str] = mapped_column(String(LINE_LENGTH))
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))

    __table_args__ = (UniqueConstraint("organisation_id", "address"),)


def seen_mails(principal: Principal) -> Select[MailRow]:
    """Return the mails that the principal may see: those of their communities, and of no known one what they handled.

    What is of no known community may be of any: it is for who sees all.
    """
    found = select(MailRow).where(MailRow.organisation_id == principal.organisation_id)
    if principal.communities is None:
        return found
    own = MailRow.community_id.is_(None) & (MailRow.handled_by == principal.person_id)
    return found.where(or_(MailRow.community_id.in_(principal.communities), own))


async def locked_mail(session: AsyncSession, principal: Principal, mail_id: int) -> MailRow | None:
    """Return a mail that the principal may see, which nobody else changes meanwhile."""
    # any organisation: seen_mails leaves only the principal's
    chosen = seen_mails(principal).where(MailRow.id == mail_id).with_for_update()
    return await session.scalar(chosen.execution_options(populate_existing=True))


async def files_of(session: AsyncSession, principal: Principal, mail_id: int) -> Sequence[MailFileRow]:
    """Return the files that came with a mail."""
    found = select(MailFileRow).where(
        MailFileRow.organisation_id == principal.organisation_id, MailFileRow.mail_id == mail_id
    )
    return (await session.scalars(found.order_by(MailFileRow.id))).all()
