"""What is written down about one rule at one point: its readings in the series, its alarms and its state."""

from collections.abc import Sequence
from functools import lru_cache, partial
from typing import assert_never

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.alarms.announcing import tell_return
from cloud.alarms.domain import Act, Deed, moved, stage_of
from cloud.alarms.judgement import Change, Episode, Raised, Reading, Returned, State, due_us
from cloud.alarms.replay import KnownAlarm, Plan
from cloud.alarms.tables import AlarmRow, RuleRow, RuleStateRow, alarms_within, entry, standing_alarm
from cloud.alarms.terms import TERMS, Terms, converted, limit_at
from cloud.core.clock import Clock, from_us, to_us
from cloud.core.principal import Principal
from cloud.fleet.domain import Point
from cloud.fleet.domain import Reading as SeriesReading
from cloud.fleet.series import SeriesStore
from cloud.properties import service as properties
from protocols.readings import Quality, quality_of
from protocols.units import convert


def is_judged(flags: int) -> bool:
    """Return whether a reading is good enough for a rule: a doubtful one says nothing, and its like is silence."""
    return quality_of(flags) is not Quality.SUSPECT


def terms_of(rule: RuleRow) -> Terms:
    """Return the rule's terms in its own unit."""
    return msgspec.convert(rule.terms, TERMS[rule.kind], strict=False)


def terms_at(rule: RuleRow, point: Point) -> Terms:
    """Return the rule's terms in the point's unit.

    Raises:
        UnitRefused: the two do not measure the same quantity.
    """
    return in_unit(terms_of(rule), rule.unit, point.unit)


@lru_cache(maxsize=4_096)
def in_unit(terms: Terms, source: str, target: str) -> Terms:
    """Return the terms in another unit of the same quantity.

    Raises:
        UnitRefused: the two do not measure the same quantity.
    """
    return terms if source == target else converted(terms, partial(convert, source=source, target=target))


def state_of(row: RuleStateRow) -> State:
    """Return the state that a row holds."""
    return State(
        time_us=row.time_us,
        value=row.value,
        side=row.side,
        left_us=row.left_us,
        next_side=row.next_side,
        next_us=row.next_us,
        past=tuple((time_us, value) for time_us, value in row.past),
    )


def keep_state(row: RuleStateRow, terms: Terms, state: State) -> None:
    """Put a state into its row."""
    row.time_us, row.value = state.time_us, state.value
    row.side, row.left_us = state.side, state.left_us
    row.next_side, row.next_us = state.next_side, state.next_us
    row.past = list(state.past)
    row.due_us = due_us(terms, state)


