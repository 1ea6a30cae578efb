"""What a repair's result hands to billing: once for each result, never for a plan that nobody agreed to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.core.clock import Clock
from cloud.core.money import Money
from cloud.core.outbox import emit
from cloud.core.principal import Principal
from cloud.repairs import tables
from cloud.repairs.domain import MILLI, Line, RepairCharged, Standing, charged, from_milli, total
from cloud.repairs.stock_tables import used_for
from cloud.repairs.tables import ChargeRow, PlanRow, read_lines
from cloud.tickets.domain import Payer
from cloud.tickets.reading import Ticket


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """What was charged for a ticket."""

    at: datetime
    payer: Payer
    lines: tuple[Line, ...]
    amount: Money


async def settle(session: AsyncSession, clock: Clock, principal: Principal, *, ticket: Ticket) -> None:
    """Charge a ticket's newest result, if its plan is agreed to and neither was charged before.

    A result that comes before its consent, as an emergency's does, is charged when the consent is there.
    """
    results = await tables.results_of(session, principal, ticket.id)
    plans = await tables.plans_of(session, principal, ticket.id)
    if not results or not plans or plans[0].standing is not Standing.AGREED:
        return
    plan, result = plans[0], results[0]
    before = await tables.charges_of(session, principal, ticket.id)
    if any(each.plan_id == plan.id or each.result_id == result.id for each in before):
        return
    lines = await _lines(session, principal, ticket, plan, since=before[0].at if before else None)
    if lines and total(lines):
        await _charge(session, clock, ticket, plan, lines, result_id=result.id)


async def worked(
    session: AsyncSession, principal: Principal, *, ticket_id: int, since: datetime | None = None
) -> Decimal:
    """Return the hours of labour that were written down for a ticket, after `since`."""
    visits = await tables.visits_of(session, principal, [ticket_id])
    ended = [row for row in visits if row.left_at is not None and (since is None or row.left_at > since)]
    milli = Decimal(sum(row.labour_minutes for row in ended) * MILLI) / 60
    return from_milli(int(milli.to_integral_value(ROUND_HALF_UP)))


async def charges(session: AsyncSession, principal: Principal, *, ticket_id: int) -> list[Charge]:
    """Return what was charged for a ticket that the principal has seen, the newest first."""
    return [
        Charge(
            at=row.at,
            payer=row.payer,
            lines=read_lines(row.lines, row.currency),
            amount=Money(row.amount_minor, row.currency),
        )
        for row in await tables.charges_of(session, principal, ticket_id)
    ]


async def _lines(
    session: AsyncSession, principal: Principal, ticket: Ticket, plan: PlanRow, *, since: datetime | None
) -> tuple[Line, ...]:
    used = await used_for(session, principal, ticket.id, since=since)
    return charged(
        plan.terms,
        worked=await worked(session, principal, ticket_id=ticket.id, since=since),
        used={item: from_milli(milli) for item, milli in used.items()},
    )


async def _charge(
    session: AsyncSession, clock: Clock, ticket: Ticket, plan: PlanRow, lines: Sequence[Line], *, result_id: int
) -> None:
    amount = total(lines)
    session.add(
        ChargeRow(
            result_id=result_id,
            organisation_id=plan.organisation_id,
            ticket_id=ticket.id,
            plan_id=plan.id,
            at=clock.now(),
            payer=plan.payer,
            lines=tables.written(lines),
            amount_minor=amount.minor,
            currency=amount.currency,
        )
    )
    await session.flush()
    event = RepairCharged(
        organisation_id=plan.organisation_id,
        ticket_id=ticket.id,
        result_id=result_id,
        payer=plan.payer,
        unit_id=ticket.unit_id,
        amount_minor=amount.minor,
        currency=amount.currency,
        plan_id=plan.id,
        plan_version=plan.version,
        lines=[_told(line) for line in lines],
    )
    await emit(session, clock, event)


def _told(line: Line) -> dict[str, Any]:
    return {
        "kind": str(line.kind),
        "text": line.text,
        "quantity": str(line.quantity),
        "unit": line.unit,
        "rate_minor": line.rate.minor,
        "total_minor": line.total.minor,
    }
