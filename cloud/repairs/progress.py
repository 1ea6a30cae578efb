"""How a ticket goes on, told to those for whom the work is done, in words of their own."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.core.clock import Clock
from cloud.core.principal import Principal
from cloud.core.words import Words
from cloud.notifications.domain import Kind
from cloud.notifications.service import notify
from cloud.repairs import announcing, sight
from cloud.tickets.domain import Act, TicketMoved
from cloud.tickets.reading import Ticket, tickets


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """What an act is called; %s stands for what the ticket is about, and `more` is what it says of the act."""

    zh: str
    en: str
    more: Callable[[Ticket], str] = lambda _ticket: ""


_TOLD: Mapping[Act, _Told] = {
    Act.ASSIGN: _Told(
        zh="已安排人员处理：%s", en="Somebody sees to it now: %s", more=lambda ticket: ticket.assignee_name
    ),
    Act.TAKE: _Told(
        zh="已有人员接单处理：%s", en="Somebody sees to it now: %s", more=lambda ticket: ticket.assignee_name
    ),
    Act.WAIT: _Told(zh="需要等待：%s", en="It has to wait: %s", more=lambda ticket: ticket.waiting_for),
    Act.REOPEN: _Told(zh="已重新处理：%s", en="Taken up again: %s"),
    Act.CANCEL: _Told(zh="已取消：%s", en="Ended without work: %s", more=lambda ticket: ticket.result),
    Act.MERGE: _Told(zh="与同一事项的工单合并处理：%s", en="It goes on together with another report: %s"),
}
"""The acts that nothing else tells them of: a plan, a visit and a result have messages of their own."""


async def tell_progress(session: AsyncSession, clock: Clock, event: TicketMoved) -> None:
    """Tell those for whom a ticket's work is done how it goes on; what was taken back meanwhile is not told."""
    told = _TOLD.get(event.act)
    if told is None:
        return
    system = Principal.system(event.organisation_id)
    for ticket in await tickets(session, clock, system, ticket_ids=[event.ticket_id]):
        if ticket.state is event.state:
            await _tell(session, clock, system, ticket, event.act, told)


async def _tell(session: AsyncSession, clock: Clock, system: Principal, ticket: Ticket, act: Act, told: _Told) -> None:
    subject = announcing.subject_of(ticket)
    text = " · ".join(part for part in (ticket.number, told.more(ticket)) if part)
    await notify(
        session,
        clock,
        system,
        person_ids=await sight.concerned(session, clock, system, ticket),
        kind=Kind.TICKET_PROGRESS,
        subject=Words(zh=told.zh.replace("%s", subject.zh), en=told.en.replace("%s", subject.en)),
        text=Words(zh=text, en=text),
        link=f"/my/repairs/{ticket.id}",
        is_urgent=ticket.type.is_emergency and act in {Act.ASSIGN, Act.TAKE},
        key=f"progress:{ticket.id}:{ticket.version}:{act}",
    )
