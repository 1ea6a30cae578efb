"""What a fleet is made of: boxes, their points and values, and the news about them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar

import msgspec

from cloud.core.clock import from_us
from cloud.core.events import Event
from protocols.readings import PointKind, Quality, RowClass, quality_of

STALE_PERIODS = 3
"""Periods without a value after which a point counts as stale: one may be late, two lost, three are an outage."""

STALE_AT_LEAST = timedelta(minutes=1)
"""A point that is read every second is not stale for a pause of three."""

HEARTBEAT_S = 15.0
"""Between two words of a box on its channel."""

MISSED_HEARTBEATS = 3
"""After as many a line counts as dead, and its box as away."""

SeriesRow = tuple[int, int, float, int]
"""Point id, microseconds since 1970, value in the point's unit, flags: a reading as the series holds it."""


class BoxState(StrEnum):
    """Whether a box is ours to listen to."""

    ACTIVE = "active"  # claimed; its token is good
    REVOKED = "revoked"  # refused at every door until it is claimed again


class Connection(StrEnum):
    """Whether a box can be reached now."""

    CONNECTED = "connected"  # its channel is open
    AWAY = "away"  # it has none, or its line is dead
    REVOKED = "revoked"  # it is refused


class SetAsideReason(StrEnum):
    """Why a row could not be taken; the words are wire format."""

    UNKNOWN_POINT = "unknown_point"  # its key is in no inventory of the box
    NOT_A_NUMBER = "not_a_number"  # NaN or infinite
    FAR_FUTURE = "far_future"  # ahead of the cloud's clock by more than intake allows
    FAR_PAST = "far_past"  # older than any device that could have measured it
    CONFLICT = "conflict"  # the series, or the same row sent before, says something else


@dataclass(frozen=True, slots=True, kw_only=True)
class BoxIdentity:
    """A box that has proved who it is."""

    box_id: int
    organisation_id: int
    name: str
    key: str
    """The public key that it proved itself with; another one may have replaced it since."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """The place that a point measures, or a box stands in, at a given instant.

    Attributes:
        place_id: None while nobody has said more than the community.
        label: what the technician called the measured thing there, e.g. "supply pipe"; may be empty.
    """

    community_id: int
    place_id: int | None
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A device on one of a box's buses.

    Attributes:
        profile: the name of the device profile that says what its points are.
        gone_at: when its box stopped listing it; None while it is there.
    """

    id: int
    box_id: int
    key: str
    profile: str
    name: str
    gone_at: datetime | None
    where: Where


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One series of values: what a device on a box measures.

    Attributes:
        profile: key of its device's profile, which need not be one of ours.
        key: `device/point`, unique on its box.
        unit: UCUM code.
        resolution: decimal text of a register's smallest step; None where it means nothing.
        period_s: how often a value is due; 0 for a point that speaks only when something happens.
        watched: a rule looks at it, so its readings are uploaded at once and handed on.
        late_us: how far its readings may stand behind rows committed before them; see ledger.py.
        gone_at: when its box stopped listing it; None while it is there.
    """

    id: int
    organisation_id: int
    box_id: int
    box_name: str
    device_id: int
    device_name: str
    profile: str
    key: str
    unit: str
    kind: PointKind
    row_class: RowClass
    resolution: str | None
    period_s: float
    watched: bool
    late_us: int
    gone_at: datetime | None
    where: Where

    def is_stale(self, newest: datetime | None, now: datetime) -> bool:
        """Return whether a value is overdue; a point that speaks only at events, or is gone, is never stale."""
        if self.period_s == 0 or self.gone_at is not None:
            return False
        return newest is None or now - newest > max(STALE_PERIODS * timedelta(seconds=self.period_s), STALE_AT_LEAST)


class Reading(msgspec.Struct, frozen=True):
    """A value of a point at an instant; a struct, since a page's curve makes thousands."""

    time_us: int
    value: float
    flags: int = 0

    @property
    def time(self) -> datetime:
        """Return the instant as an aware datetime."""
        return from_us(self.time_us)

    @property
    def quality(self) -> Quality:
        """Return how far the value may be trusted."""
        return quality_of(self.flags)


class Hour(msgspec.Struct, frozen=True):
    """The readings of one UTC hour in short; an hour without any has no Hour.

    Attributes:
        start_us: the hour's first instant.
        first: the earliest reading's value; `last`, the latest one's.
    """

    start_us: int
    count: int
    minimum: float
    maximum: float
    mean: float
    first: float
    last: float


class FirstAndLast(msgspec.Struct, frozen=True):
    """The earliest and the latest reading of a period: what a counter's use is computed from."""

    first: Reading
    last: Reading

    @property
    def difference(self) -> float:
        """Return last minus first; a register's exact use quantises the two to its resolution before subtracting."""
        return self.last.value - self.first.value


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingsTaken(Event):
    """Watched readings were made durable, or a store that was behind has caught up (then `rows` may be empty).

    Attributes:
        rows: of watched points only, in the order of the box's sequence numbers.
        pending: rows that the box has committed and not sent; 0 means that the cloud knows all the box knows.
    """

    kind: ClassVar[str] = "fleet.readings_taken"

    box_id: int
    rows: list[SeriesRow]
    pending: int

    @property
    def subject(self) -> str:
        return f"box:{self.box_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class BoxCloned(Event):
    """Two live sessions hold one box's key on two machines: a card was copied."""

    kind: ClassVar[str] = "fleet.box_cloned"

    box_id: int
    boots: list[str]

    @property
    def subject(self) -> str:
        return f"box:{self.box_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RowsConflicted(Event):
    """Rows came whose point and instant, or whose number, the cloud holds with other content; they are set aside."""

    kind: ClassVar[str] = "fleet.rows_conflicted"

    box_id: int
    store: str
    seqs: list[int]

    @property
    def subject(self) -> str:
        return f"box:{self.box_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RowsLost(Event):
    """The box had to let go of rows that it had never sent: they will not come."""

    kind: ClassVar[str] = "fleet.rows_lost"

    box_id: int
    store: str
    ranges: list[tuple[int, int]]

    @property
    def subject(self) -> str:
        return f"box:{self.box_id}"
