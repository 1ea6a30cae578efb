"""How a box comes to belong to somebody: a one-time code that an administrator hands to whoever stands before it."""

import base64
import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.core import audit
from cloud.core.clock import Clock, to_us
from cloud.core.errors import Conflict, Malformed, NotFound, Refused
from cloud.core.principal import Principal, Role
from cloud.fleet import codes
from cloud.fleet.boxes import checked_name, visible_box
from cloud.fleet.domain import BoxState
from cloud.fleet.places import check_place
from cloud.fleet.tables import BoxRow, ClaimCodeRow
from cloud.fleet.versions import check_version
from firmware_configs.look.words import _
from protocols.wire import WIRE_VERSION, Claim, Claimed

CODE_LIFETIME = timedelta(hours=24)
"""A code that is still lying about tomorrow opens nothing."""

_KEY = re.compile(r"[A-Za-z0-9_-]{43}")
_HARDWARE_LENGTH = 200
_SOFTWARE_LENGTH = 80


class ClaimUnknown(NotFound):
    """Nobody has issued this code."""

    code = "claim_unknown"


class ClaimUsed(Conflict):
    """A box has used this code."""

    code = "claim_used"


class ClaimExpired(Refused):
    """The code is too old."""

    code = "claim_expired"


class ClaimedElsewhere(Conflict):
    """The box belongs to another organisation, or is another box of this one, already."""

    code = "claimed_elsewhere"


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedCode:
    """A new claim code. It is shown once: what is kept of it can't be turned back."""

    code: str
    """In groups, as it is typed on the box."""
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenCode:
    """A claim code that nobody has used yet.

    Attributes:
        box_id: the box that gets another key by it; None for one that makes a new box.
        issued_by: None when Gatehouse itself did.
    """

    id: int
    box_id: int | None
    box_name: str
    community_id: int
    place_id: int | None
    issued_by: int | None
    issued_at: datetime
    expires_at: datetime


async def open_codes(session: AsyncSession, clock: Clock, principal: Principal) -> list[OpenCode]:
    """Return the codes that still open something, the one that ends first first.

    Raises:
        Forbidden: the principal is no administrator.
    """
    principal.require(Role.ADMINISTRATOR)
    rows = await session.scalars(_open(principal, now=clock.now()).order_by(ClaimCodeRow.expires_at, ClaimCodeRow.id))
    return [_to_open(row) for row in rows]


async def withdraw(session: AsyncSession, clock: Clock, principal: Principal, *, code_id: int) -> None:
    """Let a code open nothing from now on.

    Raises:
        Forbidden: the principal is no administrator.
        NotFound: there is no such open code that the principal may see.
    """
    principal.require(Role.ADMINISTRATOR)
    asked = _open(principal, now=clock.now()).where(ClaimCodeRow.id == code_id).with_for_update()
    row = await session.scalar(asked)
    if row is None:
        raise NotFound(_("There is no such open claim code: it has been used, withdrawn, or has expired."))
    row.expires_at = clock.now()
    _record(session, clock, principal, row, action="fleet.claim_withdrawn")


async def issue(
    session: AsyncSession,
    clock: Clock,
    principal: Principal,
    *,
    community_id: int,
    place_id: int | None = None,
    box_name: str,
    lifetime: timedelta = CODE_LIFETIME,
) -> IssuedCode:
    """Return a code that makes one new box of a community.

    Raises:
        Forbidden: the principal is no administrator.
        NotFound: there is no such community, or place in it, that the principal may see.
        Malformed: the name is empty or too long.
    """
    principal.require(Role.ADMINISTRATOR)
    await check_place(session, principal, community_id=community_id, place_id=place_id)
    row = ClaimCodeRow(community_id=community_id, place_id=place_id, box_name=checked_name(box_name))
    return _issue(session, clock, principal, row, lifetime=lifetime)


async def issue_again(
    session: AsyncSession, clock: Clock, principal: Principal, *, box_id: int, lifetime: timedelta = CODE_LIFETIME
) -> IssuedCode:
    """Return a code that gives a box another key: for a new card in an old box, or a new box in its place.

    Raises:
        Forbidden: the principal is no administrator.
        NotFound: there is no such box that the principal may see.
    """
    principal.require(Role.ADMINISTRATOR)
    box = await visible_box(session, principal, box_id=box_id)
    row = ClaimCodeRow(community_id=box.community_id, place_id=box.place_id, box_id=box.id, box_name=box.name)
    return _issue(session, clock, principal, row, lifetime=lifetime)


