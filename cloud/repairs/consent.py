"""What those who pay say to a plan: yes, no, or a question; themselves, or as the front desk writes it down.

A consent belongs to exactly one version and one amount. Who says it must be one of those who may decide for the payer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.core import audit
from cloud.core.clock import Clock
from cloud.core.errors import Conflict, Forbidden, Refused
from cloud.core.money import Money
from cloud.core.principal import Principal, Role
from cloud.core.words import Words
from cloud.repairs import announcing, charges, sight, tables
from cloud.repairs.domain import UNANSWERED, Means, Reply, Standing
from cloud.repairs.plans import DONE, is_early
from cloud.repairs.sight import Decider
from cloud.repairs.tables import PlanRow, ReplyRow
from cloud.tickets import service as tickets
from cloud.tickets.domain import Payer, State
from cloud.tickets.moving import required
from cloud.tickets.reading import Ticket
from firmware_configs.look.words import _


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What is said to a plan.

    Attributes:
        version: of the plan that its reader saw.
        amount: what it came to.
        text: a reason, a question, or what was said to whoever writes it down.
        decider_id: who said it, where somebody else writes it down.
    """

    reply: Reply
    version: int
    amount: Money
    means: Means = Means.APP
    text: str = ""
    decider_id: int | None = None


async def reply(session: AsyncSession, clock: Clock, principal: Principal, *, ticket_id: int, answer: Answer) -> None:
    """Take what is said to the newest version of a plan; the same again changes nothing.

    Raises:
        NotFound: there is no such ticket.
        Conflict: the plan has changed, has lapsed, or was answered.
        Forbidden: the principal may not decide for those who pay.
        Refused: a reason, a question or what was said is missing.
    """
    ticket = await sight.held(session, clock, principal, ticket_id=ticket_id)
    plan = await _newest(session, principal, ticket, answer)
    decider = await _decider(session, clock, principal, ticket, plan, answer)
    if _is_repeat(plan, answer):
        return
    _check_open(plan, answer, clock)
    text, said = _checked_text(answer), answer.reply
    row = _row(principal, clock, plan, answer, decider, text)
    session.add(row)
    await session.flush()
    await _carry(session, clock, principal, ticket, plan, answer, text=text or decider.name)
    audit.record(
        session,
        clock,
        principal,
        action=f"repairs.plan_{said}",
        subject=f"ticket:{ticket.id}",
        after={"version": plan.version, "amount_minor": plan.budget_minor, "decider": decider.name},
    )
    await announcing.decided(
        session, clock, principal, ticket, what=_WHAT[answer.reply], text=text, key=f"plan-reply:{row.id}"
    )


async def explain(session: AsyncSession, clock: Clock, principal: Principal, *, ticket_id: int, text: str) -> None:
    """Answer a question about the newest version of a plan, which asks those who pay again.

    Raises:
        Conflict: nobody has asked anything.
        Refused: nothing is said.
    """
    ticket = await sight.worked_on(session, clock, principal, ticket_id=ticket_id)
    rows = await tables.plans_of(session, principal, ticket_id)
    if not rows or rows[0].standing is not Standing.QUESTION:
        raise Conflict(_("Nobody has asked anything about this plan."))
    plan = rows[0]
    said = required(text, "text", _("Answer the question."))
    answer = Answer(reply=Reply.ANSWERED, version=plan.version, amount=Money(plan.budget_minor, plan.currency))
    row = _row(principal, clock, plan, answer, None, said)
    session.add(row)
    plan.standing = Standing.ASKED
    await tickets.take_turn(session, clock, principal, ticket_id=ticket_id, is_ours=False)
    await session.flush()
    who = await sight.deciders(session, clock, principal, ticket, plan.payer)
    await announcing.question_answered(session, clock, principal, ticket, plan, who, answer=said, reply_id=row.id)


async def may_decide(session: AsyncSession, clock: Clock, principal: Principal, ticket: Ticket, payer: Payer) -> bool:
    """Return whether the principal may agree for those who pay."""
    if payer is not Payer.OWNER:
        return principal.has(Role.MANAGER)
    who = await sight.deciders(session, clock, principal, ticket, payer)
    return principal.person_id in {each.person_id for each in who}


async def asked_of(
    session: AsyncSession, clock: Clock, principal: Principal, *, of: Sequence[Ticket]
) -> frozenset[int]:
    """Return which of these tickets have a plan that waits for the principal's own yes or no, by their ids."""
    plans = await tables.asked_plans(session, principal, [each.id for each in of], now=clock.now())
    asked = [each for each in of if each.id in plans]
    return frozenset(
        [each.id for each in asked if await may_decide(session, clock, principal, each, plans[each.id].payer)]
    )


