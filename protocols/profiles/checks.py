"""What must hold in a profile beyond its types; a sentence for every fault."""

import math
from collections import Counter
from collections.abc import Iterator

from protocols.errors import DictionaryError
from protocols.profiles.example_checks import problems_of_example
from protocols.profiles.message_checks import problems_of_messages
from protocols.profiles.register_checks import problems_of_registers
from protocols.profiles.schema import Point, Profile
from protocols.readings import PointKind, RowClass
from protocols.units import unit_of


def problems_of(profile: Profile) -> list[str]:
    """Return what is wrong with the profile, point by point; the example is looked at once all else is right."""
    return [*_of_whole(profile), *_of_points(profile)] or [*_of_transport(profile)] or [*problems_of_example(profile)]


def _of_whole(profile: Profile) -> Iterator[str]:
    if (profile.modbus is None) == (profile.mqtt is None):
        yield "modbus and mqtt: write exactly one of the two, {} where nothing needs saying"
    for part in ("points", "identity"):
        names = Counter(row.name for row in getattr(profile, part))
        for name, count in names.items():
            if count > 1:
                yield f"{part}: the name {name} stands {count} times; every name stands once"
    if profile.identity and profile.modbus is None:
        yield "identity: only a Modbus device is asked for it; leave it out"


def _of_points(profile: Profile) -> Iterator[str]:
    for point in profile.points:
        for problem in _of_point(profile, point):
            yield f"point {point.name}: {problem}"


def _of_point(profile: Profile, point: Point) -> Iterator[str]:
    try:
        unit_of(point.unit)
    except DictionaryError as error:
        yield str(error)
    if (point.modbus is None) != (profile.modbus is None) or (point.mqtt is None) != (profile.mqtt is None):
        yield "must say where its value stands in the profile's own transport, and in no other"
    if profile.modbus is not None and point.period_s == 0:
        yield "period_s: 0 is for a device that speaks by itself; a Modbus point needs a period"
    if not all(math.isfinite(end) for end in point.valid) or point.valid[0] > point.valid[1]:
        yield f"valid: {list(point.valid)} must be [lowest, highest]"
    yield from _of_class(point)
    yield from _of_states(point)


def _of_class(point: Point) -> Iterator[str]:
    if point.row_class is RowClass.REGISTER and point.kind is not PointKind.COUNTER:
        yield f"class register is for a meter's counter and kind is {point.kind}; write kind counter or class sample"
    if point.row_class is RowClass.REGISTER and point.resolution is None:
        yield "class register needs resolution: the decimal step in which the meter counts, such as 0.01"
    if point.resolution is not None and not (point.resolution.is_finite() and point.resolution > 0):
        yield f"resolution: {point.resolution} must be above 0"


def _of_states(point: Point) -> Iterator[str]:
    if point.kind is PointKind.STATE and not point.states:
        yield "kind state needs states: what each number is called"
    if point.kind is not PointKind.STATE and point.states:
        yield f"states are for kind state and kind is {point.kind}; leave them out or write kind state"
    if point.kind is PointKind.STATE and point.unit != "1":
        yield f"kind state has no unit and unit is {point.unit!r}; write '1'"
    if point.alarms and point.alarms.state and point.alarms.state.state not in point.states:
        yield f"alarms: state {point.alarms.state.state} is none of the point's states"


def _of_transport(profile: Profile) -> Iterator[str]:
    if profile.modbus is not None:
        yield from problems_of_registers(profile, profile.modbus)
    if profile.mqtt is not None:
        yield from problems_of_messages(profile, profile.mqtt)