class RuleBook:
    """The pages of one rule, for judging; see replay.Book."""

    def __init__(
        self, session: AsyncSession, clock: Clock, series: SeriesStore, *, rule: RuleRow, point: Point, terms: Terms
    ) -> None:
        self._session = session
        self._clock = clock
        self._series = series
        self._rule = rule
        self._point = point
        self._terms = terms
        self.is_changed = False
        """Whether any alarm began, ended or was corrected."""
        self._floor_us = 0 if rule.judged_after is None else to_us(rule.judged_after) + 1

    def is_ours(self, reading: Reading) -> bool:
        """Return whether a reading is judged by these terms, and not by those before them."""
        return reading[0] >= self._floor_us

    async def readings(self, first_us: int, last_us: int) -> list[Reading]:
        """Return the good readings of a stretch of time, both ends included, sorted."""
        found: list[SeriesReading] = await self._series.read(
            self._point.id, start_us=max(first_us, self._floor_us), end_us=last_us + 1
        )
        return [(reading.time_us, reading.value) for reading in found if is_judged(reading.flags)]

    async def known(self, first_us: int, last_us: int) -> list[KnownAlarm]:
        """Return the alarms that stood anywhere in a stretch of time, by their beginning."""
        rows = await alarms_within(
            self._session,
            organisation_id=self._rule.organisation_id,
            rule_id=self._rule.id,
            terms_version=self._rule.terms_version,
            first=from_us(max(first_us, self._floor_us)),
            last=from_us(last_us),
        )
        return [KnownAlarm(alarm_id=row.id, episode=_episode(row), is_seen=row.is_seen) for row in rows]

    async def change(self, changes: Sequence[Change]) -> None:
        """Write down what began and ended."""
        self.is_changed = self.is_changed or bool(changes)
        for change in changes:
            match change:
                case Raised():
                    await self._raise(Episode(side=change.side, raised_us=change.time_us, raised_value=change.value))
                case Returned():
                    await self._return(change)
                case never:
                    assert_never(never)

    async def correct(self, plan: Plan) -> None:
        """Make the known alarms the true ones; what ends comes first, since only one may stand."""
        self.is_changed = self.is_changed or bool(plan.vanished or plan.corrected or plan.missing)
        for alarm in plan.vanished:
            await self._withdraw(await self._alarm(alarm.alarm_id), is_seen=alarm.is_seen)
        for alarm_id, episode in sorted(plan.corrected, key=lambda entry: entry[1].returned_us is None):
            await self._move(await self._alarm(alarm_id), episode)
        for episode in plan.missing:
            await self._raise(episode)

    async def _alarm(self, alarm_id: int) -> AlarmRow:
        return await self._session.get_one(AlarmRow, alarm_id)

    async def _raise(self, episode: Episode) -> None:
        ours = Principal.system(self._rule.organisation_id)
        where = self._point.where
        row = AlarmRow(
            organisation_id=self._rule.organisation_id,
            community_id=where.community_id,
            place_id=where.place_id,
            place=await place_of(self._session, ours, community_id=where.community_id, place_id=where.place_id),
            box_id=self._point.box_id,
            point_id=self._point.id,
            rule_id=self._rule.id,
            terms_version=self._rule.terms_version,
            side=episode.side,
            unit=self._point.unit,
            priority=self._rule.priority,
            label=where.label,
            raised_at=from_us(episode.raised_us),
            raised_value=episode.raised_value,
            limit=limit_at(self._terms, episode.side),
            returned_at=None if episode.returned_us is None else from_us(episode.returned_us),
            returned_value=episode.returned_value,
            created_at=self._clock.now(),
        )
        self._session.add(row)
        await self._session.flush()

    async def _return(self, change: Returned) -> None:
        alarm = await standing_alarm(self._session, organisation_id=self._rule.organisation_id, rule_id=self._rule.id)
        if alarm is not None:  # a person may have ended it with its rule
            await end(self._session, self._clock, alarm, at_us=change.time_us, value=change.value)

    async def _move(self, alarm: AlarmRow, episode: Episode) -> None:
        before = _episode(alarm)
        alarm.raised_at, alarm.raised_value = from_us(episode.raised_us), episode.raised_value
        if alarm.is_seen:
            self._record(alarm, Deed.CORRECTED)
        if episode.returned_us is not None and before.returned_us is None:
            await end(self._session, self._clock, alarm, at_us=episode.returned_us, value=episode.returned_value)
        elif episode.returned_us is None and before.returned_us is not None:
            moved(stage_of(active=False, acknowledged=alarm.acknowledged_at is not None), Act.RAISE)
            alarm.returned_at, alarm.returned_value = None, None
        elif episode.returned_us is not None:
            alarm.returned_at, alarm.returned_value = from_us(episode.returned_us), episode.returned_value
        await self._session.flush()

    async def _withdraw(self, alarm: AlarmRow, *, is_seen: bool) -> None:
        if not is_seen:
            await self._session.delete(alarm)
            await self._session.flush()
            return
        alarm.withdrawn_at = self._clock.now()
        self._record(alarm, Deed.WITHDRAWN)
        if alarm.returned_at is None:
            await end(self._session, self._clock, alarm, at_us=to_us(alarm.raised_at), value=None)

    def _record(self, alarm: AlarmRow, deed: Deed) -> None:
        ours = Principal.system(alarm.organisation_id)
        self._session.add(entry(alarm, ours, at=self._clock.now(), deed=deed))


async def end(session: AsyncSession, clock: Clock, alarm: AlarmRow, *, at_us: int, value: float | None) -> None:
    """Return a standing alarm to normal and tell who had been told of it."""
    moved(stage_of(active=alarm.returned_at is None, acknowledged=alarm.acknowledged_at is not None), Act.RETURN)
    alarm.returned_at, alarm.returned_value = from_us(at_us), value
    await session.flush()
    await tell_return(session, clock, alarm)


async def place_of(session: AsyncSession, principal: Principal, *, community_id: int, place_id: int | None) -> str:
    """Return the names of a place from the widest to the narrowest; the community's alone where nobody said more."""
    if place_id is not None:
        return await properties.place_label(session, principal, place_id)
    return (await properties.find_community(session, principal, community_id)).name


def _episode(row: AlarmRow) -> Episode:
    assert row.side is not None  # noqa: S101  a rule's alarm always has one
    return Episode(
        side=row.side,
        raised_us=to_us(row.raised_at),
        raised_value=row.raised_value,
        returned_us=None if row.returned_at is None else to_us(row.returned_at),
        returned_value=row.returned_value,
    )
