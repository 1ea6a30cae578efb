from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud.alarms.domain import Side
from cloud.alarms.judgement import Change, Episode, Raised, Reading, State, episodes, waited
from cloud.alarms.replay import KnownAlarm, Plan, judged, reconciled
from cloud.alarms.terms import Equals, Limits, Rate, Silence, Terms

S = 1_000_000
PLAIN = Limits(low=20.0, high=80.0, deadband=2.0)
DELAYED = Limits(low=20.0, high=80.0, deadband=2.0, on_delay_s=5, off_delay_s=7)
ALL_TERMS: list[Terms] = [
    PLAIN,
    DELAYED,
    Limits(high=50.0, on_delay_s=9),
    Rate(low=-3_600.0, high=3_600.0, over_s=16, off_delay_s=3),
    Equals(value=50.0, on_delay_s=3),
    Silence(after_s=6),
]


@dataclass
class Paper:
    """A book kept in memory: all that was measured, and the alarms as they are known."""

    series: dict[int, float] = field(default_factory=dict)
    alarms: dict[int, Episode] = field(default_factory=dict)
    seen: set[int] = field(default_factory=set)
    withdrawn: list[int] = field(default_factory=list)
    reads: int = 0
    next_id: int = 1

    async def readings(self, first_us: int, last_us: int) -> list[Reading]:
        self.reads += 1
        return [reading for reading in sorted(self.series.items()) if first_us <= reading[0] <= last_us]

    async def known(self, first_us: int, last_us: int) -> list[KnownAlarm]:
        return [
            KnownAlarm(alarm_id=alarm_id, episode=episode, is_seen=alarm_id in self.seen)
            for alarm_id, episode in sorted(self.alarms.items(), key=lambda item: item[1].raised_us)
            if episode.raised_us <= last_us and (episode.returned_us is None or episode.returned_us >= first_us)
        ]

    async def change(self, changes: Sequence[Change]) -> None:
        for change in changes:
            standing = [alarm_id for alarm_id, episode in self.alarms.items() if episode.returned_us is None]
            if isinstance(change, Raised):
                assert standing == []
                self._add(Episode(side=change.side, raised_us=change.time_us, raised_value=change.value))
            else:
                (alarm_id,) = standing
                self.alarms[alarm_id] = replace(
                    self.alarms[alarm_id], returned_us=change.time_us, returned_value=change.value
                )

    async def correct(self, plan: Plan) -> None:
        for alarm in plan.vanished:
            del self.alarms[alarm.alarm_id]
            if alarm.is_seen:
                self.withdrawn.append(alarm.alarm_id)
        self.alarms |= dict(plan.corrected)
        for episode in plan.missing:
            self._add(episode)
        assert sum(episode.returned_us is None for episode in self.alarms.values()) <= 1

    def episodes(self) -> list[Episode]:
        return sorted(self.alarms.values(), key=lambda episode: episode.raised_us)

    def _add(self, episode: Episode) -> None:
        self.alarms[self.next_id] = episode
        self.next_id += 1


async def arrive(terms: Terms, batches: Sequence[Sequence[Reading]], *, paper: Paper | None = None) -> Paper:
    """Judge batches in the order in which they come, each of them durable in the series before."""
    paper, state = paper or Paper(), State()
    for batch in batches:
        paper.series |= dict(batch)
        state = await judged(terms, state, batch, paper)
    return paper


def sorted_outcome(terms: Terms, readings: Sequence[Reading]) -> list[Episode]:
    return episodes(terms, sorted(readings), until_us=max(readings)[0])


measured = st.dictionaries(
    st.integers(0, 60).map(lambda second: second * S), st.sampled_from([0.0, 19.0, 21.0, 50.0, 79.0, 81.0, 100.0])
).map(lambda series: sorted(series.items()))


@st.composite
def deliveries(draw: st.DrawFn) -> list[list[Reading]]:
    """Readings in shuffled order, cut into batches, some of them sent twice."""
    rows = draw(measured.filter(len).flatmap(st.permutations))
    cuts = sorted(draw(st.sets(st.integers(1, len(rows)), max_size=8)))
    batches = [rows[first:last] for first, last in zip([0, *cuts], [*cuts, len(rows)], strict=True) if first < last]
    repeated = draw(st.sets(st.integers(0, len(batches) - 1)))
    return [batch for index, batch in enumerate(batches) for _ in range(2 if index in repeated else 1)]


@pytest.mark.parametrize("terms", ALL_TERMS, ids=repr)
@given(batches=deliveries())
@settings(max_examples=60, deadline=None, derandomize=True)
async def test_the_order_of_arrival_makes_no_difference(terms: Terms, batches: list[list[Reading]]) -> None:
    paper = await arrive(terms, batches)
    assert paper.episodes() == sorted_outcome(terms, [row for batch in batches for row in batch])


