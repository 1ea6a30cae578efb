"""A day at the desk: of every kind of thing that has a page there, one."""

from datetime import date, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.accounts import telephones
from cloud.core.clock import Clock
from cloud.core.database import Database
from cloud.core.listing import Ask
from cloud.core.money import Money
from cloud.core.principal import Role
from cloud.core.words import Words
from cloud.properties import occupancies
from cloud.properties.domain import OccupancyKind
from cloud.reception import callbacks, catalogue, correspondence, hints, queue, service
from cloud.reception.catalogue import NewPrice
from cloud.reception.domain import Channel, Entry, Subject
from cloud.reception.letters import read_letter
from cloud.reception.mail import receive
from cloud.reception.units import PriceUnit, ServiceKind
from tests.cloud.estate import Estate
from tests.cloud.reception.mails import written


async def make_desk_life(
    database: Database, clock: Clock, estate: Estate, *, community_id: int, unit_id: int
) -> dict[str, object]:
    """Let 陈十二 (138 0000 0001) move in and call, a stranger call, a visitor take a number, a price be published.

    Returns examples of their ids.
    """
    work = (clock, estate.principals[Role.DESK])
    async with database.transaction() as session:
        person_id = await _move_in(session, clock, estate, unit_id)
    call = Entry(
        channel=Channel.CALL, subject=Subject.ENQUIRY, begun_at=clock.now(), key="first-call", person_id=person_id,
        unit_id=unit_id, text="停水到几点？",
    )  # fmt: skip
    async with database.transaction() as session:
        answered = await service.answered(session, *work, call)
        again = Entry(
            channel=Channel.CALL, subject=Subject.COMPLAINT, begun_at=clock.now(), key="second-call",
            name="李先生", phone="021-5555 0000", unit_id=unit_id,
        )  # fmt: skip
        due_at = clock.now() + timedelta(hours=1)
        promised = await callbacks.promise(session, *work, again, due_at=due_at)
        today = clock.now().date()
        hint_id = await hints.add_hint(session, *work, unit_id=unit_id, text="家有大型犬", until=today)
        await queue.take_number(session, *work, community_id=community_id, name="周女士")
        [visitor] = await queue.in_line(session, *work, community_id=community_id)
        service_id, price_id = await _publish(session, clock, estate, today)
        letter = read_letter(written())
        await receive(session, clock, estate.organisation_id, letter)
        [mail] = (await correspondence.list_mails(session, work[1], Ask(), only_new=True)).rows
    return {
        "interaction_id": answered,
        "callback_id": promised,
        "hint_id": hint_id,
        "visitor_id": visitor.id,
        "mail_id": mail.id,
        "state": "served",
        "service_id": service_id,
        "price_id": price_id,
    }


async def _move_in(session: AsyncSession, clock: Clock, estate: Estate, unit_id: int) -> int:
    desk = estate.principals[Role.DESK]
    await occupancies.move_in(
        session, clock, desk, unit_id=unit_id, name="陈十二", phone="13800000001", kind=OccupancyKind.TENANT,
        since=clock.now().date(),
    )  # fmt: skip
    return await telephones.enrol_owner(session, clock, desk, name="陈十二", phone="13800000001")


async def _publish(session: AsyncSession, clock: Clock, estate: Estate, today: date) -> tuple[int, int]:
    manager = estate.principals[Role.MANAGER]
    price = NewPrice(amount=Money.of("2.80", "CNY"), unit=PriceUnit.M2_MONTH, since=today)
    name = Words(zh="物业服务费", en="Property fee")
    service_id = await catalogue.add_service(
        session, clock, manager, kind=ServiceKind.FEE, name=name, community_id=None, price=price
    )
    [published] = (await catalogue.find_service(session, manager, service_id)).prices
    return service_id, published.id
