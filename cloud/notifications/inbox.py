"""The inbox: what one person was told, and whether they have read it."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.core.clock import Clock
from cloud.core.errors import NotFound
from cloud.core.listing import Ask, Found, fetch
from cloud.core.principal import Principal
from cloud.core.words import Words
from cloud.notifications import tables
from cloud.notifications.domain import Kind
from cloud.notifications.tables import MessageRow
from firmware_configs.look.words import _

COUNTED = 100
"""Unread messages are counted up to here; past it a page says "99+"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What somebody was told; `link` is a path of ours, empty where there is none."""

    id: int
    kind: Kind
    subject: Words
    text: Words
    link: str
    is_urgent: bool
    written_at: datetime
    read_at: datetime | None


async def list_messages(session: AsyncSession, principal: Principal, ask: Ask) -> Found[Message]:
    """Return the principal's own messages, the unread before the others and the newest first."""
    found = await fetch(session, tables.inbox(principal), ask)
    return found.of([_message(row.MessageRow) for row in found.rows])


async def count_unread(session: AsyncSession, principal: Principal) -> int:
    """Return how many messages the principal has not read, up to COUNTED."""
    return await tables.count_unread(session, principal, limit=COUNTED)


async def read(session: AsyncSession, clock: Clock, principal: Principal, message_id: int) -> Message:
    """Return one of the principal's own messages as it was, and note that it is read.

    Raises:
        NotFound: there is none.
    """
    row = await tables.own_message(session, principal, message_id)
    if row is None:
        raise NotFound(_("There is no such message."))
    message = _message(row)
    row.read_at = row.read_at or clock.now()
    return message


async def read_all(session: AsyncSession, clock: Clock, principal: Principal) -> None:
    """Note that the principal has read all their messages."""
    await tables.mark_all_read(session, principal, clock.now())


def _message(row: MessageRow) -> Message:
    return Message(
        id=row.id,
        kind=row.kind,
        subject=Words(zh=row.subject_zh, en=row.subject_en),
        text=Words(zh=row.text_zh, en=row.text_en),
        link=row.link,
        is_urgent=row.is_urgent,
        written_at=row.written_at,
        read_at=row.read_at,
    )
