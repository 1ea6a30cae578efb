"""Rules as administrators keep them: made, changed, switched, removed, and tried on what was measured."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

import msgspec
from sqlalchemy import Select, Table, case, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.alarms.book import end, in_unit, is_judged, keep_state, terms_of
from cloud.alarms.domain import Deed, Priority
from cloud.alarms.judgement import Change, Episode, EpisodeList, Reading, State, first_state, heard, waited
from cloud.alarms.tables import RuleRow, RuleStateRow, entry, locked_rule, standing_alarm
from cloud.alarms.terms import Kind, Terms, checked, kind_of
from cloud.core import audit
from cloud.core.clock import Clock, to_us
from cloud.core.errors import Conflict, NotFound, Refused
from cloud.core.listing import Ask, Found, Listing, containing, fetch
from cloud.core.principal import Principal, Role
from cloud.core.words import Words
from cloud.fleet import service as fleet
from cloud.fleet.domain import Point
from cloud.fleet.series import SeriesStore
from firmware_configs.look.words import _
from protocols.units import UNITS, alike, symbol

TRIAL = timedelta(days=30)
_STRETCH = timedelta(days=1)
_RULES = cast("Table", RuleRow.__table__).c


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A rule as it is written.

    Attributes:
        unit: what limits and deadband are written in; the point's own, or one of the same quantity.
        name: what is abnormal, in a few words: "Office too warm or too cold".
        consequence: what happens if nobody acts.
        first_action: what to do first.
    """

    terms: Terms
    unit: str
    priority: Priority
    name: Words
    consequence: Words
    first_action: Words
    is_enabled: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule as it is kept."""

    id: int
    point_id: int
    version: int
    draft: Draft

    @property
    def kind(self) -> Kind:
        """Return which terms it has."""
        return kind_of(self.draft.terms)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What a rule would have done over the last days.

    Attributes:
        readings: how many good readings there were to judge.
    """

    episodes: Sequence[Episode]
    readings: int


async def create_rule(session: AsyncSession, clock: Clock, principal: Principal, *, point_id: int, draft: Draft) -> int:
    """Rule on a point from now on; return the rule's id.

    Readings from before that come late are judged too, as history.

    Raises:
        Refused: the terms contradict themselves or do not fit the point; `field` says where.
    """
    principal.require(Role.ADMINISTRATOR)
    point = await fleet.point(session, principal, point_id=point_id)
    _check(draft, point)
    row = RuleRow(organisation_id=principal.organisation_id, point_id=point_id, created_at=clock.now())
    _write(row, draft)
    session.add(row)
    await session.flush()
    state = RuleStateRow(
        rule_id=row.id, organisation_id=principal.organisation_id, point_id=point_id, box_id=point.box_id, past=[]
    )
    _begin(clock, row, state, draft.terms)
    session.add(state)
    audit.record(
        session, clock, principal, action="alarms.rule_created", subject=f"rule:{row.id}", after=_audited(draft)
    )
    await _watch(session, clock, principal)
    return row.id


async def change_rule(
    session: AsyncSession, clock: Clock, principal: Principal, *, rule_id: int, version: int, draft: Draft
) -> None:
    """Change a rule; its new terms judge from the newest reading on, and an alarm of the old ones ends.

    Raises:
        Conflict: somebody saved it since `version` was read.
        Refused: as for create_rule.
    """
    principal.require(Role.ADMINISTRATOR)
    row, state = await _locked(session, principal, rule_id=rule_id)
    if row.version != version:
        raise Conflict(_("Somebody else has saved this rule meanwhile. Look at their version, then change it again."))
    point = await fleet.point(session, principal, point_id=row.point_id)
    _check(draft, point)
    before = to_rule(row).draft
    starts_anew = (terms_of(row), row.unit, row.is_enabled) != (draft.terms, draft.unit, draft.is_enabled)
    _write(row, draft)
    row.version += 1
    await session.flush()
    if starts_anew:
        await _start_anew(session, clock, principal, row=row, state=state, terms=draft.terms)
    was, became = audit.changed(_audited(before), _audited(draft))
    subject = f"rule:{rule_id}"
    audit.record(session, clock, principal, action="alarms.rule_changed", subject=subject, before=was, after=became)
    await _watch(session, clock, principal)


