"""The catalogue ids of what the front desk writes down."""

from cloud.properties.domain import OccupancyKind
from cloud.reception.domain import Channel, Ending, Subject, VisitorState
from cloud.reception.planned import Coming
from firmware_configs.look.words import _

CHANNELS = {
    Channel.CALL: _("Telephone"),
    Channel.VISIT: _("Visit"),
    Channel.MAIL: _("Mail"),
    Channel.APP: _("App"),
}

SUBJECTS = {
    Subject.ENQUIRY: _("Enquiry"),
    Subject.REPAIR: _("Repair"),
    Subject.COMPLAINT: _("Complaint"),
    Subject.SUGGESTION: _("Suggestion"),
}

ENDINGS = {
    Ending.ANSWERED: _("Answered"),
    Ending.TICKET: _("Ticket"),
    Ending.CALLBACK: _("Call back promised"),
    Ending.NO_MATTER: _("No matter"),
    Ending.UNREACHED: _("Never reached"),
}

VISITOR_STATES = {
    VisitorState.WAITING: _("visitor|Waits"),
    VisitorState.CALLED: _("visitor|At the counter"),
    VisitorState.SERVED: _("visitor|Served"),
    VisitorState.LEFT: _("visitor|Left"),
}

OCCUPANCY_KINDS = {
    OccupancyKind.OWNER: _("unit|Owner"),
    OccupancyKind.TENANT: _("Tenant"),
    OccupancyKind.FAMILY: _("Family"),
}

COMINGS = {
    Coming.THERE: _("somebody is there"),
    Coming.AGREED: _("visit agreed"),
    Coming.OFFERED: _("times offered, none chosen yet"),
    Coming.PREVENTIVE: _("preventive plan"),
}