async def claim(session: AsyncSession, clock: Clock, *, message: Claim) -> Claimed:
    """Let a box join the organisation that issued its code, and return who it is from now on.

    The box that has used a code may use it again, since the answer to its first claim may have got lost.

    Raises:
        VersionRefused: the box speaks another version of the wire.
        Malformed: the code is mistyped, or the key is none.
        ClaimUnknown, ClaimUsed, ClaimExpired: as they say.
        ClaimedElsewhere: the key is another box's.
    """
    check_version(message.v)
    key = _checked_key(message.public_key)
    # any organisation: the code says which
    asked = select(ClaimCodeRow).where(ClaimCodeRow.code_hash == codes.hashed(codes.read(message.code)))
    code = await session.scalar(asked.with_for_update())
    if code is None:
        raise ClaimUnknown(_("This claim code is unknown: look at it again, or have a new one issued."), "code")
    holder = await session.scalar(select(BoxRow).where(BoxRow.public_key == key))
    if code.used_at is None:
        _check_free(code, holder, now=clock.now())
        holder = await _take(session, clock, code, key)
    elif holder is None or code.used_by_key != key or holder.id != code.claimed_box_id:
        raise ClaimUsed(_("This claim code has been used: have a new one issued."), "code")
    holder.hardware = message.hardware[:_HARDWARE_LENGTH]
    holder.software = message.software[:_SOFTWARE_LENGTH]
    return Claimed(v=WIRE_VERSION, box_id=str(holder.id), name=holder.name, time_us=to_us(clock.now()))


def _issue(
    session: AsyncSession, clock: Clock, principal: Principal, row: ClaimCodeRow, *, lifetime: timedelta
) -> IssuedCode:
    code = codes.draw()
    row.organisation_id = principal.organisation_id
    row.code_hash = codes.hashed(code)
    row.issued_by = principal.person_id
    row.issued_at = clock.now()
    row.expires_at = row.issued_at + lifetime
    session.add(row)
    _record(session, clock, principal, row, action="fleet.claim_issued")
    return IssuedCode(code=codes.written(code), expires_at=row.expires_at)


def _record(session: AsyncSession, clock: Clock, principal: Principal, row: ClaimCodeRow, *, action: str) -> None:
    told = {"box": row.box_name, "community_id": row.community_id, "expires_at": row.expires_at.isoformat()}
    subject = f"box:{row.box_id}" if row.box_id else f"community:{row.community_id}"
    audit.record(session, clock, principal, action=action, subject=subject, after=told)


def _open(principal: Principal, *, now: datetime) -> Select[ClaimCodeRow]:
    found = select(ClaimCodeRow).where(
        ClaimCodeRow.organisation_id == principal.organisation_id,
        ClaimCodeRow.used_at.is_(None),
        ClaimCodeRow.expires_at > now,
    )
    if principal.communities is not None:
        found = found.where(ClaimCodeRow.community_id.in_(principal.communities))
    return found


def _to_open(row: ClaimCodeRow) -> OpenCode:
    return OpenCode(
        id=row.id,
        box_id=row.box_id,
        box_name=row.box_name,
        community_id=row.community_id,
        place_id=row.place_id,
        issued_by=row.issued_by,
        issued_at=row.issued_at,
        expires_at=row.expires_at,
    )


def _check_free(code: ClaimCodeRow, holder: BoxRow | None, *, now: datetime) -> None:
    if now >= code.expires_at:
        raise ClaimExpired(_("This claim code has expired: have a new one issued."), "code")
    if holder is None or holder.id == code.box_id:
        return
    if holder.organisation_id != code.organisation_id:
        raise ClaimedElsewhere(_("This box belongs to another company: have it released there first."), "public_key")
    raise ClaimedElsewhere(
        _("This box is already claimed as %(name)s: use a code that was issued for that box."),
        "public_key",
        name=holder.name,
    )


async def _take(session: AsyncSession, clock: Clock, code: ClaimCodeRow, key: str) -> BoxRow:
    now = clock.now()
    principal = Principal.system(code.organisation_id)
    if code.box_id is None:
        box = BoxRow(
            organisation_id=code.organisation_id,
            community_id=code.community_id,
            place_id=code.place_id,
            name=code.box_name,
            claimed_at=now,
        )
        session.add(box)
    else:
        box = await visible_box(session, principal, box_id=code.box_id)
    box.public_key = key
    box.state = BoxState.ACTIVE
    box.changed_at = now
    await session.flush()
    code.used_at, code.used_by_key, code.claimed_box_id = now, key, box.id
    audit.record(
        session, clock, principal, action="fleet.box_claimed", subject=f"box:{box.id}", after={"name": box.name}
    )  # fmt: skip
    return box


def _checked_key(text: str) -> str:
    """Return a key in its one spelling: the last character of 43 has two bits to spare."""
    if not _KEY.fullmatch(text):
        raise Malformed(
            _("public_key is no Ed25519 key: write its 32 bytes as base64url, without padding."), "public_key"
        )
    return base64.urlsafe_b64encode(base64.urlsafe_b64decode(f"{text}=")).rstrip(b"=").decode()
