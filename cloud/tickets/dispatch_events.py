"""What dispatch tells: an offer, a gift, and that nobody was found."""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from cloud.core.events import Event


class Told(StrEnum):
    """What happened in the search for somebody who does a ticket."""

    OFFERED = "offered"  # somebody is asked
    GIVEN = "given"  # an emergency: somebody has it without being asked
    QUEUED = "queued"  # it is the dispatcher's now
    CALLED = "called"  # nobody is found, or nobody has been for too long: a supervisor must see to it


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketDispatched(Event):
    """The search for somebody who does a ticket went on.

    Attributes:
        person_id: whom it was offered or given to; None where nobody was.
        is_stretched: an emergency went to somebody who is not on shift or has too much to do already.
        at_us: when, so that what is told twice is known again.
    """

    kind: ClassVar[str] = "tickets.dispatched"

    ticket_id: int
    told: Told
    person_id: int | None = None
    is_stretched: bool = False
    at_us: int

    @property
    def subject(self) -> str:
        return f"ticket:{self.ticket_id}"
