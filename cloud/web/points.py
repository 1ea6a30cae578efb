"""What points are called: by their device's profile, or by our own words for what every box says of itself."""

from cloud.fleet.domain import Point
from cloud.web.catalogues import Locale
from cloud.web.reader import Reader
from firmware_configs.look.words import _
from firmware_configs.profiles.loader import load_profiles

BOX_POINTS = {
    "online": _("Answers"),
    "cpu_temperature": _("Processor temperature"),
    "disk_free": _("Free disk space"),
    "memory_used": _("Memory in use"),
    "uptime": _("Running since its last start"),
    "clock_known": _("The clock is right"),
    "buffer_rows_unsent": _("Unsent rows"),
    "buffer_hours_left": _("Buffer lasts"),
    "samples_not_taken": _("Samples not taken"),
}
"""Points that no profile describes."""


def point_label(point: Point, reader: Reader) -> str:
    """Return what a point is called in the reader's language; its own name where nobody has given it another."""
    name = point.key.rpartition("/")[2]
    if name in BOX_POINTS:
        return reader.words.say(BOX_POINTS[name])
    profile = load_profiles().get(point.profile)
    labels = [known.label for known in profile.points if known.name == name] if profile else []
    if not labels:
        return name
    return labels[0].zh if reader.locale is Locale.ZH_HANS else labels[0].en
