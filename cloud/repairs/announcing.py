"""What people are told of a repair, in their inboxes and by the channels that they chose."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.accounts import people
from cloud.core.clock import Clock
from cloud.core.money import Money
from cloud.core.principal import Principal, Role
from cloud.core.words import Words
from cloud.notifications.domain import Kind
from cloud.notifications.service import notify
from cloud.repairs.maintenance_tables import MaintenanceRow
from cloud.repairs.sight import Decider
from cloud.repairs.tables import PlanRow
from cloud.tickets.domain import Payer
from cloud.tickets.reach import at_work
from cloud.tickets.reading import Ticket

_NAMED = 120
"""So much of a ticket's subject leaves room for the rest of a message's."""


async def plan_asked(
    session: AsyncSession,
    clock: Clock,
    principal: Principal,
    ticket: Ticket,
    plan: PlanRow,
    deciders: Collection[Decider],
) -> None:
    """Ask those who pay to agree to a version of a plan."""
    amount = said(Money(plan.budget_minor, plan.currency))
    again = plan.version > 1
    await notify(
        session,
        clock,
        principal,
        person_ids=[each.person_id for each in deciders],
        kind=Kind.CONSENT_ASKED,
        subject=Words(
            zh=f"维修方案{'有变动，请再次' if again else '请您'}确认：{amount}",
            en=f"{'The plan has changed; please look again' if again else 'A plan waits for your consent'}: {amount}",
        ),
        text=Words(
            zh=f"{subject_of(ticket).zh}（{ticket.number}）：合计 {amount}。您同意之前不会开工。",
            en=f"{subject_of(ticket).en} ({ticket.number}): {amount} in all. No work begins before you agree.",
        ),
        link=_decision_link(ticket, plan),
        key=f"plan-asked:{plan.id}",
    )


async def question_answered(
    session: AsyncSession,
    clock: Clock,
    principal: Principal,
    ticket: Ticket,
    plan: PlanRow,
    deciders: Collection[Decider],
    *,
    answer: str,
    reply_id: int,
) -> None:
    """Tell those who pay what was answered, and that they are asked again."""
    await notify(
        session,
        clock,
        principal,
        person_ids=[each.person_id for each in deciders],
        kind=Kind.CONSENT_ASKED,
        subject=Words(zh="您的问题已答复，请确认方案", en="Your question is answered; please decide on the plan"),
        text=Words(zh=f"{ticket.number}：{answer}", en=f"{ticket.number}: {answer}"),
        link=_decision_link(ticket, plan),
        key=f"plan-answered:{reply_id}",
    )


async def decided(
    session: AsyncSession, clock: Clock, principal: Principal, ticket: Ticket, *, what: Words, text: str, key: str
) -> None:
    """Tell whoever has the ticket, else the front desk, what was said to its plan."""
    await notify(
        session,
        clock,
        principal,
        person_ids=await workers(session, principal, ticket),
        kind=Kind.TICKET_PROGRESS,
        subject=Words(zh=f"{ticket.number} {what.zh}", en=f"{ticket.number} {what.en}"),
        text=Words(zh=text or what.zh, en=text or what.en),
        link=f"/work/{ticket.id}",
        key=key,
    )


async def lapsed(session: AsyncSession, clock: Clock, principal: Principal, ticket: Ticket, *, key: str) -> None:
    """Tell whoever has the ticket, and the front desk, that nobody answered its plan in time."""
    what = Words(zh="方案已过期，需要重新征求同意", en="the plan has lapsed: ask again")
    await decided(session, clock, principal, ticket, what=what, text="", key=key)
    told = await workers(session, principal, ticket)
    await notify(
        session,
        clock,
        principal,
        person_ids=[person_id for person_id in await _desk(session, principal, ticket) if person_id not in told],
        kind=Kind.TICKET_PROGRESS,
        subject=Words(zh=f"{ticket.number} {what.zh}", en=f"{ticket.number} {what.en}"),
        text=Words(
            zh=f"处理人：{ticket.assignee_name or '无'}。工单已退回，时限继续计算。",
            en=f"Owner: {ticket.assignee_name or 'nobody'}. The ticket is back with them and its clock runs again.",
        ),
        link=f"/tickets/{ticket.id}",
        key=f"{key}:desk",
    )


async def visit_offered(
    session: AsyncSession, clock: Clock, principal: Principal, ticket: Ticket, person_ids: Collection[int], *, key: str
) -> None:
    """Ask those for whom the work is done to choose a time."""
    await notify(
        session,
        clock,
        principal,
        person_ids=person_ids,
        kind=Kind.TICKET_PROGRESS,
        subject=Words(zh="请选择上门时间", en="Please choose when we may come"),
        text=Words(zh=f"{subject_of(ticket).zh}（{ticket.number}）", en=f"{subject_of(ticket).en} ({ticket.number})"),
        link=f"/my/repairs/{ticket.id}/visit",
        key=key,
    )


async def visit_chosen(
    session: AsyncSession, clock: Clock, principal: Principal, ticket: Ticket, *, starts_at: datetime, key: str
) -> None:
    """Tell whoever has the ticket, else the front desk, when the owner wants them to come; `starts_at` is local."""
    await notify(
        session,
        clock,
        principal,
        person_ids=await workers(session, principal, ticket),
        kind=Kind.TICKET_PROGRESS,
        subject=Words(
            zh=f"{ticket.number} 已选上门时间：{starts_at:%m-%d %H:%M}",
            en=f"{ticket.number}: come on {starts_at:%m-%d %H:%M}",
        ),
        text=Words(zh=f"{subject_of(ticket).zh} · {ticket.place}", en=f"{subject_of(ticket).en} · {ticket.place}"),
        link=f"/work/{ticket.id}",
        key=key,
    )


async def visit_missed(
    session: AsyncSession,
    clock: Clock,
    principal: Principal,
    ticket: Ticket,
    person_ids: Collection[int],
    *,
    reason: str,
    key: str,
) -> None:
    """Tell those for whom the work is done that a visit came to nothing."""
    await notify(
        session,
        clock,
        principal,
        person_ids=person_ids,
        kind=Kind.TICKET_PROGRESS,
        subject=Words(zh="上门未能完成，我们将再约时间", en="The visit came to nothing; we will offer another time"),
        text=Words(zh=f"{ticket.number}：{reason}", en=f"{ticket.number}: {reason}"),
        link=f"/my/repairs/{ticket.id}/visit",
        key=key,
    )


async def result_reported(
    session: AsyncSession,
    clock: Clock,
    principal: Principal,
    ticket: Ticket,
    person_ids: Collection[int],
    *,
    result: str,
    result_id: int,
) -> None:
    """Tell those for whom the work was done what came of it."""
    await notify(
        session,
        clock,
        principal,
        person_ids=person_ids,
        kind=Kind.RESULT_REPORTED,
        subject=Words(zh=f"处理结果：{subject_of(ticket).zh}", en=f"What was done: {subject_of(ticket).en}"),
        text=Words(zh=f"{ticket.number}：{result}", en=f"{ticket.number}: {result}"),
        link=f"/my/repairs/{ticket.id}" if ticket.merged_into_id else f"/my/repairs/{ticket.id}/result",
        key=f"repair-result:{result_id}",
    )


async def turn_failed(session: AsyncSession, clock: Clock, plan: MaintenanceRow, *, key: str) -> None:
    """Tell the managers that a preventive plan could not open its inspection."""
    system = Principal.system(plan.organisation_id)
    managers = await people.list_people(session, system, role=Role.MANAGER)
    await notify(
        session,
        clock,
        system,
        person_ids=[each.id for each in managers],
        kind=Kind.NOTICE,
        subject=Words(
            zh=f"巡检未能开单：{plan.name_zh or plan.name_en}",
            en=f"An inspection could not be opened: {plan.name_en or plan.name_zh}",
        ),
        text=Words(
            zh=f"{plan.place}。系统会继续重试；请检查该计划的地点和工单类型。",
            en=f"{plan.place}. It is tried again; please look at the plan's place and type of ticket.",
        ),
        link=f"/maintenance/{plan.id}",
        key=key,
    )


async def workers(session: AsyncSession, principal: Principal, ticket: Ticket) -> list[int]:
    """Return whoever has the ticket; the front desk while nobody does."""
    system = Principal.system(principal.organisation_id)
    found = await at_work(session, system, assignee_id=ticket.assignee_id, community_id=ticket.community_id)
    return [each.id for each in found]


async def _desk(session: AsyncSession, principal: Principal, ticket: Ticket) -> list[int]:
    """Return the front desk, as far as it sees the ticket's community."""
    system = Principal.system(principal.organisation_id)
    found = await at_work(session, system, assignee_id=None, community_id=ticket.community_id)
    return [each.id for each in found]


def said(amount: Money) -> str:
    """Return an amount as a message says it, which knows no reader's page."""
    return f"{amount.amount:,} {amount.currency}"


def subject_of(ticket: Ticket) -> Words:
    """Return what a ticket is about, short enough for a message's subject."""
    subject = ticket.subject or ticket.type.name
    return Words(zh=(subject.zh or subject.en)[:_NAMED], en=(subject.en or subject.zh)[:_NAMED])


def _decision_link(ticket: Ticket, plan: PlanRow) -> str:
    return f"/my/repairs/{ticket.id}/plan" if plan.payer is Payer.OWNER else f"/tickets/{ticket.id}/consent"
