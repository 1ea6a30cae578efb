from datetime import UTC, datetime, timedelta

import pytest

from cloud.alarms.domain import Priority
from cloud.core.errors import Conflict
from cloud.tickets.domain import (
    DEEDS,
    DEFAULT_TYPES,
    TRANSITIONS,
    UNDONE,
    Act,
    State,
    acts_from,
    due_after,
    is_late,
    moved,
)

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize("act", Act, ids=str)
@pytest.mark.parametrize("state", State, ids=str)
def test_a_ticket_moves_by_the_table_and_no_other_way(state: State, act: Act) -> None:
    if act in acts_from(state):
        assert moved(state, act) is TRANSITIONS[state, act]
    else:
        with pytest.raises(Conflict):
            moved(state, act)


def test_every_act_is_told_in_the_timeline() -> None:
    assert set(DEEDS) == set(Act)


def test_a_ticket_that_was_begun_can_always_be_ended() -> None:
    for state in UNDONE:
        assert {Act.CANCEL, Act.RESOLVE} & acts_from(state)


@pytest.mark.parametrize(
    ("state", "due_in_minutes", "late"),
    [
        pytest.param(State.OPEN, -1, True, id="past its deadline"),
        pytest.param(State.IN_WORK, -1, True, id="in work and past its deadline"),
        pytest.param(State.OPEN, 0, False, id="at its deadline"),
        pytest.param(State.OPEN, 1, False, id="before its deadline"),
        pytest.param(State.RESOLVED, -1, False, id="done"),
        pytest.param(State.CANCELLED, -1, False, id="cancelled"),
    ],
)
def test_late_is_past_the_deadline_and_not_done(state: State, due_in_minutes: int, late: bool) -> None:
    assert is_late(state, due_at=NOW + timedelta(minutes=due_in_minutes), now=NOW) is late


@pytest.mark.parametrize("ticket_type", DEFAULT_TYPES, ids=lambda each: each.code)
def test_a_default_type_has_a_deadline_for_every_priority_the_graver_the_sooner(ticket_type) -> None:  # noqa: ANN001
    minutes = [ticket_type.deadlines[priority] for priority in Priority]
    assert minutes == sorted(minutes)
    assert due_after(ticket_type, Priority.CRITICAL, NOW) == NOW + timedelta(minutes=minutes[0])
    assert all((ticket_type.name.zh, ticket_type.name.en, ticket_type.procedure.zh, ticket_type.procedure.en))
