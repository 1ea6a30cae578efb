"""Plans of repairs, as versions: put forward, changed, asked again, and lapsed when nobody answers in time."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.core import audit
from cloud.core.clock import Clock, told_at
from cloud.core.errors import NotFound, Refused
from cloud.core.money import Money
from cloud.core.principal import Principal
from cloud.repairs import announcing, sight, tables
from cloud.repairs.domain import UNANSWERED, Difference, Means, Reply, Standing, Terms, differences
from cloud.repairs.tables import PlanRow, ReplyRow
from cloud.tickets import service as tickets
from cloud.tickets.domain import Consent, Payer, State
from cloud.tickets.moving import check_text
from cloud.tickets.reading import Ticket, ticket
from firmware_configs.look.words import _

_MOST_VISITS = 50
_MOST_LINES = 100
_LONGEST = timedelta(days=366)
_LARGEST_BUDGET = 1_000_000_000_00
_AT_ONCE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """Something that was said to a version of a plan."""

    at: datetime
    version: int
    reply: Reply
    means: Means
    decider: str
    actor: str
    text: str
    amount: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A version of a ticket's plan.

    Attributes:
        differences: how its lines differ from the version before; empty for the first.
        before: what the version before came to; None for the first.
        replies: what was said to it, the first word first.
    """

    id: int
    ticket_id: int
    version: int
    standing: Standing
    terms: Terms
    budget: Money
    proposed_at: datetime
    actor: str
    differences: tuple[Difference, ...]
    before: Money | None
    replies: tuple[Said, ...]

    def can_be_agreed_to(self, now: datetime) -> bool:
        """Return whether whoever pays may still say yes."""
        return self.standing in UNANSWERED and now < self.terms.valid_until


async def put_forward(
    session: AsyncSession, clock: Clock, principal: Principal, *, ticket_id: int, terms: Terms
) -> int:
    """Put a plan, or a changed one, to whoever pays, and return its version: no work goes on before it is agreed to.

    Work that was begun as an emergency goes on meanwhile.

    Raises:
        Refused: something in the plan can't be, or nobody could agree to it.
        Conflict: the ticket is past being planned.
        Forbidden: somebody else has the ticket.
    """
    found = await sight.worked_on(session, clock, principal, ticket_id=ticket_id, also_done=True)
    _check(terms, now=told_at(clock))
    await _check_payer(session, clock, principal, found, terms.payer)
    return await _ask(session, clock, principal, found, terms)


async def ask_again(
    session: AsyncSession, clock: Clock, principal: Principal, *, ticket_id: int, valid_until: datetime
) -> int:
    """Put the newest version forward once more with another last day, and return its new version.

    Raises:
        NotFound: there is no plan.
        Refused: the day can't be.
    """
    found = await sight.worked_on(session, clock, principal, ticket_id=ticket_id, also_done=True)
    rows = await tables.plans_of(session, principal, ticket_id)
    if not rows:
        raise NotFound(_("This ticket has no plan."))
    terms = replace(rows[0].terms, valid_until=valid_until)
    _check(terms, now=told_at(clock))
    await _check_payer(session, clock, principal, found, terms.payer)
    return await _ask(session, clock, principal, found, terms)


async def plans(session: AsyncSession, principal: Principal, *, ticket_id: int) -> list[Plan]:
    """Return the versions of the plan of a ticket that the principal has seen, the newest first."""
    rows = await tables.plans_of(session, principal, ticket_id)
    replies = await tables.replies_to(session, principal, ticket_id)
    versions = {row.id: row.version for row in rows}
    older: Sequence[PlanRow | None] = [*rows[1:], None][: len(rows)]
    return [
        _plan(row, before, [_said(each, versions) for each in replies if each.plan_id == row.id])
        for row, before in zip(rows, older, strict=True)
    ]


async def current_plan(session: AsyncSession, principal: Principal, *, ticket_id: int) -> Plan | None:
    """Return the newest version of a ticket's plan; None while there is none."""
    found = await plans(session, principal, ticket_id=ticket_id)
    return found[0] if found else None


async def lapse(session: AsyncSession, clock: Clock) -> set[int]:
    """Let plans lapse that nobody agreed to while they were valid, and tell whoever must ask again, and the desk.

    A job: returns the organisations for which there was something, and is to be repeated until there is none.
    """
    due = await tables.lapsing_plans(session, before=clock.now(), limit=_AT_ONCE)
    for row in sorted(due, key=lambda row: row.ticket_id):  # tickets are locked in one order, whoever locks several
        row.standing = Standing.LAPSED
        system = Principal.system(row.organisation_id)
        found = await ticket(session, clock, system, ticket_id=row.ticket_id)
        if found.state is State.PLANNED:
            await tickets.lapse(session, clock, system, ticket_id=row.ticket_id)
        await announcing.lapsed(session, clock, system, found, key=f"plan-lapsed:{row.id}")
    return {row.organisation_id for row in due}


