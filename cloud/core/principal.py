"""Who is asking; every query starts from here."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cloud.core.errors import Forbidden


class Role(StrEnum):
    """What a person does for the organisation; a person may have several."""

    ADMINISTRATOR = "administrator"  # organisation, people, rules, boxes
    OPERATOR = "operator"  # control room
    DESK = "desk"  # front desk and dispatch
    WORKER = "worker"  # repairs
    OFFICE = "office"  # billing
    MANAGER = "manager"  # sees all of the organisation's figures
    OWNER = "owner"  # owns a unit or lives in one; works for nobody here


STAFF = frozenset(Role) - {Role.OWNER}
"""The roles of those who work for the organisation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """A signed-in person, a box, or the system working for one organisation.

    Attributes:
        organisation_id: the only organisation whose rows may be seen or changed.
        person_id: None for a box and for the system.
        communities: ids that the principal is limited to; None for all of the organisation's.
        units: ids of the units that an owner occupies now; empty for everybody else.
        moved_in: since when each of the units is theirs: what was in it before is none of their business.
        household: ids of everybody who is in those units now; empty for everybody else.
    """

    organisation_id: int
    person_id: int | None = None
    name: str = ""
    roles: frozenset[Role] = frozenset()
    communities: frozenset[int] | None = None
    units: frozenset[int] = frozenset()
    moved_in: tuple[tuple[int, datetime], ...] = ()
    household: frozenset[int] = frozenset()

    @classmethod
    def system(cls, organisation_id: int) -> "Principal":
        """Return the organisation's own principal, for jobs and event handlers."""
        return cls(organisation_id=organisation_id, name="system", roles=STAFF)

    @property
    def is_staff(self) -> bool:
        """Return whether the principal works for the organisation."""
        return bool(self.roles & STAFF)

    def has(self, *roles: Role) -> bool:
        """Return whether the principal has one of `roles`; an administrator has all that staff can have."""
        mine = self.roles | STAFF if Role.ADMINISTRATOR in self.roles else self.roles
        return bool(mine.intersection(roles))

    def require(self, *roles: Role) -> None:
        """Let pass who has one of `roles`, as `has` says.

        Raises:
            Forbidden: the principal has none of them.
        """
        if not self.has(*roles):
            raise Forbidden("Only these roles may do this: %(roles)s.", roles=", ".join(roles))
