"""Verdicts as they are kept: short, since there is one for every worker and every ticket that was looked at."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from cloud.core.clock import from_us, to_us
from cloud.tickets.dispatch import Choice, Contender, Obstacle


def stored(choice: Choice) -> dict[str, Any]:
    """Return a choice in plain JSON: contenders in their order, the others together by what bars them."""
    groups: dict[tuple[Obstacle, ...], list[int]] = defaultdict(list)
    for person_id, obstacles in choice.barred.items():
        groups[obstacles].append(person_id)
    return {
        "ranked": [
            [
                each.person_id,
                each.is_on_duty,
                each.load,
                each.is_near,
                to_us(each.idle_since) if each.idle_since else None,
            ]
            for each in choice.ranked
        ],
        "barred": [[list(obstacles), person_ids] for obstacles, person_ids in groups.items()],
    }


def restored(ticket_id: int, kept: Mapping[str, Any]) -> Choice:
    """Return the choice that was stored."""
    return Choice(
        ticket_id=ticket_id,
        ranked=[
            Contender(person_id, is_on_duty, load, is_near, from_us(idle_us) if idle_us is not None else None)
            for person_id, is_on_duty, load, is_near, idle_us in kept["ranked"]
        ],
        barred={
            person_id: tuple(Obstacle(obstacle) for obstacle in obstacles)
            for obstacles, person_ids in kept["barred"]
            for person_id in person_ids
        },
    )