async def remove_rule(session: AsyncSession, clock: Clock, principal: Principal, *, rule_id: int) -> None:
    """Take a rule out of force for good; its alarms stay, and one that stands ends."""
    principal.require(Role.ADMINISTRATOR)
    row, state = await _locked(session, principal, rule_id=rule_id)
    row.removed_at = clock.now()
    row.version += 1
    await session.flush()
    await _start_anew(session, clock, principal, row=row, state=state, terms=terms_of(row))
    audit.record(session, clock, principal, action="alarms.rule_removed", subject=f"rule:{rule_id}")
    await _watch(session, clock, principal)


async def rule(session: AsyncSession, principal: Principal, *, rule_id: int) -> Rule:
    """Return one rule, a removed one too.

    Raises:
        NotFound: there is none in the organisation.
    """
    row = await session.scalar(_rules(principal).where(RuleRow.id == rule_id))
    if row is None:
        raise NotFound(_("There is no such rule."))
    return to_rule(row)


async def rules_at(session: AsyncSession, principal: Principal, *, point_id: int) -> list[Rule]:
    """Return the rules at a point, the eldest first."""
    rows = await session.scalars(
        _rules(principal).where(RuleRow.point_id == point_id, RuleRow.removed_at.is_(None)).order_by(RuleRow.id)
    )
    return [to_rule(row) for row in rows]


async def list_rules(session: AsyncSession, principal: Principal, ask: Ask) -> Found[Rule]:
    """Return the organisation's rules, those that are removed left out."""
    listing = Listing(
        select=_rules(principal).where(RuleRow.removed_at.is_(None)),
        columns={
            "name": func.coalesce(func.nullif(_RULES.name_zh, ""), _RULES.name_en),
            "kind": _RULES.kind,
            "priority": _RULES.priority,
            "enabled": case((_RULES.is_enabled, 1), else_=0),
        },
        key=_RULES.id,
        order=(_RULES.priority,),
        search=containing(_RULES.name_zh, _RULES.name_en),
    )
    found = await fetch(session, listing, ask)
    return found.of([to_rule(row.RuleRow) for row in found.rows])


async def try_terms(
    session: AsyncSession,
    clock: Clock,
    series: SeriesStore,
    principal: Principal,
    *,
    point_id: int,
    terms: Terms,
    unit: str,
) -> Trial:
    """Return what the terms would have raised over the last 30 days of the point."""
    point = await fleet.point(session, principal, point_id=point_id)
    fitting = _fitting(terms, unit, point)
    end_at, found, state, readings = clock.now(), EpisodeList(), State(), 0
    start = end_at - TRIAL
    while start < end_at:
        # Day by day and in a thread: a point of one second has 2.6 million readings in a month.
        stretch = await series.read(point.id, start_us=to_us(start), end_us=to_us(min(start + _STRETCH, end_at)))
        good = [(reading.time_us, reading.value) for reading in stretch if is_judged(reading.flags)]
        state, changes = await asyncio.to_thread(_heard_all, fitting, state, good)
        found.take(changes)
        readings += len(good)
        start += _STRETCH
    found.take(waited(fitting, state, to_us(end_at))[1])
    return Trial(episodes=found.episodes, readings=readings)


def to_rule(row: RuleRow) -> Rule:
    """Return the rule that a row holds."""
    draft = Draft(
        terms=terms_of(row),
        unit=row.unit,
        priority=Priority(row.priority),
        name=Words(zh=row.name_zh, en=row.name_en),
        consequence=Words(zh=row.consequence_zh, en=row.consequence_en),
        first_action=Words(zh=row.first_action_zh, en=row.first_action_en),
        is_enabled=row.is_enabled,
    )
    return Rule(id=row.id, point_id=row.point_id, version=row.version, draft=draft)


