"""The rows of messages, their deliveries and how people want to be told, and the only SQL on them."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import (
    ForeignKey,
    Index,
    Insert,
    Select,
    String,
    Table,
    Text,
    UniqueConstraint,
    delete,
    func,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from cloud.core.database import Base, Json
from cloud.core.listing import Listing, containing
from cloud.core.principal import Principal
from cloud.notifications.domain import Channel, DeliveryState, Kind, Language

KEY_LENGTH = 200
SUBJECT_LENGTH = 200
LINK_LENGTH = 200


class MessageRow(Base):
    """What stands in somebody's inbox.

    Attributes:
        link: a path of ours where the matter is; empty when there is none.
        key: what the message is about and why, chosen by who writes it; one person gets it once.
    """

    __tablename__ = "messages"

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    key: Mapped[str] = mapped_column(String(KEY_LENGTH))
    kind: Mapped[Kind]
    subject_zh: Mapped[str] = mapped_column(String(SUBJECT_LENGTH))
    subject_en: Mapped[str] = mapped_column(String(SUBJECT_LENGTH))
    text_zh: Mapped[str] = mapped_column(Text)
    text_en: Mapped[str] = mapped_column(Text)
    link: Mapped[str] = mapped_column(String(LINK_LENGTH))
    is_urgent: Mapped[bool]
    written_at: Mapped[datetime] = mapped_column(index=True)
    read_at: Mapped[datetime | None]

    __table_args__ = (
        UniqueConstraint("person_id", "key"),
        # Of each person all, or only the unread, whose number stands on every page.
        Index("ix_messages_inbox", "person_id", "read_at", "id"),
    )


class DeliveryRow(Base):
    """A message on its way by one channel, and the evidence of how it went.

    Attributes:
        key: unique in the organisation, so that nothing goes out twice by one channel.
        message_id, person_id: None for a sign-in code, which stands in no inbox.
        address: a mail address, or a number in E.164.
        uid: what the gateway is given, so that it can drop what it has: a try whose answer was lost is repeated.
        text: a sign-in code's, gone as soon as the gateway has it or the code is given up.
        due_at: when it is tried next, or the gateway is asked what became of it; None when neither will be.
        gateway_id: the gateway's own name for it.
        error: why the last try failed.
    """

    __tablename__ = "message_deliveries"

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    key: Mapped[str] = mapped_column(String(KEY_LENGTH))
    message_id: Mapped[int | None] = mapped_column(ForeignKey("messages.id"), index=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    channel: Mapped[Channel]
    address: Mapped[str] = mapped_column(String(254))
    uid: Mapped[str] = mapped_column(String(32), unique=True)
    text: Mapped[str | None] = mapped_column(Text)
    is_urgent: Mapped[bool]
    state: Mapped[DeliveryState]
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime | None]
    written_at: Mapped[datetime] = mapped_column(index=True)
    accepted_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    gateway_id: Mapped[str | None] = mapped_column(String(200))
    error: Mapped[str | None] = mapped_column(String(300))

    __table_args__ = (
        UniqueConstraint("organisation_id", "key"),
        Index("ix_message_deliveries_due", "channel", "state", "is_urgent", "due_at"),
        Index("ix_message_deliveries_state", "organisation_id", "state", "id"),
    )


class PreferencesRow(Base):
    """How somebody wants to be told; see domain.Preferences. Who never chose has no row.

    Attributes:
        quiet_begins, quiet_ends: minutes after local midnight; both None when there are no quiet hours.
        chosen: lists of channels by kind.
    """

    __tablename__ = "message_preferences"

    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True, autoincrement=False)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    mail: Mapped[str | None] = mapped_column(String(254))
    language: Mapped[Language]
    quiet_begins: Mapped[int | None]
    quiet_ends: Mapped[int | None]
    chosen: Mapped[dict[str, list[str]]] = mapped_column(Json)


MESSAGES = cast("Table", MessageRow.__table__)
DELIVERIES = cast("Table", DeliveryRow.__table__)


async def write_messages(session: AsyncSession, rows: Sequence[Mapping[str, Any]]) -> Sequence[int]:
    """Write the messages of which their people have none with the same key; return the ids of those written."""
    wanted = _new(session, MESSAGES, unique=["person_id", "key"])
    return (await session.scalars(wanted.returning(MESSAGES.c.id), rows)).all() if rows else ()


async def write_deliveries(session: AsyncSession, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write the deliveries whose keys their organisations do not have yet."""
    if rows:
        await session.execute(_new(session, DELIVERIES, unique=["organisation_id", "key"]), rows)


