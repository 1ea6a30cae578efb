"""What the front desk writes down: by which way somebody came, what they asked for, and how it ended."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import assert_never

from cloud.core.errors import Refused
from cloud.core.principal import Role
from cloud.tickets.domain import Kind
from firmware_configs.look.words import _

TEXT_LENGTH = 4_000
NAME_LENGTH = 80
LABEL_LENGTH = 300
TAKES_CALLS = (Role.DESK, Role.OPERATOR)
"""Who answers whoever comes: at night the control room does, and nothing else of the desk's is its business."""

LONGEST = timedelta(hours=4)
"""A form that stood open longer says nothing about how long somebody spoke."""

FURTHEST = timedelta(days=60)
"""A call back that is promised for later than this is forgotten by both."""


class Channel(StrEnum):
    """By which way somebody came."""

    CALL = "call"
    MAIL = "mail"
    VISIT = "visit"
    APP = "app"


class Subject(StrEnum):
    """What somebody wanted."""

    ENQUIRY = "enquiry"
    REPAIR = "repair"
    COMPLAINT = "complaint"
    SUGGESTION = "suggestion"


class Ending(StrEnum):
    """How it ended."""

    ANSWERED = "answered"  # nothing is left to do
    TICKET = "ticket"  # a ticket was opened for it, or it is about one that there was
    CALLBACK = "callback"  # a call back was promised
    NO_MATTER = "no_matter"  # nobody asked for anything
    UNREACHED = "unreached"  # a call back that was given up: nobody can be reached


class CallbackState(StrEnum):
    """Where a promised call back stands."""

    OPEN = "open"
    DONE = "done"
    GIVEN_UP = "given_up"  # nobody can be reached; the reason is in the line of the desk


class VisitorState(StrEnum):
    """Where somebody stands who took a number."""

    WAITING = "waiting"
    CALLED = "called"
    SERVED = "served"
    LEFT = "left"


def subject_of(kind: Kind) -> Subject:
    """Return what somebody wanted who came with a matter of this kind."""
    match kind:
        case Kind.COMPLAINT:
            return Subject.COMPLAINT
        case Kind.ENQUIRY:
            return Subject.ENQUIRY
        case Kind.SUGGESTION:
            return Subject.SUGGESTION
        case Kind.REPAIR | Kind.ALARM | Kind.INSPECTION:
            return Subject.REPAIR
        case _:
            assert_never(kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What the desk writes down of somebody who came.

    Attributes:
        person_id: None for somebody unknown; name and phone are then what they said.
        unit_id, place_id: where it is, at most one of them.
        begun_at: when they came.
        answer: what they were told.
        price_id: the published fee that was quoted to them.
        callback_id: the promise that this call keeps.
        incident_id: the incident that explained it.
        key: chosen by the form, so that one that is sent twice is written down once.
    """

    channel: Channel
    subject: Subject
    begun_at: datetime
    key: str
    person_id: int | None = None
    name: str = ""
    phone: str = ""
    unit_id: int | None = None
    place_id: int | None = None
    text: str = ""
    answer: str = ""
    price_id: int | None = None
    callback_id: int | None = None
    incident_id: int | None = None


def check_text(text: str, field: str) -> str:
    """Return a text without blanks around it.

    Raises:
        Refused: it is too long.
    """
    text = text.strip()
    if len(text) > TEXT_LENGTH:
        raise Refused(_("Too long: at most %(length)d characters."), field, length=TEXT_LENGTH)
    return text


def duration_s(begun_at: datetime, now: datetime) -> int | None:
    """Return how many seconds somebody took; None when the form stood open too long to tell."""
    took = now - begun_at
    return int(took.total_seconds()) if timedelta() <= took <= LONGEST else None


def check_promise(due_at: datetime, now: datetime) -> datetime:
    """Return the time for which a call back is promised.

    Raises:
        Refused: it is past, or too far away to be kept.
    """
    if due_at <= now:
        raise Refused(_("Choose a time that is still to come."), "due_at")
    if due_at > now + FURTHEST:
        raise Refused(_("Promise a call back within %(days)d days."), "due_at", days=FURTHEST.days)
    return due_at