async def _locked(session: AsyncSession, principal: Principal, *, rule_id: int) -> tuple[RuleRow, RuleStateRow]:
    found = await locked_rule(session, principal, rule_id=rule_id)
    if found is None:
        raise NotFound(_("There is no such rule."))
    return found


def _rules(principal: Principal) -> Select[RuleRow]:
    return select(RuleRow).where(RuleRow.organisation_id == principal.organisation_id)


def _write(row: RuleRow, draft: Draft) -> None:
    row.kind, row.terms, row.unit = kind_of(draft.terms), msgspec.to_builtins(draft.terms), draft.unit
    row.priority, row.is_enabled = int(draft.priority), draft.is_enabled
    row.name_zh, row.name_en = draft.name.zh, draft.name.en
    row.consequence_zh, row.consequence_en = draft.consequence.zh, draft.consequence.en
    row.first_action_zh, row.first_action_en = draft.first_action.zh, draft.first_action.en


async def _start_anew(
    session: AsyncSession, clock: Clock, principal: Principal, *, row: RuleRow, state: RuleStateRow, terms: Terms
) -> None:
    """Forget what the terms before had judged, and end what they had raised."""
    newest = (await fleet.latest(session, principal, point_ids=[row.point_id])).get(row.point_id)
    row.judged_after = newest.time if newest else None
    row.terms_version += 1
    _begin(clock, row, state, terms)
    alarm = await standing_alarm(session, organisation_id=row.organisation_id, rule_id=row.id)
    if alarm is not None:
        session.add(entry(alarm, principal, at=clock.now(), deed=Deed.RULE_CHANGED))
        await end(session, clock, alarm, at_us=to_us(max(clock.now(), alarm.raised_at)), value=None)
    await session.flush()


def _begin(clock: Clock, row: RuleRow, state: RuleStateRow, terms: Terms) -> None:
    keep_state(state, terms, first_state(terms, now_us=to_us(clock.now())))
    if not row.is_enabled or row.removed_at is not None:
        state.due_us = None


async def _watch(session: AsyncSession, clock: Clock, principal: Principal) -> None:
    """Have the fleet hand on the readings of every point that has a rule in force, and of no other."""
    in_force = select(RuleRow.point_id).where(
        RuleRow.organisation_id == principal.organisation_id, RuleRow.is_enabled, RuleRow.removed_at.is_(None)
    )
    await session.flush()
    await fleet.watch(session, clock, principal, point_ids=set(await session.scalars(in_force)))


def _audited(draft: Draft) -> dict[str, Any]:
    fields: dict[str, Any] = msgspec.to_builtins(draft)
    return fields


def _check(draft: Draft, point: Point) -> None:
    _fitting(draft.terms, draft.unit, point)
    if not (draft.name.zh or draft.name.en):
        raise Refused(_("Give the rule a name in one of the two languages."), "name_zh")


def _fitting(terms: Terms, unit: str, point: Point) -> Terms:
    """Return the terms in the point's unit.

    Raises:
        Refused: they contradict themselves, or the unit measures something else than the point.
    """
    checked(terms)
    if unit not in UNITS or not alike(unit, point.unit):
        raise Refused(
            _("The point measures in %(unit)s: write the rule in that or in a unit of the same quantity."),
            "unit",
            unit=symbol(point.unit),
        )
    return in_unit(terms, unit, point.unit)


def _heard_all(terms: Terms, state: State, readings: Sequence[Reading]) -> tuple[State, list[Change]]:
    changes: list[Change] = []
    for reading in readings:
        state, more = heard(terms, state, reading)
        changes += more
    return state, changes
