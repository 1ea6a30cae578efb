"""What a ticket is: its type, its states, and who may move it from one to the next."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import ClassVar

from cloud.alarms.domain import Priority
from cloud.core.errors import Conflict
from cloud.core.events import Event
from cloud.core.words import Words
from firmware_configs.look.words import _

ALARM_REPAIR = "alarm_repair"
"""The type of a ticket that an alarm opens."""

INSPECTION = "inspection"
"""The type of a ticket that a preventive plan opens."""

REPAIR = "repair"
"""The type of what is to be repaired and of which nothing nearer is known yet."""


class Kind(StrEnum):
    """What sort of matter a ticket is."""

    REPAIR = "repair"
    COMPLAINT = "complaint"
    ENQUIRY = "enquiry"
    SUGGESTION = "suggestion"
    ALARM = "alarm"
    INSPECTION = "inspection"


OF_THE_UNIT = frozenset({Kind.REPAIR, Kind.ALARM, Kind.INSPECTION})
"""What everybody in a unit may know of it; a complaint about it is between whoever made it and the company."""


class Target(StrEnum):
    """What must have happened by a deadline."""

    FIRST_CONTACT = "first_contact"  # whoever asked was spoken to, and knows how it goes on
    ARRIVAL = "arrival"  # somebody is on the spot
    PLAN = "plan"  # whoever pays has a plan to agree to
    SOLUTION = "solution"


class Payer(StrEnum):
    """Who pays for the work, unless its plan says otherwise."""

    OWNER = "owner"
    COMMON_FUND = "common_fund"
    WARRANTY = "warranty"
    COMPANY = "company"


class Origin(StrEnum):
    """How a ticket came in."""

    CALL = "call"
    MAIL = "mail"
    VISIT = "visit"
    APP = "app"
    ALARM = "alarm"
    STAFF = "staff"  # somebody who works here saw it
    PLAN = "plan"  # it was due


class How(StrEnum):
    """By what means whoever asked was spoken to."""

    PHONE = "phone"
    MESSAGE = "message"
    VISIT = "visit"
    MAIL = "mail"


class Outcome(StrEnum):
    """What became of a try to speak to whoever asked."""

    REACHED = "reached"
    NOT_REACHED = "not_reached"


class Consent(IntEnum):
    """Whether work may begin without asking whoever pays."""

    NOT_NEEDED = 0
    NEEDED = 1  # no plan, or the plan in force is not agreed to
    GIVEN = 2


class State(StrEnum):
    """Where the work stands."""

    OPEN = "open"  # nobody has it
    ASSIGNED = "assigned"  # somebody has it and has not begun
    PLANNED = "planned"  # a plan waits for consent
    AGREED = "agreed"  # its plan is agreed to, and work has not begun
    IN_WORK = "in_work"
    WAITING = "waiting"  # for something that is not ours to hasten
    VERIFYING = "verifying"  # the work is done, and the value behind its alarm is not normal yet
    RESOLVED = "resolved"
    CANCELLED = "cancelled"  # it was none, it is no longer wanted, or another ticket holds it now


class Act(StrEnum):
    """What moves a ticket."""

    ASSIGN = "assign"  # somebody gives it to a person
    TAKE = "take"  # a person gives it to themselves
    RELEASE = "release"  # it is given back
    PROPOSE = "propose"  # a plan, or a changed one, is put to whoever pays
    AGREE = "agree"
    REFUSE = "refuse"
    LAPSE = "lapse"  # nobody answered the plan while it was valid
    START = "start"
    START_EMERGENCY = "start_emergency"  # before anybody agreed, for a reason that is kept
    WAIT = "wait"
    CONTINUE = "continue"
    RESOLVE = "resolve"
    VERIFY = "verify"  # the sensor says so too
    VOUCH = "vouch"  # the sensor can't say so, and somebody does in its place, for a reason that is kept
    SETTLE = "settle"  # the incident that it belongs to is over
    REOPEN = "reopen"
    CANCEL = "cancel"
    MERGE = "merge"  # into another ticket of the same matter


TRANSITIONS: dict[tuple[State, Act], State] = {
    (State.OPEN, Act.ASSIGN): State.ASSIGNED,
    (State.OPEN, Act.TAKE): State.ASSIGNED,
    (State.OPEN, Act.WAIT): State.WAITING,
    (State.ASSIGNED, Act.ASSIGN): State.ASSIGNED,
    (State.ASSIGNED, Act.RELEASE): State.OPEN,
    (State.ASSIGNED, Act.PROPOSE): State.PLANNED,
    (State.ASSIGNED, Act.START): State.IN_WORK,
    (State.ASSIGNED, Act.START_EMERGENCY): State.IN_WORK,
    (State.ASSIGNED, Act.WAIT): State.WAITING,
    (State.PLANNED, Act.ASSIGN): State.PLANNED,
    (State.PLANNED, Act.PROPOSE): State.PLANNED,
    (State.PLANNED, Act.AGREE): State.AGREED,
    (State.PLANNED, Act.REFUSE): State.ASSIGNED,
    (State.PLANNED, Act.LAPSE): State.ASSIGNED,
    (State.PLANNED, Act.START_EMERGENCY): State.IN_WORK,
    (State.AGREED, Act.ASSIGN): State.AGREED,
    (State.AGREED, Act.RELEASE): State.OPEN,
    (State.AGREED, Act.PROPOSE): State.PLANNED,
    (State.AGREED, Act.START): State.IN_WORK,
    (State.AGREED, Act.WAIT): State.WAITING,
    (State.IN_WORK, Act.ASSIGN): State.ASSIGNED,
    (State.IN_WORK, Act.RELEASE): State.OPEN,
    (State.IN_WORK, Act.PROPOSE): State.PLANNED,
    (State.IN_WORK, Act.AGREE): State.IN_WORK,  # to an emergency's, which goes on meanwhile
    (State.IN_WORK, Act.REFUSE): State.ASSIGNED,
    (State.IN_WORK, Act.WAIT): State.WAITING,
    (State.IN_WORK, Act.RESOLVE): State.RESOLVED,
    (State.WAITING, Act.ASSIGN): State.WAITING,
    (State.WAITING, Act.CONTINUE): State.ASSIGNED,
    (State.VERIFYING, Act.VERIFY): State.RESOLVED,
    (State.VERIFYING, Act.VOUCH): State.RESOLVED,
    (State.VERIFYING, Act.REOPEN): State.ASSIGNED,
    (State.VERIFYING, Act.CANCEL): State.CANCELLED,
    (State.RESOLVED, Act.REOPEN): State.ASSIGNED,
    (State.CANCELLED, Act.REOPEN): State.OPEN,
    **{
        (state, act): end
        for state in (State.OPEN, State.ASSIGNED, State.PLANNED, State.AGREED, State.IN_WORK, State.WAITING)
        for act, end in (
            (Act.CANCEL, State.CANCELLED),
            (Act.MERGE, State.CANCELLED),
            (Act.SETTLE, State.RESOLVED),
        )
    },
}

UNDONE = frozenset(State) - {State.RESOLVED, State.CANCELLED}
"""The states in which something is still to be done."""

CLOCK_STANDS = frozenset({State.PLANNED, State.WAITING})
"""The states in which no deadline runs: it is somebody else's turn, and time used before them is kept.

