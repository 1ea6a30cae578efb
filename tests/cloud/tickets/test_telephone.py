import pytest
from sqlalchemy import select

from cloud.core.audit import AuditEntry
from cloud.core.errors import Forbidden, NotFound
from cloud.core.principal import Role
from cloud.tickets import telephone
from cloud.tickets.domain import Act
from tests.cloud.tickets.desk import Desk


async def reveal(desk: Desk, ticket_id: int, *, by: Role = Role.WORKER) -> str:
    async with desk.site.database.transaction() as session:
        return await telephone.reveal(session, desk.site.clock, desk.principal(by), ticket_id=ticket_id)


async def looked(desk: Desk) -> list[tuple[str, int | None]]:
    async with desk.site.database.reading() as session:
        entries = await session.scalars(select(AuditEntry).where(AuditEntry.action == "tickets.phone_revealed"))
        return [(entry.subject, entry.person_id) for entry in entries]


async def test_whoever_has_the_ticket_sees_the_number_and_that_is_written_down(desk: Desk) -> None:
    ticket_id = await desk.open()
    await desk.do(Act.TAKE, ticket_id, by=Role.WORKER)
    assert await reveal(desk, ticket_id) == "+8613800000001"
    assert await looked(desk) == [(f"ticket:{ticket_id}", desk.worker_id)]


async def test_nobody_is_told_the_number_of_a_ticket_that_is_not_theirs_yet(desk: Desk) -> None:
    ticket_id = await desk.open()
    with pytest.raises(Forbidden):
        await reveal(desk, ticket_id)
    assert await looked(desk) == []


async def test_the_desk_sees_the_number_of_any_ticket(desk: Desk) -> None:
    assert await reveal(desk, await desk.open(), by=Role.DESK) == "+8613800000001"


async def test_where_no_number_is_known_nothing_was_looked_at(desk: Desk) -> None:
    assert await reveal(desk, await desk.open(requester_phone=""), by=Role.DESK) == ""
    assert await looked(desk) == []


async def test_a_ticket_that_is_not_there_has_no_number(desk: Desk) -> None:
    with pytest.raises(NotFound):
        await reveal(desk, 404, by=Role.DESK)
