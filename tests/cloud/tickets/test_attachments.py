import asyncio

import pytest

from cloud.core import files
from cloud.core.database import Database
from cloud.core.errors import Forbidden, NotFound, Refused
from cloud.core.files import Saved
from cloud.core.principal import Principal, Role
from cloud.properties import occupancies
from cloud.properties import service as properties
from cloud.properties.domain import OccupancyKind
from cloud.tickets import attachments, reading, reports
from cloud.tickets.attachments import NewAttachment
from cloud.tickets.domain import Origin
from cloud.tickets.opening import Location
from tests.clocks import FixedClock
from tests.cloud.estate import Estate, make_organisation
from tests.cloud.screens.households import Households, make_households

KEY = "a-report-of-a-telephone"


@pytest.fixture
async def estate(database: Database, clock: FixedClock) -> Estate:
    return await make_organisation(database, clock)


@pytest.fixture
async def households(database: Database, clock: FixedClock, estate: Estate) -> Households:
    async with database.transaction() as session:
        community_id = await properties.create_community(session, clock, estate.administrator, name="云杉苑")
        await properties.create_building(session, clock, estate.administrator, community_id=community_id, name="3 栋")
    return await make_households(database, clock, estate, community_id=community_id)


def _at_home(owner: Principal) -> Location:
    return Location(community_id=next(iter(owner.communities or ()), None), place="云杉苑 · 3 栋 · 501")


async def _report(
    database: Database, clock: FixedClock, owner: Principal, unit_id: int | None, *,
    text: str = "厨房水龙头漏水\n一直滴", has_photo: bool = False,
) -> int:  # fmt: skip
    async with database.transaction() as session:
        known = await reports.reported(session, owner, key=KEY)
        return known or await reports.report(
            session, clock, owner, key=KEY, location=_at_home(owner), unit_id=unit_id, text=text,
            phone="13800000001", has_photo=has_photo,
        )  # fmt: skip


async def _attach(
    database: Database, clock: FixedClock, principal: Principal, ticket_id: int, *, is_public: bool
) -> int:
    async with database.transaction() as session:
        saved = Saved(sha256=f"{is_public:064}", size_bytes=1)
        file_id = await files.add(session, clock, principal, saved, name="a.jpg", media_type="image/jpeg")
        new = [NewAttachment(file_id=file_id, name="a.jpg", width=4, height=3)]
        await attachments.attach(session, clock, principal, ticket_id=ticket_id, attachments=new, is_public=is_public)
        return file_id


async def _may_see(database: Database, principal: Principal, file_id: int) -> bool:
    async with database.reading() as session:
        return await attachments.may_see(session, principal, file_id=file_id)


async def test_a_report_is_a_ticket_in_the_owners_name(
    database: Database, clock: FixedClock, households: Households
) -> None:
    ticket_id = await _report(database, clock, households.owner, households.unit_id)
    async with database.reading() as session:
        ticket = await reading.ticket(session, clock, households.owner, ticket_id=ticket_id)
        with pytest.raises(NotFound):
            await reading.ticket(session, clock, households.next_door, ticket_id=ticket_id)
    assert ticket.subject is not None
    assert (ticket.subject.zh, ticket.description) == ("厨房水龙头漏水", "厨房水龙头漏水\n一直滴")
    assert (ticket.origin, ticket.unit_id, ticket.requester_id, ticket.requester_phone) == (
        Origin.APP, households.unit_id, households.owner.person_id, "13800000001",
    )  # fmt: skip


async def test_a_report_that_is_sent_several_times_at_once_is_one_ticket(
    database: Database, clock: FixedClock, households: Households
) -> None:
    sent = (_report(database, clock, households.owner, households.unit_id) for _ in range(3))
    assert len(set(await asyncio.gather(*sent))) == 1


