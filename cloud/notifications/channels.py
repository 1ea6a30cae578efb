"""What every way out of Gatehouse has in common: what it is given, what it answers, and how it says no."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Protocol

from cloud.notifications.domain import Channel, Language


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """One message for one address, in its receiver's language.

    Attributes:
        uid: the same at every try, so that a gateway can drop what it has already.
        sender: the organisation's name.
        subject: empty for a sign-in code, whose text says everything.
        link: the whole address of the matter; empty when there is none.
        topic: the same for all messages about one matter, so that a mail program can thread them.
    """

    uid: str
    address: str
    sender: str
    language: Language
    subject: str
    text: str
    link: str
    topic: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """A gateway has taken a parcel.

    Attributes:
        gateway_id: by what the gateway knows it.
        is_reported: whether the gateway can be asked later what became of it.
    """

    gateway_id: str
    is_reported: bool


class Fate(StrEnum):
    """What became of a parcel that a gateway took."""

    UNKNOWN = "unknown"
    SENT = "sent"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a gateway says of a parcel that it took; `reason` where it failed."""

    fate: Fate
    reason: str = ""


class SendDelayed(Exception):
    """The parcel could not be handed over now; it may go later, and not before `retry_after` if that is given."""

    def __init__(self, reason: str, *, retry_after: timedelta | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class SendRefused(Exception):
    """The gateway will never take this parcel; its reason."""


class Gateway(Protocol):
    """A way out. Nothing of it is called within a transaction."""

    async def send(self, parcel: Parcel) -> Receipt:
        """Return once the gateway has taken the parcel.

        Raises:
            SendDelayed: it did not, and another try may help; it may have taken the parcel all the same.
            SendRefused: it does not, and never will.
        """

    async def report(self, gateway_id: str) -> Report:
        """Return what became of a parcel whose receipt was `is_reported`.

        Raises:
            SendDelayed: the gateway did not answer.
        """


Gateways = Mapping[Channel, Gateway]
"""The ways out that are set up; on a channel without one nothing is sent, and a sign-in code is given up at once."""

NO_GATEWAYS: Gateways = MappingProxyType({})
