"""Who hears what: the form of the table in cloud/wiring.py."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.core.clock import Clock
from cloud.core.events import Event

E = TypeVar("E", bound=Event)

Handler = Callable[[AsyncSession, Clock, E], Awaitable[None]]
"""Does what one event asks for. Its work and the mark that it is done are one transaction, which it never commits."""


@dataclass(frozen=True, slots=True)
class Hearing:
    """One line of the table: a kind of event, and the handlers that hear it by name."""

    event: type[Event]
    handlers: Mapping[str, Handler[Any]]


def hears(event: type[E], handlers: Mapping[str, Handler[E]]) -> Hearing:
    """Return a line of the table; it only makes the type checker compare the handlers with their event.

    A name is stored with what is still to be delivered, so a renamed handler leaves dead letters behind. Deliveries
    are in order within a name and a subject, across kinds: what must not overtake each other shares a name.
    """
    return Hearing(event, handlers)


class Wiring:
    """The whole table.

    Attributes:
        routes: what the database's outbox needs of it.
    """

    def __init__(self, *lines: Hearing) -> None:
        self._lines = {line.event.kind: line for line in lines}
        if len(self._lines) != len(lines):
            raise ValueError("one kind of event stands in two lines of the wiring: join them")
        self.routes: Mapping[str, Sequence[str]] = {kind: tuple(line.handlers) for kind, line in self._lines.items()}

    def handler(self, kind: str, name: str) -> Handler[Any]:
        """Return who hears `kind` under `name`.

        Raises:
            LookupError: nobody does, or no longer.
        """
        line = self._lines.get(kind)
        if line is None or name not in line.handlers:
            raise LookupError(f"nobody hears {kind} as {name}: it was renamed or removed in cloud/wiring.py")
        return line.handlers[name]

    def decode(self, kind: str, payload: str) -> Event:
        """Return the event that was stored as `payload`.

        Raises:
            msgspec.ValidationError: its fields are no longer those of its kind.
        """
        return msgspec.json.decode(payload, type=self._lines[kind].event)
