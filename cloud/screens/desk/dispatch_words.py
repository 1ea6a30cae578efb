"""The catalogue ids of what dispatch says: why somebody, why not the others, where the search stands."""

from cloud.tickets.dispatch import Obstacle
from cloud.tickets.dispatch_tables import OfferState, Search
from cloud.tickets.domain import Kind
from cloud.tickets.ladder import Whom
from firmware_configs.look.words import _

OBSTACLES = {
    Obstacle.NO_SKILL: _("does not have the skill"),
    Obstacle.CERTIFICATE_EXPIRED: _("the certificate has ended"),
    Obstacle.OTHER_COMMUNITY: _("works in other communities"),
    Obstacle.AWAY: _("on leave"),
    Obstacle.OFF_SHIFT: _("not on shift"),
    Obstacle.FULL: _("has enough to do"),
    Obstacle.ASKED: _("was asked already"),
}

SEARCHES = {
    Search.NEW: _("being looked for"),
    Search.OFFERED: _("offered"),
    Search.WAITING: _("waits for somebody to be free"),
    Search.NO_CANDIDATE: _("nobody to be found"),
    Search.QUEUED: _("yours to give"),
    Search.OVER: _("has an owner"),
}

OFFERS = {
    OfferState.OPEN: _("is asked"),
    OfferState.ACCEPTED: _("accepted"),
    OfferState.DECLINED: _("declined"),
    OfferState.LAPSED: _("did not answer in time"),
    OfferState.WITHDRAWN: _("withdrawn: the ticket went elsewhere"),
    OfferState.GIVEN: _("was given it at once"),
    OfferState.RETURNED: _("gave it back"),
}

WHOM = {
    Whom.ASSIGNEE: _("Whoever has it"),
    Whom.LEAD: _("The lead"),
    Whom.MANAGER: _("The manager"),
    Whom.AREA: _("Area manager or owners' committee"),
}

KINDS = {
    Kind.REPAIR: _("Repairs"),
    Kind.ALARM: _("Alarms"),
    Kind.INSPECTION: _("Inspections"),
    Kind.COMPLAINT: _("Complaints"),
    Kind.ENQUIRY: _("Enquiries"),
    Kind.SUGGESTION: _("Suggestions"),
}
