"""What people are told about, by which channels, and when; plain rules over plain values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import ClassVar
from zoneinfo import ZoneInfo

from cloud.accounts.phones import masked as masked_phone
from cloud.core.errors import Refused
from cloud.core.events import Event
from firmware_configs.look.words import _

MAXIMUM_ATTEMPTS = 13
"""With the delays below the last try is some four hours after the first, which outlasts a mail server's repair."""

LONGEST_DELAY = timedelta(hours=1)

CODE_GOOD = timedelta(minutes=5)
"""A sign-in code that could not be sent within this time is given up: whoever waited for it has asked for another."""

REPORTED_WITHIN = timedelta(days=1)
"""How long a gateway is asked what became of a message that it took."""

KEPT = timedelta(days=365)
"""How long messages and the evidence of their delivery can be looked up."""

_FIRST_DELAY = timedelta(seconds=5)
_FIRST_ASKED_AFTER = timedelta(seconds=10)
_MAIL_LENGTH = 254  # RFC 5321, 4.5.3.1.3


class Kind(StrEnum):
    """What a message is about; a person chooses the channels for each."""

    TICKET_ASSIGNED = "ticket_assigned"
    TICKET_OFFERED = "ticket_offered"  # somebody is asked to take it, and others are if they don't in time
    TICKET_ESCALATED = "ticket_escalated"  # a target is near or missed
    TICKET_PROGRESS = "ticket_progress"
    CONSENT_ASKED = "consent_asked"  # no work begins before the owner has answered
    RESULT_REPORTED = "result_reported"
    OPINION_ASKED = "opinion_asked"
    NOTICE = "notice"
    CALLBACK_DUE = "callback_due"
    INCIDENT = "incident"


class Channel(StrEnum):
    """A way out of Gatehouse; the inbox is none, since every message stands in it."""

    MAIL = "mail"
    SMS = "sms"


class Language(StrEnum):
    """In which language somebody is written to, where no page of theirs says it."""

    ZH_HANS = "zh-Hans"
    EN = "en"


class DeliveryState(StrEnum):
    """What is known of a message on one channel."""

    WAITING = "waiting"  # to be tried, or tried again, at due_at
    ACCEPTED = "accepted"  # the mail server or gateway has taken it
    SENT = "sent"  # the gateway reports that it reached the telephone
    UNNEEDED = "unneeded"  # it was read in the inbox before it was due
    DEAD = "dead"  # given up; the reason stands beside it, and a person may have it tried again


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """The channels that a kind may use, and those it uses until a person chooses otherwise."""

    allowed: frozenset[Channel]
    default: frozenset[Channel]


_MAIL = frozenset({Channel.MAIL})
_SMS = frozenset({Channel.SMS})
_BOTH = _MAIL | _SMS

# SMS costs money and interrupts: it is the default only where somebody waits for the answer within the hour.
OFFERS: Mapping[Kind, Offer] = {
    Kind.TICKET_ASSIGNED: Offer(allowed=_BOTH, default=_MAIL),
    Kind.TICKET_OFFERED: Offer(allowed=_BOTH, default=_SMS),
    Kind.TICKET_ESCALATED: Offer(allowed=_BOTH, default=_BOTH),
    Kind.TICKET_PROGRESS: Offer(allowed=_BOTH, default=_MAIL),
    Kind.CONSENT_ASKED: Offer(allowed=_BOTH, default=_BOTH),
    Kind.RESULT_REPORTED: Offer(allowed=_BOTH, default=_MAIL),
    Kind.OPINION_ASKED: Offer(allowed=_BOTH, default=_MAIL),
    Kind.NOTICE: Offer(allowed=_MAIL, default=_MAIL),
    Kind.CALLBACK_DUE: Offer(allowed=_BOTH, default=frozenset()),
    Kind.INCIDENT: Offer(allowed=_BOTH, default=_BOTH),
}


@dataclass(frozen=True, slots=True)
class QuietHours:
    """A stretch of every day, in the organisation's local time, in which only what is urgent goes out.

    One that ends before it begins goes over midnight.
    """

    begins: time
    ends: time

    def put_off(self, at: datetime, zone: ZoneInfo) -> datetime:
        """Return the first instant from `at` on that is not in the quiet hours."""
        local = at.astimezone(zone)
        if not self._holds(local.time()):
            return at
        day = local.date() + timedelta(days=local.time() >= self.ends)
        return max(datetime.combine(day, self.ends, zone).astimezone(at.tzinfo), at)

    def _holds(self, now: time) -> bool:
        if self.begins <= self.ends:
            return self.begins <= now < self.ends
        return now >= self.begins or now < self.ends


NIGHT = QuietHours(time(22), time(8))
"""The quiet hours of whoever chose none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    """How somebody wants to be told.

    Attributes:
        mail: where their mail goes; None when they gave no address.
        quiet: None when messages may come at any hour.
        chosen: the channels of each kind for which they chose; the others go as OFFERS says.
    """

    mail: str | None = None
    language: Language = Language.ZH_HANS
    quiet: QuietHours | None = NIGHT
    chosen: Mapping[Kind, frozenset[Channel]] = field(default_factory=dict)

    def channels(self, kind: Kind, *, is_urgent: bool = False) -> frozenset[Channel]:
        """Return by which channels a message of this kind goes out, whether or not there is an address for them.

        What is urgent goes by all that the kind may use, unless the person chose.
        """
        offer = OFFERS[kind]
        return self.chosen.get(kind, offer.allowed if is_urgent else offer.default) & offer.allowed


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagesWritten(Event):
    """Messages stand in inboxes, and are to go out by other channels too."""

    kind: ClassVar[str] = "notifications.written"

    message_ids: list[int]

    @property
    def subject(self) -> str:
        """Return the first message: it is new, so that nobody else waits for its subject."""
        return f"message:{self.message_ids[0]}"


def delay_after(attempts: int) -> timedelta:
    """Return how long to wait after so many failed tries: 5 s, doubled each time up to LONGEST_DELAY."""
    return min(_FIRST_DELAY * (1 << attempts - 1), LONGEST_DELAY)


def asked_again_after(age: timedelta) -> timedelta:
    """Return when to ask a gateway again for what it took so long ago: ever later, as news grows unlikely."""
    return max(age, _FIRST_ASKED_AFTER)


def check_mail(address: str) -> str:
    """Return the address without spaces around it.

    Raises:
        Refused: no mail can go there.
    """
    address = address.strip()
    name, at, host = address.rpartition("@")
    is_plain = address.isascii() and address.isprintable() and not set(' <>()[],;:\\"') & set(address)
    if not (at and name and "@" not in name and "." in host.strip(".") and is_plain and len(address) <= _MAIL_LENGTH):
        raise Refused(_("%(address)s is no mail address; one is name@example.com."), field="mail", address=address)
    return address


def masked(address: str) -> str:
    """Return a mail address or a number so that only those recognise it who know it."""
    name, at, host = address.rpartition("@")
    return f"{name[:1]}***@{host}" if at else masked_phone(address)