async def messages(session: AsyncSession, organisation_id: int, ids: Collection[int]) -> dict[int, MessageRow]:
    """Return messages of the organisation by id."""
    found = select(MessageRow).where(MessageRow.organisation_id == organisation_id, MessageRow.id.in_(ids))
    return {row.id: row for row in await session.scalars(found)}


async def preferences(
    session: AsyncSession, organisation_id: int, person_ids: Collection[int]
) -> dict[int, PreferencesRow]:
    """Return what people of the organisation chose, by person; who never chose is not among them."""
    found = select(PreferencesRow).where(
        PreferencesRow.organisation_id == organisation_id, PreferencesRow.person_id.in_(person_ids)
    )
    return {row.person_id: row for row in await session.scalars(found)}


def inbox(principal: Principal) -> Listing:
    """Return the principal's own messages, the unread before the others and the newest first."""
    # any organisation: _own leaves only the principal's
    return Listing(
        select=select(MessageRow).where(*_own(principal)),
        columns={
            "subject": func.coalesce(func.nullif(MESSAGES.c.subject_zh, ""), MESSAGES.c.subject_en),
            "kind": MESSAGES.c.kind,
            "is_read": MESSAGES.c.read_at.is_not(None),
            "written_at": MESSAGES.c.written_at,
        },
        key=MESSAGES.c.id,
        order=(MESSAGES.c.read_at.is_not(None), MESSAGES.c.id.desc()),
        search=containing(MESSAGES.c.subject_zh, MESSAGES.c.subject_en, MESSAGES.c.text_zh, MESSAGES.c.text_en),
    )


async def own_message(session: AsyncSession, principal: Principal, message_id: int) -> MessageRow | None:
    """Return one of the principal's own messages."""
    # any organisation: _own leaves only the principal's
    return await session.scalar(select(MessageRow).where(MessageRow.id == message_id, *_own(principal)))


async def count_unread(session: AsyncSession, principal: Principal, *, limit: int) -> int:
    """Return how many of the principal's own messages are unread, counted up to `limit`."""
    # any organisation: _own leaves only the principal's
    unread = select(MessageRow.id).where(*_own(principal), MessageRow.read_at.is_(None)).limit(limit)
    return await session.scalar(select(func.count()).select_from(unread.subquery())) or 0


async def mark_all_read(session: AsyncSession, principal: Principal, now: datetime) -> None:
    """Note that the principal has read all their messages."""
    # any organisation: _own leaves only the principal's
    await session.execute(update(MessageRow).where(*_own(principal), MessageRow.read_at.is_(None)).values(read_at=now))


async def due(
    session: AsyncSession, *, channel: Channel, state: DeliveryState, now: datetime, limit: int
) -> list[DeliveryRow]:
    """Lock what is due on a channel, the urgent before the others and the longest due first."""
    # any organisation: all share the gateways
    found: list[DeliveryRow] = []
    for is_urgent in (True, False):
        theirs = select(DeliveryRow).where(DeliveryRow.channel == channel, DeliveryRow.state == state)
        theirs = theirs.where(DeliveryRow.is_urgent == is_urgent, DeliveryRow.due_at <= now)
        theirs = theirs.order_by(DeliveryRow.due_at, DeliveryRow.id).limit(limit - len(found))
        found += await session.scalars(theirs.with_for_update(skip_locked=True))
    return found


