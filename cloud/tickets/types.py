"""Ticket types as data: a tree of versions of what work is called, how soon it must be done, and its steps."""

from collections.abc import Collection, Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.alarms.domain import Priority
from cloud.core import audit
from cloud.core.clock import Clock
from cloud.core.database import hold
from cloud.core.errors import Conflict, NotFound, Refused
from cloud.core.principal import Principal, Role
from cloud.core.words import Words
from cloud.tickets import timers
from cloud.tickets.default_types import DEFAULT_TYPES
from cloud.tickets.domain import ALARM_REPAIR, INSPECTION, REPAIR, Step, Target, TicketType
from cloud.tickets.tables import CODE_LENGTH, TicketTypeRow, type_in_force, types_in_force
from firmware_configs.look.words import _

_LONGEST_MINUTES = 366 * 24 * 60
_LONGEST_REWORK_DAYS = 3_650
_OPENED_BY_PROGRAMS = {
    ALARM_REPAIR: _("Alarms open tickets of this type: it can be changed, not retired."),
    INSPECTION: _("Preventive plans open tickets of this type: it can be changed, not retired."),
    REPAIR: _("Reports that speak for no other type open tickets of this one: it can be changed, not retired."),
}
_DEEPEST = 4  # a person who chooses from the tree must still see its end


async def seed_types(session: AsyncSession, clock: Clock, principal: Principal) -> None:
    """Give an organisation the default types that it never had; what it has or has retired stays as it is."""
    await hold(session, f"ticket types {principal.organisation_id}")
    for ticket_type in await _missing_types(session, principal):
        session.add(_row(ticket_type, principal, clock, version=1))
    await session.flush()


async def define_type(session: AsyncSession, clock: Clock, principal: Principal, ticket_type: TicketType) -> None:
    """Make a type, or a new version of it; tickets that are open keep the version that they began with.

    Raises:
        Refused: a deadline, a name or a step is missing or senseless, or it would be its own parent.
    """
    principal.require(Role.MANAGER)
    _check(ticket_type)
    await hold(session, f"ticket types {principal.organisation_id}")
    await _check_parent(session, principal, ticket_type)
    before = await type_in_force(session, organisation_id=principal.organisation_id, code=ticket_type.code)
    last = await _last_version(session, principal, code=ticket_type.code)
    if before is not None:
        before.replaced_at = clock.now()
    session.add(_row(ticket_type, principal, clock, version=last + 1))
    await session.flush()
    audit.record(
        session,
        clock,
        principal,
        action="tickets.type_defined",
        subject=f"ticket_type:{ticket_type.code}",
        after={"version": last + 1},
    )


async def retire_type(session: AsyncSession, clock: Clock, principal: Principal, *, code: str) -> None:
    """Let no ticket be opened with a type any more; the timers of its open tickets end, which then have no deadline.

    What preventive plans open is asked for by `repairs.retiring`, which knows them.

    Raises:
        NotFound: there is no such type, or it is retired already.
        Conflict: other types are a part of it, or programs open tickets with it.
    """
    principal.require(Role.MANAGER)
    if code in _OPENED_BY_PROGRAMS:
        raise Conflict(_OPENED_BY_PROGRAMS[code])
    row = await find_type(session, clock, principal, code=code)
    types = await list_types(session, principal)
    if any(each.parent_code == code for each in types):
        raise Conflict(_("Other types are a part of this one. Retire those first."))
    row.replaced_at = clock.now()
    await timers.end_of_type(session, clock, principal, code=code)
    audit.record(
        session,
        clock,
        principal,
        action="tickets.type_retired",
        subject=f"ticket_type:{code}",
        before={"version": row.version},
    )


async def list_types(session: AsyncSession, principal: Principal) -> Sequence[TicketType]:
    """Return the types that a ticket may be opened with: those in force, and the defaults that were never touched."""
    rows = await types_in_force(session, organisation_id=principal.organisation_id)
    return [*map(to_type, rows), *await _missing_types(session, principal)]


async def find_type(session: AsyncSession, clock: Clock, principal: Principal, *, code: str) -> TicketTypeRow:
    """Return a type in force; a default one is made when the organisation has never had it.

    Raises:
        NotFound: there is no such type, or it is retired.
    """
    found = await type_in_force(session, organisation_id=principal.organisation_id, code=code)
    if found is None and code in {ticket_type.code for ticket_type in await _missing_types(session, principal)}:
        await seed_types(session, clock, principal)
        found = await type_in_force(session, organisation_id=principal.organisation_id, code=code)
    if found is None:
        raise NotFound(_("There is no such type of ticket."))
    return found


async def type_named(session: AsyncSession, principal: Principal, *, code: str) -> TicketType:
    """Return a type that a ticket may be opened with, without making it.

    Raises:
        NotFound: there is no such type, or it is retired.
    """
    for ticket_type in await list_types(session, principal):
        if ticket_type.code == code:
            return ticket_type
    raise NotFound(_("There is no such type of ticket."))


