"""Pure series of delays for trying again."""

import random
from collections.abc import Iterator


def delays_s(*, first_s: float = 1.0, cap_s: float = 60.0, rng: random.Random | None = None) -> Iterator[float]:
    """Yield delays for ever: exponential with full jitter, so that a fleet does not come back in step.

    Each delay is uniform in (0, ceiling]; the ceiling starts at `first_s` and doubles up to `cap_s`.
    A fresh iterator is the reset.
    """
    draw = rng or random.Random()  # noqa: S311  jitter needs no secrecy
    ceiling_s = first_s
    while True:
        yield draw.uniform(ceiling_s / 20, ceiling_s)
        ceiling_s = min(ceiling_s * 2, cap_s)
