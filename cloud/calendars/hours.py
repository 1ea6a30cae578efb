"""Hours as a person writes them: "09:00-12:00, 13:30-18:00"."""

import re
from collections.abc import Sequence

from cloud.calendars.domain import DAY_MIN, Window, overlap
from cloud.core.errors import Refused
from firmware_configs.look.words import _

_TIME = r"(\d{1,2})[:：](\d{2})"
_WINDOW = re.compile(rf"{_TIME}\s*[-–—~～至]\s*{_TIME}")
_BETWEEN = re.compile(r"[\s,，、;；]+")


def parse(text: str, *, field: str) -> tuple[Window, ...]:
    """Return the windows that a text names, none for an empty one; an end before its start is on the next day.

    Raises:
        Refused: a part is no window, two overlap, or one has no length; it names `field`.
    """
    left = _BETWEEN.sub(" ", _WINDOW.sub("", text)).strip()
    if left:
        raise Refused(_("“%(text)s” is not understood. Write hours like 09:00-12:00, 13:30-18:00."), field, text=left)
    windows = tuple(sorted(_window(found, field) for found in _WINDOW.finditer(text)))
    check(windows, field=field)
    return windows


def check(windows: Sequence[Window], *, field: str) -> None:
    """Let windows of one day pass that don't overlap.

    Raises:
        Refused: two do; it names `field`.
    """
    found = overlap({0: tuple(windows)})
    if found is not None:
        sentence = _("%(hours)s begins before the hours in front of it have ended. Put them apart or together.")
        raise Refused(sentence, field, hours=written([found[1]]))


def written(windows: Sequence[Window]) -> str:
    """Return windows as `parse` reads them; a window's end on the next day is written by its wall time alone."""
    return ", ".join(f"{_clock(window.start_min)}-{_clock(window.end_min)}" for window in sorted(windows))


def _window(found: re.Match[str], field: str) -> Window:
    start_hour, start_minute, end_hour, end_minute = (int(part) for part in found.groups())
    start_min, end_min = start_hour * 60 + start_minute, end_hour * 60 + end_minute
    if start_min >= DAY_MIN or end_min > DAY_MIN or max(start_minute, end_minute) > 59:
        raise Refused(_("“%(text)s” holds no time of the day: use 00:00 to 24:00."), field, text=found[0])
    if start_min == end_min:
        raise Refused(_("“%(text)s” ends when it begins. A whole day is 00:00-24:00."), field, text=found[0])
    return Window(start_min, end_min if end_min > start_min else end_min + DAY_MIN)


def _clock(minute: int) -> str:
    within = minute if minute <= DAY_MIN else minute - DAY_MIN
    return f"{within // 60:02d}:{within % 60:02d}"
