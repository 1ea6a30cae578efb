"""The catalogue ids of closed sets that several screens show."""

from cloud.alarms.domain import Cause
from cloud.core.principal import Role
from cloud.core.words import Words
from cloud.feedback.domain import Rating
from cloud.notifications.domain import Channel, DeliveryState
from cloud.notifications.domain import Kind as MessageKind
from cloud.repairs.domain import Differs, Hazard, LineKind, Reply, Stage, Standing
from cloud.tickets.domain import How, Kind, Origin, Outcome, Payer, State, Target
from cloud.web.catalogues import Locale
from firmware_configs.look.words import _
from protocols.readings import Quality

ROLES = {
    Role.ADMINISTRATOR: _("Administrator"),
    Role.OPERATOR: _("Control room"),
    Role.DESK: _("Front desk"),
    Role.WORKER: _("Repair worker"),
    Role.OFFICE: _("Billing office"),
    Role.MANAGER: _("Manager"),
    Role.OWNER: _("role|Owner"),
}

QUALITIES = {
    Quality.GOOD: _("Good"),
    Quality.ESTIMATED: _("Estimated"),
    Quality.SUSPECT: _("Doubtful"),
    Quality.SUBSTITUTED: _("Entered by hand"),
}

PRIORITIES = {1: _("Critical"), 2: _("High"), 3: _("Medium"), 4: _("Low")}

CAUSES = {
    Cause.BOX_AWAY: _("A box is away"),
    Cause.BOX_CLONED: _("A box's card was copied"),
    Cause.ROWS_CONFLICTED: _("A box sends other values for what it sent before"),
    Cause.ROWS_LOST: _("A box has lost readings"),
}
"""What Gatehouse itself raises about a box."""

TICKET_STATES = {
    State.OPEN: _("ticket|Open"),
    State.ASSIGNED: _("Assigned"),
    State.PLANNED: _("Waits for consent"),
    State.AGREED: _("Plan agreed to"),
    State.IN_WORK: _("In work"),
    State.WAITING: _("Waits"),
    State.VERIFYING: _("Done, value not normal yet"),
    State.RESOLVED: _("Resolved"),
    State.CANCELLED: _("Cancelled"),
}

OWNER_STATES = {
    State.OPEN: _("We have your report and are looking for somebody to come."),
    State.ASSIGNED: _("Somebody has it and will be in touch with you."),
    State.PLANNED: _("There is a plan; the work begins once it is agreed to."),
    State.AGREED: _("The plan is agreed to; the work begins soon."),
    State.IN_WORK: _("The work is going on."),
    State.WAITING: _("It waits, and goes on by itself as soon as it can."),
    State.VERIFYING: _("The work is done; we are watching whether it holds."),
    State.RESOLVED: _("It is done."),
    State.CANCELLED: _("It is closed."),
}
"""Where a ticket stands, as whoever asked for it reads it."""

TICKET_KINDS = {
    Kind.REPAIR: _("Repair"),
    Kind.COMPLAINT: _("Complaint"),
    Kind.ENQUIRY: _("Enquiry"),
    Kind.SUGGESTION: _("Suggestion"),
    Kind.ALARM: _("Alarm"),
    Kind.INSPECTION: _("Inspection"),
}

TARGETS = {
    Target.FIRST_CONTACT: _("First contact"),
    Target.ARRIVAL: _("Arrival"),
    Target.PLAN: _("Plan"),
    Target.SOLUTION: _("Solution"),
}

RATINGS = {
    Rating.VERY_GOOD: _("rating|Very good"),
    Rating.GOOD: _("rating|Good"),
    Rating.FAIR: _("rating|Fair"),
    Rating.POOR: _("rating|Poor"),
    Rating.VERY_POOR: _("rating|Very poor"),
}
"""The five choices, the best first."""

STANDINGS = {
    Standing.ASKED: _("plan|Waits for consent"),
    Standing.QUESTION: _("plan|A question stands"),
    Standing.AGREED: _("plan|Agreed to"),
    Standing.REFUSED: _("plan|Refused"),
    Standing.REPLACED: _("plan|Replaced"),
    Standing.LAPSED: _("plan|No longer valid"),
}

REPLIES = {
    Reply.AGREED: _("reply|Agreed"),
    Reply.REFUSED: _("reply|Refused"),
    Reply.ASKED: _("reply|Question"),
    Reply.ANSWERED: _("reply|Answer"),
}

LINE_KINDS = {
    LineKind.LABOUR: _("line|Labour"),
    LineKind.MATERIAL: _("line|Material"),
    LineKind.OTHER: _("line|Other"),
}

DIFFERS = {Differs.ADDED: _("line|New"), Differs.CHANGED: _("line|Changed"), Differs.REMOVED: _("line|Left out")}

STAGES = {
    Stage.SURVEY: _("photo|What was found"),
    Stage.BEFORE: _("photo|Before"),
    Stage.AFTER: _("photo|After"),
    Stage.SIGNATURE: _("photo|Signature"),
}

HAZARDS = {
    Hazard.NONE: _("hazard|None"),
    Hazard.CAUTION: _("hazard|To be watched"),
    Hazard.DANGER: _("hazard|Danger now"),
}

PAYERS = {
    Payer.OWNER: _("The owner pays"),
    Payer.COMMON_FUND: _("The common fund pays"),
    Payer.WARRANTY: _("Under warranty"),
    Payer.COMPANY: _("The company pays"),
}

ORIGINS = {
    Origin.CALL: _("Telephone"),
    Origin.MAIL: _("Mail"),
    Origin.VISIT: _("Visit"),
    Origin.APP: _("App"),
    Origin.ALARM: _("Alarm"),
    Origin.STAFF: _("Our own people"),
    Origin.PLAN: _("It was due"),
}

HOWS = {
    How.PHONE: _("By telephone"),
    How.MESSAGE: _("By message"),
    How.VISIT: _("In person"),
    How.MAIL: _("By mail"),
}

OUTCOMES = {Outcome.REACHED: _("Reached"), Outcome.NOT_REACHED: _("Not reached")}


MESSAGE_KINDS = {
    MessageKind.TICKET_ASSIGNED: _("A ticket is given to me"),
    MessageKind.TICKET_OFFERED: _("A ticket is offered to me"),
    MessageKind.TICKET_ESCALATED: _("A ticket is late or needs a decision"),
    MessageKind.TICKET_PROGRESS: _("Progress of a ticket"),
    MessageKind.CONSENT_ASKED: _("A plan waits for consent"),
    MessageKind.RESULT_REPORTED: _("A result is reported"),
    MessageKind.OPINION_ASKED: _("An opinion is asked for"),
    MessageKind.NOTICE: _("A notice"),
    MessageKind.CALLBACK_DUE: _("A call back is due"),
    MessageKind.INCIDENT: _("An incident"),
}

MESSAGE_CHANNELS = {Channel.MAIL: _("Mail"), Channel.SMS: _("SMS")}

MESSAGE_STATES = {
    DeliveryState.WAITING: _("to be sent"),
    DeliveryState.ACCEPTED: _("handed over"),
    DeliveryState.SENT: _("arrived"),
    DeliveryState.UNNEEDED: _("read before"),
    DeliveryState.DEAD: _("given up"),
}


def written(text: Words, locale: Locale) -> str:
    """Return what somebody wrote in both languages in the reader's, or in the other where that is empty."""
    mine, other = (text.zh, text.en) if locale is Locale.ZH_HANS else (text.en, text.zh)
    return mine or other
