"""Who should do a ticket, and why not the others: the pure choice, which the same facts always make alike."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple

from cloud.core.clock import to_us


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


class Contender(NamedTuple):
    """A candidate who can do it, with all that their place in the order follows from.

    A tuple, since it is kept as it is, once for every choice in which somebody stands.

    Attributes:
        idle_us: since when they have had nothing to do with a job, in microseconds since 1970; None for ever.
    """

    person_id: int
    is_on_duty: bool
    load: int
    is_near: bool
    idle_us: int | None


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
    fields: dict[_Demand, _Field] = {}
    choices = []
    for job in sorted(jobs, key=lambda job: (job.opened_at, job.ticket_id)):
        demand = (job.skills, job.community_id, job.is_emergency)
        if demand not in fields:
            fields[demand] = _Field.of(job, candidates, day)
        choice = fields[demand].choose(job, loads, cap)
        if choice.best is not None:
            loads[choice.best] += 1
        choices.append(choice)
    return choices


_Place = tuple[bool, int, bool, int, int]
_Ranked = tuple[_Place, Contender]

_Demand = tuple[tuple[str, ...], int | None, bool]
"""What of a job decides about obstacles that no choice of the same moment changes."""


@dataclass(frozen=True, slots=True)
class _Able:
    """Somebody who may be given jobs of a demand unless they have too much to do.

    Attributes:
        verdicts: what was made of them already, by load and nearness: the same objects stand in many choices.
    """

    candidate: Candidate
    is_there: bool
    idle_us: int | None
    verdicts: dict[tuple[int, bool], "_Ranked"] = field(default_factory=dict)

    def ranked(self, load: int, building_id: int | None) -> "_Ranked":
        """Return how they stand among the others with so many jobs."""
        is_near = building_id is not None and self.candidate.building_id == building_id
        known = self.verdicts.get((load, is_near))
        if known is None:
            contender = Contender(self.candidate.person_id, self.is_there, load, is_near, self.idle_us)
            known = self.verdicts[load, is_near] = (_rank(contender), contender)
        return known


@dataclass(frozen=True, slots=True)
class _Field:
    """The candidates for jobs of one demand, judged once for all of them.

    Attributes:
        able: by person; who has too much to do is among them.
        barred: whom something bars whatever else they are given.
    """

    able: Mapping[int, _Able]
    barred: Mapping[int, tuple[Obstacle, ...]]

    @classmethod
    def of(cls, job: Job, candidates: Sequence[Candidate], day: date) -> "_Field":
        """Return the field of the job's demand."""
        barred = {each.person_id: obstacles for each in candidates if (obstacles := _lasting(job, each, day))}
        able = {
            each.person_id: _Able(each, _is_there(job, each), to_us(each.idle_since) if each.idle_since else None)
            for each in candidates
            if each.person_id not in barred
        }
        return cls(able, barred)

    def choose(self, job: Job, loads: Mapping[int, int], cap: int) -> Choice:
        """Return the verdict on everybody for one of the jobs."""
        full = frozenset() if job.is_emergency else frozenset(each for each in loads if loads[each] >= cap)
        barred = {
            person_id: (*lasting, *_passing(person_id, full, job.asked)) for person_id, lasting in self.barred.items()
        }
        ranked = []
        for person_id, each in self.able.items():
            if person_id in full or person_id in job.asked:
                barred[person_id] = _passing(person_id, full, job.asked)
            else:
                ranked.append(each.ranked(loads[person_id], job.building_id))
        ranked.sort()
        return Choice(ticket_id=job.ticket_id, ranked=[contender for _place, contender in ranked], barred=barred)


def _passing(person_id: int, full: frozenset[int], asked: frozenset[int]) -> tuple[Obstacle, ...]:
    """Return what bars somebody at the moment."""
    return (*((Obstacle.FULL,) if person_id in full else ()), *((Obstacle.ASKED,) if person_id in asked else ()))


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


def _rank(each: Contender) -> _Place:
    """Return the order: who is there, least loaded, nearest, longest idle, lowest id."""
    idle_us = -1 if each.idle_us is None else each.idle_us
    return not each.is_on_duty, each.load, not each.is_near, idle_us, each.person_id
