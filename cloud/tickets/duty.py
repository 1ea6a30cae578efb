"""How those who do repairs stand at the moment: on shift, with how much to do, where they were last."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.accounts import people
from cloud.accounts.domain import Person
from cloud.calendars import shifts
from cloud.core.clock import Clock
from cloud.core.database import hold
from cloud.core.principal import Principal, Role
from cloud.tickets.dispatch import Candidate
from cloud.tickets.dispatch_tables import IS_OPEN, OfferRow, WhereaboutsRow
from cloud.tickets.domain import State
from cloud.tickets.skills import Certified, all_skills
from cloud.tickets.tables import IS_UNDONE, TicketRow

BUSY = frozenset({State.ASSIGNED, State.AGREED, State.IN_WORK})
"""The states in which a ticket keeps its owner busy: not while it waits for somebody else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """Somebody who does repairs, as the dispatcher sees them."""

    person: Person
    candidate: Candidate
    skills: Sequence[Certified]
    on_duty_until: datetime | None


async def workers(session: AsyncSession, clock: Clock, principal: Principal) -> Sequence[Worker]:
    """Return all who do repairs, by name, in a number of queries that does not grow with them or with the tickets."""
    now = clock.now()
    on_duty = {each.person.id: each.duty for each in await shifts.duty_list(session, principal, at=now)}
    away = await shifts.away(session, principal, at=now)
    team = await people.list_people(session, principal, role=Role.WORKER)
    loads = await _loads(session, principal, [person.id for person in team])
    skills, seen = await all_skills(session, principal), await _whereabouts(session, principal)
    found = []
    for person in team:
        duty, last = on_duty.get(person.id), seen.get(person.id)
        candidate = Candidate(
            person_id=person.id,
            skills={each.skill: each.valid_until for each in skills.get(person.id, ())},
            communities=person.communities,
            is_on_duty=duty is not None,
            post_id=duty.community_id if duty else None,
            is_away=person.id in away,
            load=loads[person.id],
            building_id=last.building_id if last else None,
            idle_since=last.at if last else None,
        )
        until = duty.end if duty else None
        mine = skills.get(person.id, ())
        found.append(Worker(person=person, candidate=candidate, skills=mine, on_duty_until=until))
    return found


async def note_whereabouts(
    session: AsyncSession,
    clock: Clock,
    principal: Principal,
    *,
    person_id: int,
    building_id: int | None,
    was_there: bool,
) -> None:
    """Note that somebody had to do with a job now, and with `was_there` that they worked in the building."""
    await hold(session, f"whereabouts of {person_id}")
    row = await session.scalar(
        select(WhereaboutsRow)
        .where(WhereaboutsRow.organisation_id == principal.organisation_id, WhereaboutsRow.person_id == person_id)
        .execution_options(populate_existing=True)
    )
    if row is None:
        row = WhereaboutsRow(person_id=person_id, organisation_id=principal.organisation_id)
        session.add(row)
    row.at = clock.now()
    if was_there:
        row.building_id = building_id
    await session.flush()


async def _loads(session: AsyncSession, principal: Principal, person_ids: Collection[int]) -> Counter[int]:
    """Return how many jobs people have, with those that are offered to them."""
    busy = (
        select(TicketRow.assignee_id, func.count())
        .where(TicketRow.organisation_id == principal.organisation_id, IS_UNDONE, TicketRow.state.in_(sorted(BUSY)))
        .where(TicketRow.assignee_id.in_(person_ids))
        .group_by(TicketRow.assignee_id)
    )
    asked = (
        select(OfferRow.person_id, func.count())
        .where(OfferRow.organisation_id == principal.organisation_id, IS_OPEN)
        .group_by(OfferRow.person_id)
    )
    loads: Counter[int] = Counter()
    for question in (busy, asked):
        for person_id, count in await session.execute(question):
            loads[person_id or 0] += count  # a busy ticket has an owner
    return loads


async def _whereabouts(session: AsyncSession, principal: Principal) -> Mapping[int, WhereaboutsRow]:
    rows = await session.scalars(
        select(WhereaboutsRow).where(WhereaboutsRow.organisation_id == principal.organisation_id)
    )
    return {row.person_id: row for row in rows}
