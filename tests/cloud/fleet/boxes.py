"""Boxes as the tests see them: a key, a claim, an inventory, batches."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from cloud.core.clock import Clock, to_us
from cloud.core.database import Database
from cloud.core.principal import Principal, Role
from cloud.fleet import claims, devices
from cloud.fleet.domain import BoxIdentity
from protocols.wire import (
    TOKEN_AUDIENCE,
    TOKEN_LIFETIME_S,
    WIRE_VERSION,
    Batch,
    Claim,
    DeviceInfo,
    Inventory,
    PointInfo,
    Rows,
    SeqRange,
)

STORE = "0123456789abcdef0123456789abcdef"


def public_key(key: Ed25519PrivateKey) -> str:
    raw = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def token(key: Ed25519PrivateKey, box_id: int | str, now_s: float, **claims: object) -> str:
    said = {"iss": str(box_id), "aud": TOKEN_AUDIENCE, "iat": now_s, "exp": now_s + TOKEN_LIFETIME_S, **claims}
    return jwt.encode(said, key, algorithm="EdDSA")


def administrator(organisation_id: int) -> Principal:
    return Principal(organisation_id=organisation_id, name="张三", roles=frozenset({Role.ADMINISTRATOR}))


def device(key: str, *points: str, unit: str = "Cel", row_class: str = "sample", period_s: float = 60.0) -> DeviceInfo:
    """Return a device whose points are alike."""
    infos = [
        PointInfo(
            key=f"{key}/{point}",
            unit=unit,
            row_class=row_class,
            kind="gauge",
            resolution="0.01" if row_class == "register" else None,
            period_s=period_s,
        )
        for point in points
    ]
    return DeviceInfo(key=key, profile="practice-probe", name=f"{key} of the practice building", points=infos)


def batch(
    ranges: Sequence[SeqRange],
    rows: Sequence[tuple[str, int, float]],
    *,
    flags: Sequence[int] = (),
    head: int | None = None,
    pending: int = 0,
    lost: Sequence[SeqRange] = (),
    store: str = STORE,
    v: int = WIRE_VERSION,
) -> Batch:
    """Return a batch of (point key, time_us, value) rows."""
    keys = sorted({key for key, _, _ in rows})
    columns = Rows(
        ranges=list(ranges),
        points=keys,
        point=[keys.index(key) for key, _, _ in rows],
        time_us=[time_us for _, time_us, _ in rows],
        value=[value for _, _, value in rows],
        flags=list(flags),
    )
    newest = max((last for _, last in (*ranges, *lost)), default=0)
    head = newest if head is None else head
    return Batch(v=v, store=store, rows=columns, lost=list(lost), head=head, pending=pending)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedBox:
    """A box that an organisation has claimed."""

    key: Ed25519PrivateKey
    identity: BoxIdentity

    def authorisation(self, clock: Clock, **claims: object) -> str:
        return f"Bearer {token(self.key, self.identity.box_id, to_us(clock.now()) / 1_000_000, **claims)}"


async def claim_box(
    database: Database, clock: Clock, principal: Principal, *, community_id: int, name: str
) -> ClaimedBox:
    """Return a box that was claimed with a code, as the technician does."""
    key = Ed25519PrivateKey.generate()
    async with database.transaction() as session:
        issued = await claims.issue(session, clock, principal, community_id=community_id, box_name=name)
    async with database.transaction() as session:
        message = Claim(v=WIRE_VERSION, code=issued.code, public_key=public_key(key))
        claimed = await claims.claim(session, clock, message=message)
    identity = BoxIdentity(
        box_id=int(claimed.box_id), organisation_id=principal.organisation_id, name=claimed.name, key=public_key(key)
    )
    return ClaimedBox(key=key, identity=identity)


async def list_devices(database: Database, clock: Clock, box: ClaimedBox, *listed: DeviceInfo) -> list[str]:
    """Let the box send its inventory; return which points are watched."""
    async with database.transaction() as session:
        inventory = Inventory(v=WIRE_VERSION, devices=list(listed))
        taken = await devices.take_inventory(session, clock, box.identity, inventory=inventory)
    return taken.watched
