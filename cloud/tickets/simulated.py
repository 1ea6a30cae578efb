"""What a replay comes to: how many found somebody, how long they waited, how evenly the work lies."""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Hashable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import ceil
from typing import TypeVar

from cloud.tickets.dispatch_rules import DispatchRules
from cloud.tickets.simulating import Fate, Found, Past, replay

_Key = TypeVar("_Key", bound=Hashable)

_FOUND_BY_RULE = frozenset({Found.OFFERED, Found.GIVEN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What would have become of some tickets.

    Attributes:
        found: for how many the rules found somebody, `by_hand` how many people gave or took.
        median, slowest_tenth: waiting until accepted, of those that the rules found somebody for: half and nine in
            ten of them waited no longer; None when there are none.
        called: for how many a supervisor was called.
        least, most: jobs of whoever got the fewest and the most.
    """

    tickets: int
    found: int
    by_hand: int
    nobody: int
    median: timedelta | None
    slowest_tenth: timedelta | None
    called: int
    least: int
    most: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The same tickets under the rules in force and under others: of all, by type's code, by community's id."""

    overall: tuple[Figures, Figures]
    by_type: Sequence[tuple[str, Figures, Figures]]
    by_community: Sequence[tuple[int | None, Figures, Figures]]


def compare(past: Past, in_force: DispatchRules, draft: DispatchRules) -> Comparison:
    """Return what the past would have come to; pure work of up to some seconds, to be done in a thread."""
    team = [each.candidate.person_id for each in past.workers]
    before, after = replay(past, in_force), replay(past, draft)

    def both(key: Callable[[Fate], _Key]) -> list[tuple[_Key, Figures, Figures]]:
        groups = grouped(after, key)
        return [
            (each, figures(fates, team=team), figures(groups[each], team=team))
            for each, fates in grouped(before, key).items()
        ]

    return Comparison(
        overall=(figures(before, team=team), figures(after, team=team)),
        by_type=both(lambda fate: fate.ticket.type_code),
        by_community=both(lambda fate: fate.ticket.job.community_id),
    )


def figures(fates: Sequence[Fate], *, team: Collection[int]) -> Figures:
    """Return what tickets come to, with the jobs spread over `team`."""
    kinds = Counter(fate.found for fate in fates)
    waits = sorted(fate.waited for fate in fates if fate.found in _FOUND_BY_RULE and fate.waited is not None)
    loads = Counter(fate.person_id for fate in fates if fate.person_id is not None)
    jobs = [loads[person_id] for person_id in team]
    return Figures(
        tickets=len(fates),
        found=kinds[Found.OFFERED] + kinds[Found.GIVEN],
        by_hand=kinds[Found.BY_HAND],
        nobody=kinds[Found.NOBODY],
        median=_part(waits, 0.5),
        slowest_tenth=_part(waits, 0.9),
        called=sum(fate.is_called for fate in fates),
        least=min(jobs, default=0),
        most=max(jobs, default=0),
    )


def grouped(fates: Sequence[Fate], key: Callable[[Fate], _Key]) -> dict[_Key, list[Fate]]:
    """Return fates by what they have in common, the largest group first."""
    groups: defaultdict[_Key, list[Fate]] = defaultdict(list)
    for fate in fates:
        groups[key(fate)].append(fate)
    return dict(sorted(groups.items(), key=lambda group: -len(group[1])))


def _part(waits: Sequence[timedelta], part: float) -> timedelta | None:
    """Return what the given part of sorted values does not exceed: the nearest rank."""
    return waits[ceil(part * len(waits)) - 1] if waits else None
