"""What those who work on a ticket are told: that it is theirs, or no longer, and what whoever asked for it says."""

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.alarms.domain import Priority
from cloud.core.clock import Clock
from cloud.core.principal import Principal
from cloud.core.words import Words
from cloud.notifications.domain import Kind
from cloud.notifications.service import notify
from cloud.tickets.dispatch_rules import rules_in_force
from cloud.tickets.domain import UNDONE, Act, TicketMoved, TicketReclassified
from cloud.tickets.reach import at_work, dispatchers, supervisors
from cloud.tickets.reading import Ticket, tickets
from cloud.tickets.tables import TicketRow, TicketTypeRow


async def tell_assigned(session: AsyncSession, clock: Clock, event: TicketMoved) -> None:
    """Tell whoever has the ticket now that it was given to them, or is open again; who took it themselves knows."""
    if event.act not in {Act.ASSIGN, Act.REOPEN}:
        return
    principal = Principal.system(event.organisation_id)
    for ticket in await tickets(session, clock, principal, ticket_ids=[event.ticket_id]):
        if ticket.assignee_id is not None:
            await notify(
                session,
                clock,
                principal,
                person_ids=[ticket.assignee_id],
                kind=Kind.TICKET_ASSIGNED,
                subject=_subject(ticket, event.act),
                text=Words(zh=_text(ticket), en=_text(ticket)),
                link=f"/tickets/{ticket.id}",
                is_urgent=ticket.type.is_emergency or ticket.priority is Priority.CRITICAL,
                key=f"assigned:{ticket.id}:{ticket.version}",
            )


async def tell_taken_away(session: AsyncSession, clock: Clock, event: TicketReclassified) -> None:
    """Tell who had a ticket that it became work for which they have no certificate, and is theirs no longer."""
    principal = Principal.system(event.organisation_id)
    for ticket in await tickets(session, clock, principal, ticket_ids=[event.ticket_id] if event.taken_from else []):
        name = ticket.type.name
        await notify(
            session,
            clock,
            principal,
            person_ids=[event.taken_from or 0],
            kind=Kind.TICKET_ASSIGNED,
            subject=Words(
                zh=f"工单 {ticket.number} 不再由您处理：已改为{name.zh or name.en}",
                en=f"Ticket {ticket.number} is no longer yours: it is now {name.en or name.zh}",
            ),
            text=Words(
                zh="您没有这项工作所需的有效证书，已重新派单。请先停下手头工作。",
                en="You have no valid certificate for this work, and somebody else is looked for. Please stop.",
            ),
            link="/tickets",
            is_urgent=ticket.type.is_emergency or ticket.priority is Priority.CRITICAL,
            key=f"taken-away:{ticket.id}:{event.taken_from}:{ticket.version}",
        )


async def tell_begun_early(session: AsyncSession, clock: Clock, event: TicketMoved) -> None:
    """Tell supervisors and the front desk at once that work began before anybody agreed to it, and why."""
    if event.act is not Act.START_EMERGENCY:
        return
    system = Principal.system(event.organisation_id)
    row = await session.get_one(TicketRow, event.ticket_id)
    rules = (await rules_in_force(session, system)).rules
    found = [*await supervisors(session, system, rules, row=row), *await dispatchers(session, system, row=row)]
    await notify(
        session,
        clock,
        system,
        person_ids=sorted({person.id for person in found}),
        kind=Kind.TICKET_ESCALATED,
        subject=Words(
            zh=f"工单 {row.number} 未经同意先行抢修", en=f"Ticket {row.number}: work began before anybody agreed to it"
        ),
        text=Words(
            zh=f"{row.place}。处理人：{row.assignee_name}。原因：{row.emergency_reason}",
            en=f"{row.place}. Done by: {row.assignee_name}. Why: {row.emergency_reason}",
        ),
        link=f"/tickets/{row.id}",
        is_urgent=True,
        key=f"begun-early:{row.id}:{row.version}",
    )


async def tell_said(session: AsyncSession, clock: Clock, row: TicketRow, *, who: str, text: str) -> None:
    """Tell whoever has a ticket, else the front desk, what somebody who asked for it wrote; empty for files alone."""
    system = Principal.system(row.organisation_id)
    found = await at_work(session, system, assignee_id=row.assignee_id, community_id=row.community_id)
    kind = await session.get_one(TicketTypeRow, row.type_id)
    await notify(
        session,
        clock,
        system,
        person_ids=[person.id for person in found],
        kind=Kind.TICKET_PROGRESS,
        subject=Words(zh=f"工单 {row.number}：{who} 发来消息", en=f"{who} wrote about ticket {row.number}"),
        text=Words(zh=text or "发来照片或文件。", en=text or "Photos or files came."),
        link=f"/tickets/{row.id}",
        is_urgent=kind.is_emergency and row.state in UNDONE,
        key=f"said:{row.id}:{clock.now().isoformat()}",
    )


def _subject(ticket: Ticket, act: Act) -> Words:
    what = ticket.subject or ticket.type.name
    if act is Act.REOPEN:
        return Words(
            zh=f"工单 {ticket.number} 重新打开，仍由您处理：{what.zh or what.en}",
            en=f"Ticket {ticket.number} is open again and yours: {what.en or what.zh}",
        )
    return Words(
        zh=f"工单 {ticket.number} 已派给您：{what.zh or what.en}",
        en=f"Ticket {ticket.number} is yours: {what.en or what.zh}",
    )


def _text(ticket: Ticket) -> str:
    return "\n".join(part for part in (ticket.place, ticket.description) if part)
