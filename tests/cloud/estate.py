"""A practice organisation for tests: one person of each role, and another organisation next door."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from argon2 import PasswordHasher

from cloud.accounts.tables import OrganisationRow, PersonRow
from cloud.core.clock import Clock
from cloud.core.database import Database
from cloud.core.principal import Principal, Role

PASSWORD = "correct horse 7"

_NAMES = {
    Role.ADMINISTRATOR: "赵一",
    Role.OPERATOR: "钱二",
    Role.DESK: "孙三",
    Role.WORKER: "李四",
    Role.OFFICE: "周五",
    Role.MANAGER: "吴六",
    Role.OWNER: "冯九",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Estate:
    """An organisation and its people; everybody's login is `role-<organisation id>` and their password PASSWORD."""

    organisation_id: int
    principals: Mapping[Role, Principal]

    @property
    def administrator(self) -> Principal:
        return self.principals[Role.ADMINISTRATOR]

    def login(self, role: Role) -> str:
        """Return with what the person of `role` signs in."""
        return f"{role}-{self.organisation_id}"


async def make_organisation(database: Database, clock: Clock, *, name: str = "云杉物业") -> Estate:
    """Return a new organisation with an active person of every role, each with that role alone.

    The rows are written directly: the services would hash seven passwords for every test. The owner has a login too,
    so that whatever holds for every role can be tried with a password.
    """
    async with database.transaction() as session:
        organisation = OrganisationRow(name=name, time_zone="Asia/Shanghai", created_at=clock.now())
        session.add(organisation)
        await session.flush()
        people = {role: _person(organisation.id, role, clock) for role in Role}
        session.add_all(people.values())
        await session.flush()
        return Estate(
            organisation_id=organisation.id,
            principals={role: _principal(row) for role, row in people.items()},
        )


async def add_owner(database: Database, clock: Clock, estate: Estate, *, name: str, login: str) -> Principal:
    """Add one more owner to an organisation, who signs in with PASSWORD too."""
    return await add_person(database, clock, estate, role=Role.OWNER, name=name, login=login)


async def add_person(
    database: Database, clock: Clock, estate: Estate, *, role: Role, name: str, login: str,
    communities: Sequence[int] | None = None,
) -> Principal:  # fmt: skip
    """Add somebody to an organisation, who signs in with PASSWORD too and may be limited to some communities."""
    async with database.transaction() as session:
        row = _row(estate.organisation_id, role, clock, name=name, login=login)
        row.communities = None if communities is None else list(communities)
        session.add(row)
        await session.flush()
        return _principal(row)


def _person(organisation_id: int, role: Role, clock: Clock) -> PersonRow:
    return _row(organisation_id, role, clock, name=_NAMES[role], login=f"{role}-{organisation_id}")


def _row(organisation_id: int, role: Role, clock: Clock, *, name: str, login: str) -> PersonRow:
    return PersonRow(
        organisation_id=organisation_id,
        login=login,
        login_key=login,
        name=name,
        roles=frozenset({role}),
        password_hash=_hash(),
        created_at=clock.now(),
    )


def _principal(row: PersonRow) -> Principal:
    return Principal(
        organisation_id=row.organisation_id,
        person_id=row.id,
        name=row.name,
        roles=row.roles,
        communities=None if row.communities is None else frozenset(row.communities),
    )


@cache
def _hash() -> str:
    return PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1).hash(PASSWORD)
