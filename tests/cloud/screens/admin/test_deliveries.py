import pytest
from sqlalchemy import select

from cloud.core.database import Database
from cloud.core.principal import Role
from cloud.core.words import Words
from cloud.notifications.channels import NO_GATEWAYS
from cloud.notifications.domain import Channel, DeliveryState
from cloud.notifications.sending import send_due
from cloud.notifications.service import send_code
from cloud.notifications.tables import DeliveryRow
from tests.clocks import FixedClock
from tests.cloud.estate import Estate
from tests.cloud.notifications.messages import make_messages
from tests.cloud.screens.admin.conftest import SignedIn
from tests.cloud.web.conftest import Browser


@pytest.fixture
async def given_up(database: Database, clock: FixedClock, estate: Estate) -> int:
    """The id of a mail that was given up, as there is no mail server."""
    async with database.transaction() as session:
        ids = await make_messages(session, clock, estate)
    await send_due(database, clock, channel=Channel.MAIL, gateways=NO_GATEWAYS, base_url="")
    return ids["delivery_id"]


async def _state(database: Database, delivery_id: int) -> DeliveryState:
    async with database.reading() as session:
        return await session.scalar(select(DeliveryRow.state).where(DeliveryRow.id == delivery_id))


async def test_what_was_sent_is_shown_with_how_it_went_and_troubles_are_counted(
    administrator: Browser, database: Database, clock: FixedClock, estate: Estate
) -> None:
    assert "Nothing has been sent yet." in (await administrator.get("/admin/deliveries")).text
    assert "Mail and SMS go out." in (await administrator.get("/admin")).text
    async with database.transaction() as session:
        await make_messages(session, clock, estate)
    await send_due(database, clock, channel=Channel.MAIL, gateways=NO_GATEWAYS, base_url="")
    page = (await administrator.get("/admin/deliveries")).text
    shown = ("Ticket 2026-000001 is yours", "赵一", "z***@example.com", "no gateway is set up for mail")
    assert [part for part in shown if part not in page] == []
    assert "zhao.yi@example.com" not in page
    assert "1 message could not be sent so far." in (await administrator.get("/admin")).text


async def test_what_was_given_up_can_be_sent_again(administrator: Browser, database: Database, given_up: int) -> None:
    assert await _state(database, given_up) is DeliveryState.DEAD
    answer = await administrator.send_form(f"/admin/deliveries/{given_up}/retry", page="/admin/deliveries")
    assert (answer.status_code, answer.headers["location"]) == (303, "/admin/deliveries")
    assert await _state(database, given_up) is DeliveryState.WAITING
    again = await administrator.send_form(f"/admin/deliveries/{given_up}/retry", page="/admin/deliveries")
    assert again.status_code == 409


async def test_a_sign_in_code_is_shown_as_one_and_never_what_it_is(
    administrator: Browser, database: Database, clock: FixedClock, estate: Estate
) -> None:
    async with database.transaction() as session:
        await send_code(
            session,
            clock,
            organisation_id=estate.organisation_id,
            phone="+8613800000001",
            text=Words(zh="验证码 123456", en=""),
            key="1",
        )
    page = (await administrator.get("/admin/deliveries")).text
    assert ("Sign-in code" in page, "138****0001" in page, "123456" in page) == (True, True, False)
    assert "123456" not in (await administrator.get("/admin/deliveries", params={"format": "csv"})).text


async def test_the_list_is_narrowed_by_state(administrator: Browser, given_up: int) -> None:
    dead = (await administrator.get("/admin/deliveries", params={"state": "dead"})).text
    sent = (await administrator.get("/admin/deliveries", params={"state": "sent"})).text
    assert ("z***@example.com" in dead, "z***@example.com" in sent) == (True, False)


async def test_nobody_but_an_administrator_sends_anything_again(
    signed_in: SignedIn, database: Database, given_up: int
) -> None:
    async with signed_in(Role.WORKER) as worker:
        answer = await worker.send_form(f"/admin/deliveries/{given_up}/retry", page="/me")
    assert answer.status_code == 403
    assert await _state(database, given_up) is DeliveryState.DEAD
