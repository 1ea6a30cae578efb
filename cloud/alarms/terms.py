"""What a rule says is abnormal: bounds, rates, states and silence, in the unit that they are written in."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from enum import StrEnum

from cloud.alarms.domain import Side
from cloud.core.errors import Refused
from firmware_configs.look.words import _

MAXIMUM_DELAY_S = 7 * 86_400
"""Longest delay, window or silence: late readings make this much be read again."""

RATE_SLOTS = 8
"""A rate keeps one reading per eighth of its time, so that a fast point's state stays small."""

_SECOND_US = 1_000_000


class Kind(StrEnum):
    """Which terms a rule has."""

    LIMITS = "limits"  # the value is past a bound
    RATE = "rate"  # the value changes too fast
    STATE = "state"  # the value is the one that it should not be
    SILENCE = "silence"  # the value is missing


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Abnormal above `high` or below `low`, until the value is back by the deadband.

    Attributes:
        deadband: how far within the bound a value must come back to count as normal; 0 for not at all.
        on_delay_s: how long the value must be past the bound before it counts.
        off_delay_s: how long it must be back before it counts.
    """

    low: float | None = None
    high: float | None = None
    deadband: float = 0.0
    on_delay_s: float = 0.0
    off_delay_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """Abnormal when the value rises or falls too fast; bounds and deadband are in the unit per hour.

    Attributes:
        low: the fastest fall, as a negative number.
        over_s: the change is taken over this time at least, so that a sensor's last digit makes no alarm.
    """

    low: float | None = None
    high: float | None = None
    deadband: float = 0.0
    over_s: float = 600.0
    on_delay_s: float = 0.0
    off_delay_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Equals:
    """Abnormal while the value is exactly `value`: a leak, an open door, a fault bit."""

    value: float
    on_delay_s: float = 0.0
    off_delay_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """Abnormal when no good reading follows for `after_s`."""

    after_s: float


Terms = Limits | Rate | Equals | Silence

TERMS: dict[Kind, type[Terms]] = {
    Kind.LIMITS: Limits,
    Kind.RATE: Rate,
    Kind.STATE: Equals,
    Kind.SILENCE: Silence,
}


def kind_of(terms: Terms) -> Kind:
    """Return which kind of terms these are."""
    return next(kind for kind, shape in TERMS.items() if isinstance(terms, shape))


def checked(terms: Terms) -> Terms:
    """Return the terms, which make sense.

    Raises:
        Refused: they contradict themselves; `field` is the attribute to be mended.
    """
    for field, message, is_wrong in _faults(terms):
        if is_wrong:
            raise Refused(message, field)
    return terms


def on_delay_us(terms: Terms) -> int:
    """Return how long a value must be abnormal before it counts, in microseconds."""
    return round((terms.after_s if isinstance(terms, Silence) else terms.on_delay_s) * _SECOND_US)


def off_delay_us(terms: Terms) -> int:
    """Return how long a value must be normal before it counts, in microseconds."""
    return 0 if isinstance(terms, Silence) else round(terms.off_delay_s * _SECOND_US)


def memory_us(terms: Terms) -> int:
    """Return how far back readings can matter to a judgement whose outcome up to there is known."""
    slots_us = (2 * RATE_SLOTS + 2) * slot_us(terms) if isinstance(terms, Rate) else 0
    return max(on_delay_us(terms), off_delay_us(terms)) + slots_us


def slot_us(terms: Rate) -> int:
    """Return the length of the stretches of time of which a rate keeps one reading each, in microseconds."""
    return round(terms.over_s * _SECOND_US) // RATE_SLOTS


def limit_at(terms: Terms, side: Side) -> float | None:
    """Return the bound behind a side, in the terms' unit (per hour for a rate, seconds for silence)."""
    if isinstance(terms, Silence):
        return terms.after_s
    if isinstance(terms, Equals):
        return terms.value
    return terms.high if side is Side.HIGH else terms.low


def converted(terms: Terms, convert: Callable[[float], float]) -> Terms:
    """Return the same terms in another unit.

    Args:
        terms: limits or a rate; the others have no unit and come back as they are.
        convert: takes a value from the terms' unit to the other one; affine, so that a difference such as the
            deadband is the difference of two converted values.
    """
    zero = convert(0.0)
    if isinstance(terms, Limits):
        return replace(
            terms,
            low=None if terms.low is None else convert(terms.low),
            high=None if terms.high is None else convert(terms.high),
            deadband=convert(terms.deadband) - zero,
        )
    if isinstance(terms, Rate):
        return replace(
            terms,
            low=None if terms.low is None else convert(terms.low) - zero,
            high=None if terms.high is None else convert(terms.high) - zero,
            deadband=convert(terms.deadband) - zero,
        )
    return terms


def _faults(terms: Terms) -> Iterator[tuple[str, str, bool]]:
    for field in fields(terms):
        value = getattr(terms, field.name)
        yield field.name, _("This must be an ordinary number."), value is not None and not math.isfinite(value)
        if field.name.endswith("_s"):
            yield field.name, _("A time must be between 0 seconds and 7 days."), not 0 <= value <= MAXIMUM_DELAY_S
    if isinstance(terms, Limits | Rate):
        yield from _faults_of_bounds(terms)
    if isinstance(terms, Rate):
        yield "over_s", _("A change needs a time over which it is taken: at least one second."), terms.over_s < 1
    if isinstance(terms, Silence):
        yield "after_s", _("A silence must last at least one second."), terms.after_s < 1


def _faults_of_bounds(terms: Limits | Rate) -> Iterator[tuple[str, str, bool]]:
    yield "high", _("Give a high limit, a low limit or both."), terms.low is None and terms.high is None
    yield "deadband", _("A deadband must not be negative."), terms.deadband < 0
    if isinstance(terms, Rate):
        yield "high", _("The fastest rise must be above zero."), terms.high is not None and terms.high <= 0
        yield "low", _("The fastest fall must be below zero."), terms.low is not None and terms.low >= 0
    if terms.low is None or terms.high is None:
        return
    yield "high", _("The high limit must be above the low one."), terms.high <= terms.low
    yield (
        "deadband",
        _("A deadband this wide leaves nothing normal between the limits."),
        terms.low + terms.deadband > terms.high - terms.deadband,
    )
