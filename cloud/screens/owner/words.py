"""What an owner reads of what happened to a ticket, in plain words."""

from cloud.properties.domain import OccupancyKind
from cloud.tickets.domain import Deed
from firmware_configs.look.words import _

OCCUPANCY_KINDS = {
    OccupancyKind.OWNER: _("unit|Owner"),
    OccupancyKind.TENANT: _("Tenant"),
    OccupancyKind.FAMILY: _("Family"),
}

DEEDS = {
    Deed.OPENED: (_("report|Reported"), "message"),
    Deed.ASSIGNED: (_("Given to somebody"), "user-check"),
    Deed.TAKEN: (_("Somebody took it on"), "user-check"),
    Deed.PROPOSED: (_("A plan was made"), "list"),
    Deed.AGREED: (_("The plan was agreed to"), "check"),
    Deed.REFUSED: (_("The plan was refused"), "x"),
    Deed.PLAN_LAPSED: (_("The plan is no longer valid; you will be asked again"), "clock-exclamation"),
    Deed.STARTED: (_("Work began"), "tool"),
    Deed.STARTED_EMERGENCY: (_("Work began at once, as an emergency"), "tool"),
    Deed.WAITED: (_("Work has to wait"), "clock"),
    Deed.CONTINUED: (_("Work goes on"), "tool"),
    Deed.RESOLVED: (_("Done"), "circle-check"),
    Deed.VERIFIED: (_("Found in order"), "circle-check"),
    Deed.REOPENED: (_("Taken up again"), "refresh"),
    Deed.REWORKED: (_("Taken up again"), "refresh"),
    Deed.CANCELLED: (_("Ended without work"), "x"),
    Deed.NOTED: (_("owner|Message"), "message"),
    Deed.CONTACTED: (_("You were spoken to"), "message"),
    Deed.ARRIVED: (_("Somebody arrived"), "map-pin"),
    Deed.MERGED: (_("Goes on in another report of the same matter"), "chevron-right"),
    Deed.SETTLED: (_("Done together with others"), "circle-check"),
    Deed.INCIDENT_JOINED: (_("This concerns others too"), "alert-circle"),
    Deed.INCIDENT_TOLD: (_("News"), "message"),
}
"""What an owner is told of, with its icon; everything else is the company's own business."""