DONE = frozenset({State.VERIFYING, State.RESOLVED})
"""States in which the work is done; the consent to an emergency's is still caught up with."""


def is_early(ticket: Ticket) -> bool:
    """Return whether the work goes on as an emergency that nobody has agreed to yet."""
    return ticket.state is State.IN_WORK and ticket.consent is Consent.NEEDED


async def _ask(session: AsyncSession, clock: Clock, principal: Principal, ticket: Ticket, terms: Terms) -> int:
    before = await tables.plans_of(session, principal, ticket.id)
    for row in before:
        if row.standing in UNANSWERED or row.standing is Standing.AGREED:
            row.standing = Standing.REPLACED
    budget = terms.budget
    row = PlanRow(
        organisation_id=principal.organisation_id,
        ticket_id=ticket.id,
        version=before[0].version + 1 if before else 1,
        standing=Standing.ASKED,
        payer=terms.payer,
        lines=tables.written(terms.lines),
        budget_minor=budget.minor,
        currency=budget.currency,
        visits=terms.visits,
        finish_on=terms.finish_on,
        valid_until=terms.valid_until,
        text=terms.text.strip(),
        proposed_at=clock.now(),
        proposed_by=principal.person_id,
        actor=principal.name,
    )
    session.add(row)
    await session.flush()
    summary = f"#{row.version} · {announcing.said(budget)}"
    if is_early(ticket) or ticket.state in DONE:
        await tickets.note(session, clock, principal, ticket_id=ticket.id, text=summary, is_public=True)
    else:
        await tickets.propose(session, clock, principal, ticket_id=ticket.id, text=summary)
    audit.record(
        session,
        clock,
        principal,
        action="repairs.plan_put_forward",
        subject=f"ticket:{ticket.id}",
        after={"version": row.version, "budget_minor": budget.minor, "payer": str(terms.payer)},
    )
    who = await sight.deciders(session, clock, principal, ticket, terms.payer)
    await announcing.plan_asked(session, clock, principal, ticket, row, who)
    return row.version


def _check(terms: Terms, *, now: datetime) -> None:
    if len(terms.lines) > _MOST_LINES:
        raise Refused(_("A plan has at most %(most)d lines."), "lines", most=_MOST_LINES)
    if not 0 <= terms.budget.minor <= _LARGEST_BUDGET:
        raise Refused(_("The lines come to more than a plan may cost."), "lines")
    if not 1 <= terms.visits <= _MOST_VISITS:
        raise Refused(_("Say in how many visits: 1 to %(most)d."), "visits", most=_MOST_VISITS)
    if not now < terms.valid_until <= now + _LONGEST:
        raise Refused(_("A plan is valid until a time to come, at most a year from now."), "valid_until")
    if not (now - timedelta(days=1)).date() <= terms.finish_on <= (now + _LONGEST).date():
        raise Refused(_("Say by which day to come it is finished, at most a year from now."), "finish_on")
    check_text(terms.text, "text")


async def _check_payer(session: AsyncSession, clock: Clock, principal: Principal, ticket: Ticket, payer: Payer) -> None:
    """Refuse a plan that nobody could agree to."""
    if payer is Payer.OWNER and ticket.unit_id is None:
        raise Refused(_("The owner pays: say first which unit the ticket is about."), "payer")
    if await sight.deciders(session, clock, principal, ticket, payer):
        return
    if payer is Payer.OWNER:
        raise Refused(
            _("Nobody is known as this unit's owner. Enter the owner first, or choose who else pays."), "payer"
        )
    raise Refused(_("No manager is there who could agree to it."), "payer")


def _plan(row: PlanRow, before: PlanRow | None, replies: Sequence[Said]) -> Plan:
    terms = row.terms
    return Plan(
        id=row.id,
        ticket_id=row.ticket_id,
        version=row.version,
        standing=row.standing,
        terms=terms,
        budget=Money(row.budget_minor, row.currency),
        proposed_at=row.proposed_at,
        actor=row.actor,
        differences=tuple(differences(before.terms.lines, terms.lines)) if before is not None else (),
        before=Money(before.budget_minor, before.currency) if before is not None else None,
        replies=tuple(replies),
    )


def _said(row: ReplyRow, versions: dict[int, int]) -> Said:
    return Said(
        at=row.at,
        version=versions[row.plan_id],
        reply=row.reply,
        means=row.means,
        decider=row.decider,
        actor=row.actor,
        text=row.text,
        amount=Money(row.budget_minor, row.currency),
    )
