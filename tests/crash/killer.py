"""Kills a rig's box and cloud again and again while the recordings run through them."""

import asyncio
import random
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.replay.feeding import Valve
from tests.replay.lives import Death, Lives
from tests.replay.rig import Rig

BOX_POINTS = ("committed rows", "batch sent", "batch answered", "held ranges stored")
"""Commit points of the box by their log lines, in the order in which a reading passes them."""

CLOUD_POINTS = ("series appended", "batch committed", "event delivered")
"""And of the cloud."""

ANY_INSTANT = "any instant"

_LONGEST_LIFE_S = 4.0
"""Of a life that ends at a random instant: as long as a start with its jitter takes, so that some get to work."""

_DOOMED_WITHIN_S = 20.0
"""A life that has not met its line by then ends where it is, as one more random instant."""

_MOST_LINES = 3
"""A doomed life ends at one of its first so many lines of the kind."""


@dataclass(kw_only=True)
class Tally:
    """How often the two programs died where."""

    owed: int
    """Deaths that are still to be died."""
    deaths: Counter[str] = field(default_factory=Counter)
    """By the commit point behind which one died, or ANY_INSTANT."""


def plan(points: Sequence[str], *, count: int, at_each: int, rng: random.Random) -> list[Death]:
    """Return `count` deaths in random order: `at_each` behind each point's line, the others at random instants."""
    doomed = [Death(line=point, count=rng.randint(1, _MOST_LINES)) for point in points for _ in range(at_each)]
    sudden = [Death(after_s=rng.uniform(0, _LONGEST_LIFE_S)) for _ in range(count - len(doomed))]
    deaths = [*doomed, *sudden]
    rng.shuffle(deaths)
    return deaths


async def kill_both(rig: Rig, valve: Valve, *, box: Sequence[Death], cloud: Sequence[Death]) -> Tally:
    """Let each program die all its deaths, both at once, and leave both running.

    The recordings are let through in step with the deaths, so that these are spread over all of them, and so that
    every life has something to come to its line with.
    """
    tally = Tally(owed=len(box) + len(cloud))
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_kill(rig.box, box, valve, tally), name="kill the box")
        tasks.create_task(_kill(rig.cloud, cloud, valve, tally), name="kill the cloud")
    await valve.open_by(1.0)
    return tally


async def _kill(lives: Lives, deaths: Sequence[Death], valve: Valve, tally: Tally) -> None:
    left = deque(deaths)
    await lives.kill()
    while left:
        death = left.popleft()
        await lives.begin(death)
        await valve.open_by(1 / (tally.owed + 1))
        end = await _end(lives, death)
        tally.deaths[end] += 1
        if death.line in {None, end}:
            tally.owed -= 1
        else:
            left.append(death)  # it did not come to its line: it is owed another life
    await lives.begin()


async def _end(lives: Lives, death: Death) -> str:
    """Return where the life ended."""
    if death.line and await lives.has_died(within_s=_DOOMED_WITHIN_S):
        return death.line
    await asyncio.sleep(death.after_s)
    await lives.kill()
    return ANY_INSTANT
