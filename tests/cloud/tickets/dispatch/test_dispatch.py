from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.tickets.dispatch import Candidate, Choice, Job, Obstacle, choose, choose_all

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
TODAY = date(2026, 3, 2)
CAP = 3

LEAK = Job(ticket_id=1, opened_at=NOW, community_id=1, building_id=10, skills=("plumber",))
PLUMBER = Candidate(person_id=1, skills={"plumber": None})


def verdict(job: Job, *candidates: Candidate) -> Choice:
    return choose(job, candidates, cap=CAP, day=TODAY)


@pytest.mark.parametrize(
    ("changes", "obstacles"),
    [
        pytest.param({}, (), id="nothing bars"),
        pytest.param({"skills": {"locksmith": None}}, (Obstacle.NO_SKILL,), id="no skill"),
        pytest.param({"skills": {"plumber": TODAY}}, (), id="certificate good until today"),
        pytest.param(
            {"skills": {"plumber": TODAY - timedelta(days=1)}},
            (Obstacle.CERTIFICATE_EXPIRED,),
            id="good until yesterday",
        ),
        pytest.param({"communities": frozenset({1})}, (), id="limited to this community"),
        pytest.param({"communities": frozenset({2})}, (Obstacle.OTHER_COMMUNITY,), id="limited to another"),
        pytest.param({"is_away": True}, (Obstacle.AWAY,), id="on leave"),
        pytest.param({"is_on_duty": False}, (Obstacle.OFF_SHIFT,), id="off shift"),
        pytest.param({"post_id": 1}, (), id="on shift here"),
        pytest.param({"post_id": 2}, (Obstacle.OFF_SHIFT,), id="on shift in another community"),
        pytest.param({"load": CAP - 1}, (), id="one below the cap"),
        pytest.param({"load": CAP}, (Obstacle.FULL,), id="at the cap"),
        pytest.param(
            {"is_on_duty": False, "load": CAP}, (Obstacle.OFF_SHIFT, Obstacle.FULL), id="every obstacle is said"
        ),
    ],
)
def test_a_candidate_is_barred_by(changes: dict[str, object], obstacles: tuple[Obstacle, ...]) -> None:
    choice = verdict(LEAK, replace(PLUMBER, **changes))
    assert choice.barred.get(1, ()) == obstacles
    assert choice.best == (None if obstacles else 1)


@pytest.mark.parametrize(
    ("changes", "is_chosen"),
    [
        pytest.param({"load": CAP + 5}, True, id="load is relaxed"),
        pytest.param({"is_on_duty": False}, True, id="shift is relaxed"),
        pytest.param({"skills": {"plumber": TODAY - timedelta(days=1)}}, False, id="never a certificate"),
        pytest.param({"skills": {}}, False, id="never a skill"),
        pytest.param({"communities": frozenset({2})}, False, id="never a community"),
        pytest.param({"is_away": True}, False, id="never a leave"),
    ],
)
def test_in_an_emergency(changes: dict[str, object], is_chosen: bool) -> None:
    choice = verdict(replace(LEAK, is_emergency=True), replace(PLUMBER, **changes))
    assert (choice.best == 1) is is_chosen


def test_an_emergency_goes_to_who_is_on_duty_before_who_has_less_to_do() -> None:
    resting = replace(PLUMBER, person_id=1, is_on_duty=False)
    busy = replace(PLUMBER, person_id=2, load=9)
    assert verdict(replace(LEAK, is_emergency=True), resting, busy).best == 2


EARLIER, LATER = NOW - timedelta(hours=5), NOW - timedelta(hours=1)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param({"load": 0, "building_id": 11}, {"load": 1, "building_id": 10}, id="least loaded before nearest"),
        pytest.param(
            {"building_id": 10, "idle_since": LATER},
            {"building_id": 11, "idle_since": EARLIER},
            id="nearest before idle",
        ),
        pytest.param({"idle_since": EARLIER}, {"idle_since": LATER}, id="longest idle"),
        pytest.param({"idle_since": None}, {"idle_since": EARLIER}, id="who never had a job is idle longest"),
    ],
)
def test_the_order_is(first: dict[str, object], second: dict[str, object]) -> None:
    better, worse = replace(PLUMBER, person_id=9, **first), replace(PLUMBER, person_id=2, **second)
    assert [contender.person_id for contender in verdict(LEAK, worse, better).ranked] == [9, 2]


def test_of_equals_the_lowest_id_is_first() -> None:
    equals = [replace(PLUMBER, person_id=number) for number in (3, 1, 2)]
    assert [contender.person_id for contender in verdict(LEAK, *equals).ranked] == [1, 2, 3]


def test_work_in_no_building_is_near_to_nobody() -> None:
    outdoors = replace(LEAK, building_id=None)
    assert [contender.is_near for contender in verdict(outdoors, replace(PLUMBER, building_id=None)).ranked] == [False]


