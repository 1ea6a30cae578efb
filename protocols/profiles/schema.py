"""A device profile: what one model measures, where each value stands, and the frame that proves it."""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from protocols.errors import DictionaryError
from protocols.modbus.declarations import BlockLimits, IdentityRegisters, RegisterClock, RegisterPoint
from protocols.mqtt.declarations import MessagePoint, MqttTransport
from protocols.readings import ANY_VALUE, PointKind, RowClass

Text = Annotated[str, Meta(min_length=1)]
Name = Annotated[str, Meta(pattern="^[a-z][a-z0-9_]*$", max_length=40)]


class DeviceKind(StrEnum):
    """What a device is for."""

    ELECTRICITY_METER = "meter-electricity"
    WATER_METER = "meter-water"
    GAS_METER = "meter-gas"
    HEAT_METER = "meter-heat"
    CLIMATE = "climate"
    AIR_QUALITY = "air-quality"
    LEAK = "leak"
    SMOKE = "smoke"
    CONTACT = "contact"
    MOTION = "motion"
    PUMP = "pump"
    LIFT = "lift"
    OTHER = "other"


class Label(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A name in both languages of the pages."""

    zh: Text
    en: Text


class LimitAlarm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A limit that a new installation may begin with, in the point's unit."""

    limit: float
    deadband: Annotated[float, Meta(ge=0)] = 0.0
    on_delay_s: Annotated[float, Meta(ge=0)] = 0.0
    off_delay_s: Annotated[float, Meta(ge=0)] = 0.0
    priority: Literal["low", "medium", "high", "critical"]


class StateAlarm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A state that is an alarm by itself."""

    state: int
    on_delay_s: Annotated[float, Meta(ge=0)] = 0.0
    off_delay_s: Annotated[float, Meta(ge=0)] = 0.0
    priority: Literal["low", "medium", "high", "critical"]


class AlarmDefaults(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The alarms proposed for a point when its device is bound; None: none of that sort."""

    high: LimitAlarm | None = None
    low: LimitAlarm | None = None
    state: StateAlarm | None = None


class Point(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing that the device measures."""

    name: Name
    label: Label
    unit: str
    """UCUM code out of protocols.units; "1" for a number without one."""
    kind: PointKind
    row_class: RowClass = msgspec.field(name="class")
    period_s: Annotated[float, Meta(ge=0, le=86_400)]
    """How often it is read, or is due to come; 0 for a device that speaks only when something happens."""
    resolution: Decimal | None = None
    """Smallest step of a meter's register; compulsory for class register."""
    valid: tuple[float, float] = ANY_VALUE
    """What can be real, both ends in it; a value outside is kept and marked suspect."""
    states: dict[int, Label] = {}
    """What each number of a point of kind state is called."""
    alarms: AlarmDefaults | None = None
    modbus: RegisterPoint | None = None
    mqtt: MessagePoint | None = None


class IdentityField(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something a device says of itself, such as its serial number; read on demand, never polled."""

    name: Name
    label: Label
    modbus: IdentityRegisters


class ModbusTransport(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the device wants to be asked."""

    limits: BlockLimits = BlockLimits()
    clock: RegisterClock | None = None


class Exchange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One read as it goes over a serial line, check sums and all, in hexadecimal digits."""

    request: Text
    response: Text


class ExampleMessage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One message as the broker hands it over."""

    topic: Text
    payload: str


class Example(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the device said once, and what that means: the proof that the profile reads it right."""

    constructed: bool
    """True where the frame was built from the source's table, False where a device sent it."""
    exchanges: tuple[Exchange, ...] = ()
    device: str = ""
    """The name under which the messages were published."""
    messages: tuple[ExampleMessage, ...] = ()
    expected: Annotated[dict[str, float], Meta(min_length=1)]
    """Every value that follows, by point."""
    expected_time: str | None = None
    """ISO 8601 instant of all the values; compulsory where the device has a clock."""
    expected_identity: dict[str, str] = {}


class Profile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All that Gatehouse knows of a device model; exactly one of `modbus` and `mqtt` is there."""

    key: Text
    """The file's name without its ending."""
    maker: Text
    models: Annotated[tuple[Text, ...], Meta(min_length=1)]
    kind: DeviceKind
    label: Label
    source: Text
    """What was read to write it: a manual with its page, or a public driver's register table."""
    notes: str = ""
    """What whoever installs the device should know."""
    practice: bool = False
    """Whether the device exists only in the practice building."""
    modbus: ModbusTransport | None = None
    mqtt: MqttTransport | None = None
    points: Annotated[tuple[Point, ...], Meta(min_length=1)]
    identity: tuple[IdentityField, ...] = ()
    example: Example

    def point(self, name: str) -> Point:
        """Return the point of that name.

        Raises:
            DictionaryError: the profile has none of that name.
        """
        for point in self.points:
            if point.name == name:
                return point
        known = ", ".join(point.name for point in self.points)
        raise DictionaryError(f"profile {self.key} has no point {name!r}; it has {known}")
