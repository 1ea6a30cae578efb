"""How terms judge readings: a state that is moved by each reading and by the passing of time, and nothing else.

A value holds until the next reading, so a delay runs out at its own instant whether or not a reading comes then.
A reading at that very instant is heard first.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import assert_never

from cloud.alarms.domain import Side
from cloud.alarms.terms import (
    RATE_SLOTS,
    Equals,
    Limits,
    Rate,
    Silence,
    Terms,
    off_delay_us,
    on_delay_us,
    slot_us,
)

Reading = tuple[int, float]
"""Microseconds since 1970 and the value, in the terms' unit; readings come in ascending time, one an instant."""

_HOUR_US = 3_600_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """All that a rule remembers of the readings behind it.

    Attributes:
        time_us: up to where it has judged; None before the first reading.
        value: the newest reading's.
        side: on which side the episode that stands began; None while all is normal.
        left_us: since when the readings have not said `side`.
        next_side: another side that the readings say, since `next_us`.
        past: earlier readings that a rate compares with.
    """

    time_us: int | None = None
    value: float | None = None
    side: Side | None = None
    left_us: int | None = None
    next_side: Side | None = None
    next_us: int | None = None
    past: tuple[Reading, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Raised:
    """An episode begins."""

    time_us: int
    value: float | None
    """None when silence follows on no reading at all."""
    side: Side


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """The episode that stood is over."""

    time_us: int
    value: float | None


Change = Raised | Returned


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """A stretch of abnormal time; `returned_us` is None while it stands."""

    side: Side
    raised_us: int
    raised_value: float | None
    returned_us: int | None = None
    returned_value: float | None = None


def first_state(terms: Terms, *, now_us: int) -> State:
    """Return the state of a rule that begins now: silence counts from here, all else from the first reading."""
    if isinstance(terms, Silence):
        return State(next_side=Side.SILENT, next_us=now_us)
    return State()


def due_us(terms: Terms, state: State) -> int | None:
    """Return the instant at which the passing of time alone changes the state; None if it never does."""
    if state.left_us is not None:
        return state.left_us + off_delay_us(terms)
    if state.side is None and state.next_us is not None:
        return state.next_us + on_delay_us(terms)
    return None


def heard(terms: Terms, state: State, reading: Reading) -> tuple[State, list[Change]]:
    """Return the state after one reading, later than all before it, and what that changed."""
    time_us, _ = reading
    state, before = _settled(terms, state, time_us - 1)
    state, after = _settled(terms, _noted(terms, state, reading), time_us)
    return state, before + after


def waited(terms: Terms, state: State, until_us: int) -> tuple[State, list[Change]]:
    """Return the state at `until_us` if no reading comes before, and what that changed.

    The state's time moves to the last change only: a reading that was under way meanwhile is still newer.
    """
    state, changes = _settled(terms, state, until_us)
    if changes:
        state = replace(state, time_us=max(changes[-1].time_us, state.time_us or 0))
    return state, changes


def episodes(terms: Terms, readings: Iterable[Reading], *, until_us: int) -> list[Episode]:
    """Return the episodes that sorted readings make, judged up to `until_us`."""
    state, found = State(), EpisodeList()
    for reading in readings:
        state, changes = heard(terms, state, reading)
        found.take(changes)
    found.take(waited(terms, state, until_us)[1])
    return found.episodes


class EpisodeList:
    """Episodes as changes make them, one after the other."""

    def __init__(self, standing: Episode | None = None) -> None:
        self.episodes: list[Episode] = [standing] if standing else []

    def take(self, changes: Iterable[Change]) -> None:
        """Add what the changes began and ended."""
        for change in changes:
            match change:
                case Raised():
                    self.episodes.append(Episode(side=change.side, raised_us=change.time_us, raised_value=change.value))
                case Returned():
                    self.episodes[-1] = replace(
                        self.episodes[-1], returned_us=change.time_us, returned_value=change.value
                    )
                case never:
                    assert_never(never)


class KnownSides:
    """Which side stood when, by the episodes known so far: sorted, and none over another."""

    def __init__(self, known: Sequence[Episode]) -> None:
        self._known = known
        self._starts = [episode.raised_us for episode in known]

    def at(self, time_us: int) -> Episode | None:
        """Return the episode that stands at an instant, whatever begins or ends at it included."""
        index = bisect_right(self._starts, time_us) - 1
        return self._standing(index, time_us + 1)

    def before(self, time_us: int) -> Episode | None:
        """Return the episode that stands right before an instant."""
        index = bisect_left(self._starts, time_us) - 1
        return self._standing(index, time_us)

    def _standing(self, index: int, time_us: int) -> Episode | None:
        if index < 0:
            return None
        episode = self._known[index]
        return episode if episode.returned_us is None or episode.returned_us >= time_us else None


def recalled(terms: Terms, readings: Iterable[Reading], sides: KnownSides, *, before_us: int) -> State:
    """Return the state right before an instant from the readings of `memory_us` before it and the known episodes."""
    state = State()
    # What had been waiting for longer has run out, and the known episodes say how.
    waiting_from_us = before_us - max(on_delay_us(terms), off_delay_us(terms))
    for reading in readings:
        time_us, value = reading
        if time_us < waiting_from_us:
            past = _kept(terms, state.past, reading) if isinstance(terms, Rate) else ()
            state = State(time_us=time_us, value=value, past=past)
            continue
        state = _noted(terms, _turned(state, sides.before(time_us)), reading)
        state = _turned(state, sides.at(time_us))
    return _turned(state, sides.before(before_us))


def _settled(terms: Terms, state: State, until_us: int) -> tuple[State, list[Change]]:
    changes: list[Change] = []
    earliest_us = 0
    if state.left_us is not None and state.left_us + off_delay_us(terms) <= until_us:
        earliest_us = state.left_us + off_delay_us(terms)
        changes.append(Returned(time_us=earliest_us, value=state.value))
        state = replace(state, side=None, left_us=None)
    if state.side is None and state.next_us is not None and state.next_us + on_delay_us(terms) <= until_us:
        assert state.next_side is not None  # noqa: S101  next_side and next_us are set together
        raised_us = max(state.next_us + on_delay_us(terms), earliest_us)
        changes.append(Raised(time_us=raised_us, value=state.value, side=state.next_side))
        state = replace(state, side=state.next_side, next_side=None, next_us=None)
    return state, changes


def _turned(state: State, standing: Episode | None) -> State:
    side = standing.side if standing else None
    if side is state.side:
        return state
    if side is None:
        return replace(state, side=None, left_us=None)
    return replace(state, side=side, left_us=None, next_side=None, next_us=None)


def _noted(terms: Terms, state: State, reading: Reading) -> State:
    time_us, value = reading
    past = _kept(terms, state.past, reading) if isinstance(terms, Rate) else ()
    said = _said(terms, state, reading)
    left_us = state.left_us if state.left_us is not None else time_us
    if isinstance(terms, Silence):
        next_side, next_us = Side.SILENT, time_us
    elif said is None or said is state.side:
        next_side, next_us = None, None
    else:
        next_side, next_us = said, state.next_us if said is state.next_side else time_us
    return State(
        time_us=time_us,
        value=value,
        side=state.side,
        left_us=None if state.side is None or said is state.side else left_us,
        next_side=next_side,
        next_us=next_us,
        past=past,
    )


def _said(terms: Terms, state: State, reading: Reading) -> Side | None:
    time_us, value = reading
    match terms:
        case Limits():
            return _past_bound(terms, value, state.side)
        case Rate():
            earlier = _anchor(terms, state.past, time_us)
            if earlier is None:
                return None
            return _past_bound(terms, (value - earlier[1]) * _HOUR_US / (time_us - earlier[0]), state.side)
        case Equals():
            return Side.EQUAL if value == terms.value else None
        case Silence():
            return None
        case never:
            assert_never(never)


def _past_bound(terms: Limits | Rate, value: float, side: Side | None) -> Side | None:
    if terms.high is not None and value > terms.high - (terms.deadband if side is Side.HIGH else 0.0):
        return Side.HIGH
    if terms.low is not None and value < terms.low + (terms.deadband if side is Side.LOW else 0.0):
        return Side.LOW
    return None


def _anchor(terms: Rate, past: Sequence[Reading], time_us: int) -> Reading | None:
    """Return the newest kept reading that is at least the rate's time old and at most about twice that."""
    slot = slot_us(terms)
    for earlier in reversed(past):
        if earlier[0] <= time_us - RATE_SLOTS * slot:
            return earlier if earlier[0] // slot >= time_us // slot - 2 * RATE_SLOTS else None
    return None


def _kept(terms: Rate, past: Sequence[Reading], reading: Reading) -> tuple[Reading, ...]:
    """Return the first reading of each slot, slots counted from 1970 so that it does not matter where one begins."""
    slot = slot_us(terms)
    oldest = reading[0] // slot - 2 * RATE_SLOTS
    kept = tuple(earlier for earlier in past if earlier[0] // slot >= oldest)
    if kept and kept[-1][0] // slot == reading[0] // slot:
        return kept
    return (*kept, reading)
