"""The desk's mail as it comes in: each message once, threaded, kept from loops and floods, joined to its ticket."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from sqlalchemy import exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.core import files
from cloud.core.clock import Clock
from cloud.core.database import hold
from cloud.core.files import Saved
from cloud.core.principal import Principal
from cloud.properties import finding, occupancies
from cloud.reception.catalogue import today_of
from cloud.reception.domain import TEXT_LENGTH
from cloud.reception.letters import Letter
from cloud.reception.mail_tables import MailAddressRow, MailFileRow, MailRow, MailState, ReplyRow
from cloud.tickets.attachments import NewAttachment
from cloud.tickets.numbers import numbers_in, tickets_numbered
from cloud.tickets.reading import Ticket
from cloud.tickets.reading import tickets as tickets_by_id
from cloud.tickets.saying import say

SENDER_HOURLY, ALL_HOURLY = 10, 300
"""Mails of one sender, and of all, that somebody is shown within an hour; what is more waits aside."""

_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """A file of a mail that was looked at and is durable in the store."""

    saved: Saved
    name: str
    media_type: str
    width: int
    height: int


def is_flood(*, of_sender: int, of_all: int) -> bool:
    """Return whether a mail waits aside, after so many within the hour."""
    return of_sender >= SENDER_HOURLY or of_all >= ALL_HOURLY


async def wants_files(session: AsyncSession, clock: Clock, organisation_id: int, letter: Letter) -> bool:
    """Return whether a mail's files are worth storing: not of one that is here already, of a machine, or of a flood."""
    known = await _is_known(session, organisation_id, letter)
    return not (known or letter.is_automatic or await _is_held(session, clock, organisation_id, letter))


async def receive(
    session: AsyncSession,
    clock: Clock,
    organisation_id: int,
    letter: Letter,
    *,
    stored: Sequence[StoredFile] = (),
    left_out: int = 0,
) -> MailState | None:
    """Take a mail in and return where it stands; None when it is here already, or is one that we sent.

    An answer in the thread of a ticket, from somebody who belongs to it, stands in the ticket's timeline at once.
    """
    await hold(session, f"mail {organisation_id} {letter.message_id}", f"mail from {organisation_id} {letter.sender}")
    if await _is_known(session, organisation_id, letter):
        return None
    root = await _root(session, organisation_id, letter)
    person_id = await person_behind(session, organisation_id, letter.sender)
    ticket = await _ticket(session, clock, organisation_id, letter, root=root, person_id=person_id)
    row = MailRow(
        organisation_id=organisation_id,
        community_id=ticket.community_id if ticket else await community_of(session, clock, organisation_id, person_id),
        message_id=letter.message_id,
        root_id=root.id if root else None,
        sender=letter.sender,
        sender_name=letter.sender_name,
        subject=letter.subject,
        text=letter.text,
        sent_at=letter.sent_at,
        received_at=clock.now(),
        left_out=left_out,
        state=await _state(session, clock, organisation_id, letter, ticket),
        person_id=person_id,
        ticket_id=ticket.id if ticket else None,
    )
    session.add(row)
    await session.flush()
    await _keep_files(session, clock, row, stored)
    if row.state is MailState.JOINED:
        await _join(session, clock, row)
    return row.state


async def person_behind(session: AsyncSession, organisation_id: int, sender: str) -> int | None:
    """Return whose address it is, as somebody at the desk said."""
    found = select(MailAddressRow.person_id).where(
        MailAddressRow.organisation_id == organisation_id, MailAddressRow.address == sender
    )
    return await session.scalar(found)


async def community_of(session: AsyncSession, clock: Clock, organisation_id: int, person_id: int | None) -> int | None:
    """Return the community of the unit that somebody is in today; None for nobody, and for who is in none."""
    if person_id is None:
        return None
    principal = Principal.system(organisation_id)
    today = await today_of(session, clock, principal)
    units = (await occupancies.units_of(session, principal, [person_id], on=today))[person_id]
    if not units:
        return None
    return (await finding.find_spot(session, principal, unit_id=units[0].unit_id, place_id=None)).community_id


def attachments(rows: Sequence[MailFileRow]) -> list[NewAttachment]:
    """Return a mail's files as a ticket takes them."""
    return [NewAttachment(file_id=row.file_id, name=row.name, width=row.width, height=row.height) for row in rows]


