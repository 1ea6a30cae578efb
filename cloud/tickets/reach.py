"""Who is told when work does not go on: leads, managers, whoever is above the estate."""

from collections.abc import Collection
from typing import assert_never

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.accounts import people
from cloud.accounts.domain import Person
from cloud.core.principal import Principal, Role
from cloud.tickets.dispatch_rules import DispatchRules
from cloud.tickets.ladder import Whom
from cloud.tickets.tables import TicketRow


async def reached(
    session: AsyncSession, principal: Principal, rules: DispatchRules, whom: Whom, *, row: TicketRow
) -> list[Person]:
    """Return whom a step of the ladder tells about a ticket; it is never nobody while anybody works here."""
    match whom:
        case Whom.ASSIGNEE:
            chosen = [row.assignee_id] if row.assignee_id is not None else []
            return await _of(session, principal, row, chosen, Role.DESK)
        case Whom.LEAD:
            return await _of(session, principal, row, rules.lead_ids, Role.DESK)
        case Whom.MANAGER:
            return await _of(session, principal, row, (), Role.MANAGER)
        case Whom.AREA:
            return await _of(session, principal, row, rules.area_ids, Role.MANAGER)
        case never:
            assert_never(never)


async def dispatchers(session: AsyncSession, principal: Principal, *, row: TicketRow) -> list[Person]:
    """Return who gives tickets to people."""
    return await _of(session, principal, row, (), Role.DESK)


async def supervisors(
    session: AsyncSession, principal: Principal, rules: DispatchRules, *, row: TicketRow
) -> list[Person]:
    """Return who is called when nobody is found: the leads, else the managers."""
    return await _of(session, principal, row, rules.lead_ids, Role.MANAGER)


async def _of(
    session: AsyncSession, principal: Principal, row: TicketRow, chosen: Collection[int], role: Role
) -> list[Person]:
    """Return the chosen people; where there is none, those with the role; where there is none, administrators.

    Nobody is told of a ticket in a community that they do not see.
    """
    named = await people.list_people(session, principal, ids=chosen) if chosen else []
    for found in (
        [person for person in named if person.is_active and _sees(person, row)],
        await _in_sight(session, principal, row, role),
        await _in_sight(session, principal, row, Role.ADMINISTRATOR),
    ):
        if found:
            return found
    return []


async def _in_sight(session: AsyncSession, principal: Principal, row: TicketRow, role: Role) -> list[Person]:
    staff = await people.list_people(session, principal, role=role)
    return [person for person in staff if _sees(person, row)]


def _sees(person: Person, row: TicketRow) -> bool:
    return person.communities is None or row.community_id in person.communities
