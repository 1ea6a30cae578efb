"""What a screen brings to the frame: its routes, its templates and its places in the menu."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from fastapi import APIRouter
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.core.principal import Principal, Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A page that stands in the menu of whoever may open it, and on their first page.

    Attributes:
        label: catalogue id of the menu's word, a noun: "Alarms".
        purpose: catalogue id of the sentence that says what one does there.
        path: where it leads.
        icon: a name of `icons.txt`.
        key: the letter that leads there after G; empty for none.
        roles: who sees it; an administrator sees all that staff see.
        first_for: the roles that begin their day here.
        waiting: how many things wait there for this principal; None where nothing is counted.
    """

    label: str
    purpose: str
    path: str
    icon: str
    roles: frozenset[Role]
    key: str = ""
    first_for: frozenset[Role] = frozenset()
    waiting: Callable[[AsyncSession, Principal], Awaitable[int]] | None = None

    def is_for(self, principal: Principal) -> bool:
        """Return whether the principal has one of the entry's roles."""
        return principal.has(*self.roles)


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """One kind of person's pages.

    Attributes:
        name: the first part of its templates' names: `desk/tickets.html`.
        templates: the folder of them.
    """

    name: str
    router: APIRouter
    templates: Path
    entries: tuple[Entry, ...] = ()