@pytest.mark.parametrize("terms", ALL_TERMS, ids=repr)
@given(batches=deliveries())
@settings(max_examples=60, deadline=None, derandomize=True)
async def test_readings_that_are_durable_and_not_judged_yet_make_no_difference(
    terms: Terms, batches: list[list[Reading]]
) -> None:
    everything = [row for batch in batches for row in batch]
    paper = await arrive(terms, batches, paper=Paper(series=dict(everything)))
    assert paper.episodes() == sorted_outcome(terms, everything)


@pytest.mark.parametrize("terms", ALL_TERMS, ids=repr)
@given(batches=deliveries())
@settings(max_examples=40, deadline=None, derandomize=True)
async def test_an_alarm_that_somebody_has_seen_is_kept_or_withdrawn(terms: Terms, batches: list[list[Reading]]) -> None:
    paper = Paper()
    paper.seen = set(range(1, 100))
    await arrive(terms, batches, paper=paper)
    assert paper.episodes() == sorted_outcome(terms, [row for batch in batches for row in batch])
    assert set(paper.alarms) | set(paper.withdrawn) == set(range(1, paper.next_id))


@pytest.mark.parametrize("terms", ALL_TERMS, ids=repr)
@given(batches=deliveries(), looked_at=st.sets(st.integers(0, 80).map(lambda second: second * S)))
@settings(max_examples=40, deadline=None, derandomize=True)
async def test_looking_at_the_clock_between_batches_makes_no_difference(
    terms: Terms, batches: list[list[Reading]], looked_at: set[int]
) -> None:
    paper, state = Paper(), State()
    for batch, look_us in zip(batches, [*sorted(looked_at), *[None] * len(batches)], strict=False):
        paper.series |= dict(batch)
        state = await judged(terms, state, batch, paper)
        if look_us is not None:
            state, changes = waited(terms, state, look_us)
            await paper.change(changes)
    state, changes = waited(terms, state, 200 * S)
    await paper.change(changes)
    rows = sorted(row for batch in batches for row in batch)
    assert paper.episodes() == episodes(terms, rows, until_us=200 * S)


async def test_what_rose_and_fell_in_a_backlog_is_written_beside_what_the_live_rows_said() -> None:
    live, backlog = [(100 * S, 50.0)], [(10 * S, 90.0), (20 * S, 50.0)]
    paper = await arrive(PLAIN, [live, backlog])
    assert paper.episodes() == [
        Episode(side=Side.HIGH, raised_us=10 * S, raised_value=90.0, returned_us=20 * S, returned_value=50.0)
    ]


async def test_a_late_beginning_moves_the_alarm_that_stands() -> None:
    paper = await arrive(PLAIN, [[(100 * S, 90.0)], [(50 * S, 85.0)]])
    assert paper.alarms == {1: Episode(side=Side.HIGH, raised_us=50 * S, raised_value=85.0)}


async def test_the_alarm_that_stands_stays_with_what_stands_when_a_late_dip_splits_it() -> None:
    paper = await arrive(PLAIN, [[(10 * S, 90.0), (100 * S, 95.0)], [(50 * S, 30.0)]])
    assert paper.alarms == {
        1: Episode(side=Side.HIGH, raised_us=100 * S, raised_value=95.0),
        2: Episode(side=Side.HIGH, raised_us=10 * S, raised_value=90.0, returned_us=50 * S, returned_value=30.0),
    }


async def test_reading_again_stops_where_it_meets_what_is_known() -> None:
    calm = [(second * S, 50.0) for second in range(0, 1_000_000, 600)]
    paper = await arrive(PLAIN, [calm, [(7 * S, 60.0)]])
    assert paper.reads == 1


async def test_rows_in_order_never_read_the_series_again() -> None:
    paper = await arrive(PLAIN, [[(second * S, 50.0)] for second in range(50)])
    assert paper.reads == 0


def test_two_seen_alarms_that_become_one_leave_one_to_be_withdrawn() -> None:
    def known(alarm_id: int, raised_us: int, returned_us: int) -> KnownAlarm:
        episode = Episode(side=Side.HIGH, raised_us=raised_us, raised_value=90.0, returned_us=returned_us)
        return KnownAlarm(alarm_id=alarm_id, episode=episode, is_seen=True)

    whole = Episode(side=Side.HIGH, raised_us=10, raised_value=90.0, returned_us=40)
    plan = reconciled([known(1, 10, 20), known(2, 30, 40)], [whole])
    assert [alarm_id for alarm_id, _ in plan.corrected] == [1]
    assert [alarm.alarm_id for alarm in plan.vanished] == [2]
