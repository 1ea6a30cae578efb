"""Late readings: judge a stretch of time again, and match what comes out to the alarms that are known."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from cloud.alarms.judgement import Change, Episode, EpisodeList, KnownSides, Reading, State, heard, recalled, waited
from cloud.alarms.terms import Terms, memory_us

_STRETCH_US = 3_600_000_000
"""The least that is read again after the first stretch has not met what is known; each next one is twice as long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownAlarm:
    """An alarm as the database has it.

    Attributes:
        is_seen: announced or touched by a person, so it may be corrected but not forgotten.
    """

    alarm_id: int
    episode: Episode
    is_seen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What a stretch of time says when all its readings are known.

    Attributes:
        until_us: up to where it was judged again; after it, what is known still holds.
        state: at the end of the readings; None when the known was met before, so that its state still holds.
    """

    episodes: list[Episode]
    until_us: int
    state: State | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How the known alarms become the true ones."""

    corrected: list[tuple[int, Episode]]
    missing: list[Episode]
    vanished: list[KnownAlarm]


class Book(Protocol):
    """What is written down about one rule at one point."""

    async def readings(self, first_us: int, last_us: int) -> list[Reading]:
        """Return the good readings from one instant to another, both included, sorted, in the terms' unit."""

    async def known(self, first_us: int, last_us: int) -> list[KnownAlarm]:
        """Return the alarms that stood anywhere from one instant to another, both included, by their beginning."""

    async def change(self, changes: Sequence[Change]) -> None:
        """Write down what began and ended, in this order, after all that is known."""

    async def correct(self, plan: Plan) -> None:
        """Make the known alarms the true ones."""


async def judged(terms: Terms, state: State, fresh: Sequence[Reading], book: Book) -> State:
    """Judge readings that came, in any order, and return the state after them.

    Those newer than the state move it; for older ones the stretch that they may change is read and judged again. A
    reading that was judged before changes nothing.
    """
    ordered = sorted(fresh)
    late = [reading for reading in ordered if state.time_us is not None and reading[0] <= state.time_us]
    if late:
        state = await _corrected(terms, state, book, first_us=late[0][0], last_us=late[-1][0])
    changes: list[Change] = []
    for reading in ordered[len(late) :]:
        state, more = heard(terms, state, reading)
        changes += more
    if changes:
        await book.change(changes)
    return state


def replayed(
    terms: Terms, readings: Sequence[Reading], known: Sequence[Episode], *, first_us: int, last_us: int, until_us: int
) -> Replayed:
    """Judge again from `first_us` until the outcome meets what is known, or until `until_us`.

    It has met the known when, from `last_us` on, both had the same side at every reading for as long as a rule
    remembers: equal readings then lead to equal states.

    Args:
        terms: in the readings' unit.
        readings: all there are from `memory_us` before `first_us` to `until_us`, sorted.
        known: the episodes known before, sorted, as far as they touch that stretch.
        first_us: the earliest reading that was not judged yet.
        last_us: the latest reading that was not judged yet.
        until_us: where the readings end; nothing later was judged yet.
    """
    sides, memory = KnownSides(known), memory_us(terms)
    earlier = [reading for reading in readings if reading[0] < first_us]
    state = recalled(terms, earlier, sides, before_us=first_us)
    begun = sides.before(first_us)
    found = EpisodeList(replace(begun, returned_us=None, returned_value=None) if begun else None)
    agreed_us: int | None = None
    for reading in readings[len(earlier) :]:
        state, changes = heard(terms, state, reading)
        found.take(changes)
        time_us = reading[0]
        standing = sides.at(time_us)
        if time_us < last_us or state.side is not (standing.side if standing else None):
            agreed_us = None
            continue
        agreed_us = time_us if agreed_us is None else agreed_us
        if time_us - agreed_us >= memory:
            return Replayed(episodes=_joined(found.episodes, standing), until_us=time_us, state=None)
    state, changes = waited(terms, state, until_us)
    found.take(changes)
    return Replayed(episodes=found.episodes, until_us=until_us, state=state)


def reconciled(known: Sequence[KnownAlarm], found: Sequence[Episode]) -> Plan:
    """Match the alarms known in a stretch of time to the episodes found in it.

    An alarm takes the episode that is most like it: the same one, else one that stands as it does, else one that
    overlaps it. Alarms that people have seen choose first, so that the one ticket stays with what still stands.
    """
    free = list(found)
    corrected: list[tuple[int, Episode]] = []
    vanished: list[KnownAlarm] = []
    left = []
    for alarm in known:
        if alarm.episode in free:
            free.remove(alarm.episode)
        else:
            left.append(alarm)
    for alarm in sorted(left, key=lambda alarm: (not alarm.is_seen, alarm.episode.returned_us is not None)):
        match = _most_alike(alarm.episode, free)
        if match is None:
            vanished.append(alarm)
        else:
            free.remove(match)
            corrected.append((alarm.alarm_id, match))
    return Plan(corrected=corrected, missing=free, vanished=vanished)


async def _corrected(terms: Terms, state: State, book: Book, *, first_us: int, last_us: int) -> State:
    assert state.time_us is not None  # noqa: S101  only a state that has judged can be told something late
    until_us = min(state.time_us, last_us + memory_us(terms))
    while True:
        known = await book.known(first_us - memory_us(terms), until_us)
        again = replayed(
            terms,
            await book.readings(first_us - memory_us(terms), until_us),
            [alarm.episode for alarm in known],
            first_us=first_us,
            last_us=last_us,
            until_us=until_us,
        )
        if again.state is None or until_us == state.time_us:
            break
        until_us = min(state.time_us, until_us + max(_STRETCH_US, until_us - first_us))
    touched = [alarm for alarm in known if _touches(alarm.episode, first_us, again.until_us)]
    await book.correct(reconciled(touched, again.episodes))
    return again.state or state


def _touches(episode: Episode, first_us: int, until_us: int) -> bool:
    return episode.raised_us <= until_us and (episode.returned_us is None or episode.returned_us >= first_us)


def _joined(found: list[Episode], standing: Episode | None) -> list[Episode]:
    """Return the episodes, the last of which ends as the known one that it has met."""
    if standing is None:
        return found
    end = replace(found[-1], returned_us=standing.returned_us, returned_value=standing.returned_value)
    return [*found[:-1], end]


def _most_alike(episode: Episode, free: Sequence[Episode]) -> Episode | None:
    candidates = [other for other in free if other.side is episode.side and _overlap(episode, other)]
    if not candidates:
        return None
    return min(
        candidates,
        key=lambda other: (
            (other.returned_us is None) is not (episode.returned_us is None),
            abs(other.raised_us - episode.raised_us),
        ),
    )


def _overlap(one: Episode, other: Episode) -> bool:
    return (one.returned_us is None or one.returned_us > other.raised_us) and (
        other.returned_us is None or other.returned_us > one.raised_us
    )
