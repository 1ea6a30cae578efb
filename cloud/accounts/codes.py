"""Signing in by telephone: a code of six digits proves the number, and the number says who it is.

Nothing here tells whether a number is known: a code is drawn, kept and counted for every number alike, and only
those that somebody has are sent one.
"""

import hashlib
import hmac
import logging
import math
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ForeignKey, Index, String, delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from cloud.accounts import service, tables
from cloud.accounts.domain import Denied, SignedIn, address_key
from cloud.accounts.phones import LENGTH, check_phone, is_mobile
from cloud.core.clock import Clock
from cloud.core.database import Base, hold
from cloud.core.errors import Refused, TooMany
from firmware_configs.look.words import _

CODE_GOOD = timedelta(minutes=10)
TRIES = 5
DIGITS = 6

_PAUSE = timedelta(minutes=1)  # a message that is late is not yet one that is lost
_A_DAY = timedelta(days=1)
_AN_HOUR = timedelta(hours=1)
_PER_PHONE = 10  # unused a day: with 5 tries each a guesser needs 50 years for an even chance
_PER_ADDRESS = 60  # unused an hour: a mobile network hides thousands of telephones behind one address
_PER_ORGANISATION = 200  # unused an hour: each costs the organisation a message
_TOKEN_BYTES = 32

_log = logging.getLogger(__name__)