async def _is_known(session: AsyncSession, organisation_id: int, letter: Letter) -> bool:
    came = exists().where(MailRow.organisation_id == organisation_id, MailRow.message_id == letter.message_id)
    went = exists().where(ReplyRow.organisation_id == organisation_id, ReplyRow.message_id == letter.message_id)
    return bool(await session.scalar(select(or_(came, went))))


async def _is_held(session: AsyncSession, clock: Clock, organisation_id: int, letter: Letter) -> bool:
    lately = select(func.count()).where(
        MailRow.organisation_id == organisation_id,
        MailRow.received_at > clock.now() - _HOUR,
        MailRow.state != MailState.AUTOMATIC,  # a machine's never keep a person's away
    )
    of_all = await session.scalar(lately) or 0
    of_sender = await session.scalar(lately.where(MailRow.sender == letter.sender)) or 0
    return is_flood(of_sender=of_sender, of_all=of_all)


async def _state(
    session: AsyncSession, clock: Clock, organisation_id: int, letter: Letter, ticket: Ticket | None
) -> MailState:
    if letter.is_automatic:
        return MailState.AUTOMATIC
    if await _is_held(session, clock, organisation_id, letter):
        return MailState.HELD
    return MailState.JOINED if ticket is not None and ticket.is_undone else MailState.NEW


async def _root(session: AsyncSession, organisation_id: int, letter: Letter) -> MailRow | None:
    """Return the first mail of the thread that the nearest known message belongs to."""
    mine, ours = MailRow.organisation_id == organisation_id, ReplyRow.organisation_id == organisation_id
    came = await session.execute(
        select(MailRow.message_id, MailRow.id).where(mine, MailRow.message_id.in_(letter.answers))
    )
    went = await session.execute(
        select(ReplyRow.message_id, ReplyRow.mail_id).where(ours, ReplyRow.message_id.in_(letter.answers))
    )
    known = dict([*came.all(), *went.all()])
    nearest = next((known[message_id] for message_id in letter.answers if message_id in known), None)
    if nearest is None:
        return None
    row = await session.get_one(MailRow, nearest)
    return row if row.root_id is None else await session.get_one(MailRow, row.root_id)


async def _ticket(
    session: AsyncSession, clock: Clock, organisation_id: int, letter: Letter, *, root: MailRow | None,
    person_id: int | None,
) -> Ticket | None:  # fmt: skip
    """Return the ticket of the thread, or the one that the subject names: of either only if the sender belongs to it.

    Whoever else writes a number into a subject is shown to the desk like any stranger.
    """
    principal = Principal.system(organisation_id)
    found: list[Ticket] = []
    if root is not None and root.ticket_id is not None:
        found = await tickets_by_id(session, clock, principal, ticket_ids=[root.ticket_id])
    if not found:
        found = await tickets_numbered(session, clock, principal, numbers=numbers_in(letter.subject)[:1])
    for ticket in found:
        if person_id is not None and ticket.requester_id == person_id:
            return ticket
        if await _has_written_about(session, organisation_id, letter.sender, ticket.id):
            return ticket
    return None


async def _has_written_about(session: AsyncSession, organisation_id: int, sender: str, ticket_id: int) -> bool:
    about = exists().where(
        MailRow.organisation_id == organisation_id, MailRow.ticket_id == ticket_id, MailRow.sender == sender
    )
    return bool(await session.scalar(select(about)))


async def _keep_files(session: AsyncSession, clock: Clock, row: MailRow, stored: Sequence[StoredFile]) -> None:
    principal = Principal.system(row.organisation_id)
    for file in stored:
        file_id = await files.add(session, clock, principal, file.saved, name=file.name, media_type=file.media_type)
        kept: dict[str, Any] = {"file_id": file_id, "name": file.name, "width": file.width, "height": file.height}
        session.add(MailFileRow(organisation_id=row.organisation_id, mail_id=row.id, **kept))
    await session.flush()


async def _join(session: AsyncSession, clock: Clock, row: MailRow) -> None:
    """Write a mail into the timeline of its ticket, under its sender's name."""
    ticket_id = row.ticket_id or 0
    principal = replace(Principal.system(row.organisation_id), name=(row.sender_name or row.sender)[:80])
    text = (row.text or row.subject or row.sender)[:TEXT_LENGTH]
    found = await session.scalars(
        select(MailFileRow).where(MailFileRow.organisation_id == row.organisation_id, MailFileRow.mail_id == row.id)
    )
    await say(session, clock, principal, ticket_id=ticket_id, text=text, files=attachments(found.all()))
