"""The messages between box and cloud, version by version; MessagePack over HTTPS, JSON on the channel.

A box says its version in every message. The cloud speaks every version from MINIMUM_VERSION on; an older or a
newer message is refused with the pair it would take. Unknown fields are ignored, so that a field may be added
without a new version; a field whose meaning changes makes one.
"""

from typing import Literal

import msgspec

WIRE_VERSION = 1
MINIMUM_VERSION = 1

MAXIMUM_ROWS = 5_000
"""Rows in one batch; a larger one is refused as too large."""

MAXIMUM_BODY_BYTES = 1_048_576
"""Bytes of one request's body after decompression; a larger one is refused as too large."""

TOKEN_AUDIENCE = "gatehouse"  # noqa: S105  the audience claim, not a secret
TOKEN_LIFETIME_S = 300
TOKEN_LEEWAY_S = 120
"""How far a token's `iat` may stand from the cloud's clock: a box takes its time from the cloud, so this covers
drift between two looks at it, not a wrong clock."""

PATH_TIME = "/edge/v1/time"
PATH_CLAIM = "/edge/v1/claim"
PATH_INVENTORY = "/edge/v1/inventory"
PATH_BATCHES = "/edge/v1/batches"
PATH_CHANNEL = "/edge/v1/channel"

SeqRange = tuple[int, int]


class Time(msgspec.Struct, frozen=True):
    """The cloud's clock; the answer to GET PATH_TIME, which asks for no token."""

    time_us: int


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """A box asks to belong to the organisation that issued the code."""

    v: int
    code: str
    public_key: str
    """Ed25519 public key, 32 bytes as unpadded base64url; the private key never leaves the box."""
    hardware: str = ""
    software: str = ""


class Claimed(msgspec.Struct, frozen=True, kw_only=True):
    """The claim was taken: who the box is from now on."""

    v: int
    box_id: str
    name: str
    time_us: int


class PointInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A point as its device's profile declares it."""

    key: str
    """`device/point`, unique on the box."""
    unit: str
    """UCUM code, case sensitive; "1" for a number without one."""
    row_class: Literal["register", "event", "sample"]
    kind: Literal["gauge", "counter", "state"]
    resolution: str | None = None
    """Decimal text of the smallest step, which a register point must declare; None where it means nothing."""
    period_s: float
    """How often a value is due; 0 for a point that speaks only when something happens."""


class DeviceInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A device on one of the box's buses."""

    key: str
    profile: str
    name: str
    points: list[PointInfo]


class Inventory(msgspec.Struct, frozen=True, kw_only=True):
    """All that hangs on the box; sent before its first batch and whenever it changes."""

    v: int
    devices: list[DeviceInfo]


class InventoryTaken(msgspec.Struct, frozen=True, kw_only=True):
    """The inventory is stored; which points the cloud watches, to be flushed at once."""

    v: int
    watched: list[str]


class Rows(msgspec.Struct, frozen=True, kw_only=True):
    """Readings in columns: row i has the i-th number of `ranges`, and `point[i]` indexes `points`."""

    ranges: list[SeqRange]
    """Inclusive, ascending, disjoint; together as many numbers as each column has entries."""
    points: list[str]
    point: list[int]
    time_us: list[int]
    """Microseconds since 1970-01-01T00:00Z."""
    value: list[float]
    """In the point's declared unit."""
    flags: list[int] = []
    """protocols.readings flag bits; an empty list means that every row's are 0."""


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of one store, and what that store had to let go unsent."""

    v: int
    store: str
    """32 lower-case hexadecimal digits, drawn when the buffer file was made."""
    rows: Rows
    lost: list[SeqRange] = []
    """Ranges evicted before they were sent: they will never come."""
    head: int
    """The newest sequence number committed when the batch was built; what the cloud lacks below it is a gap."""
    pending: int
    """Rows committed, not acknowledged and not in this batch; 0 means that the cloud now knows all the box knows."""


class SetAside(msgspec.Struct, frozen=True, kw_only=True):
    """A row that could not be taken; it is kept with its reason and counts as held."""

    seq: int
    reason: Literal["unknown_point", "not_a_number", "far_future", "far_past", "conflict"]


class BatchTaken(msgspec.Struct, frozen=True, kw_only=True):
    """All that the cloud holds of the store, which the box may now evict."""

    v: int
    store: str
    held: list[SeqRange]
    set_aside: list[SetAside] = []
    time_us: int


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """Why a request was refused: a code for the program and a sentence for the person who reads its log."""

    code: str
    message: str
    minimum_version: int | None = None
    maximum_version: int | None = None


class Hello(msgspec.Struct, frozen=True, kw_only=True, tag="hello"):
    """The box's first message on the channel."""

    v: int
    minimum_v: int
    boot: str
    """32 hexadecimal digits: the running boot."""
    store: str
    head: int
    software: str
    configuration: int
    """Revision in force; 0 before the first."""


class Welcome(msgspec.Struct, frozen=True, kw_only=True, tag="welcome"):
    """The cloud's answer to Hello: its clock, and what it holds of the box's stores."""

    v: int
    time_us: int
    heartbeat_s: float
    held: dict[str, list[SeqRange]]
    """By store; a cloud restored from a backup says less than it once acknowledged, and the box sends that again."""


class Configuration(msgspec.Struct, frozen=True, kw_only=True, tag="configuration"):
    """What the box should do from now on; taken whole or refused whole."""

    revision: int
    watched: list[str]
    """Point keys that have rules: their readings are uploaded at once."""


class Configured(msgspec.Struct, frozen=True, kw_only=True, tag="configured"):
    """What became of a Configuration."""

    revision: int
    error: str | None = None
    """None when it is in force; else which part is wrong and how to mend it."""


class Ping(msgspec.Struct, frozen=True, kw_only=True, tag="ping"):
    """The box's heartbeat, with the little that the cloud wants to know all the time."""

    id: int
    head: int
    pending: int
    buffer_hours_left: float | None = None
    """Until the buffer must evict unsent rows, at the present rate; None while nothing is filling it."""


class Pong(msgspec.Struct, frozen=True, kw_only=True, tag="pong"):
    """The cloud's answer to Ping; the box learns its clock offset from it."""

    id: int
    time_us: int


FromBox = Hello | Configured | Ping
FromCloud = Welcome | Configuration | Pong
