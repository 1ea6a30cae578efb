"""What the desk does with a mail: answers it, makes a ticket of it, says that it is no matter, lets it through."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import cast
from uuid import uuid4

from sqlalchemy import Table, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.core import audit
from cloud.core.clock import Clock
from cloud.core.errors import Conflict, NotFound, Refused
from cloud.core.listing import Ask, Found, Listing, containing, fetch
from cloud.core.principal import Principal, Role
from cloud.notifications.domain import masked
from cloud.properties import finding
from cloud.reception import service
from cloud.reception.domain import NAME_LENGTH, TEXT_LENGTH, Channel, Entry, Subject
from cloud.reception.mail import attachments, community_of
from cloud.reception.mail_tables import (
    LINE_LENGTH,
    MailAddressRow,
    MailFileRow,
    MailRow,
    MailState,
    ReplyRow,
    ReplyState,
    files_of,
    locked_mail,
    seen_mails,
)
from cloud.tickets.attachments import NewAttachment, attach
from cloud.tickets.contacts import contact
from cloud.tickets.domain import How, Outcome
from cloud.tickets.numbers import numbers_of
from cloud.tickets.reading import ticket
from firmware_configs.look.words import _

_ROWS = cast("Table", MailRow.__table__).c
_WAITING = frozenset({MailState.HELD, MailState.AUTOMATIC})


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer of the desk."""

    text: str
    state: ReplyState
    written_at: datetime
    author: str
    error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A mail as people see it.

    Attributes:
        left_out: files that were not kept.
        ticket: the number of the ticket that it is about; empty for none.
        files, replies, thread: empty in lists.
        thread: the other mails of the same thread, the oldest first, by id and subject.
    """

    id: int
    sender: str
    sender_name: str
    subject: str
    text: str
    received_at: datetime
    state: MailState
    left_out: int
    person_id: int | None
    ticket_id: int | None
    ticket: str
    handled_name: str
    files: Sequence[NewAttachment] = ()
    replies: Sequence[Reply] = ()
    thread: Sequence[tuple[int, str]] = ()

    @property
    def who(self) -> str:
        """Return whoever wrote it, by name where they gave one; an address is masked."""
        return self.sender_name or masked(self.sender)


async def list_mails(session: AsyncSession, principal: Principal, ask: Ask, *, only_new: bool) -> Found[Mail]:
    """Return the mails that somebody must look at, the oldest first; or all, the newest first.

    Raises:
        Forbidden: the principal is not at the desk.
    """
    principal.require(Role.DESK)
    found = seen_mails(principal)
    listing = Listing(
        select=found.where(MailRow.state == MailState.NEW) if only_new else found,
        columns={
            "received": _ROWS.received_at,
            "sender": func.coalesce(func.nullif(_ROWS.sender_name, ""), _ROWS.sender),
            "subject": _ROWS.subject,
            "state": _ROWS.state,
        },
        key=_ROWS.id,
        order=(_ROWS.received_at,) if only_new else (_ROWS.received_at.desc(), _ROWS.id.desc()),
        search=containing(_ROWS.sender, _ROWS.sender_name, _ROWS.subject, _ROWS.text),
    )
    rows = await fetch(session, listing, ask)
    numbers = await _numbers(session, principal, [row.MailRow for row in rows.rows])
    return rows.of([_mail(row.MailRow, numbers) for row in rows.rows])


async def count_new(session: AsyncSession, principal: Principal) -> int:
    """Return how many mails somebody must look at."""
    # any organisation: seen_mails leaves only the principal's
    new = seen_mails(principal).where(MailRow.state == MailState.NEW)
    return await session.scalar(select(func.count()).select_from(new.with_only_columns(MailRow.id).subquery())) or 0


async def count_held(session: AsyncSession, principal: Principal) -> int:
    """Return how many mails wait aside because too many came at once: a person's may be among them."""
    # any organisation: seen_mails leaves only the principal's
    held = seen_mails(principal).where(MailRow.state == MailState.HELD)
    return await session.scalar(select(func.count()).select_from(held.with_only_columns(MailRow.id).subquery())) or 0


async def find_mail(session: AsyncSession, principal: Principal, mail_id: int) -> Mail:
    """Return one mail with its files, its answers and its thread.

    Raises:
        Forbidden: the principal is not at the desk.
        NotFound: there is none that the principal may see.
    """
    principal.require(Role.DESK)
    row = await session.scalar(seen_mails(principal).where(MailRow.id == mail_id))
    if row is None:
        raise NotFound(_("There is no such mail."))
    replies = await session.scalars(
        select(ReplyRow)
        .where(ReplyRow.organisation_id == principal.organisation_id, ReplyRow.mail_id == mail_id)
        .order_by(ReplyRow.id)
    )
    root = row.root_id or row.id
    others = await session.execute(
        seen_mails(principal)
        .where(or_(MailRow.root_id == root, MailRow.id == root), MailRow.id != row.id)
        .with_only_columns(MailRow.id, MailRow.subject)
        .order_by(MailRow.id)
    )
    return _mail(
        row,
        await _numbers(session, principal, [row]),
        files=attachments(await files_of(session, principal, mail_id)),
        replies=[
            Reply(text=each.text, state=each.state, written_at=each.written_at, author=each.author, error=each.error)
            for each in replies
        ],
        thread=[(each[0], each[1]) for each in others],
    )