A planned ticket's runs all the same while whoever is to agree waits for our answer to a question.
"""

_REFUSALS = {
    State.OPEN: _("Nobody has this ticket yet."),
    State.ASSIGNED: _("This ticket is assigned, and work on it has not begun."),
    State.PLANNED: _("The plan of this ticket waits for consent."),
    State.AGREED: _("The plan of this ticket is agreed to, and work on it has not begun."),
    State.IN_WORK: _("This ticket is in work."),
    State.WAITING: _("This ticket waits."),
    State.VERIFYING: _("The work is done; the value behind the alarm must become normal first."),
    State.RESOLVED: _("This ticket is resolved already."),
    State.CANCELLED: _("This ticket is cancelled."),
}


class Deed(StrEnum):
    """What a line of a ticket's timeline tells."""

    OPENED = "opened"
    ASSIGNED = "assigned"
    TAKEN = "taken"
    RELEASED = "released"
    PROPOSED = "proposed"
    AGREED = "agreed"
    REFUSED = "refused"
    PLAN_LAPSED = "plan_lapsed"
    STARTED = "started"
    STARTED_EMERGENCY = "started_emergency"
    WAITED = "waited"
    CONTINUED = "continued"
    RESOLVED = "resolved"
    VERIFIED = "verified"
    VOUCHED = "vouched"
    SETTLED = "settled"
    REOPENED = "reopened"
    CANCELLED = "cancelled"
    MERGED = "merged"
    NOTED = "noted"
    ALARM_RETURNED = "alarm_returned"  # the value behind its alarm is normal again
    REWORKED = "reworked"  # the same alarm came back, and so does the ticket
    CONTACTED = "contacted"  # whoever asked was spoken to
    CONTACT_FAILED = "contact_failed"
    ARRIVED = "arrived"
    STEP_DONE = "step_done"
    STEP_UNDONE = "step_undone"
    BREACHED = "breached"  # a deadline has passed
    BREACH_WITHDRAWN = "breach_withdrawn"  # it was met in time, and that was told late
    RECLASSIFIED = "reclassified"  # another type or priority
    ABSORBED = "absorbed"  # another ticket of the same matter was merged into it
    INCIDENT_JOINED = "incident_joined"
    INCIDENT_LEFT = "incident_left"
    INCIDENT_TOLD = "incident_told"  # a word to everybody whom the incident concerns
    OFFERED = "offered"  # somebody is asked to take it
    DECLINED = "declined"  # who was asked said no
    LAPSED = "lapsed"  # who was asked said nothing in time
    QUEUED = "queued"  # the dispatcher is to give it to somebody
    NOBODY_FOUND = "nobody_found"
    ESCALATED = "escalated"  # a step of the ladder was told


