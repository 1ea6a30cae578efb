"""Quantities that move believably, as pure functions of the instant: the same seed tells the same story again."""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

EPOCH = datetime(2025, 1, 1, tzinfo=UTC)
"""The day on which the practice building's meters were put in; their registers grow from here."""

_DAY_S = 86_400.0
_PEAK_S = 6 * 3_600.0
"""14:00 in China, in seconds of the UTC day."""

_PERIODS_S = (_DAY_S / 2, 4_271.0, 613.0, 89.0, 23.0)
"""Incommensurate on purpose, so that no two days look alike."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    amplitude: float
    omega: float
    phase: float


class Wave:
    """A quantity around a mean: highest in the early afternoon, with swings of hours, minutes and seconds on top."""

    def __init__(self, name: str, *, mean: float, daily: float, restless: float, seed: int = 1) -> None:
        """Let it swing by `daily` with the hour and by `restless` with all the shorter periods together.

        `name` sets the phases apart: two quantities of one seed move independently.
        """
        draw = random.Random(f"{seed}/{name}")  # noqa: S311  a story to be told again, not a secret
        share = restless / len(_PERIODS_S)
        by_hour = _Part(amplitude=daily, omega=math.tau / _DAY_S, phase=math.pi / 2 - math.tau * _PEAK_S / _DAY_S)
        self.mean = mean
        self._parts: Sequence[_Part] = (
            by_hour,
            *(
                _Part(amplitude=share, omega=math.tau / period_s, phase=draw.uniform(0, math.tau))
                for period_s in _PERIODS_S
            ),
        )

    def at(self, instant: datetime) -> float:
        """Return the value at `instant`."""
        t_s = (instant - EPOCH).total_seconds()
        return self.mean + sum(part.amplitude * math.sin(part.omega * t_s + part.phase) for part in self._parts)

    def total(self, instant: datetime) -> float:
        """Return the integral over the seconds since EPOCH; it only grows where the value stays above 0."""
        t_s = (instant - EPOCH).total_seconds()
        swung = sum(
            part.amplitude / part.omega * (math.cos(part.phase) - math.cos(part.omega * t_s + part.phase))
            for part in self._parts
        )
        return self.mean * t_s + swung
