"""A ticket's timeline in words."""

from dataclasses import dataclass
from datetime import datetime

from cloud.tickets.domain import Deed, Target
from cloud.tickets.timeline import Entry
from cloud.web import words
from cloud.web.pages import Page
from firmware_configs.look.words import _

DEEDS = {
    Deed.OPENED: (_("Opened"), "ticket"),
    Deed.ASSIGNED: (_("Assigned"), "user-check"),
    Deed.TAKEN: (_("Taken"), "user-check"),
    Deed.RELEASED: (_("Given back"), "arrow-back-up"),
    Deed.PROPOSED: (_("A plan was put forward"), "list"),
    Deed.AGREED: (_("The plan was agreed to"), "check"),
    Deed.REFUSED: (_("The plan was refused"), "x"),
    Deed.PLAN_LAPSED: (_("Nobody answered the plan in time"), "clock-exclamation"),
    Deed.STARTED: (_("Work began"), "tool"),
    Deed.STARTED_EMERGENCY: (_("Work began before consent, as an emergency"), "alert-triangle"),
    Deed.WAITED: (_("Waits"), "clock"),
    Deed.CONTINUED: (_("Goes on"), "clock"),
    Deed.RESOLVED: (_("The work was said to be done"), "circle-check"),
    Deed.VERIFIED: (_("Resolved: the value is normal"), "circle-check"),
    Deed.VOUCHED: (_("Resolved without its sensor, on somebody's word"), "circle-check"),
    Deed.SETTLED: (_("Resolved with its incident"), "circle-check"),
    Deed.REOPENED: (_("Taken up again"), "refresh"),
    Deed.CANCELLED: (_("Cancelled"), "x"),
    Deed.MERGED: (_("Goes on in another ticket"), "chevron-right"),
    Deed.NOTED: (_("Note"), "note"),
    Deed.ALARM_RETURNED: (_("The alarm's value is normal again"), "circle-check"),
    Deed.REWORKED: (_("The same alarm came back: rework"), "refresh"),
    Deed.CONTACTED: (_("Spoke to whoever asked; it goes on so"), "message"),
    Deed.CONTACT_FAILED: (_("Tried to reach whoever asked"), "message"),
    Deed.ARRIVED: (_("On the spot"), "map-pin"),
    Deed.STEP_DONE: (_("Step done"), "check"),
    Deed.STEP_UNDONE: (_("Step not done after all"), "arrow-back-up"),
    Deed.BREACHED: (_("A deadline has passed"), "clock-exclamation"),
    Deed.BREACH_WITHDRAWN: (_("Met in time, and told late: no deadline was missed"), "circle-check"),
    Deed.RECLASSIFIED: (_("Another type or priority"), "edit"),
    Deed.ABSORBED: (_("Another ticket of the same matter was merged into this one"), "ticket"),
    Deed.INCIDENT_JOINED: (_("Part of an incident"), "alert-circle"),
    Deed.INCIDENT_LEFT: (_("Not part of the incident any more"), "unlink"),
    Deed.INCIDENT_TOLD: (_("News of the incident"), "message"),
    Deed.OFFERED: (_("Offered"), "send"),
    Deed.DECLINED: (_("Declined"), "user-x"),
    Deed.LAPSED: (_("No answer in time"), "clock-exclamation"),
    Deed.QUEUED: (_("The dispatcher's to give"), "users"),
    Deed.NOBODY_FOUND: (_("Nobody to be found"), "alert-triangle"),
    Deed.ESCALATED: (_("Time runs out: told"), "bell-ringing"),
}

_OF_TARGETS = frozenset({Deed.BREACHED, Deed.BREACH_WITHDRAWN})
"""Deeds whose text is a target."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of the timeline, as it is drawn; see timeline.Entry."""

    at: datetime
    told_at: datetime | None
    what: str
    icon: str
    who: str
    said: str


def line(page: Page, entry: Entry) -> Line:
    """Return a line of the timeline in the reader's language."""
    sentence, icon = DEEDS[entry.deed]
    if entry.deed is Deed.NOTED and not entry.is_public:
        sentence = _("Internal note")
    said = page.say(words.TARGETS[Target(entry.text)]) if entry.deed in _OF_TARGETS else entry.text
    return Line(at=entry.at, told_at=entry.told_at, what=page.say(sentence), icon=icon, who=entry.actor, said=said)
