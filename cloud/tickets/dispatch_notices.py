"""What people are told of the search for somebody who does a ticket."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.accounts.phones import shown
from cloud.calendars import shifts
from cloud.core.clock import Clock
from cloud.core.principal import Principal
from cloud.core.words import Words
from cloud.notifications import service as notifications
from cloud.notifications.domain import Kind
from cloud.tickets.dispatch_events import TicketDispatched, Told
from cloud.tickets.dispatch_rules import rules_in_force
from cloud.tickets.reach import dispatchers, supervisors
from cloud.tickets.tables import TicketRow, TicketTypeRow

_NOTHING = Words(zh="", en="")
_DOUBT = Words(zh="处理人不在班或已满负荷，请致电确认。", en="They are off shift or full: ring them. ")


@dataclass(frozen=True, slots=True, kw_only=True)
class _What:
    """The ticket that a notice is about, and its type's name."""

    ticket: TicketRow
    name: Words
    is_emergency: bool

    def said(self, *, zh: str, en: str) -> Words:
        """Return a sentence in which %s stands for the type's name and the ticket's number."""
        number = self.ticket.number
        return Words(
            zh=zh.replace("%s", f"{self.name.zh}（{number}）", 1), en=en.replace("%s", f"{self.name.en} ({number})", 1)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Notice:
    """What is told, and whom."""

    person_ids: Collection[int]
    kind: Kind = Kind.TICKET_ESCALATED
    subject: Words
    text: Words
    link: str
    is_urgent: bool = False


async def tell_dispatched(session: AsyncSession, clock: Clock, event: TicketDispatched) -> None:
    """Tell whom it concerns; said again, it reaches nobody twice."""
    principal = Principal.system(event.organisation_id)
    rows = await session.execute(
        select(TicketRow, TicketTypeRow)
        .join(TicketTypeRow, TicketTypeRow.id == TicketRow.type_id)
        .where(TicketRow.organisation_id == principal.organisation_id, TicketRow.id == event.ticket_id)
    )
    found = rows.first()
    if found is None:
        return
    ticket, type_row = found
    what = _What(ticket=ticket, name=_name(type_row), is_emergency=type_row.is_emergency)
    notice = await _notice(session, clock, principal, event, what)
    await notifications.notify(
        session,
        clock,
        principal,
        person_ids=notice.person_ids,
        kind=notice.kind,
        subject=notice.subject,
        text=notice.text,
        link=notice.link,
        is_urgent=notice.is_urgent,
        key=f"dispatch:{event.ticket_id}:{event.told}:{event.at_us}",
    )


async def _notice(
    session: AsyncSession, clock: Clock, principal: Principal, event: TicketDispatched, what: _What
) -> _Notice:
    match event.told:
        case Told.OFFERED:
            return _offered(what, person_id=event.person_id or 0)
        case Told.GIVEN:
            return await _given(session, clock, principal, what, is_stretched=event.is_stretched)
        case Told.QUEUED:
            return await _queued(session, principal, what)
        case Told.CALLED:
            return await _called(session, clock, principal, what)


def _offered(what: _What, *, person_id: int) -> _Notice:
    """Ask somebody who is at work: their time to accept runs at night too, so the message waits for no morning."""
    return _Notice(
        person_ids=[person_id],
        kind=Kind.TICKET_OFFERED,
        subject=what.said(zh="请接单：%s", en="A job for you: %s"),
        text=Words(
            zh=f"{what.ticket.place}。请尽快接单或说明原因。",
            en=f"{what.ticket.place}. Please take it, or say why you can't.",
        ),
        link="/tickets",
        is_urgent=True,
    )


async def _given(
    session: AsyncSession, clock: Clock, principal: Principal, what: _What, *, is_stretched: bool
) -> _Notice:
    """Tell supervisors of an emergency who has it, and whom they can reach besides; its owner hears elsewhere."""
    ticket = what.ticket
    phones = await _phones(session, clock, principal, ticket)
    doubt = _DOUBT if is_stretched else _NOTHING
    return _Notice(
        person_ids=await _supervisors(session, principal, ticket),
        subject=what.said(zh=f"紧急：%s已派给 {ticket.assignee_name}", en=f"Emergency: %s is {ticket.assignee_name}'s"),
        text=Words(
            zh=f"{ticket.place}。{doubt.zh}当班电话：{phones or '无'}",
            en=f"{ticket.place}. {doubt.en}On duty: {phones or 'nobody'}",
        ),
        link=f"/tickets/{ticket.id}",
        is_urgent=True,
    )


async def _queued(session: AsyncSession, principal: Principal, what: _What) -> _Notice:
    ticket = what.ticket
    return _Notice(
        person_ids=[person.id for person in await dispatchers(session, principal, row=ticket)],
        subject=what.said(zh="待派单：%s", en="To be given: %s"),
        text=Words(zh=f"{ticket.place}。请指派处理人。", en=f"{ticket.place}. Please give it to somebody."),
        link=f"/dispatch/{ticket.id}",
    )


async def _called(session: AsyncSession, clock: Clock, principal: Principal, what: _What) -> _Notice:
    ticket = what.ticket
    phones = await _phones(session, clock, principal, ticket)
    return _Notice(
        person_ids=await _supervisors(session, principal, ticket),
        subject=what.said(zh="无人可派：%s", en="Nobody to be found: %s"),
        text=Words(
            zh=f"{ticket.place}。当班电话：{phones or '无'}。请打开查看原因并指派。",
            en=f"{ticket.place}. On duty: {phones or 'nobody'}. Open it to see why, and give it to somebody.",
        ),
        link=f"/dispatch/{ticket.id}",
        is_urgent=what.is_emergency,
    )


async def _supervisors(session: AsyncSession, principal: Principal, ticket: TicketRow) -> list[int]:
    rules = (await rules_in_force(session, principal)).rules
    return [person.id for person in await supervisors(session, principal, rules, row=ticket)]


async def _phones(session: AsyncSession, clock: Clock, principal: Principal, ticket: TicketRow) -> str:
    """Return whom to ring: who is on duty where the ticket is, with their numbers."""
    on_duty = await shifts.duty_list(session, principal, at=clock.now(), community_id=ticket.community_id)
    return "、".join(
        f"{each.person.name} {shown(each.person.phone)}" for each in on_duty if each.person.phone is not None
    )


def _name(type_row: TicketTypeRow) -> Words:
    return Words(zh=type_row.name_zh or type_row.name_en, en=type_row.name_en or type_row.name_zh)