async def tried(session: AsyncSession, delivery_id: int, *, attempts: int) -> DeliveryRow | None:
    """Lock a delivery that a try has ended of; None when another try has begun since."""
    # any organisation: the id comes out of `due`
    own = DeliveryRow.id == delivery_id, DeliveryRow.attempts == attempts
    return await session.scalar(select(DeliveryRow).where(*own).with_for_update())


def evidence(organisation_id: int) -> Listing:
    """Return all that went out of the organisation, or was to, the newest first."""
    pairs = select(DeliveryRow, MessageRow).outerjoin(MessageRow, MessageRow.id == DeliveryRow.message_id)
    return Listing(
        select=cast("Select[Any]", pairs.where(DeliveryRow.organisation_id == organisation_id)),
        columns={
            "kind": MESSAGES.c.kind,
            "channel": DELIVERIES.c.channel,
            "state": DELIVERIES.c.state,
            "attempts": DELIVERIES.c.attempts,
            "written_at": DELIVERIES.c.written_at,
            "accepted_at": DELIVERIES.c.accepted_at,
            "sent_at": DELIVERIES.c.sent_at,
            "gateway_id": DELIVERIES.c.gateway_id,
            "error": DELIVERIES.c.error,
        },
        key=DELIVERIES.c.id,
        order=(DELIVERIES.c.id.desc(),),
        search=containing(DELIVERIES.c.address, DELIVERIES.c.gateway_id, DELIVERIES.c.error),
    )


async def locked_delivery(session: AsyncSession, organisation_id: int, delivery_id: int) -> DeliveryRow | None:
    """Return one of the organisation's deliveries, locked."""
    own = DeliveryRow.id == delivery_id, DeliveryRow.organisation_id == organisation_id
    return await session.scalar(select(DeliveryRow).where(*own).with_for_update())


async def count_dead(session: AsyncSession, organisation_id: int) -> int:
    """Return how many of the organisation's deliveries were given up."""
    dead = DeliveryRow.organisation_id == organisation_id, DeliveryRow.state == DeliveryState.DEAD
    return await session.scalar(select(func.count()).select_from(DeliveryRow).where(*dead)) or 0


async def count_failing(session: AsyncSession, organisation_id: int) -> int:
    """Return how many of the organisation's deliveries wait for another try after one that failed."""
    waiting = DeliveryRow.organisation_id == organisation_id, DeliveryRow.state == DeliveryState.WAITING
    failed = select(func.count()).select_from(DeliveryRow).where(*waiting, DeliveryRow.error.is_not(None))
    return await session.scalar(failed) or 0


async def forget_before(session: AsyncSession, before: datetime, *, limit: int) -> int:
    """Delete up to `limit` messages with their deliveries, or deliveries without one; return how many there were."""
    # any organisation: age alone decides
    message_ids = (
        await session.scalars(select(MessageRow.id).where(MessageRow.written_at < before).limit(limit))
    ).all()
    await session.execute(delete(DeliveryRow).where(DeliveryRow.message_id.in_(message_ids)))
    await session.execute(delete(MessageRow).where(MessageRow.id.in_(message_ids)))
    alone = select(DeliveryRow.id).where(DeliveryRow.message_id.is_(None), DeliveryRow.written_at < before).limit(limit)
    delivery_ids = (await session.scalars(alone)).all()
    await session.execute(delete(DeliveryRow).where(DeliveryRow.id.in_(delivery_ids)))
    return max(len(message_ids), len(delivery_ids))


def _new(session: AsyncSession, table: Table, *, unique: list[str]) -> Insert:
    """Return the insert of rows of which the table has none with the same `unique` columns."""
    if session.get_bind().dialect.name == "sqlite":
        return sqlite.insert(table).on_conflict_do_nothing(index_elements=unique)
    return postgresql.insert(table).on_conflict_do_nothing(index_elements=unique)


def _own(principal: Principal) -> tuple[Any, Any]:
    return MessageRow.organisation_id == principal.organisation_id, MessageRow.person_id == principal.person_id
