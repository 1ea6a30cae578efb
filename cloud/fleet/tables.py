"""The fleet's rows: boxes and their codes, what hangs on them, what was received of them."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Dialect, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

from cloud.core.clock import from_us, to_us
from cloud.core.database import Base
from cloud.fleet.domain import BoxState, SetAsideReason
from protocols.readings import PointKind, RowClass

KEY_LENGTH = 200

_OPEN = text("until_at IS NULL")


class Microseconds(TypeDecorator[datetime]):
    """An aware datetime kept as microseconds since 1970, to be compared with the times of readings and batches."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> int | None:
        return None if value is None else to_us(value)

    def process_result_value(self, value: int | None, _dialect: Dialect) -> datetime | None:
        return None if value is None else from_us(value)


class BoxRow(Base):
    """A claimed box.

    Attributes:
        public_key: unpadded base64url of its Ed25519 key; None once it is revoked, so that the key is free again.
        inventory_revision: grows with every inventory taken; what is cached of the box's points goes by it.
        configuration_revision: grows with every change of what the box should do.
        configured_revision: the one that the box says is in force.
        changed_at: when state or configuration last changed, which the channel looks for.
    """

    __tablename__ = "boxes"

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), index=True)
    community_id: Mapped[int] = mapped_column(ForeignKey("communities.id"))
    place_id: Mapped[int | None] = mapped_column(ForeignKey("places.id"))
    name: Mapped[str] = mapped_column(String(120))
    public_key: Mapped[str | None] = mapped_column(String(43), unique=True)
    state: Mapped[BoxState] = mapped_column(default=BoxState.ACTIVE)
    hardware: Mapped[str] = mapped_column(String(200), default="")
    software: Mapped[str] = mapped_column(String(80), default="")
    claimed_at: Mapped[datetime]
    inventory_revision: Mapped[int] = mapped_column(default=0)
    configuration_revision: Mapped[int] = mapped_column(default=0)
    configured_revision: Mapped[int] = mapped_column(default=0)
    configuration_error: Mapped[str | None] = mapped_column(Text)
    changed_at: Mapped[datetime] = mapped_column(index=True)


class PresenceRow(Base):
    """The newest channel session of a box; it outlives the session to say how things stood.

    Attributes:
        session: 32 hexadecimal digits drawn by the worker that holds the channel.
        closed_at: None while the session is open, as far as its worker could say.
    """

    __tablename__ = "box_presences"

    box_id: Mapped[int] = mapped_column(ForeignKey("boxes.id"), primary_key=True, autoincrement=False)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    session: Mapped[str] = mapped_column(String(32))
    boot: Mapped[str] = mapped_column(String(32))
    opened_at: Mapped[datetime]
    seen_at: Mapped[datetime] = mapped_column(Microseconds)
    closed_at: Mapped[datetime | None]
    pending: Mapped[int | None]
    buffer_hours_left: Mapped[float | None]
    cloned_at: Mapped[datetime | None]


class ClaimCodeRow(Base):
    """A one-time code, known only by its hash.

    Attributes:
        box_id: the box that is claimed again with it; None for one that makes a new box.
        used_by_key: the public key that used it, so that the same box may ask again when the answer got lost.
        claimed_box_id: the box that its use made or renewed.
    """

    __tablename__ = "claim_codes"

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), index=True)
    community_id: Mapped[int] = mapped_column(ForeignKey("communities.id"))
    place_id: Mapped[int | None] = mapped_column(ForeignKey("places.id"))
    box_id: Mapped[int | None] = mapped_column(ForeignKey("boxes.id"))
    box_name: Mapped[str] = mapped_column(String(120))
    code_hash: Mapped[str] = mapped_column(String(64), unique=True)
    issued_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    issued_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    used_by_key: Mapped[str | None] = mapped_column(String(43))
    claimed_box_id: Mapped[int | None] = mapped_column(ForeignKey("boxes.id"))


class DeviceRow(Base):
    """A device on one of a box's buses; marked gone, and never deleted, when the box stops listing it."""

    __tablename__ = "devices"

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    box_id: Mapped[int] = mapped_column(ForeignKey("boxes.id"))
    key: Mapped[str] = mapped_column(String(KEY_LENGTH))
    profile: Mapped[str] = mapped_column(String(KEY_LENGTH))
    name: Mapped[str] = mapped_column(String(KEY_LENGTH))
    gone_at: Mapped[datetime | None]

    __table_args__ = (UniqueConstraint("box_id", "key"),)