class SignInCodeRow(Base):
    """A code that somebody asked for.

    Attributes:
        token_hash: of what the browser holds; with another browser's token the code is worth nothing.
        code_hash: of token and code together, since six digits alone are guessed from their hash.
        address: see domain.address_key.
        organisation_id: who pays for the message; None when nobody has the number, and none was sent.
        proven_at: when the code was typed.
        used_at: when it began a session.
    """

    __tablename__ = "sign_in_codes"

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisations.id"))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    code_hash: Mapped[str] = mapped_column(String(64))
    phone: Mapped[str] = mapped_column(String(LENGTH))
    address: Mapped[str] = mapped_column(String(64))
    asked_at: Mapped[datetime] = mapped_column(index=True)
    tries: Mapped[int] = mapped_column(default=0)
    proven_at: Mapped[datetime | None]
    used_at: Mapped[datetime | None]

    __table_args__ = (
        Index("ix_sign_in_codes_phone", "phone", "asked_at"),
        Index("ix_sign_in_codes_address", "address", "asked_at"),
        Index("ix_sign_in_codes_organisation", "organisation_id", "asked_at"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A code was drawn.

    Attributes:
        token: what the browser brings with the code; only its hash is kept.
        organisation_id: in whose name the code is to be sent; None when it must not be.
    """

    token: str
    phone: str
    code: str
    organisation_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Somebody whose number it is: an owner of one organisation."""

    person_id: int
    name: str
    organisation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Proven:
    """The number is that of who holds the browser.

    Attributes:
        people: who they may go on as; several when several organisations know the number.
    """

    phone: str
    people: Sequence[Choice]


async def ask(
    session: AsyncSession, clock: Clock, *, phone: str, address: str, organisation_id: int | None = None
) -> Asked | Denied:
    """Draw a code for a number; whoever calls has it sent when the answer names an organisation.

    A try that is too early is returned, not raised, as in service.sign_in. With `organisation_id` the code is sent
    whether anybody has the number or not: for who brings the organisation's word that they may come in.

    Raises:
        Refused: it is no telephone number, or one that no message reaches.
    """
    number, key, now = check_phone(phone), address_key(address)[:64], clock.now()
    if not is_mobile(number):
        raise Refused(_("No message reaches this number: give that of a mobile telephone."), field="phone")
    await hold(session, f"sign-in code address {key}", f"sign-in code phone {number}")
    wait = await _wait(session, number, key, now)
    if wait > timedelta(0):
        return Denied(reason=_too_many(wait))
    sender = organisation_id or await _organisation_of(session, number)
    if sender is not None and await _is_overrun(session, sender, now):
        _log.warning("too many sign-in codes asked for", extra={"organisation_id": sender})
        sender = None
    token, code = secrets.token_urlsafe(_TOKEN_BYTES), f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"
    row = SignInCodeRow(
        organisation_id=sender,
        token_hash=_hash(token),
        code_hash=_hash(f"{token} {code}"),
        phone=number,
        address=key,
        asked_at=now,
    )
    session.add(row)
    await session.flush()
    return Asked(token=token, phone=number, code=code, organisation_id=sender)


async def prove(session: AsyncSession, clock: Clock, *, token: str, code: str) -> str | Denied:
    """Return the number that a code proves; a wrong one is returned as denied, so that the try counts."""
    row = await _open(session, clock, token)
    if row is None:
        return Denied(reason=Refused(_("This code is no longer good: have another one sent."), field="code"))
    row.tries += 1
    if not hmac.compare_digest(row.code_hash, _hash(f"{token} {code.strip()}")):
        left = TRIES - row.tries
        if not left:
            return Denied(reason=Refused(_("This code is no longer good: have another one sent."), field="code"))
        return Denied(reason=Refused(_("This is not the code. Tries left: %(left)s."), field="code", left=left))
    row.proven_at = clock.now()
    return row.phone


async def proven(session: AsyncSession, clock: Clock, *, token: str) -> Proven | Denied:
    """Return who may go on with a code that was typed and has begun nothing yet."""
    row = await _open(session, clock, token)
    if row is None or row.proven_at is None:
        return Denied(reason=Refused(_("This code is no longer good: have another one sent."), field="code"))
    people = await tables.owners_by_phone(session, row.phone)
    choices = [
        Choice(person_id=person.id, name=person.name, organisation=organisation.name) for person, organisation in people
    ]
    return Proven(phone=row.phone, people=choices)


async def enter(
    session: AsyncSession, clock: Clock, *, token: str, person_id: int, address: str, agent: str
) -> SignedIn | Denied:
    """Begin a session for one of those whose number was proven; the code is used up."""
    row = await _open(session, clock, token)
    found = await tables.owners_by_phone(session, row.phone) if row is not None and row.proven_at is not None else []
    person = next((person for person, _organisation in found if person.id == person_id), None)
    if row is None or person is None:
        return Denied(reason=Refused(_("This code is no longer good: have another one sent."), field="code"))
    row.used_at = clock.now()
    return await service.begin(session, clock, person, address=address, agent=agent, is_by_code=True)


async def forget_codes(session: AsyncSession, clock: Clock) -> None:
    """Delete the codes of yesterday, and with them whose numbers were typed; a job."""
    # any organisation: age alone decides
    await session.execute(delete(SignInCodeRow).where(SignInCodeRow.asked_at < clock.now() - _A_DAY))


async def _open(session: AsyncSession, clock: Clock, token: str) -> SignInCodeRow | None:
    """Return the code behind a token while it is good; tries at once are counted one by one."""
    # any organisation: the token says whose
    await hold(session, f"sign-in code {_hash(token)}")
    row = await session.scalar(
        select(SignInCodeRow).where(SignInCodeRow.token_hash == _hash(token)).execution_options(populate_existing=True)
    )
    if row is None or row.used_at is not None or clock.now() >= row.asked_at + CODE_GOOD:
        return None
    return row if row.proven_at is not None or row.tries < TRIES else None


async def _wait(session: AsyncSession, phone: str, address: str, now: datetime) -> timedelta:
    """Return how long it is until a number, and an address, may have another code."""
    # any organisation: nobody is known yet
    unused = SignInCodeRow.used_at.is_(None)
    of_phone = (
        await session.scalars(
            select(SignInCodeRow.asked_at)
            .where(SignInCodeRow.phone == phone, SignInCodeRow.asked_at > now - _A_DAY, unused)
            .order_by(SignInCodeRow.asked_at.desc())
            .limit(_PER_PHONE)
        )
    ).all()
    waits = [of_phone[0] + _PAUSE - now] if of_phone else []
    if len(of_phone) == _PER_PHONE:
        waits.append(of_phone[-1] + _A_DAY - now)
    of_address = await session.execute(
        select(func.count(), func.min(SignInCodeRow.asked_at)).where(
            SignInCodeRow.address == address, SignInCodeRow.asked_at > now - _AN_HOUR, unused
        )
    )
    count, first = of_address.one()
    if count >= _PER_ADDRESS:
        waits.append(first + _AN_HOUR - now)
    return max(waits, default=timedelta(0))


async def _organisation_of(session: AsyncSession, phone: str) -> int | None:
    """Return the organisation that sends the code: the one that has known the number longest."""
    people = await tables.owners_by_phone(session, phone)
    return people[0][0].organisation_id if people else None


async def _is_overrun(session: AsyncSession, organisation_id: int, now: datetime) -> bool:
    asked = await session.scalar(
        select(func.count())
        .select_from(SignInCodeRow)
        .where(
            SignInCodeRow.organisation_id == organisation_id,
            SignInCodeRow.asked_at > now - _AN_HOUR,
            SignInCodeRow.used_at.is_(None),
        )
    )
    return (asked or 0) >= _PER_ORGANISATION


def _too_many(wait: timedelta) -> TooMany:
    seconds = math.ceil(wait.total_seconds())
    sentence = _("Too many tries: wait %(minutes)s min, then try again.")
    return TooMany(sentence, retry_after_s=seconds, minutes=math.ceil(seconds / 60))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
