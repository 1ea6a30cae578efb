"""Where things are: communities, their buildings and units, and the places in them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from cloud.core.errors import Refused
from firmware_configs.look.words import _

DEFAULT_TIME_ZONE = "Asia/Shanghai"
SEPARATOR = " · "
_NAME_LENGTH = 80
_ADDRESS_LENGTH = 200
_FIRST_DAY, _LAST_DAY = date(1950, 1, 1), date(2099, 12, 31)  # a slip of the finger is caught, a grandparent is not


class PlaceKind(StrEnum):
    """What a place is, which says who may go there and what is found there."""

    ROOM = "room"
    PLANT_ROOM = "plant_room"  # pumps, boilers, chillers
    ELECTRICAL_ROOM = "electrical_room"
    METER_ROOM = "meter_room"
    CORRIDOR = "corridor"
    LOBBY = "lobby"
    LIFT = "lift"
    GATE = "gate"
    GARAGE = "garage"
    ROOF = "roof"
    GROUNDS = "grounds"  # outdoors, between the buildings
    OTHER = "other"


class OccupancyKind(StrEnum):
    """As what somebody occupies a unit."""

    OWNER = "owner"
    TENANT = "tenant"
    FAMILY = "family"  # lives with the owner or the tenant


@dataclass(frozen=True, slots=True, kw_only=True)
class Occupancy:
    """That somebody owns a unit or lives in it, from a day on.

    Attributes:
        since: the first day.
        until: the first day on which it is no longer so; None while no end is known.
    """

    id: int
    unit_id: int
    person_id: int
    kind: OccupancyKind
    since: date
    until: date | None

    def holds(self, on: date) -> bool:
        """Return whether it is so on a day."""
        return self.since <= on and (self.until is None or on < self.until)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where something stands or happens.

    Attributes:
        building_id: None for a place that belongs to the whole community.
        unit_id: None for a place that is no part of a flat or shop.
    """

    id: int
    community_id: int
    building_id: int | None
    unit_id: int | None
    name: str
    kind: PlaceKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A flat, a shop: what somebody owns."""

    id: int
    building_id: int
    name: str
    places: Sequence[Place] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Building:
    """A building, with what is in it."""

    id: int
    community_id: int
    name: str
    units: Sequence[Unit] = ()
    places: Sequence[Place] = ()
    """Those that are in no unit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Community:
    """A community (小区), with what is in it when it was asked for as a tree.

    Attributes:
        time_zone: IANA name; the local time of everything in it.
    """

    id: int
    name: str
    address: str
    time_zone: str
    buildings: Sequence[Building] = ()
    places: Sequence[Place] = ()
    """Those that are in no building."""


def check_name(name: str) -> str:
    """Return a name without spaces around it.

    Raises:
        Refused: it is empty or too long.
    """
    name = name.strip()
    if not 1 <= len(name) <= _NAME_LENGTH:
        raise Refused(_("A name has 1 to 80 characters."), field="name")
    return name


def check_address(address: str) -> str:
    """Return an address without spaces around it; it may be empty.

    Raises:
        Refused: it is too long.
    """
    address = address.strip()
    if len(address) > _ADDRESS_LENGTH:
        raise Refused(_("An address has at most 200 characters."), field="address")
    return address


def check_period(since: date, until: date | None) -> None:
    """Let a period pass that ends after it began, or on that very day: then it never was.

    Raises:
        Refused: it ends before it begins, or is of another century.
    """
    if not _FIRST_DAY <= since <= _LAST_DAY:
        raise Refused(_("Choose a day between 1950 and 2100."), field="since")
    if until is not None and not since <= until <= _LAST_DAY:
        raise Refused(_("This must be the day of moving in (%(since)s) or a later one."), field="until", since=since)


def label(*names: str | None) -> str:
    """Return where something is, from the largest to the smallest: "云杉苑 · 3 栋 · B1 水泵房"."""
    return SEPARATOR.join(name for name in names if name)