async def answer(
    session: AsyncSession, clock: Clock, principal: Principal, *, mail_id: int, text: str, replies_seen: int = 0
) -> None:
    """Write an answer, which goes out by mail once this is committed; about an open ticket it is a contact.

    What became a ticket, or was answered, may be answered again by whoever has seen all `replies_seen` answers.

    Raises:
        Forbidden: the principal is not at the desk.
        NotFound: there is no such mail.
        Refused: nothing is written, or too much.
        Conflict: it waits aside, or somebody else was quicker.
    """
    row = await _find(session, principal, mail_id)
    _check_through(row)
    if await _count_replies(session, principal, mail_id) != replies_seen:
        raise Conflict(_("Somebody else has answered this mail meanwhile: see what they wrote."))
    text = text.strip()
    if not 1 <= len(text) <= TEXT_LENGTH:
        raise Refused(_("Write at most %(length)d characters."), "text", length=TEXT_LENGTH)
    numbers = await _numbers(session, principal, [row])
    entry = _entry(row, text=row.subject, answer=text)
    entry = replace(entry, key=f"{entry.key}:{replies_seen}") if row.state is not MailState.NEW else entry
    await service.answered(session, clock, principal, entry)
    await _note_contact(session, clock, principal, row, text)
    session.add(
        ReplyRow(
            organisation_id=row.organisation_id,
            mail_id=row.id,
            message_id=f"<{uuid4().hex}@desk.gatehouse>",
            receiver=row.sender,
            subject=_subject(row.subject, numbers.get(row.ticket_id or 0, "")),
            text=text,
            state=ReplyState.WAITING,
            due_at=clock.now(),
            written_at=clock.now(),
            author=principal.name,
        )
    )
    if row.state is MailState.NEW:
        _settle(row, clock, principal, MailState.ANSWERED)


async def make_ticket(
    session: AsyncSession, clock: Clock, principal: Principal, *, mail_id: int, type_code: str, text: str,
    unit_id: int | None, place_id: int | None,
) -> int:  # fmt: skip
    """Open a ticket for a mail, with its photos and documents; return the ticket's id.

    Raises:
        Forbidden: the principal is not at the desk.
        NotFound: there is no such mail, type, unit or place.
        Refused: it is not said what is to be done, or where.
        Conflict: it waits aside, or somebody else was quicker.
    """
    row = await _open(session, principal, mail_id)
    entry = _entry(row, text=text, unit_id=unit_id, place_id=place_id, subject=Subject.REPAIR)
    ticket_id = await service.opened(session, clock, principal, entry, type_code=type_code)
    kept = attachments(await files_of(session, principal, mail_id))
    await attach(session, clock, principal, ticket_id=ticket_id, attachments=kept, is_public=True)
    root = row.root_id or row.id
    thread = or_(MailRow.id == root, MailRow.root_id == root)
    ours = MailRow.organisation_id == principal.organisation_id
    await session.execute(update(MailRow).where(ours, thread, MailRow.ticket_id.is_(None)).values(ticket_id=ticket_id))
    row.ticket_id = ticket_id
    spot = await finding.find_spot(session, principal, unit_id=unit_id, place_id=place_id)
    row.community_id = spot.community_id
    _settle(row, clock, principal, MailState.TICKET)
    return ticket_id


async def dismiss(session: AsyncSession, clock: Clock, principal: Principal, *, mail_id: int) -> None:
    """Say that nobody asks for anything in a mail.

    Raises:
        Forbidden: the principal is not at the desk.
        NotFound: there is no such mail.
        Conflict: it waits aside, or somebody else was quicker.
    """
    row = await _open(session, principal, mail_id)
    await service.no_matter(session, clock, principal, _entry(row, text=row.subject))
    _settle(row, clock, principal, MailState.NO_MATTER)


async def let_through(session: AsyncSession, clock: Clock, principal: Principal, *, mail_id: int) -> None:
    """Take a mail that waits aside for one that somebody must look at; done again it changes nothing.

    Raises:
        Forbidden: the principal is not at the desk.
        NotFound: there is no such mail.
    """
    row = await _find(session, principal, mail_id)
    if row.state in _WAITING:
        before = {"state": row.state}
        row.state = MailState.NEW
        audit.record(
            session, clock, principal, action="reception.mail_let_through", subject=f"mail:{row.id}", before=before
        )