class PointRow(Base):
    """One series of values; see domain.Point.

    Attributes:
        late_us: the furthest that one of its readings has stood behind rows committed before it, where that is more
            than clocks explain: a device with its own timestamps (see ledger.py).
    """

    __tablename__ = "points"

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), index=True)
    box_id: Mapped[int] = mapped_column(ForeignKey("boxes.id"))
    device_id: Mapped[int] = mapped_column(ForeignKey("devices.id"), index=True)
    key: Mapped[str] = mapped_column(String(KEY_LENGTH))
    unit: Mapped[str] = mapped_column(String(40))
    kind: Mapped[PointKind]
    row_class: Mapped[RowClass]
    resolution: Mapped[str | None] = mapped_column(String(40))
    period_s: Mapped[float]
    watched: Mapped[bool] = mapped_column(default=False)
    late_us: Mapped[int] = mapped_column(default=0)
    gone_at: Mapped[datetime | None]

    __table_args__ = (UniqueConstraint("box_id", "key"),)


class BindingRow(Base):
    """What a device, or one of its points, measures: a place, from one instant until another."""

    __tablename__ = "point_bindings"

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    device_id: Mapped[int | None] = mapped_column(ForeignKey("devices.id"), index=True)
    point_id: Mapped[int | None] = mapped_column(ForeignKey("points.id"), index=True)
    place_id: Mapped[int] = mapped_column(ForeignKey("places.id"), index=True)
    label: Mapped[str] = mapped_column(String(120), default="")
    from_at: Mapped[datetime]
    until_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("(device_id IS NULL) <> (point_id IS NULL)", name="device_or_point"),
        Index("uq_point_bindings_device", "device_id", unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN),
        Index("uq_point_bindings_point", "point_id", unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN),
    )


class StoreRow(Base):
    """A buffer file of a box, as far as the cloud has heard of it.

    Attributes:
        head: the newest sequence number that the box has told of, and `head_us` the cloud's time when it did.
        pending: of its latest batch.
    """

    __tablename__ = "box_stores"

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    box_id: Mapped[int] = mapped_column(ForeignKey("boxes.id"))
    store: Mapped[str] = mapped_column(String(32))
    head: Mapped[int]
    head_us: Mapped[int]
    pending: Mapped[int]
    first_batch_us: Mapped[int]
    last_batch_us: Mapped[int]

    __table_args__ = (UniqueConstraint("box_id", "store"),)


class HeldRangeRow(Base):
    """Rows of a store that are durable or set aside, with the times of its first and last row: see ledger.py."""

    __tablename__ = "held_ranges"

    store_id: Mapped[int] = mapped_column(ForeignKey("box_stores.id"), primary_key=True, autoincrement=False)
    first: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last: Mapped[int]
    first_us: Mapped[int]
    last_us: Mapped[int]


class LostRangeRow(Base):
    """Rows of a store that its box had to evict unsent."""

    __tablename__ = "lost_ranges"

    store_id: Mapped[int] = mapped_column(ForeignKey("box_stores.id"), primary_key=True, autoincrement=False)
    first: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last: Mapped[int]
    declared_us: Mapped[int]


class SetAsideRow(Base):
    """A row that could not be taken, kept as it came.

    Attributes:
        value: Python's repr of the float, since no database keeps every NaN.
    """

    __tablename__ = "set_aside_rows"

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    box_id: Mapped[int] = mapped_column(ForeignKey("boxes.id"))
    store_id: Mapped[int] = mapped_column(ForeignKey("box_stores.id"))
    seq: Mapped[int]
    reason: Mapped[SetAsideReason]
    point_key: Mapped[str] = mapped_column(String(KEY_LENGTH))
    time_us: Mapped[int]
    value: Mapped[str] = mapped_column(String(32))
    flags: Mapped[int]
    set_aside_at: Mapped[datetime]

    __table_args__ = (
        UniqueConstraint("store_id", "seq", "reason"),
        Index("ix_set_aside_rows_box", "box_id", "id"),
    )


class LatestRow(Base):
    """The newest reading of a point by its own time; `received_us` is the cloud's."""

    __tablename__ = "latest_values"

    point_id: Mapped[int] = mapped_column(ForeignKey("points.id"), primary_key=True, autoincrement=False)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    time_us: Mapped[int]
    value: Mapped[float]
    flags: Mapped[int]
    received_us: Mapped[int]
