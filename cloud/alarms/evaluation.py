"""Rules meet readings: the handler of what the fleet has taken, and the job of what falls due without a reading.

A batch costs one look-up of its points, one locked read of the states of the rules at them, and one write of each
state; only what came late reads the series.
"""

import logging
from collections import defaultdict

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.alarms.announcing import announce_of_box
from cloud.alarms.book import RuleBook, is_judged, keep_state, state_of, terms_at
from cloud.alarms.judgement import Reading, waited
from cloud.alarms.replay import judged
from cloud.alarms.tables import RuleRow, RuleStateRow, locked_due_rules, locked_rules
from cloud.alarms.terms import Terms
from cloud.core.clock import Clock, to_us
from cloud.core.principal import Principal
from cloud.fleet import service as fleet
from cloud.fleet.domain import Point, ReadingsTaken
from cloud.fleet.series import SeriesStore
from protocols.errors import UnitRefused

_AT_ONCE = 200

_log = logging.getLogger(__name__)


async def judge_readings(session: AsyncSession, clock: Clock, event: ReadingsTaken, *, series: SeriesStore) -> bool:
    """Judge a batch by every rule at its points, announce what is to be announced, return whether any alarm changed.

    Judging the same batch again changes nothing. Two workers at one rule wait for each other.
    """
    by_point: defaultdict[int, list[Reading]] = defaultdict(list)
    for point_id, time_us, value, flags in event.rows:
        if is_judged(flags):
            by_point[point_id].append((time_us, value))
    principal = Principal.system(event.organisation_id)
    rules = await locked_rules(session, organisation_id=event.organisation_id, point_ids=by_point.keys())
    points = {point.id: point for point in await fleet.points(session, principal, point_ids=by_point.keys())}
    is_changed = False
    for rule, row in rules:
        point = points[rule.point_id]
        terms = _terms(rule, point)
        if terms is None:
            continue
        book = RuleBook(session, clock, series, rule=rule, point=point, terms=terms)
        fresh = [reading for reading in by_point[point.id] if book.is_ours(reading)]
        if fresh:
            keep_state(row, terms, await judged(terms, state_of(row), fresh, book))
            row.heard_at = clock.now()
            is_changed = is_changed or book.is_changed
    await session.flush()
    is_announced = await announce_of_box(
        session,
        clock,
        organisation_id=event.organisation_id,
        box_id=event.box_id,
        is_caught_up=event.pending == 0,
    )
    return is_changed or is_announced


async def judge_due(session: AsyncSession, clock: Clock, *, series: SeriesStore) -> set[int]:
    """Let time pass for rules whose delay or silence has run out; a job, to be repeated until it returns nobody.

    Returns the organisations whose alarms changed.
    """
    now_us = to_us(clock.now())
    rules = await locked_due_rules(session, until_us=now_us, limit=_AT_ONCE)
    by_organisation: defaultdict[int, list[tuple[RuleRow, RuleStateRow]]] = defaultdict(list)
    for rule, row in rules:
        by_organisation[rule.organisation_id].append((rule, row))
    for organisation_id, theirs in by_organisation.items():
        principal = Principal.system(organisation_id)
        point_ids = {rule.point_id for rule, _ in theirs}
        points = {point.id: point for point in await fleet.points(session, principal, point_ids=point_ids)}
        for rule, row in theirs:
            await _pass_time(session, clock, series, rule=rule, row=row, point=points[rule.point_id])
        await session.flush()
        for box_id in sorted({row.box_id for _, row in theirs}):
            await announce_of_box(session, clock, organisation_id=organisation_id, box_id=box_id, is_caught_up=False)
    return set(by_organisation)


async def _pass_time(
    session: AsyncSession, clock: Clock, series: SeriesStore, *, rule: RuleRow, row: RuleStateRow, point: Point
) -> None:
    terms = _terms(rule, point)
    if terms is None:
        row.due_us = None
        return
    book = RuleBook(session, clock, series, rule=rule, point=point, terms=terms)
    state, changes = waited(terms, state_of(row), to_us(clock.now()))
    await book.change(changes)
    keep_state(row, terms, state)


def _terms(rule: RuleRow, point: Point) -> Terms | None:
    """Return the rule's terms in the point's unit; None, and a line in the log, when they no longer fit it."""
    try:
        return terms_at(rule, point)
    except UnitRefused as error:
        # The device behind the point was changed for one that measures something else: the rules page says so too.
        _log.warning("rule does not fit its point", extra={"rule_id": rule.id, "point_id": point.id, "why": str(error)})
        return None
