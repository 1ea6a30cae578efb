"""Where things are: communities, their buildings and units, and the places in them."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cloud.core.errors import Refused
from firmware_configs.look.words import _

DEFAULT_TIME_ZONE = "Asia/Shanghai"
SEPARATOR = " · "
_NAME_LENGTH = 80
_ADDRESS_LENGTH = 200


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


def check_time_zone(name: str) -> str:
    """Return the IANA time zone's name.

    Raises:
        Refused: there is no such zone.
    """
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise Refused(_("%(zone)s is no time zone; one is Asia/Shanghai."), field="time_zone", zone=name) from error


def label(*names: str | None) -> str:
    """Return where something is, from the largest to the smallest: "云杉苑 · 3 栋 · B1 水泵房"."""
    return SEPARATOR.join(name for name in names if name)
