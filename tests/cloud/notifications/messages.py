"""A message that an administrator has not read, on its way by mail as well: what tests of pages stand on."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.core.clock import Clock
from cloud.core.principal import Principal
from cloud.notifications.domain import Channel, Kind, MessagesWritten, Preferences
from cloud.notifications.preferences import choose
from cloud.notifications.service import notify, prepare
from cloud.notifications.tables import DeliveryRow, MessageRow
from tests.cloud.estate import Estate
from tests.cloud.notifications.post import SUBJECT, TEXT


async def make_messages(session: AsyncSession, clock: Clock, estate: Estate) -> dict[str, int]:
    """Return the ids of the message and of its delivery by their names in paths."""
    boss = estate.administrator
    await choose(session, clock, boss, Preferences(mail="zhao.yi@example.com"))
    await notify(
        session,
        clock,
        Principal.system(estate.organisation_id),
        person_ids=[boss.person_id],
        kind=Kind.TICKET_ESCALATED,
        subject=SUBJECT,
        text=TEXT,
        link="/tickets/1",
        key="example",
    )
    message_id = await session.scalar(select(MessageRow.id).where(MessageRow.key == "example"))
    written = MessagesWritten(organisation_id=estate.organisation_id, message_ids=[message_id])
    await prepare(session, clock, written, channels=frozenset(Channel))
    delivery_id = await session.scalar(select(DeliveryRow.id).where(DeliveryRow.message_id == message_id))
    return {"message_id": message_id, "delivery_id": delivery_id}
