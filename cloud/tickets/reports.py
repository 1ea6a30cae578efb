"""Faults that owners report: however often a telephone without a network sends one, it is one ticket."""

from sqlalchemy import ForeignKey, String, UniqueConstraint, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from cloud.core.clock import Clock
from cloud.core.database import Base, hold
from cloud.core.errors import Refused
from cloud.core.principal import Principal, Role
from cloud.core.words import Words
from cloud.tickets.domain import REPAIR, Kind, Origin
from cloud.tickets.opening import Location, open_ticket
from cloud.tickets.suggesting import suggested
from cloud.tickets.tables import SUBJECT_LENGTH
from cloud.tickets.types import list_types
from firmware_configs.look.words import _

KEY_LENGTH = 64

_UNNAMED = Words(zh="业主报修（见照片）", en="Fault reported (see the photo)")


class TicketReportRow(Base):
    """That a report became a ticket.

    Attributes:
        key: drawn with the form; the same key of the same person is the same report.
    """

    __tablename__ = "ticket_reports"

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    key: Mapped[str] = mapped_column(String(KEY_LENGTH))
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"), index=True)

    __table_args__ = (UniqueConstraint("person_id", "key"),)


async def reported(session: AsyncSession, principal: Principal, *, key: str) -> int | None:
    """Return the ticket that a report of the principal became; None when it has not come yet.

    From here to its end the transaction holds the key, so that two sendings at once become one ticket.
    """
    await hold(session, f"report {principal.person_id} {key}")
    return await session.scalar(
        select(TicketReportRow.ticket_id).where(
            TicketReportRow.organisation_id == principal.organisation_id,
            TicketReportRow.person_id == principal.person_id,
            TicketReportRow.key == key,
        )
    )


async def report(
    session: AsyncSession,
    clock: Clock,
    principal: Principal,
    *,
    key: str,
    location: Location,
    unit_id: int | None,
    text: str,
    phone: str,
    has_photo: bool,
) -> int:
    """Return the id of the ticket that a fault becomes; ask `reported` before.

    Its type is what the words speak for most, so that a smell of gas is an emergency from the first second.

    Args:
        session: of the transaction.
        clock: the cloud's.
        principal: the owner.
        key: of the report.
        location: where it is.
        unit_id: the unit that it is in; None for what all share.
        text: the owner's words; may be empty when a photo says it.
        phone: under which number the owner is reached.
        has_photo: whether photos come with it.

    Raises:
        Forbidden: the principal is no owner, or the unit is not theirs.
        Refused: there is neither a word nor a photo.
    """
    principal.require(Role.OWNER)
    words = text.strip()
    if not words and not has_photo:
        raise Refused(_("Say what is broken, or send a photo of it."), field="text")
    subject = words.splitlines()[0][:SUBJECT_LENGTH] if words else ""
    ticket_id = await open_ticket(
        session,
        clock,
        principal,
        type_code=await _type_of(session, principal, words),
        subject=Words(zh=subject, en="") if subject else _UNNAMED,
        location=location,
        description="" if words == subject else words,
        unit_id=unit_id,
        requester_id=principal.person_id,
        requester_name=principal.name,
        requester_phone=phone,
        origin=Origin.APP,
    )
    session.add(
        TicketReportRow(
            organisation_id=principal.organisation_id, person_id=principal.person_id, key=key, ticket_id=ticket_id
        )
    )
    await session.flush()
    return ticket_id


async def _type_of(session: AsyncSession, principal: Principal, words: str) -> str:
    repairs = [known for known in await list_types(session, principal) if known.kind is Kind.REPAIR]
    return next((suggestion.type.code for suggestion in suggested(words, repairs)), REPAIR)
