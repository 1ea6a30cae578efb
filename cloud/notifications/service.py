"""Writing messages to people: into their inboxes at once, and out by other channels after the commit."""

from collections.abc import Collection
from datetime import datetime
from uuid import uuid4
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.accounts import organisations, people
from cloud.accounts.domain import Person
from cloud.accounts.phones import is_mobile
from cloud.core.clock import Clock, told_at
from cloud.core.database import Database
from cloud.core.outbox import emit
from cloud.core.principal import Principal
from cloud.core.words import Words
from cloud.notifications import tables
from cloud.notifications.domain import KEPT, Channel, DeliveryState, Kind, MessagesWritten, Preferences
from cloud.notifications.preferences import preferences_of
from cloud.notifications.tables import SUBJECT_LENGTH, MessageRow

_FORGOTTEN_AT_ONCE = 1_000


async def notify(
    session: AsyncSession,
    clock: Clock,
    principal: Principal,
    *,
    person_ids: Collection[int],
    kind: Kind,
    subject: Words,
    text: Words,
    link: str,
    is_urgent: bool = False,
    key: str,
) -> None:
    """Write a message into people's inboxes, and have it sent by the channels they chose once this is committed.

    Who is not of the organisation, or no longer there, gets none. The same key again changes nothing for whom it
    reached before. What is not urgent keeps to their quiet hours.
    """
    receivers = await people.list_people(session, principal, ids=person_ids)
    written = await tables.write_messages(
        session,
        [
            {
                "organisation_id": principal.organisation_id,
                "person_id": person.id,
                "key": key,
                "kind": kind,
                "subject_zh": subject.zh[:SUBJECT_LENGTH],
                "subject_en": subject.en[:SUBJECT_LENGTH],
                "text_zh": text.zh,
                "text_en": text.en,
                "link": link,
                "is_urgent": is_urgent,
                "written_at": told_at(clock),
            }
            for person in receivers
            if person.is_active
        ],
    )
    if written:
        event = MessagesWritten(organisation_id=principal.organisation_id, message_ids=sorted(written))
        await emit(session, clock, event)


async def send_code(
    session: AsyncSession, clock: Clock, *, organisation_id: int, phone: str, text: Words, key: str
) -> None:
    """Have a sign-in code sent by SMS within a second of the commit, at any hour; the same key again sends nothing.

    It is written in both languages, as nobody has signed in yet who could have chosen one. The text stands in the
    database until the gateway has it, or for CODE_GOOD at most, and nowhere else.
    """
    code = _delivery(organisation_id, key=f"code:{key}", channel=Channel.SMS, address=phone, now=clock.now())
    both = " ".join(part for part in (text.zh, text.en) if part)
    await tables.write_deliveries(session, [code | {"text": both, "is_urgent": True}])


async def prepare(
    session: AsyncSession, clock: Clock, event: MessagesWritten, *, channels: Collection[Channel]
) -> None:
    """Write down by which of the `channels` that are set up the messages go to their people, and when."""
    principal = Principal.system(event.organisation_id)
    written = await tables.messages(session, event.organisation_id, event.message_ids)
    person_ids = {row.person_id for row in written.values()}
    known = {person.id: person for person in await people.list_people(session, principal, ids=person_ids)}
    chosen = await preferences_of(session, principal, person_ids)
    zone = ZoneInfo((await organisations.find_organisation(session, principal)).time_zone)
    rows = [
        _delivery(
            event.organisation_id,
            key=f"message:{row.id}:{channel}",
            channel=channel,
            address=address,
            now=clock.now(),
            due_at=_due_at(row, chosen[row.person_id], zone, clock.now()),
        )
        | {"message_id": row.id, "person_id": row.person_id, "is_urgent": row.is_urgent}
        for row in written.values()
        for channel, address in _addresses(known[row.person_id], chosen[row.person_id]).items()
        if channel in channels and channel in chosen[row.person_id].channels(row.kind, is_urgent=row.is_urgent)
    ]
    await tables.write_deliveries(session, rows)


async def forget_old(database: Database, clock: Clock) -> None:
    """Delete messages older than KEPT and the evidence of their delivery; a job with its own transactions."""
    forgotten = _FORGOTTEN_AT_ONCE
    while forgotten == _FORGOTTEN_AT_ONCE:
        async with database.transaction() as session:
            forgotten = await tables.forget_before(session, clock.now() - KEPT, limit=_FORGOTTEN_AT_ONCE)


def _addresses(person: Person, chosen: Preferences) -> dict[Channel, str]:
    """Return where somebody can be reached."""
    addresses = {}
    if chosen.mail:
        addresses[Channel.MAIL] = chosen.mail
    if person.phone and is_mobile(person.phone):
        addresses[Channel.SMS] = person.phone
    return addresses


def _due_at(row: MessageRow, chosen: Preferences, zone: ZoneInfo, now: datetime) -> datetime:
    return now if row.is_urgent or chosen.quiet is None else chosen.quiet.put_off(now, zone)


def _delivery(
    organisation_id: int, *, key: str, channel: Channel, address: str, now: datetime, due_at: datetime | None = None
) -> dict[str, object]:
    return {
        "organisation_id": organisation_id,
        "key": key,
        "message_id": None,
        "person_id": None,
        "channel": channel,
        "address": address,
        "uid": uuid4().hex,
        "text": None,
        "state": DeliveryState.WAITING,
        "attempts": 0,
        "due_at": due_at or now,
        "written_at": now,
    }
