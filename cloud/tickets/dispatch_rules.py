"""The rules of dispatch as versioned data: who is full, how long one may think, who is told, and when."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.accounts import people
from cloud.alarms.domain import Priority
from cloud.core import audit
from cloud.core.clock import Clock
from cloud.core.database import hold
from cloud.core.errors import Conflict, Refused
from cloud.core.principal import Principal, Role
from cloud.tickets.dispatch_tables import DispatchRuleRow
from cloud.tickets.domain import Kind
from cloud.tickets.ladder import DEFAULT_LADDER, Rung, Whom, check_ladder
from firmware_configs.look.words import _

_CAPS = range(1, 51)
_ACCEPT_MIN = range(1, 24 * 60 + 1)
_ASKED = range(1, 21)
_QUEUE_MIN = range(1, 24 * 60 + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchRules:
    """How work finds people.

    Attributes:
        cap: from how many jobs on somebody is offered no more.
        accept_min: how many minutes somebody has to answer an offer.
        asked_at_most: after how many who did not take it a ticket is the dispatcher's.
        queue_min: after how many minutes without an owner a supervisor is called.
        kinds: which tickets are offered by themselves; the dispatcher gives the others.
        lead_ids: who leads the repairs; with none, whoever is at the front desk.
        area_ids: who is above the estate; with none, its managers.
    """

    cap: int = 5
    accept_min: Mapping[Priority, int] = field(
        default_factory=lambda: {Priority.CRITICAL: 5, Priority.HIGH: 10, Priority.MEDIUM: 30, Priority.LOW: 60}
    )
    asked_at_most: int = 3
    queue_min: int = 15
    kinds: frozenset[Kind] = frozenset({Kind.REPAIR, Kind.ALARM, Kind.INSPECTION})
    lead_ids: tuple[int, ...] = ()
    area_ids: tuple[int, ...] = ()
    ladder: tuple[Rung, ...] = DEFAULT_LADDER


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesVersion:
    """Rules as they are kept; version 0 are those of an organisation that never wrote its own."""

    version: int
    rules: DispatchRules


async def rules_in_force(session: AsyncSession, principal: Principal) -> RulesVersion:
    """Return the organisation's rules."""
    row = await _in_force(session, principal)
    return (
        RulesVersion(version=row.version, rules=to_rules(row))
        if row
        else RulesVersion(version=0, rules=DispatchRules())
    )


async def pinned(session: AsyncSession, principal: Principal, *, rules_id: int) -> DispatchRules:
    """Return the version that something began with."""
    row = await session.scalar(
        select(DispatchRuleRow).where(
            DispatchRuleRow.organisation_id == principal.organisation_id, DispatchRuleRow.id == rules_id
        )
    )
    return to_rules(row) if row else DispatchRules()


async def pin(session: AsyncSession, clock: Clock, principal: Principal) -> DispatchRuleRow:
    """Return the row in force; the default rules are written down when the organisation has never had any."""
    row = await _in_force(session, principal)
    if row is None:
        await hold(session, f"dispatch rules {principal.organisation_id}")
        row = await _in_force(session, principal) or await _keep(session, clock, principal, DispatchRules(), version=1)
    return row


async def define_rules(
    session: AsyncSession, clock: Clock, principal: Principal, rules: DispatchRules, *, version: int
) -> None:
    """Put new rules into force; what is offered already keeps its time, and every ticket its ladder.

    Raises:
        Forbidden: the principal is no manager.
        Refused: a rule makes no sense, or names somebody who does not work here.
        Conflict: somebody else wrote rules since `version` was read.
    """
    principal.require(Role.MANAGER)
    await hold(session, f"dispatch rules {principal.organisation_id}")
    before = await _in_force(session, principal)
    if (before.version if before else 0) != version:
        raise Conflict(_("Somebody else has changed the rules meanwhile. Look at them again before you go on."))
    check_rules(rules)
    await _check_people(session, principal, rules)
    if before is not None:
        before.replaced_at = clock.now()
        await session.flush()
    row = await _keep(session, clock, principal, rules, version=version + 1)
    was, is_now = audit.changed(_state(before) if before else {}, _state(row))
    subject = f"dispatch_rules:{row.version}"
    audit.record(session, clock, principal, action="tickets.dispatch_ruled", subject=subject, before=was, after=is_now)


def check_rules(rules: DispatchRules) -> None:
    """Let pass rules that work.

    Raises:
        Refused: a number is out of its range, or the ladder can't be climbed; `field` says which.
    """
    for name, value, allowed in (
        ("cap", rules.cap, _CAPS),
        ("asked_at_most", rules.asked_at_most, _ASKED),
        ("queue_min", rules.queue_min, _QUEUE_MIN),
        *((f"accept_{int(priority)}", rules.accept_min.get(priority, 0), _ACCEPT_MIN) for priority in Priority),
    ):
        if value not in allowed:
            raise Refused(_("Enter %(lowest)d to %(highest)d."), name, lowest=allowed[0], highest=allowed[-1])
    check_ladder(rules.ladder)


def to_rules(row: DispatchRuleRow) -> DispatchRules:
    """Return the rules that a row holds."""
    return DispatchRules(
        cap=row.cap,
        accept_min={Priority(int(level)): minutes for level, minutes in row.accept_min.items()},
        asked_at_most=row.asked_at_most,
        queue_min=row.queue_min,
        kinds=frozenset(Kind(kind) for kind in row.kinds),
        lead_ids=tuple(row.lead_ids),
        area_ids=tuple(row.area_ids),
        ladder=tuple(
            Rung(percent=step["percent"], whom=Whom(step["whom"]), only_emergency=step["only_emergency"])
            for step in row.ladder
        ),
    )


async def _in_force(session: AsyncSession, principal: Principal) -> DispatchRuleRow | None:
    return await session.scalar(
        select(DispatchRuleRow).where(
            DispatchRuleRow.organisation_id == principal.organisation_id, DispatchRuleRow.replaced_at.is_(None)
        )
    )


async def _keep(
    session: AsyncSession, clock: Clock, principal: Principal, rules: DispatchRules, *, version: int
) -> DispatchRuleRow:
    row = DispatchRuleRow(
        organisation_id=principal.organisation_id,
        version=version,
        cap=rules.cap,
        accept_min={str(int(priority)): minutes for priority, minutes in rules.accept_min.items()},
        asked_at_most=rules.asked_at_most,
        queue_min=rules.queue_min,
        kinds=sorted(rules.kinds),
        lead_ids=list(rules.lead_ids),
        area_ids=list(rules.area_ids),
        ladder=[
            {"percent": rung.percent, "whom": str(rung.whom), "only_emergency": rung.only_emergency}
            for rung in sorted(rules.ladder, key=lambda rung: rung.percent)
        ],
        created_at=clock.now(),
    )
    session.add(row)
    await session.flush()
    return row


async def _check_people(session: AsyncSession, principal: Principal, rules: DispatchRules) -> None:
    staff = {person.id for person in await people.list_people(session, principal) if person.is_active}
    for name, chosen in (("lead_ids", rules.lead_ids), ("area_ids", rules.area_ids)):
        if not staff.issuperset(chosen):
            raise Refused(_("Choose among the people who are offered."), name)


def _state(row: DispatchRuleRow) -> dict[str, object]:
    names = ("cap", "accept_min", "asked_at_most", "queue_min", "kinds", "lead_ids", "area_ids", "ladder")
    return {name: getattr(row, name) for name in names}
