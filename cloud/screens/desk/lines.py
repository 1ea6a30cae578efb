"""A ticket as a line that a person reads, in their language."""

from collections.abc import Sequence
from dataclasses import dataclass

from cloud.alarms import service as alarms
from cloud.tickets.reading import Ticket
from cloud.web import words
from cloud.web.pages import Page
from cloud.web.session import Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketLine:
    """One ticket, and what is to be done in the reader's language."""

    ticket: Ticket
    subject: str


async def lines(work: Unit, page: Page, found: Sequence[Ticket]) -> list[TicketLine]:
    """Return the tickets as lines; where an alarm's cause says what is to be done, it is asked for that."""
    silent = [ticket.alarm_id for ticket in found if ticket.subject is None and ticket.alarm_id is not None]
    causes = {alarm.id: alarm.cause for alarm in await alarms.alarms(work.session, work.principal, alarm_ids=silent)}
    return [
        TicketLine(
            ticket=ticket,
            subject=words.written(ticket.subject, page.reader.locale)
            if ticket.subject
            else page.say(words.CAUSES[cause])
            if (cause := causes.get(ticket.alarm_id or 0))
            else words.written(ticket.type.name, page.reader.locale),
        )
        for ticket in found
    ]
