"""Opinions: five choices, who is asked how often, and what a poor one does."""

from dataclasses import dataclass
from datetime import timedelta
from enum import IntEnum, StrEnum
from typing import ClassVar

from cloud.core.errors import Refused
from cloud.core.events import Event
from cloud.tickets.domain import Kind
from firmware_configs.look.words import _

ASKED_KINDS = frozenset({Kind.REPAIR, Kind.COMPLAINT, Kind.ENQUIRY, Kind.SUGGESTION})
"""Tickets that somebody asked for; an alarm or an inspection has nobody to be content."""

TEXT_LENGTH = 1_000


ASKED_AFTER = timedelta(seconds=30)
"""How long after its end somebody is asked about a ticket: longer than a page offers to take the end back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpinionDue(Event):
    """A ticket was done a moment ago; where it still is, whoever wanted it is asked."""

    kind: ClassVar[str] = "feedback.opinion_due"

    ticket_id: int

    @property
    def subject(self) -> str:
        return f"opinion:{self.ticket_id}"


class Rating(IntEnum):
    """How content somebody is; shown as labelled choices, since faces bias what people choose."""

    VERY_POOR = 1
    POOR = 2
    FAIR = 3
    GOOD = 4
    VERY_GOOD = 5


class OnPoor(StrEnum):
    """What a poor opinion does."""

    REOPEN = "reopen"  # the case is taken up again; where it can't be, the lead is called
    CALL = "call"  # the lead is called


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedbackRules:
    """How an organisation asks.

    Attributes:
        cap_days: for how many days nobody is asked again.
        poor_at: up to which rating an opinion is poor.
        change_hours: for how long an opinion may be changed.
        open_days: for how many days after the work it may be given.
    """

    cap_days: int = 7
    poor_at: Rating = Rating.POOR
    on_poor: OnPoor = OnPoor.REOPEN
    change_hours: int = 24
    open_days: int = 30

    @property
    def cap(self) -> timedelta:
        return timedelta(days=self.cap_days)

    @property
    def open_for(self) -> timedelta:
        return timedelta(days=self.open_days)

    @property
    def changeable_for(self) -> timedelta:
        return timedelta(hours=self.change_hours)

    def is_poor(self, rating: Rating) -> bool:
        """Return whether somebody must act on a rating."""
        return rating <= self.poor_at

    def check(self) -> None:
        """Refuse what can't be.

        Raises:
            Refused: a number is out of its bounds; the error names the field.
        """
        for field, value, low, high in (
            ("cap_days", self.cap_days, 0, 366),
            ("change_hours", self.change_hours, 0, 24 * 31),
            ("open_days", self.open_days, 1, 366),
        ):
            if not low <= value <= high:
                raise Refused(_("Between %(low)d and %(high)d."), field, low=low, high=high)
        if self.poor_at is Rating.VERY_GOOD:
            raise Refused(_("Not every opinion is a poor one."), "poor_at")
