"""What a ticket is: its type, its states, and who may move it from one to the next."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from cloud.alarms.domain import Priority
from cloud.core.errors import Conflict
from cloud.core.words import Words
from firmware_configs.look.words import _

ALARM_REPAIR = "alarm_repair"
"""The type of a ticket that an alarm opens."""


class State(StrEnum):
    """Where the work stands."""

    OPEN = "open"  # nobody has it
    ASSIGNED = "assigned"  # somebody has it and has not begun
    IN_WORK = "in_work"
    RESOLVED = "resolved"
    CANCELLED = "cancelled"  # it was none, or it is no longer wanted


class Act(StrEnum):
    """What moves a ticket."""

    ASSIGN = "assign"  # somebody gives it to a person
    TAKE = "take"  # a person gives it to themselves
    RELEASE = "release"  # it is given back
    START = "start"
    RESOLVE = "resolve"
    REOPEN = "reopen"
    CANCEL = "cancel"


TRANSITIONS: dict[tuple[State, Act], State] = {
    (State.OPEN, Act.ASSIGN): State.ASSIGNED,
    (State.OPEN, Act.TAKE): State.ASSIGNED,
    (State.OPEN, Act.CANCEL): State.CANCELLED,
    (State.ASSIGNED, Act.ASSIGN): State.ASSIGNED,
    (State.ASSIGNED, Act.RELEASE): State.OPEN,
    (State.ASSIGNED, Act.START): State.IN_WORK,
    (State.ASSIGNED, Act.CANCEL): State.CANCELLED,
    (State.IN_WORK, Act.ASSIGN): State.ASSIGNED,
    (State.IN_WORK, Act.RELEASE): State.OPEN,
    (State.IN_WORK, Act.RESOLVE): State.RESOLVED,
    (State.IN_WORK, Act.CANCEL): State.CANCELLED,
    (State.RESOLVED, Act.REOPEN): State.ASSIGNED,
    (State.CANCELLED, Act.REOPEN): State.OPEN,
}

UNDONE = frozenset({State.OPEN, State.ASSIGNED, State.IN_WORK})
"""The states in which a deadline counts."""

_REFUSALS = {
    State.OPEN: _("Nobody has this ticket yet."),
    State.ASSIGNED: _("This ticket is assigned, and work on it has not begun."),
    State.IN_WORK: _("This ticket is in work."),
    State.RESOLVED: _("This ticket is resolved already."),
    State.CANCELLED: _("This ticket is cancelled."),
}


class Deed(StrEnum):
    """What a line of a ticket's timeline tells."""

    OPENED = "opened"
    ASSIGNED = "assigned"
    TAKEN = "taken"
    RELEASED = "released"
    STARTED = "started"
    RESOLVED = "resolved"
    REOPENED = "reopened"
    CANCELLED = "cancelled"
    NOTED = "noted"
    ALARM_RETURNED = "alarm_returned"  # the value behind its alarm is normal again


DEEDS: Mapping[Act, Deed] = {
    Act.ASSIGN: Deed.ASSIGNED,
    Act.TAKE: Deed.TAKEN,
    Act.RELEASE: Deed.RELEASED,
    Act.START: Deed.STARTED,
    Act.RESOLVE: Deed.RESOLVED,
    Act.REOPEN: Deed.REOPENED,
    Act.CANCEL: Deed.CANCELLED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketType:
    """A kind of work, as a manager describes it; a ticket keeps the version that it was opened with.

    Attributes:
        code: stable; programs choose a type by it.
        deadlines: minutes from opening to done, round the clock, by priority.
        procedure: the steps, one a line.
    """

    code: str
    name: Words
    default_priority: Priority
    deadlines: Mapping[Priority, int]
    procedure: Words


def moved(state: State, act: Act) -> State:
    """Return where `act` takes a ticket in `state`.

    Raises:
        Conflict: it is not to be moved that way.
    """
    if (state, act) not in TRANSITIONS:
        raise Conflict(_REFUSALS[state])
    return TRANSITIONS[state, act]


def acts_from(state: State) -> frozenset[Act]:
    """Return what may be done with a ticket in `state`."""
    return frozenset(act for start, act in TRANSITIONS if start is state)


def is_late(state: State, *, due_at: datetime, now: datetime) -> bool:
    """Return whether the deadline has passed and the work is not done."""
    return state in UNDONE and now > due_at


def due_after(ticket_type: TicketType, priority: Priority, opened_at: datetime) -> datetime:
    """Return when a ticket of the type must be done."""
    return opened_at + timedelta(minutes=ticket_type.deadlines[priority])


DEFAULT_TYPES = (
    TicketType(
        code=ALARM_REPAIR,
        name=Words(zh="报警维修", en="Alarm repair"),
        default_priority=Priority.HIGH,
        deadlines={Priority.CRITICAL: 60, Priority.HIGH: 240, Priority.MEDIUM: 1_440, Priority.LOW: 10_080},
        procedure=Words(
            zh="到现场确认报警\n按首要措施处理，必要时断电、断水\n查明原因并修复\n确认数值恢复正常\n填写处理结果",
            en="Confirm the alarm on site\nTake the first action; cut power or water if needed\n"
            "Find the cause and mend it\nSee the value return to normal\nWrite down the result",
        ),
    ),
    TicketType(
        code="repair",
        name=Words(zh="报修", en="Repair"),
        default_priority=Priority.MEDIUM,
        deadlines={Priority.CRITICAL: 60, Priority.HIGH: 480, Priority.MEDIUM: 2_880, Priority.LOW: 10_080},
        procedure=Words(
            zh="联系报修人，约定上门时间\n查看现场，说明方案\n维修\n请报修人确认\n填写处理结果",
            en="Call the person who reported it and agree on a time\nLook at it and explain the plan\nRepair it\n"
            "Have it confirmed\nWrite down the result",
        ),
    ),
    TicketType(
        code="inspection",
        name=Words(zh="巡检", en="Inspection"),
        default_priority=Priority.LOW,
        deadlines={Priority.CRITICAL: 240, Priority.HIGH: 1_440, Priority.MEDIUM: 4_320, Priority.LOW: 10_080},
        procedure=Words(
            zh="按点检表逐项检查\n记录读数和异常\n异常项另开工单\n填写处理结果",
            en="Go through the checklist\nNote readings and what is abnormal\nOpen a ticket for each abnormal thing\n"
            "Write down the result",
        ),
    ),
    TicketType(
        code="service",
        name=Words(zh="客服事项", en="Service request"),
        default_priority=Priority.MEDIUM,
        deadlines={Priority.CRITICAL: 240, Priority.HIGH: 1_440, Priority.MEDIUM: 4_320, Priority.LOW: 10_080},
        procedure=Words(
            zh="核实诉求\n转交或处理\n回复业主\n填写处理结果",
            en="Check what is asked\nPass it on or do it\nAnswer the owner\nWrite down the result",
        ),
    ),
)
"""What an organisation begins with."""
