"""The catalogue ids of closed sets that the administrator's pages show."""

from cloud.properties.domain import OccupancyKind, PlaceKind
from firmware_configs.look.words import _

PLACE_KINDS = {
    PlaceKind.ROOM: _("Room"),
    PlaceKind.PLANT_ROOM: _("Plant room"),
    PlaceKind.ELECTRICAL_ROOM: _("Electrical room"),
    PlaceKind.METER_ROOM: _("Meter room"),
    PlaceKind.CORRIDOR: _("Corridor"),
    PlaceKind.LOBBY: _("Lobby"),
    PlaceKind.LIFT: _("Lift"),
    PlaceKind.GATE: _("Gate"),
    PlaceKind.GARAGE: _("Garage"),
    PlaceKind.ROOF: _("Roof"),
    PlaceKind.GROUNDS: _("Grounds"),
    PlaceKind.OTHER: _("Other"),
}

OCCUPANCY_KINDS = {
    OccupancyKind.OWNER: _("unit|Owner"),
    OccupancyKind.TENANT: _("Tenant"),
    OccupancyKind.FAMILY: _("Family"),
}

SUBJECTS = {
    "box": _("Box"),
    "building": _("Building"),
    "community": _("Community"),
    "device": _("Device"),
    "event": _("Event"),
    "organisation": _("Organisation"),
    "person": _("Person"),
    "place": _("Place"),
    "point": _("Point"),
    "rule": _("Rule"),
    "ticket_type": _("Type of ticket"),
    "unit": _("Unit"),
}
"""What the audit's subjects are, by the word before their number; a test finds one that is missing here."""

FIELDS = {
    "address": _("Address"),
    "administrator": _("Administrator"),
    "box": _("Box"),
    "building_id": _("Building"),
    "communities": _("Communities"),
    "community_id": _("Community"),
    "consequence": _("Consequence"),
    "error": _("Error"),
    "expires_at": _("Good until"),
    "first_action": _("First action"),
    "handler": _("Handler"),
    "is_active": _("Signs in"),
    "is_enabled": _("In force"),
    "kind": _("Kind"),
    "label": _("Label"),
    "login": _("Login"),
    "name": _("Name"),
    "person_id": _("Person"),
    "phone": _("Telephone"),
    "place_id": _("Place"),
    "priority": _("Priority"),
    "roles": _("Roles"),
    "since": _("day|Since"),
    "subject": _("Subject"),
    "terms": _("Terms"),
    "time_zone": _("Time zone"),
    "unit_id": _("Unit"),
    "until": _("day|Until"),
    "version": _("Version"),
}
"""Fields of what the audit holds; one that is not here keeps the name it is stored under."""

ACTIONS = {
    "accounts.organisation_changed": _("changed the organisation"),
    "accounts.organisation_founded": _("founded the organisation"),
    "accounts.owner_changed": _("changed an owner"),
    "accounts.owner_enrolled": _("enrolled an owner"),
    "accounts.password_changed": _("changed their password"),
    "accounts.password_reset": _("gave a one-time password"),
    "accounts.person_added": _("added a person"),
    "accounts.person_changed": _("changed a person"),
    "accounts.person_deactivated": _("let a person go"),
    "accounts.person_reactivated": _("took a person back"),
    "accounts.phone_revealed": _("looked at a telephone number"),
    "accounts.session_ended": _("signed a browser out"),
    "accounts.sign_in_failed": _("failed to sign in"),
    "accounts.signed_in": _("signed in"),
    "accounts.signed_out": _("signed out"),
    "alarms.rule_changed": _("changed a rule"),
    "alarms.rule_created": _("made a rule"),
    "alarms.rule_removed": _("removed a rule"),
    "core.letter_discarded": _("let a dead letter go"),
    "core.letter_retried": _("retried a dead letter"),
    "fleet.bound": _("said where a device or point belongs"),
    "fleet.box_claimed": _("claimed a box"),
    "fleet.box_renamed": _("renamed a box"),
    "fleet.box_revoked": _("shut a box out"),
    "fleet.claim_issued": _("issued a claim code"),
    "fleet.claim_withdrawn": _("withdrew a claim code"),
    "properties.building_changed": _("changed a building"),
    "properties.building_created": _("made a building"),
    "properties.building_deleted": _("deleted a building"),
    "properties.community_changed": _("changed a community"),
    "properties.community_created": _("made a community"),
    "properties.community_deleted": _("deleted a community"),
    "properties.moved_in": _("let somebody move in"),
    "properties.moved_out": _("let somebody move out"),
    "properties.occupancy_corrected": _("corrected who is in a unit"),
    "properties.place_changed": _("changed a place"),
    "properties.place_created": _("made a place"),
    "properties.place_deleted": _("deleted a place"),
    "properties.unit_changed": _("changed a unit"),
    "properties.unit_created": _("made a unit"),
    "properties.unit_deleted": _("deleted a unit"),
    "tickets.type_defined": _("defined a type of ticket"),
}
"""What the audit holds; a test finds an action that is missing here."""

JOBS = {
    "accounts.forget_old": _("Forget sessions that have ended"),
    "alarms.announce_forgotten": _("Announce alarms of boxes that came back"),
    "alarms.judge_due": _("Judge delays and silences"),
    "alarms.watch_boxes": _("Watch for boxes that are away"),
    "files.sweep": _("Delete the bytes of removed files"),
    "outbox.prune": _("Forget events that were handled"),
}
"""What the jobs do; a test finds one that is missing here."""
