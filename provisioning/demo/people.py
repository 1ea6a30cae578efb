"""Who works in the practice estate: an invented person for each role and shift, all with one password."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.accounts import people, service
from cloud.accounts.domain import SignedIn
from cloud.accounts.organisations import found_organisation
from cloud.core.clock import Clock
from cloud.core.principal import Principal, Role

PASSWORD = "yunshan-practice"  # noqa: S105  opens nothing but a practice estate on one's own machine
ORGANISATION = "云杉物业（练习）"

_HERE = "127.0.0.1"
_AGENT = "gatehouse-site demo"


@dataclass(frozen=True, slots=True, kw_only=True)
class Employee:
    """Somebody to sign in as."""

    login: str
    name: str
    role: Role
    sees: str
    """What is to be tried as this person."""


ADMINISTRATOR = Employee(
    login="admin", name="张三", role=Role.ADMINISTRATOR, sees="organisation, people, places, boxes, rules"
)
EMPLOYEES = (
    Employee(
        login="control", name="李四", role=Role.OPERATOR, sees="control room: alarms with their curves and tickets"
    ),
    Employee(login="desk", name="王五", role=Role.DESK, sees="front desk: all tickets, who works on what"),
    Employee(login="worker", name="赵六", role=Role.WORKER, sees="repairs: take a ticket, work, resolve it"),
    Employee(login="night", name="吴十", role=Role.WORKER, sees="the same from 18:00 to 08:00"),
    Employee(login="manager", name="孙八", role=Role.MANAGER, sees="everything that is to be seen"),
)


async def founder(session: AsyncSession, clock: Clock) -> Principal | None:
    """Return the administrator of an estate that was founded before; None where there is none."""
    signed_in = await service.sign_in(
        session, clock, login=ADMINISTRATOR.login, password=PASSWORD, address=_HERE, agent=_AGENT
    )
    return signed_in.principal if isinstance(signed_in, SignedIn) else None


async def found(session: AsyncSession, clock: Clock) -> Principal:
    """Found the organisation with all its people, and return its administrator."""
    founded = await found_organisation(
        session,
        clock,
        name=ORGANISATION,
        login=ADMINISTRATOR.login,
        password=PASSWORD,
        administrator=ADMINISTRATOR.name,
    )
    principal = Principal(
        organisation_id=founded.organisation_id,
        person_id=founded.person_id,
        name=ADMINISTRATOR.name,
        roles=frozenset({Role.ADMINISTRATOR}),
    )
    for employee in EMPLOYEES:
        await _employ(session, clock, principal, employee)
    return principal


async def _employ(session: AsyncSession, clock: Clock, principal: Principal, employee: Employee) -> None:
    """Add somebody, who then goes the way of everybody: the one-time password first, a password of their own next."""
    invited = await people.add_person(
        session, clock, principal, login=employee.login, name=employee.name, roles=frozenset({employee.role})
    )
    first = await service.sign_in(
        session, clock, login=employee.login, password=invited.one_time_password, address=_HERE, agent=_AGENT
    )
    if not isinstance(first, SignedIn):
        raise TypeError(f"{employee.login} can't sign in with the password just given: {first.reason}")
    visit = await service.resume(session, clock, token=first.token)
    await service.change_password(
        session,
        clock,
        first.principal,
        session_id=visit.session_id,
        current=invited.one_time_password,
        new=PASSWORD,
    )
    await service.sign_out(session, clock, token=first.token)