DEEDS: Mapping[Act, Deed] = {
    Act.ASSIGN: Deed.ASSIGNED,
    Act.TAKE: Deed.TAKEN,
    Act.RELEASE: Deed.RELEASED,
    Act.PROPOSE: Deed.PROPOSED,
    Act.AGREE: Deed.AGREED,
    Act.REFUSE: Deed.REFUSED,
    Act.LAPSE: Deed.PLAN_LAPSED,
    Act.START: Deed.STARTED,
    Act.START_EMERGENCY: Deed.STARTED_EMERGENCY,
    Act.WAIT: Deed.WAITED,
    Act.CONTINUE: Deed.CONTINUED,
    Act.RESOLVE: Deed.RESOLVED,
    Act.VERIFY: Deed.VERIFIED,
    Act.VOUCH: Deed.VOUCHED,
    Act.SETTLE: Deed.SETTLED,
    Act.REOPEN: Deed.REOPENED,
    Act.CANCEL: Deed.CANCELLED,
    Act.MERGE: Deed.MERGED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A step of a procedure; tickets remember by its code that it is done."""

    code: str
    words: Words


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketType:
    """A kind of work, as a manager describes it; a ticket keeps the version that it was opened with.

    Attributes:
        code: stable; programs choose a type by it.
        parent_code: the wider type that it is a part of; None for the widest.
        targets: minutes by priority and target, counted on the calendar; a target that is missing has no deadline.
        calendar: the code of the calendar that deadlines are counted on.
        skills: codes of what whoever does it must be able to do.
        payer: who pays by default.
        keywords: words of a report, in any language, that speak for this type.
        is_emergency: somebody or the building is in danger.
        needs_plan: no work begins before a plan is agreed to.
        rework_days: for how long the same trouble counts as the same work badly done.
    """

    code: str
    parent_code: str | None = None
    kind: Kind
    name: Words
    default_priority: Priority
    targets: Mapping[Priority, Mapping[Target, int]]
    calendar: str
    procedure: tuple[Step, ...] = ()
    skills: tuple[str, ...] = ()
    payer: Payer = Payer.COMPANY
    keywords: tuple[str, ...] = ()
    is_emergency: bool = False
    needs_plan: bool = False
    rework_days: int = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What besides its state decides where an act takes a ticket.

    Attributes:
        waited_in: the state that it was in before it waited; None where it does not wait.
        has_owner: somebody has it.
        must_verify: an alarm of its own stands still.
    """

    state: State
    consent: Consent = Consent.NOT_NEEDED
    waited_in: State | None = None
    has_owner: bool = True
    must_verify: bool = False


def moved(standing: Standing, act: Act) -> State:
    """Return where `act` takes a ticket: what the table says, but for what a wait, an alarm or no owner change.

    Raises:
        Conflict: it is not to be moved that way, or nobody has agreed to the work.
    """
    if (standing.state, act) not in TRANSITIONS:
        raise Conflict(_REFUSALS[standing.state])
    if act is Act.START and standing.consent is Consent.NEEDED:
        raise Conflict(_("Work of this type begins once its plan is agreed to."))
    if act is Act.CONTINUE and standing.waited_in is not None:
        was_given = standing.waited_in is State.OPEN and standing.has_owner  # to somebody, while it waited
        return State.ASSIGNED if was_given else standing.waited_in
    if act is Act.RESOLVE and standing.must_verify:
        return State.VERIFYING
    if act is Act.REOPEN and not standing.has_owner:
        return State.OPEN
    return TRANSITIONS[standing.state, act]


def consent_after(consent: Consent, act: Act) -> Consent:
    """Return whether work may go on after `act`: a plan that is put forward or refused is one not agreed to."""
    if act in {Act.PROPOSE, Act.REFUSE}:
        return Consent.NEEDED
    return Consent.GIVEN if act is Act.AGREE else consent


def consent_under(consent: Consent, ticket_type: TicketType) -> Consent:
    """Return the consent of a ticket that becomes one of `ticket_type`: what was agreed to stays so."""
    if consent is Consent.GIVEN:
        return consent
    return Consent.NEEDED if ticket_type.needs_plan else Consent.NOT_NEEDED


def acts_from(state: State, *, consent: Consent = Consent.NOT_NEEDED) -> frozenset[Act]:
    """Return what may be done with a ticket in `state`; an early start is for what would otherwise need consent."""
    found = {act for start, act in TRANSITIONS if start is state}
    return frozenset(found - ({Act.START} if consent is Consent.NEEDED else {Act.START_EMERGENCY}))


@dataclass(frozen=True, slots=True, kw_only=True)
class _OfTicket(Event):
    ticket_id: int

    @property
    def subject(self) -> str:
        return f"ticket:{self.ticket_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketOpened(_OfTicket):
    """There is a new ticket."""

    kind: ClassVar[str] = "tickets.opened"


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketMoved(_OfTicket):
    """An act took a ticket to a state, which may be the one that it was in."""

    kind: ClassVar[str] = "tickets.moved"

    act: Act
    state: State


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketReclassified(_OfTicket):
    """A ticket became one of another type or priority.

    Attributes:
        taken_from: who had it and has no certificate for what it is now; None where nobody lost it.
    """

    kind: ClassVar[str] = "tickets.reclassified"

    taken_from: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetWarned(_OfTicket):
    """`level` percent of the time for a target are used."""

    kind: ClassVar[str] = "tickets.target_warned"

    target: Target
    level: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetBreached(_OfTicket):
    """A deadline has passed; it is said once, and stays so."""

    kind: ClassVar[str] = "tickets.target_breached"

    target: Target