async def say_who(session: AsyncSession, clock: Clock, principal: Principal, *, mail_id: int, person_id: int) -> None:
    """Say whose the address of a mail is: what comes from it is from now on theirs.

    Raises:
        Forbidden: the principal is not at the desk.
        NotFound: there is no such mail, or nobody whom the principal may see.
    """
    row = await _find(session, principal, mail_id)
    if not await finding.may_see_person(session, principal, person_id):
        raise NotFound(_("There is no such person."))
    ours = MailAddressRow.organisation_id == row.organisation_id
    known = await session.scalar(select(MailAddressRow).where(ours, MailAddressRow.address == row.sender))
    before = known.person_id if known else None
    if known is None:
        session.add(MailAddressRow(organisation_id=row.organisation_id, address=row.sender, person_id=person_id))
    else:
        known.person_id = person_id
    row.person_id = person_id
    row.community_id = row.community_id or await community_of(session, clock, row.organisation_id, person_id)
    audit.record(
        session, clock, principal, action="reception.address_known", subject=f"mail:{row.id}",
        before={"person_id": before}, after={"person_id": person_id},
    )  # fmt: skip


async def may_see(session: AsyncSession, principal: Principal, *, file_id: int) -> bool:
    """Return whether the file came with a mail that the principal may see."""
    if not principal.has(Role.DESK):
        return False
    # any organisation: seen_mails leaves only the principal's
    mine = seen_mails(principal).with_only_columns(MailRow.id).join(MailFileRow, MailFileRow.mail_id == MailRow.id)
    return await session.scalar(mine.where(MailFileRow.file_id == file_id).limit(1)) is not None


async def _find(session: AsyncSession, principal: Principal, mail_id: int) -> MailRow:
    principal.require(Role.DESK)
    row = await locked_mail(session, principal, mail_id)
    if row is None:
        raise NotFound(_("There is no such mail."))
    return row


async def _open(session: AsyncSession, principal: Principal, mail_id: int) -> MailRow:
    row = await _find(session, principal, mail_id)
    _check_through(row)
    if row.state is not MailState.NEW:
        raise Conflict(_("Somebody else has seen to this mail: see what came of it."))
    return row


def _check_through(row: MailRow) -> None:
    if row.state in _WAITING:
        raise Conflict(_("This mail waits aside: let it through first."))


async def _count_replies(session: AsyncSession, principal: Principal, mail_id: int) -> int:
    counted = select(func.count()).where(
        ReplyRow.organisation_id == principal.organisation_id, ReplyRow.mail_id == mail_id
    )
    return await session.scalar(counted) or 0


async def _note_contact(session: AsyncSession, clock: Clock, principal: Principal, row: MailRow, text: str) -> None:
    """Write down in the mail's open ticket that its sender was told how it goes on."""
    if row.ticket_id is None or not (await ticket(session, clock, principal, ticket_id=row.ticket_id)).is_undone:
        return
    await contact(
        session,
        clock,
        principal,
        ticket_id=row.ticket_id,
        how=How.MAIL,
        outcome=Outcome.REACHED,
        next_step=text,
    )


def _settle(row: MailRow, clock: Clock, principal: Principal, state: MailState) -> None:
    row.state, row.handled_at = state, clock.now()
    row.handled_by, row.handled_name = principal.person_id, principal.name[:NAME_LENGTH]


def _entry(
    row: MailRow, *, text: str, answer: str = "", unit_id: int | None = None, place_id: int | None = None,
    subject: Subject = Subject.ENQUIRY,
) -> Entry:  # fmt: skip
    return Entry(
        channel=Channel.MAIL,
        subject=subject,
        begun_at=row.received_at,
        key=f"mail:{row.id}",
        person_id=row.person_id,
        name=(row.sender_name or masked(row.sender))[:NAME_LENGTH],
        unit_id=unit_id,
        place_id=place_id,
        text=text,
        answer=answer,
    )


async def _numbers(session: AsyncSession, principal: Principal, rows: Sequence[MailRow]) -> dict[int, str]:
    return await numbers_of(session, principal, ticket_ids={row.ticket_id for row in rows if row.ticket_id})


def _subject(subject: str, number: str) -> str:
    """Return the subject of an answer, with the number by which another answer finds its ticket."""
    plain = subject.removeprefix("Re: ")
    marked = plain if not number or number in plain else f"[{number}] {plain}"
    return f"Re: {marked}"[:LINE_LENGTH]


def _mail(
    row: MailRow,
    numbers: dict[int, str],
    *,
    files: Sequence[NewAttachment] = (),
    replies: Sequence[Reply] = (),
    thread: Sequence[tuple[int, str]] = (),
) -> Mail:
    return Mail(
        id=row.id,
        sender=row.sender,
        sender_name=row.sender_name,
        subject=row.subject,
        text=row.text,
        received_at=row.received_at,
        state=row.state,
        left_out=row.left_out,
        person_id=row.person_id,
        ticket_id=row.ticket_id,
        ticket=numbers.get(row.ticket_id or 0, ""),
        handled_name=row.handled_name,
        files=files,
        replies=replies,
        thread=thread,
    )
