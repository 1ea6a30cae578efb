"""What a slice tells the slices above and beside it."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class Event(ABC):
    """Something that happened, said once through the outbox; a subclass adds plain JSON-able fields.

    Attributes:
        organisation_id: whose event it is.
    """

    kind: ClassVar[str]
    """`slice.what_happened`, stable: it is stored."""

    organisation_id: int

    @property
    @abstractmethod
    def subject(self) -> str:
        """Return what the event is about; events of one subject are handled in order, e.g. `box:17`."""
