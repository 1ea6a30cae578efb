"""What a measured value is: its point, its instant, its quality, and the class that says how dear it is."""

import sys
from enum import IntEnum, StrEnum
from typing import NamedTuple

TIME_ESTIMATED = 0b100
"""Flag bit: the boot's clock offset was never learnt; the time lies between the row's neighbours."""

QUALITY_MASK = 0b011
"""Flag bits that hold the Quality."""

ANY_VALUE = (-sys.float_info.max, sys.float_info.max)
"""The validity range of a point that declares none: every finite number."""


class Quality(IntEnum):
    """How far a value may be trusted; the numbers are wire format and never change meaning."""

    GOOD = 0
    ESTIMATED = 1  # computed in place of a value that was not measured
    SUSPECT = 2  # measured, outside its validity range or from a device that reports a fault
    SUBSTITUTED = 3  # put in by a person


class RowClass(StrEnum):
    """What a row is worth to the business; decides when it is committed and in which order it is evicted."""

    REGISTER = "register"  # a meter's counter: billed from, committed before it counts as taken
    EVENT = "event"  # something that happened once: committed before it counts as taken
    SAMPLE = "sample"  # one of many: committed together once a second


class PointKind(StrEnum):
    """What a value of the point says, which decides how it is drawn and ruled on."""

    GAUGE = "gauge"  # rises and falls: temperature, power
    COUNTER = "counter"  # only grows, until it rolls over or its meter is changed: energy, volume
    STATE = "state"  # 0 or 1, or a small enumeration


def quality_of(flags: int) -> Quality:
    """Return the quality held in a row's flags."""
    return Quality(flags & QUALITY_MASK)


class Decoded(NamedTuple):
    """One value that a device gave, in its point's declared unit."""

    point: str
    """The point's name in the device's profile, without the device."""
    value: float
    quality: Quality = Quality.GOOD
    time_us: int | None = None
    """The device's own timestamp, microseconds since 1970; None where it sent none."""
