from dataclasses import replace

import pytest

from cloud.alarms.domain import Priority
from cloud.core.errors import Conflict
from cloud.tickets.default_types import DEFAULT_TYPES
from cloud.tickets.domain import (
    DEEDS,
    TRANSITIONS,
    UNDONE,
    Act,
    Consent,
    Standing,
    State,
    Target,
    TicketType,
    acts_from,
    consent_after,
    consent_under,
    moved,
)


@pytest.mark.parametrize("act", Act, ids=str)
@pytest.mark.parametrize("state", State, ids=str)
def test_a_ticket_moves_by_the_table_and_no_other_way(state: State, act: Act) -> None:
    if (state, act) in TRANSITIONS:
        assert moved(Standing(state=state), act) is TRANSITIONS[state, act]
    else:
        with pytest.raises(Conflict):
            moved(Standing(state=state), act)


def test_every_act_is_told_in_the_timeline() -> None:
    assert set(DEEDS) == set(Act)


def test_every_state_can_be_left() -> None:
    assert {state for state, _act in TRANSITIONS} == set(State)


def test_a_ticket_that_was_begun_can_always_be_ended() -> None:
    for state in UNDONE:
        assert {Act.CANCEL, Act.RESOLVE, Act.VERIFY} & acts_from(state)


@pytest.mark.parametrize("state", [State.ASSIGNED, State.AGREED])
def test_no_work_begins_before_somebody_has_agreed_to_it(state: State) -> None:
    with pytest.raises(Conflict, match="once its plan is agreed to"):
        moved(Standing(state=state, consent=Consent.NEEDED), Act.START)
    assert Act.START not in acts_from(state, consent=Consent.NEEDED)
    assert moved(Standing(state=state, consent=Consent.GIVEN), Act.START) is State.IN_WORK


def test_an_early_start_is_offered_where_consent_is_missing_and_nowhere_else() -> None:
    assert Act.START_EMERGENCY in acts_from(State.ASSIGNED, consent=Consent.NEEDED)
    assert Act.START_EMERGENCY not in acts_from(State.ASSIGNED, consent=Consent.GIVEN)


@pytest.mark.parametrize("state", [State.ASSIGNED, State.PLANNED, State.AGREED, State.IN_WORK])
def test_a_plan_that_is_put_forward_asks_anew(state: State) -> None:
    assert moved(Standing(state=state, consent=Consent.GIVEN), Act.PROPOSE) is State.PLANNED
    assert consent_after(Consent.GIVEN, Act.PROPOSE) is Consent.NEEDED


@pytest.mark.parametrize("state", [State.OPEN, State.ASSIGNED, State.AGREED, State.IN_WORK])
def test_what_waited_goes_on_where_it_was(state: State) -> None:
    assert moved(Standing(state=state), Act.WAIT) is State.WAITING
    has_owner = state is not State.OPEN
    assert moved(Standing(state=State.WAITING, waited_in=state, has_owner=has_owner), Act.CONTINUE) is state


def test_an_alarms_work_is_done_when_its_value_is_normal() -> None:
    assert moved(Standing(state=State.IN_WORK, must_verify=True), Act.RESOLVE) is State.VERIFYING
    assert moved(Standing(state=State.VERIFYING), Act.VERIFY) is State.RESOLVED


def test_what_is_taken_up_again_and_nobody_has_is_free() -> None:
    assert moved(Standing(state=State.RESOLVED, has_owner=False), Act.REOPEN) is State.OPEN
    assert moved(Standing(state=State.RESOLVED, has_owner=True), Act.REOPEN) is State.ASSIGNED


@pytest.mark.parametrize(
    ("consent", "needs_plan", "then"),
    [
        pytest.param(Consent.NOT_NEEDED, True, Consent.NEEDED, id="none asked for, now a plan"),
        pytest.param(Consent.NEEDED, False, Consent.NOT_NEEDED, id="asked for, now none"),
        pytest.param(Consent.GIVEN, True, Consent.GIVEN, id="given, a plan still"),
        pytest.param(Consent.GIVEN, False, Consent.GIVEN, id="given, now none"),
    ],
)
def test_another_type_asks_for_consent_that_was_not_given(consent: Consent, needs_plan: bool, then: Consent) -> None:
    assert consent_under(consent, replace(DEFAULT_TYPES[0], needs_plan=needs_plan)) is then


@pytest.mark.parametrize("ticket_type", DEFAULT_TYPES, ids=lambda each: each.code)
def test_a_default_type_has_words_steps_and_deadlines_the_graver_the_sooner(ticket_type: TicketType) -> None:
    for target in Target:
        minutes = [targets[target] for targets in ticket_type.targets.values() if target in targets]
        assert minutes == sorted(minutes)
        assert len(minutes) in {0, len(Priority)}
    assert all(Target.SOLUTION in ticket_type.targets[priority] for priority in Priority)
    assert ticket_type.name.zh
    assert ticket_type.name.en
    assert all(step.words.zh and step.words.en for step in ticket_type.procedure)


def test_the_default_types_are_a_tree_whose_children_come_after_their_parents() -> None:
    known: dict[str, TicketType] = {}
    for ticket_type in DEFAULT_TYPES:
        assert ticket_type.code not in known
        if ticket_type.parent_code is not None:
            assert known[ticket_type.parent_code].kind is ticket_type.kind
        known[ticket_type.code] = ticket_type


def test_what_was_given_to_somebody_while_it_waited_is_not_free_afterwards() -> None:
    waiting = Standing(state=State.WAITING, waited_in=State.OPEN, has_owner=True)
    assert moved(waiting, Act.ASSIGN) is State.WAITING
    assert moved(waiting, Act.CONTINUE) is State.ASSIGNED
