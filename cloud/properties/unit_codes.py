"""Codes by which somebody comes into their unit for the first time: printed by the desk, good for one person."""

import hashlib
import secrets
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ForeignKey, String, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from cloud.accounts import telephones
from cloud.accounts.domain import check_name
from cloud.core import audit
from cloud.core.clock import Clock
from cloud.core.database import Base, hold
from cloud.core.errors import Conflict, NotFound, Refused
from cloud.core.principal import Principal, Role
from cloud.properties import occupancies
from cloud.properties.domain import OccupancyKind
from firmware_configs.look.words import _

GOOD = timedelta(days=30)
"""A letter lies in a letter box over a holiday."""

# Crockford's base 32: no two characters look alike, and what people type for them is known.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LOOK_ALIKES = str.maketrans({"O": "0", "I": "1", "L": "1"})
_IGNORED = str.maketrans("", "", " -–—_.")
_LENGTH = 12
_GROUP = 4


class UnitCodeRow(Base):
    """A code that was issued.

    Attributes:
        code_hash: with 60 random bits in a code, a plain hash is not turned back in its time.
        name: what whoever comes with it is called, unless their number is known already.
        revoked_at: when it was taken back; nobody comes in by it from then on.
    """

    __tablename__ = "unit_codes"

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    unit_id: Mapped[int] = mapped_column(ForeignKey("units.id"), index=True)
    code_hash: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(80))
    kind: Mapped[OccupancyKind]
    issued_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedCode:
    """A code as it is printed this once; only its hash is kept."""

    code: str
    name: str
    kind: OccupancyKind
    label: str
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A letter that is out: its code is known to whoever holds it alone."""

    id: int
    name: str
    kind: OccupancyKind
    issued_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """What a code invites to."""

    organisation_id: int
    unit_id: int
    label: str
    name: str


async def issue(
    session: AsyncSession, clock: Clock, principal: Principal, *, unit_id: int, name: str, kind: OccupancyKind
) -> IssuedCode:
    """Draw a code for one person of a unit; codes that were issued before stay good.

    Raises:
        Forbidden: the principal is neither at the desk nor an administrator.
        NotFound: there is no such unit.
        Refused: the name can't be.
    """
    principal.require(Role.DESK)
    label = await occupancies.unit_label(session, principal, unit_id)
    code = "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
    row = UnitCodeRow(
        organisation_id=principal.organisation_id,
        unit_id=unit_id,
        code_hash=_hash(code),
        name=check_name(name),
        kind=kind,
        issued_at=clock.now(),
        expires_at=clock.now() + GOOD,
    )
    session.add(row)
    await session.flush()
    after = {"name": row.name, "kind": kind, "expires_at": row.expires_at.isoformat()}
    audit.record(
        session, clock, principal, action="properties.unit_code_issued", subject=f"unit:{unit_id}", after=after
    )
    return IssuedCode(code=written(code), name=row.name, kind=kind, label=label, expires_at=row.expires_at)


async def open_letters(session: AsyncSession, clock: Clock, principal: Principal, *, unit_id: int) -> Sequence[Letter]:
    """Return the letters by which somebody may still come into a unit, the newest first.

    Raises:
        Forbidden: the principal is neither at the desk nor an administrator.
        NotFound: there is no such unit.
    """
    principal.require(Role.DESK)
    await occupancies.unit_label(session, principal, unit_id)
    rows = await session.scalars(
        select(UnitCodeRow)
        .where(UnitCodeRow.organisation_id == principal.organisation_id, UnitCodeRow.unit_id == unit_id)
        .where(UnitCodeRow.used_at.is_(None), UnitCodeRow.revoked_at.is_(None))
        .where(UnitCodeRow.expires_at > clock.now())
        .order_by(UnitCodeRow.id.desc())
    )
    return [_letter(row) for row in rows]


async def find_letter(session: AsyncSession, principal: Principal, *, unit_id: int, letter_id: int) -> Letter:
    """Return a letter to a unit, whatever became of it.

    Raises:
        Forbidden: the principal is neither at the desk nor an administrator.
        NotFound: there is no such unit or letter.
    """
    return _letter(await _find_letter(session, principal, unit_id=unit_id, letter_id=letter_id))


async def revoke(session: AsyncSession, clock: Clock, principal: Principal, *, unit_id: int, letter_id: int) -> None:
    """Take a letter back: its code lets nobody in any more; said again, it changes nothing.

    Raises:
        Forbidden: the principal is neither at the desk nor an administrator.
        NotFound: there is no such unit or letter.
        Conflict: somebody is in by it already.
    """
    found = await _find_letter(session, principal, unit_id=unit_id, letter_id=letter_id)
    await hold(session, f"unit code {found.code_hash}")
    await session.refresh(found)
    if found.used_at is not None:
        raise Conflict(_("Somebody came in by this letter already: let them move out instead."))
    if found.revoked_at is not None:
        return
    found.revoked_at = clock.now()
    before = {"name": found.name, "kind": found.kind, "expires_at": found.expires_at.isoformat()}
    audit.record(
        session, clock, principal, action="properties.unit_code_revoked", subject=f"unit:{unit_id}", before=before
    )


async def look_up(session: AsyncSession, clock: Clock, *, code: str) -> Invitation:
    """Return what a code invites to.

    Raises:
        NotFound: there is none such.
        Refused: it was used or taken back, or has run out.
    """
    row = await _find(session, clock, code)
    label = await occupancies.unit_label(session, Principal.system(row.organisation_id), row.unit_id)
    return Invitation(organisation_id=row.organisation_id, unit_id=row.unit_id, label=label, name=row.name)


async def redeem(session: AsyncSession, clock: Clock, *, code: str, phone: str) -> int:
    """Let whoever proved the number into the code's unit from today on, and return who they are.

    Who is in the unit already by that number stays as they are.

    Raises:
        NotFound: there is no such code.
        Refused: it was used or taken back, or has run out.
    """
    await hold(session, f"unit code {_hash(read(code))}")
    row = await _find(session, clock, code)
    system = Principal.system(row.organisation_id)
    row.used_at = clock.now()
    person_id = await telephones.enrol_owner(session, clock, system, name=row.name, phone=phone)
    today = await occupancies.today_in(session, clock, system, unit_id=row.unit_id)
    inside = await occupancies.occupants(session, system, [row.unit_id], on=today)
    if person_id not in {occupant.person_id for occupant in inside[row.unit_id]}:
        await occupancies.settle(
            session, clock, system, unit_id=row.unit_id, person_id=person_id, kind=row.kind, since=today
        )
    after = {"person_id": person_id}
    audit.record(session, clock, system, action="properties.unit_code_used", subject=f"unit:{row.unit_id}", after=after)
    return person_id


def written(code: str) -> str:
    """Return the code in groups, as it is printed: "7K2M-94QX-0TRB"."""
    return "-".join(code[start : start + _GROUP] for start in range(0, _LENGTH, _GROUP))


def read(text: str) -> str:
    """Return the code that was scanned or typed, whatever its case, its groups, and the width of its characters."""
    return unicodedata.normalize("NFKC", text).upper().translate(_IGNORED).translate(_LOOK_ALIKES)[:_LENGTH]


async def _find_letter(session: AsyncSession, principal: Principal, *, unit_id: int, letter_id: int) -> UnitCodeRow:
    principal.require(Role.DESK)
    await occupancies.unit_label(session, principal, unit_id)
    row = await session.scalar(
        select(UnitCodeRow)
        .where(UnitCodeRow.organisation_id == principal.organisation_id, UnitCodeRow.unit_id == unit_id)
        .where(UnitCodeRow.id == letter_id)
    )
    if row is None:
        raise NotFound(_("There is no such letter."))
    return row


def _letter(row: UnitCodeRow) -> Letter:
    return Letter(id=row.id, name=row.name, kind=row.kind, issued_at=row.issued_at, expires_at=row.expires_at)


async def _find(session: AsyncSession, clock: Clock, code: str) -> UnitCodeRow:
    # any organisation: the code says whose
    found = select(UnitCodeRow).where(UnitCodeRow.code_hash == _hash(read(code)))
    row = await session.scalar(found.execution_options(populate_existing=True))
    if row is None:
        raise NotFound(_("There is no such code. Look at the letter again, or ask the front desk."))
    if row.used_at is not None:
        raise Refused(_("This code was used already. Sign in with your number, or ask the front desk for another."))
    if row.revoked_at is not None:
        raise Refused(_("This letter was taken back. Ask the front desk for another."))
    if row.expires_at <= clock.now():
        raise Refused(_("This code has run out. Ask the front desk for another."))
    return row


def _hash(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
