import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from cloud.core.errors import Conflict, Refused
from cloud.core.principal import Role
from cloud.tickets.domain import (
    TRANSITIONS,
    Act,
    Consent,
    Deed,
    Standing,
    State,
    acts_from,
    consent_after,
    moved,
)
from tests.cloud.tickets.desk import Desk


class Ticket(RuleBasedStateMachine):
    """A ticket of a type that needs a plan, under every act in every order, as a person would keep count of it.

    `agreed` is the book that the slice does not see: whether the plan in force was agreed to by whoever pays.
    """

    def __init__(self) -> None:
        super().__init__()
        self.state = State.OPEN
        self.consent = Consent.NEEDED
        self.waited_in: State | None = None
        self.has_owner = False
        self.agreed = False
        self.is_emergency = False

    def carry(self, act: Act, *, must_verify: bool = False) -> bool:
        standing = Standing(
            state=self.state,
            consent=self.consent,
            waited_in=self.waited_in,
            has_owner=self.has_owner,
            must_verify=must_verify,
        )
        try:
            end = moved(standing, act)
        except Conflict:
            return False
        if end is State.WAITING and self.state is not State.WAITING:
            self.waited_in = self.state
        elif end is not State.WAITING:
            self.waited_in = None
        self.state, self.consent = end, consent_after(self.consent, act)
        return True

    @rule(act=st.sampled_from([Act.ASSIGN, Act.TAKE]))
    def give(self, act: Act) -> None:
        self.has_owner = self.carry(act) or self.has_owner

    @rule(act=st.sampled_from([Act.RELEASE, Act.CANCEL, Act.MERGE]))
    def take_away(self, act: Act) -> None:
        self.has_owner = not self.carry(act) and self.has_owner

    @rule(act=st.sampled_from([Act.PROPOSE, Act.REFUSE]))
    def ask(self, act: Act) -> None:
        if self.carry(act):
            self.agreed = False
            assert self.state is not State.IN_WORK

    @rule()
    def agree(self) -> None:
        self.agreed = self.carry(Act.AGREE) or self.agreed

    @rule()
    def start(self) -> None:
        if self.carry(Act.START):
            assert self.agreed

    @rule()
    def start_emergency(self) -> None:
        self.is_emergency = self.carry(Act.START_EMERGENCY) or self.is_emergency

    @rule(act=st.sampled_from([Act.WAIT, Act.CONTINUE, Act.VERIFY, Act.SETTLE, Act.REOPEN]))
    def carry_on(self, act: Act) -> None:
        self.carry(act)

    @rule(must_verify=st.booleans())
    def resolve(self, must_verify: bool) -> None:
        self.carry(Act.RESOLVE, must_verify=must_verify)

    @precondition(lambda self: self.state is State.IN_WORK)
    @invariant()
    def nobody_works_without_consent_but_in_an_emergency(self) -> None:
        assert self.agreed or self.is_emergency

    @invariant()
    def the_machine_knows_what_was_agreed_to(self) -> None:
        assert (self.consent is Consent.GIVEN) is self.agreed

    @invariant()
    def whoever_works_has_the_ticket(self) -> None:
        assert self.state not in {State.PLANNED, State.AGREED, State.IN_WORK} or self.has_owner

    @invariant()
    def what_is_offered_can_be_done(self) -> None:
        standing = Standing(state=self.state, consent=self.consent, waited_in=self.waited_in, has_owner=self.has_owner)
        for act in acts_from(self.state, consent=self.consent):
            assert moved(standing, act) in {end for _, end in TRANSITIONS.items()}


Ticket.TestCase.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)
TestNoSequenceOfActsStartsWorkWithoutConsent = Ticket.TestCase


async def test_work_begins_once_the_plan_is_agreed_to_and_a_changed_plan_asks_again(desk: Desk) -> None:
    ticket_id = await desk.open("water_indoor")
    await desk.do(Act.ASSIGN, ticket_id)
    with pytest.raises(Conflict, match="once its plan is agreed to"):
        await desk.do(Act.START, ticket_id, by=Role.WORKER)
    await desk.do(Act.PROPOSE, ticket_id, by=Role.WORKER, text="换软管，80 元")
    with pytest.raises(Conflict):
        await desk.do(Act.START, ticket_id, by=Role.WORKER)
    await desk.do(Act.AGREE, ticket_id)
    await desk.do(Act.START, ticket_id, by=Role.WORKER)
    await desk.do(Act.PROPOSE, ticket_id, by=Role.WORKER, text="还要换阀门，再加 60 元")
    assert (await desk.see(ticket_id)).state is State.PLANNED
    with pytest.raises(Conflict):
        await desk.do(Act.RESOLVE, ticket_id, by=Role.WORKER)
    await desk.do(Act.REFUSE, ticket_id)
    with pytest.raises(Conflict, match="once its plan is agreed to"):
        await desk.do(Act.START, ticket_id, by=Role.WORKER)


async def test_an_emergency_begins_first_and_says_why(desk: Desk) -> None:
    ticket_id = await desk.open("water_indoor")
    await desk.do(Act.ASSIGN, ticket_id)
    with pytest.raises(Refused):
        await desk.do(Act.START_EMERGENCY, ticket_id, by=Role.WORKER, reason=" ")
    await desk.do(Act.START_EMERGENCY, ticket_id, by=Role.WORKER)
    found, line = await desk.see(ticket_id), (await desk.told(ticket_id))[0]
    assert (found.state, found.consent, found.emergency_reason) == (State.IN_WORK, Consent.NEEDED, "水要淹到楼下")
    assert (line.deed, line.text, line.actor) == (Deed.STARTED_EMERGENCY, "水要淹到楼下", "李四")


async def test_the_reason_of_an_emergency_ends_with_it(desk: Desk) -> None:
    ticket_id = await desk.open("water_indoor")
    await desk.do(Act.ASSIGN, ticket_id)
    for act in (Act.START_EMERGENCY, Act.RESOLVE):
        await desk.do(act, ticket_id, by=Role.WORKER)
    await desk.do(Act.REOPEN, ticket_id)
    found = await desk.see(ticket_id)
    assert (found.state, found.consent, found.emergency_reason) == (State.ASSIGNED, Consent.NEEDED, "")
    with pytest.raises(Conflict):
        await desk.do(Act.START, ticket_id, by=Role.WORKER)


async def test_a_wait_brings_no_work_that_was_not_agreed_to(desk: Desk) -> None:
    ticket_id = await desk.open("water_indoor")
    await desk.do(Act.ASSIGN, ticket_id)
    await desk.do(Act.WAIT, ticket_id)
    await desk.do(Act.CONTINUE, ticket_id)
    assert (await desk.see(ticket_id)).state is State.ASSIGNED
