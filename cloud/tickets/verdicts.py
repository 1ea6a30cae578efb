"""Verdicts as they are kept: short, since there is one for every worker and every ticket that was looked at."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from cloud.tickets.dispatch import Choice, Contender, Obstacle


def stored(choice: Choice) -> dict[str, Any]:
    """Return a choice in plain JSON: contenders in their order, the others together by what bars them."""
    groups: dict[tuple[Obstacle, ...], list[int]] = defaultdict(list)
    for person_id, obstacles in choice.barred.items():
        groups[obstacles].append(person_id)
    barred = [[list(obstacles), person_ids] for obstacles, person_ids in groups.items()]
    return {"ranked": choice.ranked, "barred": barred}


def restored(ticket_id: int, kept: Mapping[str, Any]) -> Choice:
    """Return the choice that was stored."""
    return Choice(
        ticket_id=ticket_id,
        ranked=[Contender(*each) for each in kept["ranked"]],
        barred={
            person_id: tuple(Obstacle(obstacle) for obstacle in obstacles)
            for obstacles, person_ids in kept["barred"]
            for person_id in person_ids
        },
    )
