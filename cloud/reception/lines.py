"""A line of what came in: as it is kept, and as people see it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.core import audit
from cloud.core.clock import Clock
from cloud.core.principal import Principal
from cloud.properties.finding import Spot
from cloud.reception.domain import Channel, Ending, Entry, Subject, check_text
from cloud.reception.tables import InteractionRow
from cloud.tickets.numbers import numbers_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Interaction:
    """A line of what came in, as people see it.

    Attributes:
        place: where it was about; empty when nobody said.
        corrects_id: the line that it puts right.
        is_corrected: whether another line puts this one right.
    """

    id: int
    channel: Channel
    subject: Subject
    ending: Ending
    begun_at: datetime
    duration_s: int | None
    person_id: int | None
    name: str
    phone: str
    unit_id: int | None
    place: str
    text: str
    answer: str
    ticket_id: int | None
    ticket: str
    incident_id: int | None
    corrects_id: int | None
    is_corrected: bool
    taken_name: str


def to_row(
    clock: Clock, principal: Principal, entry: Entry, *, ending: Ending, spot: Spot | None, ticket_id: int | None
) -> InteractionRow:
    """Return what came in as a line that nobody has taken down yet.

    Raises:
        Refused: a text is too long.
    """
    return InteractionRow(
        organisation_id=principal.organisation_id,
        community_id=spot.community_id if spot else None,
        channel=entry.channel,
        subject=entry.subject,
        ending=ending,
        begun_at=entry.begun_at,
        written_at=clock.now(),
        person_id=entry.person_id,
        name=entry.name,
        phone=entry.phone,
        unit_id=entry.unit_id,
        place_id=entry.place_id,
        place=spot.label if spot else "",
        text=check_text(entry.text, "text"),
        answer=check_text(entry.answer, "answer"),
        ticket_id=ticket_id,
        price_id=entry.price_id,
        callback_id=entry.callback_id,
        incident_id=entry.incident_id,
        taken_name="",
        key=entry.key,
    )


async def keep(session: AsyncSession, clock: Clock, principal: Principal, row: InteractionRow) -> None:
    """Put a new line beside the others."""
    session.add(row)
    await session.flush()
    audit.record(
        session, clock, principal, action="reception.written", subject=f"interaction:{row.id}", after=state(row)
    )


async def read(session: AsyncSession, principal: Principal, rows: Collection[InteractionRow]) -> list[Interaction]:
    """Return the lines that rows hold, with the numbers of their tickets."""
    numbers = await numbers_of(session, principal, ticket_ids={row.ticket_id for row in rows if row.ticket_id})
    corrected = await session.scalars(
        select(InteractionRow.corrects_id).where(
            InteractionRow.organisation_id == principal.organisation_id,
            InteractionRow.corrects_id.in_([row.id for row in rows]),
        )
    )
    put_right = set(corrected)
    return [_interaction(row, numbers.get(row.ticket_id or 0, ""), row.id in put_right) for row in rows]


def state(row: InteractionRow) -> dict[str, object]:
    """Return what the audit says of a line."""
    return {
        "channel": row.channel,
        "subject": row.subject,
        "ending": row.ending,
        "person": row.person_id,
        "place": row.place,
        "text": row.text,
        "answer": row.answer,
        "ticket": row.ticket_id,
    }


def _interaction(row: InteractionRow, ticket: str, is_corrected: bool) -> Interaction:  # noqa: FBT001  private
    return Interaction(
        id=row.id,
        channel=row.channel,
        subject=row.subject,
        ending=row.ending,
        begun_at=row.begun_at,
        duration_s=row.duration_s,
        person_id=row.person_id,
        name=row.name,
        phone=row.phone,
        unit_id=row.unit_id,
        place=row.place,
        text=row.text,
        answer=row.answer,
        ticket_id=row.ticket_id,
        ticket=ticket,
        incident_id=row.incident_id,
        corrects_id=row.corrects_id,
        is_corrected=is_corrected,
        taken_name=row.taken_name,
    )
