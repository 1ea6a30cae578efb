"""The targets of tickets as people see them: by when, and whether they were met."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.core.principal import Principal
from cloud.tickets.clock_tables import Ending, timers_of
from cloud.tickets.domain import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """A target of a ticket as people see it.

    Attributes:
        limit: the target, in business time.
        calendar_id: the version of the calendar that it is counted on.
        due_at: None while the clock stands, or where it ended without being met.
        ended_at: None while it counts.
        is_met: it happened; what ended otherwise is neither met nor running.
    """

    target: Target
    limit: timedelta
    calendar_id: int
    due_at: datetime | None
    breached_at: datetime | None
    ended_at: datetime | None
    is_met: bool


async def deadlines(
    session: AsyncSession, principal: Principal, *, ticket_ids: Collection[int]
) -> dict[int, list[Deadline]]:
    """Return the targets of tickets that the principal has seen."""
    found: dict[int, list[Deadline]] = {ticket_id: [] for ticket_id in ticket_ids}
    for row in await timers_of(session, organisation_id=principal.organisation_id, ticket_ids=ticket_ids):
        is_met = row.ending is Ending.MET
        found[row.ticket_id].append(
            Deadline(
                target=row.target,
                limit=row.timer.limit,
                calendar_id=row.calendar_id,
                due_at=row.due_at if is_met or row.since is not None else None,
                breached_at=row.breached_at,
                ended_at=row.ended_at,
                is_met=is_met,
            )
        )
    return found
