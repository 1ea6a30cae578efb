"""Past tickets run again under other rules: the pure replay, which the same facts always make alike.

What nobody can know is assumed, and the page says so: who was really asked for a ticket answers as they did then,
everybody else accepts after their own usual time; a job takes as long as it took, whoever does it; what people gave or
took by hand is given then, unless the rules have found somebody before; nobody gives a job back.
"""

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import IntEnum, StrEnum
from typing import NamedTuple

from cloud.alarms.domain import Priority
from cloud.calendars.domain import instant
from cloud.calendars.roster import Duty, Roster
from cloud.tickets.dispatch import Candidate, Choice, Job, Obstacle, choose
from cloud.tickets.dispatch_rules import DispatchRules
from cloud.tickets.domain import Kind

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What somebody said to an offer; `after` is None when they let its time pass."""

    accepts: bool
    after: timedelta | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A ticket as it came, and what became of it.

    Attributes:
        job: what decides who can do it.
        answers: by person, of those who were asked then.
        given_at: when somebody had it without being asked, `given_to` who; None when the search found them.
        ended_at: when it was resolved or cancelled; None while it is not.
        starts_after, takes: from being somebody's to its beginning and to its end, where that is known.
    """

    job: Job
    type_code: str
    kind: Kind
    priority: Priority
    answers: Mapping[int, Answer] = field(default_factory=dict)
    given_at: datetime | None = None
    given_to: int | None = None
    ended_at: datetime | None = None
    starts_after: timedelta | None = None
    takes: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """Somebody who did repairs; `usual` is how long they usually think before they accept."""

    candidate: Candidate
    usual: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What is replayed.

    Attributes:
        workers: with the jobs that they had when it began as their load.
        freed: when those jobs ended, and whose they were.
    """

    begins: datetime
    ends: datetime
    tickets: Sequence[Recorded]
    workers: Sequence[Worker]
    roster: Roster
    freed: Sequence[tuple[datetime, int]] = ()


class Found(StrEnum):
    """How somebody came to have a ticket."""

    OFFERED = "offered"
    GIVEN = "given"  # an emergency
    BY_HAND = "by_hand"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """What would have become of a ticket.

    Attributes:
        waited: from its opening until it was accepted; None when nobody did.
        is_called: a supervisor was called.
    """

    ticket: Recorded
    found: Found
    person_id: int | None
    waited: timedelta | None
    is_called: bool


def replay(past: Past, rules: DispatchRules) -> list[Fate]:
    """Return what would have become of every ticket under `rules`, in the order in which they came."""
    return _Replay(past, rules).run()


class _What(IntEnum):
    """What happens; of what happens at once, this comes first."""

    FREED = 0  # somebody has done a job
    STARTED = 1
    ANSWERED = 2
    GIVEN = 3  # by hand
    ENDED = 4
    OPENED = 5
    LOOKED = 6  # a shift begins or ends, or a supervisor's time has come


class _Event(NamedTuple):
    at: datetime
    what: _What
    number: int  # of the ticket; of the person for FREED of a job from before
    ticket: int
    person_id: int


@dataclass(slots=True)
class _Open:
    """A ticket that nobody has yet; `is_news` says that it must be looked at though nobody has less to do."""

    ticket: Recorded
    is_news: bool = True
    asked: set[int] = field(default_factory=set)
    offered_to: int | None = None
    waits_since: datetime | None = None
    is_called: bool = False


class _Replay:
    """One run over the past."""

    def __init__(self, past: Past, rules: DispatchRules) -> None:
        self._past = past
        self._rules = rules
        self._usual = {each.candidate.person_id: each.usual for each in past.workers}
        self._team = {each.candidate.person_id: each.candidate for each in past.workers}
        self._tickets = {each.job.ticket_id: each for each in past.tickets}
        self._open: dict[int, _Open] = {}
        self._fates: dict[int, Fate] = {}
        self._events: list[_Event] = []
        self._duties: dict[date, Sequence[Duty]] = {}
        self._is_stirred = False  # somebody has less to do, or another shift is on: all that waits is looked at

    def run(self) -> list[Fate]:
        """Let everything happen in its order, and look for people whenever something did."""
        self._foresee()
        self._change_shift(self._past.begins)
        while self._events and self._events[0].at <= self._past.ends:
            now = self._events[0].at
            while self._events and self._events[0].at == now:
                self._happen(heapq.heappop(self._events))
            self._search(now)
        for number, each in list(self._open.items()):
            self._settle(number, each, Found.NOBODY, None, None)
        return [self._fates[each.job.ticket_id] for each in self._past.tickets]

    def _foresee(self) -> None:
        past = self._past
        for each in past.tickets:
            number = each.job.ticket_id
            self._add(each.job.opened_at, _What.OPENED, number)
            if each.given_at is not None and each.given_to in self._team:
                self._add(each.given_at, _What.GIVEN, number, each.given_to)
            if each.ended_at is not None:
                self._add(each.ended_at, _What.ENDED, number)
        for at, person_id in past.freed:
            self._add(at, _What.FREED, 0, person_id)
        day = past.begins.astimezone(past.roster.zone).date() - _DAY
        while day <= past.ends.astimezone(past.roster.zone).date():
            self._duties[day] = [duty for duties in past.roster.duties(day).values() for duty in duties]
            midnight = instant(past.roster.zone, day, 0)  # when leave begins and ends
            for at in {midnight, *(moment for duty in self._duties[day] for moment in (duty.start, duty.end))}:
                if at >= past.begins:
                    self._add(at, _What.LOOKED, 0)
            day += _DAY

    def _add(self, at: datetime, what: _What, ticket: int, person_id: int | None = None) -> None:
        heapq.heappush(self._events, _Event(at, what, ticket, ticket, person_id or 0))

    def _happen(self, event: _Event) -> None:
        waiting = self._open.get(event.ticket)
        match event.what:
            case _What.OPENED:
                self._open[event.ticket] = _Open(self._tickets[event.ticket])
            case _What.ANSWERED if waiting is not None and waiting.offered_to == event.person_id:
                self._answered(event, waiting)
            case _What.GIVEN if waiting is not None:
                self._withdraw(waiting)
                self._have(event.at, event.ticket, waiting, event.person_id, Found.BY_HAND)
            case _What.ENDED if waiting is not None and self._is_over(waiting, event.at):
                self._withdraw(waiting)
                self._settle(event.ticket, waiting, Found.NOBODY, None, None)
            case _What.STARTED:
                self._touch(event.person_id, event.at, building_id=self._tickets[event.ticket].job.building_id)
            case _What.FREED:
                building_id = self._tickets[event.ticket].job.building_id if event.ticket else None
                self._touch(event.person_id, event.at, building_id=building_id)
                self._load(event.person_id, -1)
            case _What.LOOKED if not event.ticket:
                self._change_shift(event.at)
            case _What.LOOKED if waiting is not None:
                waiting.is_news = True
            case _:
                pass  # its time has come, and it matters no more

    def _is_over(self, waiting: _Open, at: datetime) -> bool:
        """Return whether a ticket that was never done by anybody is not wanted any more."""
        return waiting.ticket.takes is None and waiting.ticket.ended_at == at

    def _answered(self, event: _Event, waiting: _Open) -> None:
        accepts, _after = self._answer(waiting.ticket, event.person_id)
        self._withdraw(waiting)
        if accepts:
            self._have(event.at, event.ticket, waiting, event.person_id, Found.OFFERED)
        else:
            waiting.asked.add(event.person_id)
            waiting.is_news = True

    def _answer(self, ticket: Recorded, person_id: int) -> tuple[bool, timedelta]:
        """Return whether somebody accepts an offer, and when it is over; who thinks for too long does not."""
        said = ticket.answers.get(person_id) or Answer(accepts=True, after=self._usual[person_id])
        limit = timedelta(minutes=self._rules.accept_min[ticket.priority])
        if said.after is None or said.after >= limit:
            return False, limit
        return said.accepts, said.after

    def _withdraw(self, waiting: _Open) -> None:
        if waiting.offered_to is not None:
            self._load(waiting.offered_to, -1)
            waiting.offered_to = None

    def _have(self, at: datetime, number: int, waiting: _Open, person_id: int, found: Found) -> None:
        """Let somebody have a ticket, begin it and end it."""
        ticket = waiting.ticket
        self._settle(number, waiting, found, person_id, at - ticket.job.opened_at)
        self._load(person_id, +1)
        self._touch(person_id, at)
        if ticket.starts_after is not None:
            self._add(at + ticket.starts_after, _What.STARTED, number, person_id)
        if ticket.takes is not None:
            self._add(at + ticket.takes, _What.FREED, number, person_id)

    def _settle(
        self, number: int, waiting: _Open, found: Found, person_id: int | None, waited: timedelta | None
    ) -> None:
        self._open.pop(number, None)
        self._fates[number] = Fate(
            ticket=waiting.ticket, found=found, person_id=person_id, waited=waited, is_called=waiting.is_called
        )

    def _load(self, person_id: int, jobs: int) -> None:
        one = self._team[person_id]
        self._team[person_id] = replace(one, load=one.load + jobs)
        self._is_stirred = self._is_stirred or jobs < 0

    def _touch(self, person_id: int, at: datetime, *, building_id: int | None = None) -> None:
        one = self._team[person_id]
        self._team[person_id] = replace(one, idle_since=at, building_id=building_id or one.building_id)

    def _search(self, now: datetime) -> None:
        """Look at what nobody is asked for, the oldest first: at all of it where that can find somebody."""
        looked = [
            each for each in self._open.values() if each.offered_to is None and (self._is_stirred or each.is_news)
        ]
        day = now.astimezone(self._past.roster.zone).date()
        in_vain: dict[object, Choice] = {}  # jobs of one demand fare alike once one of them found nobody
        self._is_stirred = False
        for each in looked:
            each.is_news = False
            if self._is_by_hand(each):
                self._wait(now, each)
                continue
            job = replace(each.ticket.job, asked=frozenset(each.asked))
            demand = (job.skills, job.community_id, job.is_emergency, job.asked)
            choice = in_vain.get(demand) or choose(job, list(self._team.values()), cap=self._rules.cap, day=day)
            if choice.best is None:
                in_vain[demand] = choice
            self._follow(now, each, choice)

    def _is_by_hand(self, each: _Open) -> bool:
        if each.ticket.job.is_emergency:
            return False
        return each.ticket.kind not in self._rules.kinds or len(each.asked) >= self._rules.asked_at_most

    def _change_shift(self, now: datetime) -> None:
        """Let everybody come and go as the roster has it."""
        today = now.astimezone(self._past.roster.zone).date()
        duties = [duty for day in (today - _DAY, today) for duty in self._duties.get(day, ())]
        there = {duty.person_id: duty for duty in sorted(duties, key=_end_of) if duty.start <= now < duty.end}
        on_leave = self._past.roster.leave(today)
        for person_id, one in self._team.items():
            duty = there.get(person_id)
            self._team[person_id] = replace(
                one,
                is_on_duty=duty is not None,
                post_id=duty.community_id if duty else None,
                is_away=person_id in on_leave and duty is None,
            )
        self._is_stirred = True

    def _follow(self, now: datetime, each: _Open, choice: Choice) -> None:
        number, best = each.ticket.job.ticket_id, choice.best
        if best is None:
            self._wait(now, each, at_once=not _can_wait(choice))
        elif each.ticket.job.is_emergency:
            self._have(now, number, each, best, Found.GIVEN)
        else:
            each.offered_to, each.waits_since = best, None
            self._load(best, +1)
            _accepts, after = self._answer(each.ticket, best)
            self._add(now + after, _What.ANSWERED, number, best)

    def _wait(self, now: datetime, each: _Open, *, at_once: bool = False) -> None:
        """Note that nobody is found, and call a supervisor at once or when it has lasted."""
        patience = timedelta(minutes=self._rules.queue_min)
        if each.waits_since is None:
            each.waits_since = now
            self._add(now + patience, _What.LOOKED, each.ticket.job.ticket_id)
        each.is_called = each.is_called or at_once or now - each.waits_since >= patience


def _end_of(duty: Duty) -> datetime:
    return duty.end


def _can_wait(choice: Choice) -> bool:
    """Return whether a supervisor need not be called at once: somebody only has too much to do, or said no."""
    return choice.waits_for_capacity or any(each == (Obstacle.ASKED,) for each in choice.barred.values())
