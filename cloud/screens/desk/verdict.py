"""A verdict in the reader's language: why this person, why not the others, and how everybody stands."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from cloud.accounts.phones import shown
from cloud.screens.desk.dispatch_words import OBSTACLES
from cloud.tickets.dispatch import Choice, Contender, Obstacle
from cloud.tickets.duty import Worker
from cloud.tickets.skills import Certified, forbidden_by, skill_name
from cloud.web import words
from cloud.web.pages import Page
from firmware_configs.look.words import _

Reason = str
"""A few words in the reader's language."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What is said of one person for one ticket.

    Attributes:
        place: 1 for the best, 0 for who can't.
        may_have: the dispatcher may give it to them all the same: they see its community, and no certificate that
            the law wants is missing or has ended.
    """

    person_id: int
    name: str
    place: int
    reasons: tuple[Reason, ...]
    may_have: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Skilled:
    """A skill as it is drawn."""

    name: str
    certified: Certified
    has_expired: bool
    expires_soon: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """Somebody who does repairs, as they are drawn."""

    worker: Worker
    phone: str
    load: int
    cap: int
    skills: Sequence[Skilled]

    @property
    def is_there(self) -> bool:
        """Return whether they are on shift and not on leave."""
        return self.worker.candidate.is_on_duty and not self.worker.candidate.is_away


def reason_of(page: Page, choice: Choice, *, cap: int) -> tuple[Reason, ...]:
    """Return why the best is the best, or, when there is none, what keeps how many from it."""
    if choice.ranked:
        return _why(page, choice.ranked[0], cap=cap)
    counted = Counter(obstacle for obstacles in choice.barred.values() for obstacle in obstacles)
    return tuple(f"{count} × {page.say(OBSTACLES[obstacle])}" for obstacle, count in counted.most_common())


def verdict_lines(
    page: Page, choice: Choice, team: Mapping[int, Worker], *, cap: int, needed: Collection[str], today: date
) -> list[Verdict]:
    """Return what is said of everybody for a ticket that needs skills, the best first, then who can't, by name."""
    can = [
        Verdict(
            person_id=each.person_id,
            name=team[each.person_id].person.name,
            place=place,
            reasons=_why(page, each, cap=cap),
        )
        for place, each in enumerate(choice.ranked, start=1)
    ]
    cannot = [
        Verdict(
            person_id=person_id,
            name=worker.person.name,
            place=0,
            reasons=tuple(page.say(OBSTACLES[obstacle]) for obstacle in choice.barred[person_id]),
            may_have=Obstacle.OTHER_COMMUNITY not in choice.barred[person_id]
            and forbidden_by(needed, worker.skills, day=today) is None,
        )
        for person_id, worker in team.items()
        if person_id in choice.barred
    ]
    return can + cannot


def team_of(page: Page, workers: Collection[Worker], *, cap: int, today: date) -> list[Team]:
    """Return everybody, who is there first, who has least to do first."""
    drawn = [
        Team(
            worker=worker,
            phone=shown(worker.person.phone) if worker.person.phone else "",
            load=worker.candidate.load,
            cap=cap,
            skills=[skilled(page, each, today=today) for each in worker.skills],
        )
        for worker in workers
    ]
    return sorted(drawn, key=lambda each: (not each.is_there, each.load, each.worker.person.name))


def skilled(page: Page, certified: Certified, *, today: date) -> Skilled:
    """Return a skill as it is drawn."""
    return Skilled(
        name=words.written(skill_name(certified.skill), page.reader.locale),
        certified=certified,
        has_expired=certified.has_expired(today),
        expires_soon=certified.expires_soon(today),
    )


def _why(page: Page, contender: Contender, *, cap: int) -> tuple[Reason, ...]:
    said = [page.say(_("%(load)d of %(cap)d jobs"), load=contender.load, cap=cap)]
    if contender.is_near:
        said.append(page.say(_("was in this building last")))
    if not contender.is_on_duty:
        said.append(page.say(_("not on shift")))
    return tuple(said)