async def _newest(session: AsyncSession, principal: Principal, ticket: Ticket, answer: Answer) -> PlanRow:
    rows = await tables.plans_of(session, principal, ticket.id)
    if not rows:
        raise Conflict(_("This ticket has no plan."))
    plan = rows[0]
    if plan.version != answer.version or Money(plan.budget_minor, plan.currency) != answer.amount:
        raise Conflict(_("The plan has changed meanwhile. Look at what is different before you decide."))
    return plan


async def _decider(
    session: AsyncSession, clock: Clock, principal: Principal, ticket: Ticket, plan: PlanRow, answer: Answer
) -> Decider:
    if answer.means is Means.APP:
        if not await may_decide(session, clock, principal, ticket, plan.payer):
            raise Forbidden(
                _("The unit's owner decides about this plan.")
                if plan.payer is Payer.OWNER
                else _("A manager decides about this plan.")
            )
        return Decider(person_id=principal.person_id or 0, name=principal.name)
    principal.require(Role.DESK)
    for each in await sight.deciders(session, clock, principal, ticket, plan.payer):
        if each.person_id == answer.decider_id:
            return each
    raise Refused(_("Choose one of those who may decide."), "decider_id")


def _is_repeat(plan: PlanRow, answer: Answer) -> bool:
    match answer.reply:
        case Reply.AGREED:
            return plan.standing is Standing.AGREED
        case Reply.REFUSED:
            return plan.standing is Standing.REFUSED
        case Reply.ASKED | Reply.ANSWERED:
            return False
        case never:
            assert_never(never)


def _check_open(plan: PlanRow, answer: Answer, clock: Clock) -> None:
    if plan.standing is Standing.LAPSED or clock.now() >= plan.valid_until:
        raise Conflict(_("This plan is no longer valid. You will be asked again with a new one."))
    if plan.standing not in UNANSWERED:
        raise Conflict(_("This plan has been answered."))
    if answer.reply is Reply.ANSWERED:
        raise Refused(_("Agree, refuse or ask."), "reply")


def _checked_text(answer: Answer) -> str:
    if answer.reply is Reply.ASKED:
        return required(answer.text, "text", _("Write your question."))
    if answer.means is not Means.APP:
        return required(answer.text, "text", _("Write down what was said."))
    return answer.text.strip()[:4_000]


async def _carry(
    session: AsyncSession,
    clock: Clock,
    principal: Principal,
    ticket: Ticket,
    plan: PlanRow,
    answer: Answer,
    *,
    text: str,
) -> None:
    """Let the plan and the ticket follow what was said."""
    if answer.reply is Reply.ASKED:
        plan.standing = Standing.QUESTION
        await tickets.take_turn(session, clock, principal, ticket_id=ticket.id, is_ours=True)
        return
    is_yes = answer.reply is Reply.AGREED
    plan.standing = Standing.AGREED if is_yes else Standing.REFUSED
    if ticket.state is State.PLANNED or is_early(ticket):
        move = tickets.agree if is_yes else tickets.refuse
        await move(session, clock, principal, ticket_id=ticket.id, text=text)
    elif ticket.state in DONE:
        await tickets.note(session, clock, principal, ticket_id=ticket.id, text=text, is_public=True)
    else:
        raise Conflict(_("Nothing is asked about this plan any more."))
    if is_yes:
        await charges.settle(session, clock, principal, ticket=ticket)


def _row(
    principal: Principal, clock: Clock, plan: PlanRow, answer: Answer, decider: Decider | None, text: str
) -> ReplyRow:
    return ReplyRow(
        organisation_id=principal.organisation_id,
        ticket_id=plan.ticket_id,
        plan_id=plan.id,
        reply=answer.reply,
        budget_minor=plan.budget_minor,
        currency=plan.currency,
        means=answer.means,
        text=text,
        at=clock.now(),
        decider_id=decider.person_id if decider is not None else None,
        decider=decider.name if decider is not None else "",
        person_id=principal.person_id,
        actor=principal.name,
    )


_WHAT = {
    Reply.AGREED: Words(zh="方案已获同意", en="the plan is agreed to"),
    Reply.REFUSED: Words(zh="方案被拒绝", en="the plan is refused"),
    Reply.ASKED: Words(zh="对方案有疑问", en="a question about the plan"),
    Reply.ANSWERED: Words(zh="已答复疑问", en="the question is answered"),
}
