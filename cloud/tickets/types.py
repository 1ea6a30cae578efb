"""Ticket types as data: versions of what a kind of work is called, how soon it must be done, and its steps."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.alarms.domain import Priority
from cloud.core import audit
from cloud.core.clock import Clock
from cloud.core.database import hold
from cloud.core.errors import NotFound, Refused
from cloud.core.principal import Principal, Role
from cloud.core.words import Words
from cloud.tickets.domain import DEFAULT_TYPES, TicketType
from cloud.tickets.tables import TicketTypeRow, type_in_force, types_in_force
from firmware_configs.look.words import _

_LONGEST_MINUTES = 366 * 24 * 60


async def seed_types(session: AsyncSession, clock: Clock, principal: Principal) -> None:
    """Give an organisation the default types that it has none of; what it has stays as it is."""
    await hold(session, f"ticket types {principal.organisation_id}")
    known = {row.code for row in await types_in_force(session, organisation_id=principal.organisation_id)}
    for ticket_type in DEFAULT_TYPES:
        if ticket_type.code not in known:
            session.add(_row(ticket_type, principal, clock, version=1))
    await session.flush()


async def define_type(session: AsyncSession, clock: Clock, principal: Principal, ticket_type: TicketType) -> None:
    """Make a type, or a new version of it; tickets that are open keep the version that they began with.

    Raises:
        Refused: a deadline or a name is missing or senseless.
    """
    principal.require(Role.MANAGER)
    _check(ticket_type)
    await hold(session, f"ticket types {principal.organisation_id}")
    before = await type_in_force(session, organisation_id=principal.organisation_id, code=ticket_type.code)
    if before is not None:
        before.replaced_at = clock.now()
    version = before.version + 1 if before is not None else 1
    session.add(_row(ticket_type, principal, clock, version=version))
    await session.flush()
    audit.record(
        session,
        clock,
        principal,
        action="tickets.type_defined",
        subject=f"ticket_type:{ticket_type.code}",
        after={"version": version},
    )


async def list_types(session: AsyncSession, principal: Principal) -> Sequence[TicketType]:
    """Return the types in force."""
    return [to_type(row) for row in await types_in_force(session, organisation_id=principal.organisation_id)]


async def find_type(session: AsyncSession, clock: Clock, principal: Principal, *, code: str) -> TicketTypeRow:
    """Return a type in force; a default one is made when the organisation has never had it.

    Raises:
        NotFound: there is no such type.
    """
    found = await type_in_force(session, organisation_id=principal.organisation_id, code=code)
    if found is None and any(code == ticket_type.code for ticket_type in DEFAULT_TYPES):
        await seed_types(session, clock, principal)
        found = await type_in_force(session, organisation_id=principal.organisation_id, code=code)
    if found is None:
        raise NotFound(_("There is no such type of ticket."))
    return found


def to_type(row: TicketTypeRow) -> TicketType:
    """Return the type that a row holds."""
    return TicketType(
        code=row.code,
        name=Words(zh=row.name_zh, en=row.name_en),
        default_priority=Priority(row.default_priority),
        deadlines={Priority(int(level)): minutes for level, minutes in row.deadlines.items()},
        procedure=Words(zh=row.procedure_zh, en=row.procedure_en),
    )


def _row(ticket_type: TicketType, principal: Principal, clock: Clock, *, version: int) -> TicketTypeRow:
    return TicketTypeRow(
        organisation_id=principal.organisation_id,
        code=ticket_type.code,
        version=version,
        name_zh=ticket_type.name.zh,
        name_en=ticket_type.name.en,
        default_priority=int(ticket_type.default_priority),
        deadlines={str(int(level)): minutes for level, minutes in ticket_type.deadlines.items()},
        procedure_zh=ticket_type.procedure.zh,
        procedure_en=ticket_type.procedure.en,
        created_at=clock.now(),
    )


def _check(ticket_type: TicketType) -> None:
    if not (ticket_type.name.zh or ticket_type.name.en):
        raise Refused(_("Give the type a name in one of the two languages."), "name_zh")
    for priority in Priority:
        if not 1 <= ticket_type.deadlines.get(priority, 0) <= _LONGEST_MINUTES:
            raise Refused(_("Every priority needs a deadline between a minute and a year."), "deadlines")
