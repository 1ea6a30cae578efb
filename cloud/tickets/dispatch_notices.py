"""What people are told of the search for somebody who does a ticket."""

from collections.abc import Collection

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
    match event.told:
        case Told.OFFERED:
            await _offer(session, clock, principal, event, ticket, type_row)
        case Told.GIVEN:
            await _give(session, clock, principal, event, ticket, type_row)
        case Told.QUEUED:
            await _queue(session, clock, principal, event, ticket, type_row)
        case Told.CALLED:
            await _call(session, clock, principal, event, ticket, type_row)


async def _offer(
    session: AsyncSession,
    clock: Clock,
    principal: Principal,
    event: TicketDispatched,
    ticket: TicketRow,
    type_row: TicketTypeRow,
) -> None:
    subject = Words(
        zh=f"请接单：{_name(type_row).zh}（{ticket.number}）",
        en=f"A job for you: {_name(type_row).en} ({ticket.number})",
    )
    text = Words(
        zh=f"{ticket.place}。请尽快接单或说明原因。", en=f"{ticket.place}. Please take it, or say why you can't."
    )
    await _notify(
        session, clock, principal, event, [event.person_id or 0], Kind.TICKET_OFFERED, subject, text, link="/tickets"
    )


async def _give(
    session: AsyncSession,
    clock: Clock,
    principal: Principal,
    event: TicketDispatched,
    ticket: TicketRow,
    type_row: TicketTypeRow,
) -> None:
    """Tell supervisors of an emergency who has it, and whom they can reach besides; its owner hears elsewhere."""
    subject = Words(
        zh=f"紧急：{_name(type_row).zh}（{ticket.number}）已派给 {ticket.assignee_name}",
        en=f"Emergency: {_name(type_row).en} ({ticket.number}) is {ticket.assignee_name}'s",
    )
    phones = await _phones(session, clock, principal, ticket)
    doubt = _DOUBT if event.is_stretched else _NOTHING
    text = Words(
        zh=f"{ticket.place}。{doubt.zh}当班电话：{phones or '无'}",
        en=f"{ticket.place}. {doubt.en}On duty: {phones or 'nobody'}",
    )
    rules = (await rules_in_force(session, principal)).rules
    others = [person.id for person in await supervisors(session, principal, rules, row=ticket)]
    link = f"/tickets/{ticket.id}"
    await _notify(
        session, clock, principal, event, others, Kind.TICKET_ESCALATED, subject, text, link=link, is_urgent=True
    )


async def _queue(
    session: AsyncSession,
    clock: Clock,
    principal: Principal,
    event: TicketDispatched,
    ticket: TicketRow,
    type_row: TicketTypeRow,
) -> None:
    subject = Words(
        zh=f"待派单：{_name(type_row).zh}（{ticket.number}）", en=f"To be given: {_name(type_row).en} ({ticket.number})"
    )
    text = Words(zh=f"{ticket.place}。请指派处理人。", en=f"{ticket.place}. Please give it to somebody.")
    people = [person.id for person in await dispatchers(session, principal, row=ticket)]
    link = f"/dispatch/{ticket.id}"
    await _notify(session, clock, principal, event, people, Kind.TICKET_ESCALATED, subject, text, link=link)


async def _call(
    session: AsyncSession,
    clock: Clock,
    principal: Principal,
    event: TicketDispatched,
    ticket: TicketRow,
    type_row: TicketTypeRow,
) -> None:
    subject = Words(
        zh=f"无人可派：{_name(type_row).zh}（{ticket.number}）",
        en=f"Nobody to be found: {_name(type_row).en} ({ticket.number})",
    )
    phones = await _phones(session, clock, principal, ticket)
    text = Words(
        zh=f"{ticket.place}。当班电话：{phones or '无'}。请打开查看原因并指派。",
        en=f"{ticket.place}. On duty: {phones or 'nobody'}. Open it to see why, and give it to somebody.",
    )
    rules = (await rules_in_force(session, principal)).rules
    people = [person.id for person in await supervisors(session, principal, rules, row=ticket)]
    link, is_urgent = f"/dispatch/{ticket.id}", type_row.is_emergency
    await _notify(
        session, clock, principal, event, people, Kind.TICKET_ESCALATED, subject, text, link=link, is_urgent=is_urgent
    )


async def _notify(
    session: AsyncSession,
    clock: Clock,
    principal: Principal,
    event: TicketDispatched,
    person_ids: Collection[int],
    kind: Kind,
    subject: Words,
    text: Words,
    *,
    link: str,
    is_urgent: bool = False,
) -> None:
    key = f"dispatch:{event.ticket_id}:{event.told}:{event.at_us}"
    await notifications.notify(
        session,
        clock,
        principal,
        person_ids=person_ids,
        kind=kind,
        subject=subject,
        text=text,
        link=link,
        is_urgent=is_urgent,
        key=key,
    )


async def _phones(session: AsyncSession, clock: Clock, principal: Principal, ticket: TicketRow) -> str:
    """Return whom to ring: who is on duty where the ticket is, with their numbers."""
    on_duty = await shifts.duty_list(session, principal, at=clock.now(), community_id=ticket.community_id)
    return "、".join(
        f"{each.person.name} {shown(each.person.phone)}" for each in on_duty if each.person.phone is not None
    )


def _name(type_row: TicketTypeRow) -> Words:
    return Words(zh=type_row.name_zh or type_row.name_en, en=type_row.name_en or type_row.name_zh)
