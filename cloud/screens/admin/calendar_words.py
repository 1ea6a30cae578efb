"""The catalogue ids of weekdays and of reasons to be away."""

from cloud.calendars.roster import LeaveKind
from firmware_configs.look.words import _

WEEKDAY_LABELS = (
    _("Monday"),
    _("Tuesday"),
    _("Wednesday"),
    _("Thursday"),
    _("Friday"),
    _("Saturday"),
    _("Sunday"),
)

LEAVE_KINDS = {
    LeaveKind.ANNUAL: _("Annual leave"),
    LeaveKind.SICK: _("Sick leave"),
    LeaveKind.PERSONAL: _("Personal leave"),
    LeaveKind.TRAINING: _("Training"),
    LeaveKind.OTHER: _("Other leave"),
}
