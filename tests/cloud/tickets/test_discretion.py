"""What a household sees of the work on its flat, and what stays between whoever asked and the company."""

import pytest

from cloud.core import files
from cloud.core.errors import NotFound
from cloud.core.files import Saved
from cloud.core.principal import Principal, Role
from cloud.properties import occupancies
from cloud.properties.domain import OccupancyKind
from cloud.tickets import attachments, service
from cloud.tickets.attachments import NewAttachment
from cloud.tickets.contacts import contact
from cloud.tickets.domain import Deed, How, Outcome
from cloud.tickets.timeline import timeline
from tests.cloud.alarms.site import Site
from tests.cloud.estate import add_owner
from tests.cloud.screens.households import SINCE, Households, make_households
from tests.cloud.tickets.desk import Desk


@pytest.fixture
async def households(site: Site) -> Households:
    return await make_households(site.database, site.clock, site.estate, community_id=site.community_id)


async def _ask(desk: Desk, households: Households, type_code: str, *, by: Principal) -> int:
    """Open a ticket about 501 that somebody asked for."""
    return await desk.open(
        type_code, unit_id=households.unit_id, requester_id=by.person_id, requester_name=by.name, description="楼上太吵"
    )


async def _say(desk: Desk, ticket_id: int, *, by: Principal) -> int:
    """Write about a ticket and add a photo, and let the desk speak to them; return the file's id."""
    site = desk.site
    async with site.database.transaction() as session:
        await service.note(session, site.clock, by, ticket_id=ticket_id, text="我在家等", is_public=True)
        file_id = await files.add(
            session, site.clock, by, Saved(sha256="0" * 64, size_bytes=1), name="a.jpg", media_type="image/jpeg"
        )
        new = [NewAttachment(file_id=file_id, name="a.jpg", width=4, height=3)]
        await attachments.attach(session, site.clock, by, ticket_id=ticket_id, attachments=new, is_public=True)
        await contact(
            session, site.clock, desk.principal(Role.DESK), ticket_id=ticket_id, how=How.PHONE,
            outcome=Outcome.REACHED, next_step="明天上门",
        )  # fmt: skip
    return file_id


async def _move_in(site: Site, households: Households, kind: OccupancyKind) -> Principal:
    """Return somebody who lives in 501 beside its owner, as they are at home."""
    person = await add_owner(site.database, site.clock, site.estate, name="褚十一", login="household")
    async with site.database.transaction() as session:
        await occupancies.settle(
            session, site.clock, site.estate.administrator, unit_id=households.unit_id,
            person_id=person.person_id or 0, kind=kind, since=SINCE,
        )  # fmt: skip
        return await occupancies.at_home(session, person, on=site.clock.now().date())


@pytest.mark.parametrize("type_code", ["noise", "fee_enquiry", "suggestion"])
async def test_a_complaint_about_a_flat_is_seen_by_whoever_made_it_and_not_by_who_lives_there(
    desk: Desk, households: Households, type_code: str
) -> None:
    ticket_id = await _ask(desk, households, type_code, by=households.next_door)
    seen = await desk.see(ticket_id, by=households.next_door)
    with pytest.raises(NotFound):
        await desk.see(ticket_id, by=households.owner)
    assert (seen.requester_name, seen.description) == ("陈十", "楼上太吵")


@pytest.mark.parametrize("type_code", ["water_indoor", "alarm_repair", "inspection"])
async def test_work_on_a_flat_is_seen_by_who_lives_there(desk: Desk, households: Households, type_code: str) -> None:
    ticket_id = await desk.open(type_code, unit_id=households.unit_id, requester_name="", requester_phone="")
    assert (await desk.see(ticket_id, by=households.owner)).number == (await desk.see(ticket_id)).number
    with pytest.raises(NotFound):
        await desk.see(ticket_id, by=households.next_door)


async def test_who_lives_there_reads_neither_who_else_asked_nor_what_they_said(
    desk: Desk, households: Households
) -> None:
    ticket_id = await _ask(desk, households, "water_indoor", by=households.next_door)
    file_id = await _say(desk, ticket_id, by=households.next_door)
    seen = await desk.see(ticket_id, by=households.owner)
    async with desk.site.database.reading() as session:
        lines = (await timeline(session, households.owner, ticket_ids=[ticket_id]))[ticket_id]
        kept = await attachments.attachments_of(session, households.owner, ticket_ids=[ticket_id])
        is_shown = await attachments.may_see(session, households.owner, file_id=file_id)
    assert (seen.requester_name, seen.requester_phone, seen.description) == ("", "", "")
    assert [(line.deed, line.actor) for line in lines] == [(Deed.OPENED, "")]
    assert (kept, is_shown) == ({ticket_id: []}, False)


async def test_what_an_unknown_caller_said_stays_with_the_desk(desk: Desk, households: Households) -> None:
    ticket_id = await desk.open(unit_id=households.unit_id, requester_name="张三", description="楼上漏到我家")
    seen = await desk.see(ticket_id, by=households.owner)
    assert (seen.requester_name, seen.requester_phone, seen.description) == ("", "", "")


@pytest.mark.parametrize("kind", OccupancyKind)
async def test_a_household_reads_what_each_of_it_asked_for(
    desk: Desk, households: Households, kind: OccupancyKind
) -> None:
    beside = await _move_in(desk.site, households, kind)
    ticket_id = await _ask(desk, households, "water_indoor", by=households.owner)
    file_id = await _say(desk, ticket_id, by=households.owner)
    seen = await desk.see(ticket_id, by=beside)
    async with desk.site.database.reading() as session:
        lines = (await timeline(session, beside, ticket_ids=[ticket_id]))[ticket_id]
        is_shown = await attachments.may_see(session, beside, file_id=file_id)
    assert (seen.requester_name, seen.description) == ("冯九", "楼上太吵")
    assert [(line.deed, line.actor, line.text) for line in lines] == [
        (Deed.CONTACTED, "孙三", "明天上门"), (Deed.NOTED, "冯九", "我在家等"), (Deed.OPENED, "孙三", ""),
    ]  # fmt: skip
    assert is_shown
