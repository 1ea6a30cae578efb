"""The catalogue ids of closed sets that several screens show."""

from cloud.core.principal import Role
from firmware_configs.look.words import _
from protocols.readings import Quality

ROLES = {
    Role.ADMINISTRATOR: _("Administrator"),
    Role.OPERATOR: _("Control room"),
    Role.DESK: _("Front desk"),
    Role.WORKER: _("Repair worker"),
    Role.OFFICE: _("Billing office"),
    Role.MANAGER: _("Manager"),
}

QUALITIES = {
    Quality.GOOD: _("Good"),
    Quality.ESTIMATED: _("Estimated"),
    Quality.SUSPECT: _("Doubtful"),
    Quality.SUBSTITUTED: _("Entered by hand"),
}

PRIORITIES = {1: _("Critical"), 2: _("High"), 3: _("Medium"), 4: _("Low")}
