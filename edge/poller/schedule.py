"""When a device's groups are due: on a grid laid at the start, so that nothing drifts."""

import math
from collections.abc import Iterable


class Schedule:
    """The next instants of groups that have a period each; all in seconds of one monotonic clock."""

    def __init__(self, periods_s: Iterable[float], *, start_s: float) -> None:
        self._due = dict.fromkeys(sorted(periods_s), start_s)
        self._not_before: dict[float, float] = {}

    def next(self) -> tuple[float, float]:
        """Return when the next group is due, and its period; of several due together, the shortest."""
        return min(
            (max(due_s, self._not_before.get(period_s, due_s)), period_s) for period_s, due_s in self._due.items()
        )

    def read(self, period_s: float, *, now_s: float) -> bool:
        """Move a group that was read on to its next instant, and return whether it kept its pace.

        Instants that went by meanwhile are left out: what runs back to back has no row of misses to make up for.
        """
        next_s = self._due[period_s] + period_s
        late_s = max(0.0, now_s - next_s)
        was_postponed = self._not_before.pop(period_s, None) is not None
        steps = math.ceil(late_s / period_s) if was_postponed else late_s // period_s
        self._due[period_s] = next_s + steps * period_s
        return was_postponed or not late_s

    def postpone(self, period_s: float, *, until_s: float) -> None:
        """Let a group wait that could not be read; its grid stays."""
        self._not_before[period_s] = until_s
