"""Who asked for work that is done later, with the rights they have by then."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.accounts import tables
from cloud.core.errors import NotSignedIn
from cloud.core.principal import Principal, Role
from firmware_configs.look.words import _


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Somebody as they were when they asked.

    Attributes:
        roles: in which they asked: a telephone's code, for one, opens less than a password.
    """

    organisation_id: int
    person_id: int
    roles: frozenset[Role]


async def principal_now(session: AsyncSession, asker: Asker) -> Principal:
    """Return who the asker is now, with no role that they did not ask in.

    Raises:
        NotSignedIn: they may sign in no more.
    """
    person = await tables.person_by_id(session, asker.organisation_id, asker.person_id)
    if person is None or not person.is_active:
        raise NotSignedIn(_("Whoever asked for this may sign in no more."))
    kept = person.roles if person.one_time_until is None else frozenset()
    return Principal(
        organisation_id=person.organisation_id,
        person_id=person.id,
        name=person.name,
        roles=kept & asker.roles,
        communities=frozenset(person.communities) if person.communities is not None else None,
    )
