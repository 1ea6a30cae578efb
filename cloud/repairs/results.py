"""The end of a repair: what was done is reported to whoever it was done for, and charged if that was agreed to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.core.clock import Clock
from cloud.core.errors import Refused
from cloud.core.principal import Principal
from cloud.repairs import announcing, charges, checks, sight, tables, visits
from cloud.repairs.domain import LineKind, Stage, Standing
from cloud.repairs.plans import current_plan
from cloud.repairs.surveys import keep_photos
from cloud.repairs.tables import ResultRow
from cloud.tickets import service as tickets
from cloud.tickets.attachments import NewAttachment
from cloud.tickets.domain import Act, State, TicketMoved
from cloud.tickets.holding import held_by
from cloud.tickets.reading import Ticket
from cloud.tickets.reading import ticket as find_ticket
from cloud.tickets.reading import tickets as tickets_by_id
from firmware_configs.look.words import _


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What was reported."""

    at: datetime
    actor: str
    text: str


async def finish(
    session: AsyncSession,
    clock: Clock,
    principal: Principal,
    *,
    ticket_id: int,
    version: int,
    text: str,
    after: Sequence[NewAttachment] = (),
) -> None:
    """Resolve a ticket's work, report it, and charge what was agreed to, once.

    Raises:
        Refused: nothing is said, a visit is still open, an item is unchecked, or planned labour has no time.
        Conflict: the ticket changed since `version` was read, or is not in work.
        Forbidden: somebody else has the ticket.
    """
    ticket = await sight.worked_on(session, clock, principal, ticket_id=ticket_id)
    await checks.require_all(session, principal, ticket_id=ticket_id)
    await _require_labour(session, principal, ticket)
    await tickets.resolve(session, clock, principal, ticket_id=ticket_id, version=version, result=text)
    row = ResultRow(
        organisation_id=principal.organisation_id,
        ticket_id=ticket_id,
        at=clock.now(),
        person_id=principal.person_id,
        actor=principal.name,
        text=text.strip(),
    )
    session.add(row)
    await keep_photos(session, clock, principal, ticket_id=ticket_id, photos=after, stage=Stage.AFTER)
    await charges.settle(session, clock, principal, ticket=ticket)
    await _report(session, clock, principal, ticket, row)


async def report_settled(session: AsyncSession, clock: Clock, event: TicketMoved) -> None:
    """Report the end that an incident's end brought to a ticket, of which nobody wrote down any work to charge."""
    if event.act is not Act.SETTLE:
        return
    system = Principal.system(event.organisation_id)
    ticket = await find_ticket(session, clock, system, ticket_id=event.ticket_id)
    if ticket.state is not State.RESOLVED:
        return
    row = ResultRow(
        organisation_id=system.organisation_id,
        ticket_id=ticket.id,
        at=clock.now(),
        person_id=None,
        actor="",
        text=ticket.result,
    )
    session.add(row)
    await _report(session, clock, system, ticket, row)


async def has_job(session: AsyncSession, principal: Principal, *, ticket_id: int) -> bool:
    """Return whether a ticket that the principal has seen ends with more than a word: a plan, visits or a checklist."""
    return (
        await current_plan(session, principal, ticket_id=ticket_id) is not None
        or bool((await visits.visits(session, principal, ticket_ids=[ticket_id]))[ticket_id])
        or bool(await checks.checklist(session, principal, ticket_id=ticket_id))
    )


async def results(session: AsyncSession, principal: Principal, *, ticket_id: int) -> list[Result]:
    """Return what was reported of a ticket that the principal has seen, the newest first."""
    rows = await tables.results_of(session, principal, ticket_id)
    return [Result(at=row.at, actor=row.actor, text=row.text) for row in rows]


async def _report(session: AsyncSession, clock: Clock, principal: Principal, ticket: Ticket, row: ResultRow) -> None:
    """Tell those for whom the work was done what came of it, whoever of them asked in a ticket that was merged too."""
    await session.flush()
    system = Principal.system(principal.organisation_id)
    merged = await held_by(session, system, ticket_id=ticket.id)
    for each in (ticket, *await tickets_by_id(session, clock, system, ticket_ids=merged)):
        who = await sight.concerned(session, clock, principal, each)
        await announcing.result_reported(session, clock, principal, each, who, result=row.text, result_id=row.id)


async def _require_labour(session: AsyncSession, principal: Principal, ticket: Ticket) -> None:
    """Refuse an end without the times that it is charged by."""
    if await visits.is_there(session, principal, ticket):
        raise Refused(_("Finish the visit first: how long it took, and who signed."), "text")
    plan = await current_plan(session, principal, ticket_id=ticket.id)
    if plan is None or plan.standing is Standing.REFUSED:
        return
    plans_labour = any(line.kind is LineKind.LABOUR for line in plan.terms.lines)
    if plans_labour and not await charges.worked(session, principal, ticket_id=ticket.id):
        raise Refused(_("The plan charges labour: note a visit with its working time first."), "text")
