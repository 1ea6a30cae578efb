"""Who is told when work does not go on: leads, managers, whoever is above the estate."""

from collections.abc import Collection
from typing import assert_never

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.accounts import people
from cloud.accounts.domain import Person
from cloud.core.principal import Principal, Role
from cloud.tickets.dispatch_rules import DispatchRules
from cloud.tickets.ladder import Whom
from cloud.tickets.tables import IncidentRow, TicketRow


async def reached(
    session: AsyncSession, principal: Principal, rules: DispatchRules, whom: Whom, *, row: TicketRow
) -> list[Person]:
    """Return whom a step of the ladder tells about a ticket; it is never nobody while anybody works here."""
    match whom:
        case Whom.ASSIGNEE:
            return await at_work(session, principal, assignee_id=row.assignee_id, community_id=row.community_id)
        case Whom.LEAD:
            return await _of(session, principal, row.community_id, rules.lead_ids, Role.DESK)
        case Whom.MANAGER:
            return await _of(session, principal, row.community_id, (), Role.MANAGER)
        case Whom.AREA:
            return await _of(session, principal, row.community_id, rules.area_ids, Role.MANAGER)
        case never:
            assert_never(never)


async def at_work(
    session: AsyncSession, principal: Principal, *, assignee_id: int | None, community_id: int | None
) -> list[Person]:
    """Return who has a ticket; the front desk while nobody does."""
    chosen = [assignee_id] if assignee_id is not None else []
    return await _of(session, principal, community_id, chosen, Role.DESK)


async def dispatchers(session: AsyncSession, principal: Principal, *, row: TicketRow) -> list[Person]:
    """Return who gives tickets to people."""
    return await _of(session, principal, row.community_id, (), Role.DESK)


async def supervisors(
    session: AsyncSession, principal: Principal, rules: DispatchRules, *, row: TicketRow | IncidentRow
) -> list[Person]:
    """Return who is called when nobody is found: the leads, else the managers."""
    return await _of(session, principal, row.community_id, rules.lead_ids, Role.MANAGER)


async def _of(
    session: AsyncSession, principal: Principal, community_id: int | None, chosen: Collection[int], role: Role
) -> list[Person]:
    """Return the chosen people; where there is none, those with the role; where there is none, administrators.

    Nobody is told of a ticket in a community that they do not see.
    """
    named = await people.list_people(session, principal, ids=chosen) if chosen else []
    for found in (
        [person for person in named if person.is_active and _sees(person, community_id)],
        await _in_sight(session, principal, community_id, role),
        await _in_sight(session, principal, community_id, Role.ADMINISTRATOR),
    ):
        if found:
            return found
    return []


async def _in_sight(session: AsyncSession, principal: Principal, community_id: int | None, role: Role) -> list[Person]:
    staff = await people.list_people(session, principal, role=role)
    return [person for person in staff if _sees(person, community_id)]


def _sees(person: Person, community_id: int | None) -> bool:
    return person.communities is None or community_id in person.communities
