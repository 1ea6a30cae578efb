"""Organisations and their people: types, and the rules of logins, passwords, sessions and waiting."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from ipaddress import IPv6Address, ip_address, ip_network
from typing import ClassVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cloud.core.errors import GatehouseError, Refused
from cloud.core.events import Event
from cloud.core.principal import STAFF, Principal, Role
from firmware_configs.look.words import _

IDLE = timedelta(hours=12)
"""A session ends when nobody came with it for this long: longer than a shift, shorter than the night after it."""

ABSOLUTE = timedelta(days=14)
"""A session ends this long after its sign-in, however busy."""

OWNER_IDLE = timedelta(days=90)
"""An owner's telephone stays signed in from one bill to the next and past a long journey: a gate waits for no code."""

OWNER_ABSOLUTE = timedelta(days=365)
"""After a year the number is proved again: by then a telephone number may be somebody else's."""

SEEN_EVERY = timedelta(minutes=5)
"""How finely a session's last visit is noted; a write for every page would cost more than it tells."""

ONE_TIME = timedelta(hours=72)
"""How long a password that somebody else knows is good for."""

FAILURES_REMEMBERED = timedelta(days=1)

_LOGIN = re.compile(r"[\w.@+-]{3,64}")
_PASSWORD_LENGTH = range(10, 129)
_DIFFERENT_CHARACTERS = 5
_FIRST_WAIT = timedelta(minutes=1)
_LONGEST_WAIT = timedelta(minutes=15)


class Throttled(StrEnum):
    """Whose failed sign-ins are counted together."""

    LOGIN = "login"
    ADDRESS = "address"

    @property
    def free_failures(self) -> int:
        """Return after how many failures one must wait; an office shares one address."""
        return {Throttled.LOGIN: 5, Throttled.ADDRESS: 20}[self]


@dataclass(frozen=True, slots=True, kw_only=True)
class Organisation:
    """A property management company.

    Attributes:
        time_zone: IANA name; local time of what belongs to no community.
    """

    id: int
    name: str
    time_zone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who works for an organisation, or who owns or lives in one of its units.

    Attributes:
        login: None for who signs in by telephone alone.
        phone: in E.164; see phones.
        communities: ids that the person is limited to; None for all.
        one_time_until: until when a password that must be changed may be used; None when the person chose it.
    """

    id: int
    login: str | None
    phone: str | None
    name: str
    roles: frozenset[Role]
    communities: frozenset[int] | None
    is_active: bool
    one_time_until: datetime | None
    created_at: datetime
    signed_in_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonLeft(Event):
    """Somebody was let go: they sign in no more."""

    kind: ClassVar[str] = "accounts.person_left"

    person_id: int

    @property
    def subject(self) -> str:
        return f"person:{self.person_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A request by somebody who is signed in.

    Attributes:
        expires_at: when the session ends if nobody comes with it again.
        must_change_password: the person signed in with a one-time password, and has no role until it is changed.
        is_due: it is time to note that the session was used; see service.note_visit.
    """

    principal: Principal
    session_id: int
    expires_at: datetime
    must_change_password: bool
    is_due: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """A sign-in that went well.

    Attributes:
        token: what the browser brings from now on; only its hash is kept here.
    """

    token: str
    principal: Principal
    expires_at: datetime
    must_change_password: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Denied:
    """A wrong or too early try. It is returned and not raised, because its failure must be committed to count."""

    reason: GatehouseError


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSession:
    """A browser in which somebody is signed in."""

    id: int
    person_id: int
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    address: str
    agent: str
    is_own: bool
    """Whether it is the one that asks."""


def login_key(login: str) -> str:
    """Return the form in which logins are compared: what looks the same is the same."""
    return unicodedata.normalize("NFKC", login).strip().casefold()


def check_login(login: str) -> str:
    """Return the login without spaces around it.

    Raises:
        Refused: it is too short, too long, or holds other characters.
    """
    login = login.strip()
    if not _LOGIN.fullmatch(login):
        raise Refused(_("A login has 3 to 64 letters, digits or . @ + - _ characters."), field="login")
    return login


def check_name(name: str) -> str:
    """Return a person's or an organisation's name without spaces around it.

    Raises:
        Refused: it is empty or too long.
    """
    name = name.strip()
    if not 1 <= len(name) <= 80:
        raise Refused(_("A name has 1 to 80 characters."), field="name")
    return name


def check_password(password: str, *, login: str) -> None:
    """Let a password pass that a patient guesser would not find.

    Raises:
        Refused: it is too short, too long, too uniform, or holds the login.
    """
    if len(password) not in _PASSWORD_LENGTH:
        raise Refused(_("A password has 10 to 128 characters."), field="password")
    if len(set(password)) < _DIFFERENT_CHARACTERS:
        raise Refused(_("Use at least 5 different characters in a password."), field="password")
    if login_key(login) in login_key(password):
        raise Refused(_("A password may not hold the login."), field="password")


def check_roles(roles: frozenset[Role]) -> frozenset[Role]:
    """Return the roles of somebody who works here.

    Raises:
        Refused: there are none, or one that staff don't have.
    """
    if not roles or not roles <= STAFF:
        raise Refused(_("Choose at least one role."), field="roles")
    return roles


def check_time_zone(name: str) -> str:
    """Return the IANA time zone's name.

    Raises:
        Refused: there is no such zone.
    """
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise Refused(_("%(zone)s is no time zone; one is Asia/Shanghai."), field="time_zone", zone=name) from error


def address_key(address: str) -> str:
    """Return the address whose failures count together: for IPv6 the /64, which is one household's or office's."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        return str(ip_network((parsed, 64), strict=False))
    return str(parsed)


def wait_after(failures: int, throttled: Throttled) -> timedelta:
    """Return how long to wait after so many failures: nothing at first, then 1 minute, doubled up to 15."""
    beyond = failures - throttled.free_failures
    return min(_FIRST_WAIT * 2**beyond, _LONGEST_WAIT) if beyond >= 0 else timedelta(0)


def expires_at(*, created_at: datetime, seen_at: datetime, is_by_code: bool) -> datetime:
    """Return when a session ends if nobody comes with it again; one begun with a telephone's code is an owner's."""
    if is_by_code:
        return min(created_at + OWNER_ABSOLUTE, seen_at + OWNER_IDLE)
    return min(created_at + ABSOLUTE, seen_at + IDLE)
