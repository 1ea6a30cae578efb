"""Boxes as the tests see them: a key, a claim, an inventory, batches."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from cloud.core.clock import Clock, to_us
from cloud.core.database import Database
from cloud.core.principal import Principal
from cloud.fleet import claims, devices
from cloud.fleet import service as fleet
from cloud.fleet.domain import BoxIdentity
from cloud.properties import service as properties
from cloud.properties.domain import PlaceKind
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
from tests.cloud.estate import Estate, make_organisation

STORE = "0123456789abcdef0123456789abcdef"


def public_key(key: Ed25519PrivateKey) -> str:
    raw = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def token(key: Ed25519PrivateKey, box_id: int | str, now_s: float, **claims: object) -> str:
    said = {"iss": str(box_id), "aud": TOKEN_AUDIENCE, "iat": now_s, "exp": now_s + TOKEN_LIFETIME_S, **claims}
    return jwt.encode(said, key, algorithm="EdDSA")


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Yard:
    """A community with a place and one box, which has listed a probe with a temperature and a humidity."""

    estate: Estate
    community_id: int
    place_id: int
    box: ClaimedBox
    points: dict[str, int]

    @property
    def administrator(self) -> Principal:
        return self.estate.administrator


async def make_yard(database: Database, clock: Clock, *, name: str = "云杉物业") -> Yard:
    """Return an organisation of its own with a box that is ready to send."""
    estate = await make_organisation(database, clock, name=name)
    administrator = estate.administrator
    async with database.transaction() as session:
        community_id = await properties.create_community(session, clock, administrator, name="云杉苑")
        place_id = await properties.create_place(
            session, clock, administrator, community_id=community_id, name="水泵房", kind=PlaceKind.ROOM
        )
    box = await claim_box(database, clock, administrator, community_id=community_id, name="3 栋网关")
    await list_devices(database, clock, box, device("probe", "temperature", "humidity"))
    async with database.reading() as session:
        points = await fleet.points(session, administrator, box_id=box.identity.box_id)
    return Yard(
        estate=estate,
        community_id=community_id,
        place_id=place_id,
        box=box,
        points={point.key: point.id for point in points},
    )
