"""A hand-made month under one set of rules and another, and a month that really ran."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from cloud.alarms.domain import Priority
from cloud.calendars.domain import DAY_MIN, Window
from cloud.calendars.roster import Roster, Shift, ShiftTerms
from cloud.core.principal import Role
from cloud.tickets.dispatch import Candidate, Job
from cloud.tickets.dispatch_rules import DispatchRules
from cloud.tickets.domain import Kind
from cloud.tickets.offers import accept, decline
from cloud.tickets.recorded import read_past
from cloud.tickets.simulated import compare, figures
from cloud.tickets.simulating import Answer, Fate, Found, Past, Recorded, Worker, replay
from tests.cloud.tickets.dispatch.team import EMERGENCY, Team

BEGINS = datetime(2026, 3, 2, 0, 0, tzinfo=UTC)
RULES = DispatchRules(cap=2, asked_at_most=2, queue_min=15)
QUICK = timedelta(minutes=2)
ALL_DAY = (0, DAY_MIN)
MORNING = (8 * 60, 12 * 60)


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


def recorded(number: int, after: float, **changes: Any) -> Recorded:
    """Return a repair that came so many minutes after the beginning."""
    job = {name: changes.pop(name) for name in ("skills", "is_emergency", "building_id") if name in changes}
    ticket = {"type_code": "water_off", "kind": Kind.REPAIR, "priority": Priority.MEDIUM, **changes}
    return Recorded(job=Job(ticket_id=number, opened_at=BEGINS + minutes(after), community_id=1, **job), **ticket)


def worker(number: int, *, usual: timedelta = QUICK, **changes: Any) -> Worker:
    return Worker(candidate=Candidate(person_id=number, skills={"plumbing": None}, **changes), usual=usual)


def past(*tickets: Recorded, workers: list[Worker], hours: tuple[int, int] = ALL_DAY, **changes: Any) -> Past:
    terms = ShiftTerms(weekdays=frozenset(range(7)), windows=(Window(*hours),), since=date(2026, 1, 1))
    shifts = [Shift(id=each.candidate.person_id, person_id=each.candidate.person_id, terms=terms) for each in workers]
    return Past(
        begins=BEGINS,
        ends=BEGINS + timedelta(days=1),
        tickets=tickets,
        workers=workers,
        roster=Roster(zone=ZoneInfo("UTC"), shifts=shifts, dated=(), leaves=()),
        **changes,
    )


def told(fate: Fate) -> tuple[Found, int | None, timedelta | None, bool]:
    return fate.found, fate.person_id, fate.waited, fate.is_called


def test_who_was_never_asked_accepts_after_their_usual_time() -> None:
    (fate,) = replay(past(recorded(1, 10), workers=[worker(7)]), RULES)
    assert told(fate) == (Found.OFFERED, 7, QUICK, False)


def test_who_was_asked_answers_as_they_did() -> None:
    refused = {1: Answer(accepts=False, after=minutes(4)), 2: Answer(accepts=True, after=minutes(3))}
    (fate,) = replay(past(recorded(1, 10, answers=refused), workers=[worker(1), worker(2)]), RULES)
    assert told(fate) == (Found.OFFERED, 2, minutes(7), False)


def test_a_shorter_time_to_accept_passes_over_who_thinks_longer() -> None:
    month = past(recorded(1, 10), workers=[worker(1, usual=minutes(20)), worker(2)])
    hasty = replace(RULES, accept_min=dict.fromkeys(Priority, 5))
    assert [told(fate) for rules in (RULES, hasty) for fate in replay(month, rules)] == [
        (Found.OFFERED, 1, minutes(20), False),
        (Found.OFFERED, 2, minutes(7), False),
    ]


def test_a_lower_cap_makes_the_third_job_wait_until_one_is_done() -> None:
    jobs = [recorded(number, number, takes=minutes(60)) for number in (1, 2, 3)]
    month = past(*jobs, workers=[worker(1)])
    third = [replay(month, replace(RULES, cap=cap))[2] for cap in (3, 2)]
    assert [told(fate) for fate in third] == [
        (Found.OFFERED, 1, QUICK, False),
        (Found.OFFERED, 1, minutes(62), True),  # the first was accepted in minute 3 and done in minute 63
    ]


def test_what_came_first_has_the_hour_that_is_free() -> None:
    jobs = [recorded(number, number, takes=minutes(60)) for number in (1, 2, 3)]
    fates = replay(past(*jobs, workers=[worker(1)]), replace(RULES, cap=1))
    assert [fate.waited for fate in fates] == [QUICK, minutes(63), minutes(124)]


def test_at_night_it_waits_for_the_shift_and_a_supervisor_is_called() -> None:
    (fate,) = replay(past(recorded(1, 7 * 60), workers=[worker(1)], hours=MORNING), RULES)
    assert told(fate) == (Found.OFFERED, 1, minutes(62), True)


def test_an_emergency_is_given_at_once_to_whoever_is_there() -> None:
    burst = recorded(1, 10, is_emergency=True)
    (fate,) = replay(past(burst, workers=[worker(1, load=9), worker(2, load=8)]), RULES)
    assert told(fate) == (Found.GIVEN, 2, timedelta(0), False)


def test_nobody_with_the_skill_is_nobody() -> None:
    (fate,) = replay(past(recorded(1, 10, skills=("lift",)), workers=[worker(1)]), RULES)
    assert told(fate) == (Found.NOBODY, None, None, True)


def test_a_kind_that_is_given_by_hand_is_given_as_it_was() -> None:
    by_hand = recorded(1, 10, kind=Kind.COMPLAINT, given_at=BEGINS + minutes(40), given_to=1)
    (fate,) = replay(past(by_hand, workers=[worker(1)]), RULES)
    assert told(fate) == (Found.BY_HAND, 1, minutes(30), True)


def test_after_so_many_who_did_not_take_it_it_is_the_dispatchers() -> None:
    silent = dict.fromkeys((1, 2, 3), Answer(accepts=False, after=None))
    month = past(recorded(1, 10, answers=silent), workers=[worker(number) for number in (1, 2, 3, 4)])
    assert [replay(month, replace(RULES, asked_at_most=most))[0].person_id for most in (2, 4)] == [None, 4]


def test_what_was_cancelled_unowned_wants_nobody_any_more() -> None:
    gone = recorded(1, 7 * 60, ended_at=BEGINS + minutes(7 * 60 + 30))
    (fate,) = replay(past(gone, workers=[worker(1)], hours=MORNING), RULES)
    assert fate.found is Found.NOBODY


def test_what_came_at_the_very_end_has_nobody_yet() -> None:
    (fate,) = replay(past(recorded(1, 24 * 60), workers=[worker(1)]), RULES)
    assert told(fate) == (Found.NOBODY, None, None, False)


def test_jobs_from_before_keep_people_busy_until_they_end() -> None:
    month = past(recorded(1, 10), workers=[worker(1, load=2)], freed=[(BEGINS + minutes(20), 1)])
    (fate,) = replay(month, RULES)
    assert fate.waited == minutes(12)


def test_figures_are_nearest_ranks_over_what_the_rules_found() -> None:
    waits = [minutes(number) for number in range(1, 11)]
    found = [
        Fate(ticket=recorded(1, 0), found=Found.OFFERED, person_id=1, waited=wait, is_called=False) for wait in waits
    ]
    missed = Fate(ticket=recorded(2, 0), found=Found.NOBODY, person_id=None, waited=None, is_called=True)
    by_hand = Fate(ticket=recorded(3, 0), found=Found.BY_HAND, person_id=2, waited=minutes(90), is_called=True)
    told_of = figures([*found, missed, by_hand], team=(1, 2, 3))
    assert (told_of.tickets, told_of.found, told_of.by_hand, told_of.nobody, told_of.called) == (12, 10, 1, 1, 2)
    assert (told_of.median, told_of.slowest_tenth) == (minutes(5), minutes(9))
    assert (told_of.least, told_of.most) == (0, 10)


def test_both_rules_stand_side_by_side_by_type_and_community() -> None:
    jobs = [recorded(number, number, takes=minutes(60)) for number in (1, 2)]
    jobs.append(recorded(3, 3, type_code="power_off", skills=("lift",)))
    told_of = compare(past(*jobs, workers=[worker(1)]), RULES, replace(RULES, cap=1))
    assert [each.found for each in told_of.overall] == [2, 2]
    assert [each.slowest_tenth for each in told_of.overall] == [QUICK, minutes(63)]
    assert [(code, before.found, after.nobody) for code, before, after in told_of.by_type] == [
        ("water_off", 2, 0),
        ("power_off", 0, 1),
    ]
    assert [(community_id, before.called) for community_id, before, _after in told_of.by_community] == [(1, 1)]


async def _live(team: Team) -> list[int]:
    """Let an afternoon pass under the rules in force, and return its tickets."""
    first, second = await team.add("张三"), await team.add("王五")
    people = {person.person_id: person for person in (first, second)}
    await team.rule(cap=2)
    ticket_ids = []
    for number in range(5):
        ticket_ids.append(await team.open(EMERGENCY if number == 3 else "water_off"))
        await team.go_on(minutes=3)
        asked = (await team.offers(ticket_ids[-1]))[-1:]
        if number == 1:
            await team.do(decline, people[asked[0].person_id], offer_id=asked[0].id, reason="忙")
            asked = (await team.offers(ticket_ids[-1]))[-1:]
        if number == 2:
            await team.go_on(minutes=9)  # its time passes
        if number in {0, 1, 4}:
            await team.do(accept, people[asked[0].person_id], offer_id=asked[0].id)
        await team.go_on(minutes=5)
        if number == 1:
            await team.finish(ticket_ids[0])
    await team.go_on(minutes=30)
    return ticket_ids


async def test_the_rules_that_a_month_ran_under_give_the_assignments_that_it_had(team: Team) -> None:
    ticket_ids = await _live(team)
    manager = team.site.estate.principals[Role.MANAGER]
    async with team.site.database.reading() as session:
        kept = await read_past(session, team.site.clock, manager)
    fates = replay(kept.past, DispatchRules(cap=2))
    was = [(await team.see(ticket_id)).assignee_id for ticket_id in ticket_ids]
    assert kept.total == len(ticket_ids)
    assert [fate.person_id for fate in fates] == was
    assert len([person_id for person_id in was if person_id is not None]) >= 4
