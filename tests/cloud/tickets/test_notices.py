import pytest
from sqlalchemy import select

from cloud.alarms.domain import Priority
from cloud.core.database import Routes
from cloud.core.delivery import DeliveryLoop
from cloud.core.principal import Role
from cloud.core.wiring import Wiring, hears
from cloud.notifications.tables import MessageRow
from cloud.tickets.domain import Act, TicketMoved
from cloud.tickets.notices import tell_assigned, tell_begun_early
from tests.cloud.tickets.desk import Desk

WIRING = Wiring(hears(TicketMoved, {"notices": tell_assigned, "early_starts": tell_begun_early}))


@pytest.fixture
def routes() -> Routes:
    return WIRING.routes


async def told(desk: Desk, role: Role = Role.WORKER) -> list[tuple[str, bool]]:
    """Return the subjects of what somebody was told, the oldest first, and whether it was urgent."""
    site = desk.site
    await DeliveryLoop(site.database, site.clock, WIRING).deliver_due()
    async with site.database.reading() as session:
        rows = await session.scalars(
            select(MessageRow).where(MessageRow.person_id == desk.principal(role).person_id).order_by(MessageRow.id)
        )
        return [(row.subject_en, row.is_urgent) for row in rows]


async def test_who_is_given_a_ticket_is_told(desk: Desk) -> None:
    await desk.do(Act.ASSIGN, await desk.open())
    assert await told(desk) == [("Ticket 2026-000001 is yours: A pipe leaks", False)]


async def test_an_emergency_is_told_at_once_whatever_its_priority(desk: Desk) -> None:
    await desk.do(Act.ASSIGN, await desk.open("water_burst", priority=Priority.HIGH))
    assert await told(desk) == [("Ticket 2026-000001 is yours: A pipe leaks", True)]


async def test_whose_work_is_taken_up_again_is_told(desk: Desk) -> None:
    ticket_id = await desk.open("public_area")
    await desk.do(Act.ASSIGN, ticket_id)
    await told(desk)
    for act in (Act.START, Act.RESOLVE):
        await desk.do(act, ticket_id, by=Role.WORKER)
    await desk.do(Act.REOPEN, ticket_id)
    assert [subject for subject, _is_urgent in await told(desk)] == [
        "Ticket 2026-000001 is yours: A pipe leaks",
        "Ticket 2026-000001 is open again and yours: A pipe leaks",
    ]


async def test_work_that_begins_before_consent_is_told_at_once_with_its_reason(desk: Desk) -> None:
    ticket_id = await desk.open("water_indoor")
    await desk.do(Act.ASSIGN, ticket_id)
    await desk.do(Act.START_EMERGENCY, ticket_id, by=Role.WORKER)
    said = [("Ticket 2026-000001: work began before anybody agreed to it", True)]
    assert [await told(desk, role) for role in (Role.MANAGER, Role.DESK, Role.OPERATOR)] == [said, said, []]
    async with desk.site.database.reading() as session:
        (text,) = await session.scalars(
            select(MessageRow.text_en).where(MessageRow.person_id == desk.principal(Role.DESK).person_id)
        )
    assert text == "云杉苑 · 3 栋. Done by: 李四. Why: 水要淹到楼下"
