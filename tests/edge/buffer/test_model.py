"""Appends, answers, losses, restarts and clocks in every order, against a model of what must be true."""

import tempfile
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from edge.buffer.rows import Row
from edge.buffer.store import Bounds, Drawn, Flow, Store
from protocols.ranges import Range, contains, normalise, union
from protocols.readings import RowClass
from tests.edge.buffer.clocks import BOOTS, HandClock
from tests.edge.buffer.stores import OFFSET_US


class Fate(StrEnum):
    """What becomes of a batch that was drawn."""

    ANSWERED = "answered"
    ANSWERED_LATE = "answered late"  # others may overtake the answer
    ANSWER_LOST = "answer lost"
    REQUEST_LOST = "request lost"


class Turn(StrEnum):
    """What happens to box and cloud now and then."""

    TIME_LEARNT = "the box learns the time"
    PROGRAM_RESTARTS = "the program starts again"
    BOX_BOOTS = "the box starts again"
    SESSION_ENDS = "all that is under way is taken back"
    BACKUP = "the cloud is backed up"
    RESTORE = "the cloud is restored from its last backup"


class Append(NamedTuple):
    row_class: RowClass
    count: int
    after_s: int


class Send(NamedTuple):
    flow: Flow
    max_rows: int
    fate: Fate


class LateAnswer(NamedTuple):
    which: int


_STEPS = st.one_of(
    st.builds(Append, st.sampled_from(RowClass), st.integers(1, 300), st.sampled_from([0, 1, 3])),
    st.builds(Send, st.sampled_from(Flow), st.integers(1, 500), st.sampled_from(Fate)),
    st.builds(LateAnswer, st.integers(0, 5)),
    st.sampled_from(Turn),
)


class BufferAndCloud(RuleBasedStateMachine):
    """A box's store, the rows that it promised, and a cloud that keeps what it is sent."""

    @initialize(lacks_time=st.booleans())
    def begin(self, lacks_time: bool) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.hand = HandClock()
        self.boots = iter(BOOTS[1:] * 100)
        self.store = self._open()
        if not lacks_time:
            self.store.learn_offset(OFFSET_US)
        self.promised: dict[int, float] = {}
        self.taken: dict[int, tuple[float, int]] = {}
        self.backup: dict[int, tuple[float, int]] = {}
        self.told: list[Range] = []
        self.declared: list[Range] = []
        self.late: list[tuple[Drawn, list[Range]]] = []

    @rule(step=_STEPS)
    def step(self, step: Append | Send | LateAnswer | Turn) -> None:
        """Take one step of any kind: separate rules would be left out of whole runs by Hypothesis."""
        match step:
            case Append():
                self._append(*step)
            case Send():
                self._send(*step)
            case LateAnswer(which):
                if self.late:
                    self._answer(*self.late.pop(which % len(self.late)))
            case Turn():
                self._turn(step)

    def _append(self, row_class: RowClass, count: int, after_s: int) -> None:
        self.hand.advance(after_s)
        seqs = range(self.store.head + 1, self.store.head + count + 1)
        self.promised |= {seq: seq * 1.1 for seq in seqs}
        self.store.commit([Row(f"p/{seq % 7}", row_class, seq * 1.1, 0, self.hand.mono_us, None) for seq in seqs])

    def _send(self, flow: Flow, max_rows: int, fate: Fate) -> None:
        drawn = self.store.draw(flow, max_rows)
        if drawn is None:
            return
        rows = drawn.batch.rows
        seqs = _numbers(rows.ranges)
        assert len(seqs) <= max_rows
        assert rows.value == [self.promised[seq] for seq in seqs]
        assert not any(contains(self.told, seq) for seq in seqs), "a row was drawn that the box knows to be held"
        for other, _ in self.late:
            assert not any(contains(other.batch.rows.ranges, seq) for seq in seqs), "a row in flight was drawn"
        self._deliver(drawn, fate)

    def _deliver(self, drawn: Drawn, fate: Fate) -> None:
        if fate is not Fate.REQUEST_LOST:
            self._take(drawn)
        if fate is Fate.ANSWERED:
            self._answer(drawn, self._held())
        elif fate is Fate.ANSWERED_LATE:
            self.late.append((drawn, self._held()))
        else:
            self.store.release([drawn])

    def _turn(self, turn: Turn) -> None:
        match turn:
            case Turn.TIME_LEARNT:
                self.store.learn_offset(OFFSET_US + self.hand.mono_us % 7)
            case Turn.PROGRAM_RESTARTS | Turn.BOX_BOOTS:
                self.store.close()
                self.late.clear()
                if turn is Turn.BOX_BOOTS:
                    self.hand.boot(next(self.boots), mono_us=self.hand.mono_us)
                self.store = self._open()
            case Turn.SESSION_ENDS:
                self._end_session()
            case Turn.BACKUP:
                self.backup = dict(self.taken)
            case Turn.RESTORE:
                if self.backup.keys() != self.taken.keys():  # else the box can't know that its losses are forgotten
                    self.declared = []
                self.taken = dict(self.backup)
                self._end_session()
                self.told = self._held()
                self.store.hold(self.told, store_id=self.store.store_id)

    @invariant()
    def every_promised_row_is_here_or_taken_or_declared_lost(self) -> None:
        if hasattr(self, "store"):
            coverage = self.store._coverage
            here = normalise([*coverage.unsent(), *self._held()])
            lost = union(coverage.undeclared(), self.declared)
            assert union(here, lost) == ([(1, self.store.head)] if self.promised else [])
            assert self.store.head == len(self.promised)

    def teardown(self) -> None:
        """Drain all: what was promised and not lost has arrived."""
        if not hasattr(self, "store"):
            return
        self._end_session()
        self.store.learn_offset(OFFSET_US)
        for flow in Flow:
            while drawn := self.store.draw(flow, 64):
                self._deliver(drawn, Fate.ANSWERED)
        assert all(seq in self.taken or contains(self.declared, seq) for seq in self.promised)
        assert all(self.promised[seq] == value for seq, (value, _) in self.taken.items())
        self.store.close()
        self.folder.cleanup()

    def _open(self) -> Store:
        path = Path(self.folder.name) / "buffer.db"
        store = Store(path, clock=self.hand, bounds=Bounds(max_bytes=40 * 1_024, live_s=2))
        store._connection.execute("PRAGMA synchronous = OFF")  # no power is cut here, and ten times as much is tried
        return store

    def _take(self, drawn: Drawn) -> None:
        rows = drawn.batch.rows
        for seq, value, time_us in zip(_numbers(rows.ranges), rows.value, rows.time_us, strict=True):
            assert self.taken.setdefault(seq, (value, time_us)) == (value, time_us), "a row came again and had changed"
        self.declared = union(self.declared, drawn.batch.lost)

    def _answer(self, drawn: Drawn, held: list[Range]) -> None:
        self.told = union(self.told, held)
        self.store.settle(drawn, held)

    def _end_session(self) -> None:
        self.late.clear()
        self.store.release(self.store.in_flight)

    def _held(self) -> list[Range]:
        return normalise((seq, seq) for seq in self.taken)


def _numbers(ranges: list[Range]) -> list[int]:
    return [seq for first, last in ranges for seq in range(first, last + 1)]


TestBufferAndCloud = BufferAndCloud.TestCase
TestBufferAndCloud.settings = settings(max_examples=60, stateful_step_count=80, deadline=None, derandomize=True)