def test_who_said_no_is_not_asked_again() -> None:
    second = replace(PLUMBER, person_id=2, load=2)
    choice = verdict(replace(LEAK, asked=frozenset({1})), PLUMBER, second)
    assert (choice.best, choice.barred) == (2, {1: (Obstacle.ASKED,)})


@pytest.mark.parametrize(
    ("changes", "waits"),
    [
        pytest.param({"load": CAP}, True, id="full"),
        pytest.param({"load": CAP, "is_on_duty": False}, False, id="full and at home"),
        pytest.param({"skills": {}}, False, id="without the skill"),
    ],
)
def test_a_job_waits_for_capacity_when_that_is_all_that_lacks(changes: dict[str, object], waits: bool) -> None:
    assert verdict(LEAK, replace(PLUMBER, **changes)).waits_for_capacity is waits


def test_the_oldest_ticket_is_first_when_capacity_frees() -> None:
    waiting = [
        replace(LEAK, ticket_id=number, opened_at=NOW + timedelta(minutes=at)) for number, at in ((1, 9), (2, 3))
    ]
    choices = choose_all(waiting, [replace(PLUMBER, load=CAP - 1)], cap=CAP, day=TODAY)
    assert [(choice.ticket_id, choice.best) for choice in choices] == [(2, 1), (1, None)]


_DAYS = st.none() | st.dates(TODAY - timedelta(days=3), TODAY + timedelta(days=3))
_SKILLS = st.sampled_from(["plumber", "electrician", "lift"])
_CANDIDATES = st.lists(
    st.builds(
        Candidate,
        person_id=st.integers(1, 40),
        skills=st.dictionaries(_SKILLS, _DAYS),
        communities=st.none() | st.frozensets(st.integers(1, 3)),
        is_on_duty=st.booleans(),
        post_id=st.none() | st.integers(1, 3),
        is_away=st.booleans(),
        load=st.integers(0, 4),
        building_id=st.none() | st.integers(10, 12),
        idle_since=st.none() | st.integers(0, 90).map(lambda days: NOW - timedelta(days=days)),
    ),
    max_size=12,
    unique_by=lambda candidate: candidate.person_id,
)
_JOBS = st.lists(
    st.builds(
        Job,
        ticket_id=st.integers(1, 40),
        opened_at=st.integers(0, 90).map(lambda days: NOW - timedelta(days=days)),
        community_id=st.integers(1, 3),
        building_id=st.none() | st.integers(10, 12),
        skills=st.lists(_SKILLS, max_size=2, unique=True).map(tuple),
        is_emergency=st.booleans(),
        asked=st.frozensets(st.integers(1, 40), max_size=3),
    ),
    max_size=12,
    unique_by=lambda job: job.ticket_id,
)


@given(jobs=_JOBS, candidates=_CANDIDATES, data=st.data())
def test_the_order_in_which_facts_are_read_changes_nothing(
    jobs: list[Job], candidates: list[Candidate], data: st.DataObject
) -> None:
    shuffled_jobs = data.draw(st.permutations(jobs))
    shuffled_candidates = data.draw(st.permutations(candidates))
    assert choose_all(jobs, candidates, cap=CAP, day=TODAY) == choose_all(
        shuffled_jobs, shuffled_candidates, cap=CAP, day=TODAY
    )


@given(jobs=_JOBS, candidates=_CANDIDATES)
def test_everybody_gets_a_verdict_and_nobody_uncertified_a_job(jobs: list[Job], candidates: list[Candidate]) -> None:
    people = {candidate.person_id: candidate for candidate in candidates}
    by_id = {job.ticket_id: job for job in jobs}
    for choice in choose_all(jobs, candidates, cap=CAP, day=TODAY):
        ranked = {contender.person_id for contender in choice.ranked}
        assert ranked.isdisjoint(choice.barred)
        assert ranked | set(choice.barred) == set(people)
        ends = [people[person_id].skills[skill] for person_id in ranked for skill in by_id[choice.ticket_id].skills]
        assert all(end is None or end >= TODAY for end in ends)


@given(jobs=_JOBS, candidates=_CANDIDATES)
def test_nobody_ends_above_the_cap_but_by_an_emergency(jobs: list[Job], candidates: list[Candidate]) -> None:
    ordinary = [job for job in jobs if not job.is_emergency]
    given_to = Counter(choice.best for choice in choose_all(ordinary, candidates, cap=CAP, day=TODAY))
    assert all(candidate.load + given_to[candidate.person_id] <= max(CAP, candidate.load) for candidate in candidates)


@given(count=st.integers(1, 12), jobs=st.integers(0, 60))
def test_over_a_run_equals_get_equally_much(count: int, jobs: int) -> None:
    equals = [replace(PLUMBER, person_id=number) for number in range(1, count + 1)]
    run = [replace(LEAK, ticket_id=number, opened_at=NOW + timedelta(minutes=number)) for number in range(jobs)]
    given_to = Counter(choice.best for choice in choose_all(run, equals, cap=100, day=TODAY))
    shares = [given_to[candidate.person_id] for candidate in equals]
    assert max(shares) - min(shares) <= 1