def in_tree(types: Collection[TicketType]) -> list[tuple[int, TicketType]]:
    """Return types with their depth, each followed by its children; a child of a retired type stands at the top."""
    codes = {ticket_type.code for ticket_type in types}
    children: dict[str | None, list[TicketType]] = {}
    for ticket_type in types:
        parent = ticket_type.parent_code if ticket_type.parent_code in codes else None
        children.setdefault(parent, []).append(ticket_type)

    def below(code: str | None, depth: int) -> list[tuple[int, TicketType]]:
        return [line for child in children.get(code, ()) for line in ((depth, child), *below(child.code, depth + 1))]

    return below(None, 0)


def to_type(row: TicketTypeRow) -> TicketType:
    """Return the type that a row holds."""
    return TicketType(
        code=row.code,
        parent_code=row.parent_code,
        kind=row.kind,
        name=Words(zh=row.name_zh, en=row.name_en),
        default_priority=Priority(row.default_priority),
        targets={
            Priority(int(level)): {Target(name): minutes for name, minutes in targets.items()}
            for level, targets in row.targets.items()
        },
        calendar=row.calendar,
        procedure=tuple(Step(code=step["code"], words=Words(zh=step["zh"], en=step["en"])) for step in row.procedure),
        skills=tuple(row.skills),
        payer=row.payer,
        keywords=tuple(row.keywords),
        is_emergency=row.is_emergency,
        needs_plan=row.needs_plan,
        rework_days=row.rework_days,
    )


async def _missing_types(session: AsyncSession, principal: Principal) -> list[TicketType]:
    known = set(
        await session.scalars(
            select(TicketTypeRow.code).where(TicketTypeRow.organisation_id == principal.organisation_id).distinct()
        )
    )
    return [ticket_type for ticket_type in DEFAULT_TYPES if ticket_type.code not in known]


async def _last_version(session: AsyncSession, principal: Principal, *, code: str) -> int:
    versions = await session.scalars(
        select(TicketTypeRow.version).where(
            TicketTypeRow.organisation_id == principal.organisation_id, TicketTypeRow.code == code
        )
    )
    return max(versions, default=0)


def _row(ticket_type: TicketType, principal: Principal, clock: Clock, *, version: int) -> TicketTypeRow:
    return TicketTypeRow(
        organisation_id=principal.organisation_id,
        code=ticket_type.code,
        parent_code=ticket_type.parent_code,
        kind=ticket_type.kind,
        version=version,
        name_zh=ticket_type.name.zh,
        name_en=ticket_type.name.en,
        default_priority=int(ticket_type.default_priority),
        targets={
            str(int(level)): {str(target): minutes for target, minutes in targets.items()}
            for level, targets in ticket_type.targets.items()
        },
        calendar=ticket_type.calendar,
        procedure=[{"code": step.code, "zh": step.words.zh, "en": step.words.en} for step in ticket_type.procedure],
        skills=list(ticket_type.skills),
        payer=ticket_type.payer,
        keywords=list(ticket_type.keywords),
        is_emergency=ticket_type.is_emergency,
        needs_plan=ticket_type.needs_plan,
        rework_days=ticket_type.rework_days,
        created_at=clock.now(),
    )


def _check(ticket_type: TicketType) -> None:
    if not ticket_type.code or len(ticket_type.code) > CODE_LENGTH:
        raise Refused(_("Give the type a code of at most %(length)d characters."), "code", length=CODE_LENGTH)
    if not (ticket_type.name.zh or ticket_type.name.en):
        raise Refused(_("Give the type a name in one of the two languages."), "name_zh")
    for priority in Priority:
        targets = ticket_type.targets.get(priority, {})
        if Target.SOLUTION not in targets or not all(1 <= each <= _LONGEST_MINUTES for each in targets.values()):
            raise Refused(_("Every priority needs a deadline between a minute and a year."), "targets")
    codes = [step.code for step in ticket_type.procedure]
    if len(set(codes)) < len(codes):
        raise Refused(_("Two steps have the same code."), "procedure")
    if not 0 <= ticket_type.rework_days <= _LONGEST_REWORK_DAYS:
        raise Refused(_("Rework counts for 0 to %(days)d days."), "rework_days", days=_LONGEST_REWORK_DAYS)


async def _check_parent(session: AsyncSession, principal: Principal, ticket_type: TicketType) -> None:
    """Refuse a parent that is not there or of another kind, a circle, and a tree that is too deep."""
    if ticket_type.parent_code is None:
        return
    types = {each.code: each for each in await list_types(session, principal)}
    parent = types.get(ticket_type.parent_code)
    if parent is None or parent.kind is not ticket_type.kind:
        raise Refused(_("Choose a type of the same kind as what it is a part of."), "parent_code")
    above = [ticket_type.code]
    while parent is not None:
        if parent.code in above or len(above) >= _DEEPEST:
            raise Refused(
                _("A type can't be a part of itself, nor lie deeper than %(deep)d."), "parent_code", deep=_DEEPEST
            )
        above.append(parent.code)
        parent = types.get(parent.parent_code) if parent.parent_code else None
