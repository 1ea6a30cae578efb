"""Who should do a ticket, and why not the others: the pure choice, which the same facts always make alike."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from cloud.core.clock import EPOCH


class Obstacle(StrEnum):
    """Why somebody can't be given a ticket."""

    NO_SKILL = "no_skill"
    CERTIFICATE_EXPIRED = "certificate_expired"  # the skill is there, its certificate was good until before the day
    OTHER_COMMUNITY = "other_community"
    AWAY = "away"  # on leave
    OFF_SHIFT = "off_shift"
    FULL = "full"  # has as many jobs as the rule allows
    ASKED = "asked"  # was offered it, and declined or let the time pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What of a ticket decides who can do it.

    Attributes:
        building_id: None where the work is in no building.
        skills: all of them are needed.
        is_emergency: load and shift do not bar; a certificate, a community and leave always do.
        asked: who said no to it, or nothing in time.
    """

    ticket_id: int
    opened_at: datetime
    community_id: int | None
    building_id: int | None = None
    skills: tuple[str, ...] = ()
    is_emergency: bool = False
    asked: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """Somebody who does repairs, as they stand at the moment of the choice.

    Attributes:
        skills: by code until which day, with it, the certificate is good; None when it never ends.
        communities: ids that they are limited to; None for all.
        post_id: the community of their shift; None when it is everywhere.
        load: jobs that they have, with those that are offered to them.
        building_id: where they worked last.
        idle_since: when they last had to do with a job; None when they never had.
    """

    person_id: int
    skills: Mapping[str, date | None]
    communities: frozenset[int] | None = None
    is_on_duty: bool = True
    post_id: int | None = None
    is_away: bool = False
    load: int = 0
    building_id: int | None = None
    idle_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Contender:
    """A candidate who can do it, with all that their place in the order follows from."""

    person_id: int
    is_on_duty: bool
    load: int
    is_near: bool
    idle_since: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A verdict on everybody.

    Attributes:
        ranked: who can do it, the best first.
        barred: who can't, with every obstacle that stands in the way.
    """

    ticket_id: int
    ranked: Sequence[Contender]
    barred: Mapping[int, tuple[Obstacle, ...]]

    @property
    def best(self) -> int | None:
        """Return who should do it; None when nobody can."""
        return self.ranked[0].person_id if self.ranked else None

    @property
    def waits_for_capacity(self) -> bool:
        """Return whether somebody could do it and only has too much to do."""
        return not self.ranked and any(obstacles == (Obstacle.FULL,) for obstacles in self.barred.values())


def choose(job: Job, candidates: Sequence[Candidate], *, cap: int, day: date) -> Choice:
    """Return the verdict on every candidate for one job; `cap` is from how many jobs on somebody is full."""
    return choose_all([job], candidates, cap=cap, day=day)[0]


def choose_all(jobs: Sequence[Job], candidates: Sequence[Candidate], *, cap: int, day: date) -> list[Choice]:
    """Return the verdicts for jobs, the oldest first; whoever is best for one has it when the next is chosen for."""
    loads = {candidate.person_id: candidate.load for candidate in candidates}
    barred: dict[_Demand, dict[int, tuple[Obstacle, ...]]] = {}
    choices = []
    for job in sorted(jobs, key=lambda job: (job.opened_at, job.ticket_id)):
        demand = (job.skills, job.community_id, job.is_emergency)
        if demand not in barred:
            barred[demand] = {each.person_id: _lasting(job, each, day) for each in candidates}
        choice = _chosen(job, candidates, barred[demand], loads, cap)
        if choice.best is not None:
            loads[choice.best] += 1
        choices.append(choice)
    return choices


_Demand = tuple[tuple[str, ...], int | None, bool]
"""What of a job decides about obstacles that no choice of the same moment changes."""


def _chosen(
    job: Job,
    candidates: Sequence[Candidate],
    lasting: Mapping[int, tuple[Obstacle, ...]],
    loads: Mapping[int, int],
    cap: int,
) -> Choice:
    ranked: list[Contender] = []
    barred: dict[int, tuple[Obstacle, ...]] = {}
    for each in candidates:
        person_id, load = each.person_id, loads[each.person_id]
        obstacles = lasting[person_id]
        if load >= cap and not job.is_emergency:
            obstacles = (*obstacles, Obstacle.FULL)
        if person_id in job.asked:
            obstacles = (*obstacles, Obstacle.ASKED)
        if obstacles:
            barred[person_id] = obstacles
        else:
            is_near = job.building_id is not None and each.building_id == job.building_id
            ranked.append(Contender(person_id, _is_there(job, each), load, is_near, each.idle_since))
    ranked.sort(key=_rank)
    return Choice(ticket_id=job.ticket_id, ranked=ranked, barred=barred)


def _lasting(job: Job, candidate: Candidate, day: date) -> tuple[Obstacle, ...]:
    """Return what bars a candidate whatever else they are given."""
    missing = [skill for skill in job.skills if skill not in candidate.skills]
    ends = [candidate.skills[skill] for skill in job.skills if skill in candidate.skills]
    found = {
        Obstacle.NO_SKILL: bool(missing),
        Obstacle.CERTIFICATE_EXPIRED: any(end is not None and end < day for end in ends),
        Obstacle.OTHER_COMMUNITY: candidate.communities is not None and job.community_id not in candidate.communities,
        Obstacle.AWAY: candidate.is_away,
        Obstacle.OFF_SHIFT: not _is_there(job, candidate) and not job.is_emergency,
    }
    return tuple(obstacle for obstacle, stands in found.items() if stands)


def _is_there(job: Job, candidate: Candidate) -> bool:
    return candidate.is_on_duty and candidate.post_id in {None, job.community_id}


def _rank(contender: Contender) -> tuple[bool, int, bool, datetime, int]:
    """Return the order: who is there, least loaded, nearest, longest idle, lowest id."""
    idle_since = contender.idle_since or EPOCH
    return not contender.is_on_duty, contender.load, not contender.is_near, idle_since, contender.person_id