async def test_words_that_speak_of_an_emergency_make_one(
    database: Database, clock: FixedClock, households: Households
) -> None:
    ticket_id = await _report(
        database, clock, households.owner, households.unit_id, text="楼道里有煤气味，好像燃气泄漏"
    )
    async with database.reading() as session:
        ticket = await reading.ticket(session, clock, households.owner, ticket_id=ticket_id)
    assert (ticket.type.code, ticket.type.is_emergency) == ("gas_leak", True)


async def test_a_photo_may_say_it_all_and_nothing_says_nothing(
    database: Database, clock: FixedClock, households: Households
) -> None:
    with pytest.raises(Refused) as refused:
        await _report(database, clock, households.owner, households.unit_id, text=" ")
    assert refused.value.field == "text"
    assert await _report(database, clock, households.owner, households.unit_id, text=" ", has_photo=True)


async def test_nobody_reports_for_the_flat_next_door_or_without_owning_one(
    database: Database, clock: FixedClock, estate: Estate, households: Households
) -> None:
    with pytest.raises(Forbidden):
        await _report(database, clock, households.owner, households.next_door_unit_id)
    with pytest.raises(Forbidden):
        await _report(database, clock, estate.principals[Role.DESK], None)


async def test_a_photo_is_seen_by_whoever_sees_its_ticket(
    database: Database, clock: FixedClock, estate: Estate, households: Households
) -> None:
    ticket_id = await _report(database, clock, households.owner, households.unit_id)
    file_id = await _attach(database, clock, households.owner, ticket_id, is_public=False)
    neighbour = await make_organisation(database, clock, name="银杏物业")
    seen = {
        name: await _may_see(database, principal, file_id)
        for name, principal in {
            "owner": households.owner,
            "across the landing": households.next_door,
            "desk": estate.principals[Role.DESK],
            "another organisation": neighbour.administrator,
        }.items()
    }
    assert seen == {
        "owner": True, "across the landing": False, "desk": True, "another organisation": False,
    }  # fmt: skip


async def test_what_staff_keep_among_themselves_no_owner_sees(
    database: Database, clock: FixedClock, estate: Estate, households: Households
) -> None:
    ticket_id = await _report(database, clock, households.owner, households.unit_id)
    file_id = await _attach(database, clock, estate.principals[Role.DESK], ticket_id, is_public=False)
    async with database.reading() as session:
        theirs = await attachments.attachments_of(session, households.owner, ticket_ids=[ticket_id])
        ours = await attachments.attachments_of(session, estate.principals[Role.DESK], ticket_ids=[ticket_id])
    assert (theirs[ticket_id], len(ours[ticket_id])) == ([], 1)
    assert await _may_see(database, households.owner, file_id) is False


async def test_nobody_adds_to_a_ticket_that_they_do_not_see(
    database: Database, clock: FixedClock, households: Households
) -> None:
    ticket_id = await _report(database, clock, households.owner, households.unit_id)
    with pytest.raises(NotFound):
        await _attach(database, clock, households.next_door, ticket_id, is_public=True)


async def test_who_moves_in_sees_what_is_reported_from_then_on_and_nothing_from_before(
    database: Database, clock: FixedClock, estate: Estate, households: Households
) -> None:
    before = await _report(database, clock, households.owner, households.unit_id)
    clock.advance(hours=48)
    today = clock.now().date()
    async with database.transaction() as session:
        await occupancies.settle(
            session, clock, estate.administrator, unit_id=households.unit_id,
            person_id=households.next_door.person_id or 0, kind=OccupancyKind.TENANT, since=today,
        )  # fmt: skip
        tenant = await occupancies.at_home(session, households.next_door, on=today)
        since = await reports.report(
            session, clock, households.owner, key="since", location=_at_home(households.owner),
            unit_id=households.unit_id, text="窗户关不上", phone="13800000001", has_photo=False,
        )  # fmt: skip
        seen = await reading.ticket(session, clock, tenant, ticket_id=since)
        with pytest.raises(NotFound):
            await reading.ticket(session, clock, tenant, ticket_id=before)
    assert seen.unit_id == households.unit_id
