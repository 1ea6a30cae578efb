"""Who is told as the time for a target runs out: the ladder as plain data, and its rules."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from cloud.core.errors import Refused
from firmware_configs.look.words import _

BREACH = 100
"""Percent of a target's time at which it is missed."""

WARNED_AT = frozenset({50, 80, BREACH})
"""The parts of a target at which its clock speaks; steps above BREACH are counted from there."""

_HIGHEST = 500


class Whom(StrEnum):
    """Who is told."""

    ASSIGNEE = "assignee"
    LEAD = "lead"
    MANAGER = "manager"
    AREA = "area"  # whoever is above the estate: the area's manager, the owners' committee


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """A step of the ladder.

    Attributes:
        percent: of the target's time; one of WARNED_AT, or more than BREACH.
        only_emergency: ordinary work does not climb so high.
    """

    percent: int
    whom: Whom
    only_emergency: bool = False


DEFAULT_LADDER = (
    Rung(percent=50, whom=Whom.ASSIGNEE),
    Rung(percent=80, whom=Whom.LEAD),
    Rung(percent=100, whom=Whom.MANAGER),
    Rung(percent=150, whom=Whom.AREA, only_emergency=True),
)


def climbed(ladder: Sequence[Rung], *, percent: int, is_emergency: bool) -> list[Rung]:
    """Return the steps that are reached at exactly `percent`."""
    return [rung for rung in ladder if rung.percent == percent and (is_emergency or not rung.only_emergency)]


def above_breach(ladder: Sequence[Rung], *, is_emergency: bool) -> list[int]:
    """Return the parts of the target, in percent, at which somebody is told after it was missed, rising."""
    steps = {rung.percent for rung in ladder if rung.percent > BREACH and (is_emergency or not rung.only_emergency)}
    return sorted(steps)


def check_ladder(ladder: Sequence[Rung]) -> None:
    """Let pass a ladder that can be climbed.

    Raises:
        Refused: a step stands where no clock speaks, or one is there twice.
    """
    for rung in ladder:
        if rung.percent not in WARNED_AT and not BREACH < rung.percent <= _HIGHEST:
            raise Refused(
                _("A step stands at 50, 80 or 100 %% of the target, or at 101 to %(highest)d %%."),
                "ladder",
                highest=_HIGHEST,
            )
    steps = [(rung.percent, rung.whom) for rung in ladder]
    if len(set(steps)) != len(steps):
        raise Refused(_("The same people stand on one step of the ladder twice."), "ladder")
