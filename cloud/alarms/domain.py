"""What an alarm is: its priority, its life cycle after ISA-18.2, and what the slice tells others."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import ClassVar

from cloud.core.errors import Conflict
from cloud.core.events import Event
from firmware_configs.look.words import _


class Priority(IntEnum):
    """How soon a person must act; the number is shown and stored."""

    CRITICAL = 1  # people or the building are in danger: at once
    HIGH = 2  # damage or an outage is near: within minutes
    MEDIUM = 3  # this shift
    LOW = 4  # this week


class Side(StrEnum):
    """Which bound a value is past, or what else is abnormal about it."""

    HIGH = "high"
    LOW = "low"
    EQUAL = "equal"  # a state has the value that it should not have
    SILENT = "silent"  # no good reading came in time


class Cause(StrEnum):
    """What Gatehouse itself raises about a box, without anybody's rule."""

    BOX_AWAY = "box_away"  # no channel and no batch for a while; returns when the box is back
    BOX_CLONED = "box_cloned"  # two sessions with one key
    ROWS_CONFLICTED = "rows_conflicted"  # a held number came again with other content
    ROWS_LOST = "rows_lost"  # the box had to let rows go unsent


ENDED_BY_NOTICE = frozenset({Cause.BOX_CLONED, Cause.ROWS_CONFLICTED, Cause.ROWS_LOST})
"""Causes that happen and have no state that could return: they stand until somebody has taken notice."""


class Notice(StrEnum):
    """Whether a person was asked to take notice of an alarm."""

    TAKEN = "taken"
    ASKED = "asked"
    NEVER_ASKED = "never_asked"  # history, or still on its way through a backlog


class Deed(StrEnum):
    """What was done to an alarm after it was raised, for its record."""

    ACKNOWLEDGED = "acknowledged"
    UNACKNOWLEDGED = "unacknowledged"  # an acknowledgement was taken back
    NOTED = "noted"
    REPEATED = "repeated"  # what Gatehouse raised itself happened again
    CORRECTED = "corrected"  # readings that came later moved its beginning or its end
    WITHDRAWN = "withdrawn"  # readings that came later show that it was none, or part of another
    RULE_CHANGED = "rule_changed"  # its rule was changed, switched off or removed while it stood


class Stage(StrEnum):
    """Where an alarm stands between the value and the person."""

    UNACKNOWLEDGED = "unacknowledged"  # active, and nobody has taken notice
    ACKNOWLEDGED = "acknowledged"  # active, and somebody has
    RETURNED = "returned"  # the value is normal again, and nobody has taken notice
    CLOSED = "closed"  # normal and acknowledged


class Act(StrEnum):
    """What moves an alarm."""

    ACKNOWLEDGE = "acknowledge"
    UNACKNOWLEDGE = "unacknowledge"  # a person takes the acknowledgement back
    RETURN = "return"
    RAISE = "raise"  # readings that came later show that it stands after all


TRANSITIONS: dict[tuple[Stage, Act], Stage] = {
    (Stage.UNACKNOWLEDGED, Act.ACKNOWLEDGE): Stage.ACKNOWLEDGED,
    (Stage.UNACKNOWLEDGED, Act.RETURN): Stage.RETURNED,
    (Stage.ACKNOWLEDGED, Act.UNACKNOWLEDGE): Stage.UNACKNOWLEDGED,
    (Stage.CLOSED, Act.UNACKNOWLEDGE): Stage.RETURNED,
    (Stage.ACKNOWLEDGED, Act.RETURN): Stage.CLOSED,
    (Stage.RETURNED, Act.ACKNOWLEDGE): Stage.CLOSED,
    (Stage.RETURNED, Act.RAISE): Stage.UNACKNOWLEDGED,
    (Stage.CLOSED, Act.RAISE): Stage.ACKNOWLEDGED,
}

_REFUSALS = {
    Act.ACKNOWLEDGE: _("This alarm is already acknowledged."),
    Act.UNACKNOWLEDGE: _("This alarm is not acknowledged."),
    Act.RETURN: _("This alarm has already returned to normal."),
    Act.RAISE: _("This alarm already stands."),
}


def stage_of(*, active: bool, acknowledged: bool) -> Stage:
    """Return the stage that the two flags make."""
    if active:
        return Stage.ACKNOWLEDGED if acknowledged else Stage.UNACKNOWLEDGED
    return Stage.CLOSED if acknowledged else Stage.RETURNED


def moved(stage: Stage, act: Act) -> Stage:
    """Return where `act` takes an alarm at `stage`.

    Raises:
        Conflict: it is not to be moved that way.
    """
    if (stage, act) not in TRANSITIONS:
        raise Conflict(_REFUSALS[act])
    return TRANSITIONS[stage, act]


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmAnnounced(Event):
    """An alarm asks for a person: it stands, and it is not history."""

    kind: ClassVar[str] = "alarms.announced"

    alarm_id: int
    priority: int
    point_id: int | None
    rule_id: int | None

    @property
    def subject(self) -> str:
        return f"alarm:{self.alarm_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmReturned(Event):
    """An announced alarm's value is normal again."""

    kind: ClassVar[str] = "alarms.returned"

    alarm_id: int

    @property
    def subject(self) -> str:
        return f"alarm:{self.alarm_id}"
