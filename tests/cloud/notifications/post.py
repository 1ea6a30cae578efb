"""An organisation whose worker has a telephone, and a real gateway that the messages go to."""

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import SecretStr
from sqlalchemy import select, update

from cloud.accounts.tables import PersonRow
from cloud.core.database import Database
from cloud.core.delivery import DeliveryLoop
from cloud.core.principal import Principal, Role
from cloud.core.wiring import Wiring
from cloud.core.words import Words
from cloud.notifications.channels import Gateways
from cloud.notifications.domain import Channel, Kind
from cloud.notifications.reports import ask_due
from cloud.notifications.sending import send_due
from cloud.notifications.service import notify
from cloud.notifications.sms import Sms
from cloud.notifications.tables import DeliveryRow
from provisioning.practice.sms import PracticeGateway
from tests.clocks import FixedClock
from tests.cloud.estate import Estate

TOKEN = "practice"
PHONE = "+8613800000001"
BASE_URL = "https://gatehouse.example"
SUBJECT = Words(zh="工单 2026-000001 已派给您", en="Ticket 2026-000001 is yours")
TEXT = Words(zh="水管漏水", en="A pipe leaks")


@dataclass
class Post:
    database: Database
    clock: FixedClock
    loop: DeliveryLoop
    estate: Estate
    gateways: Gateways

    @property
    def worker(self) -> Principal:
        return self.estate.principals[Role.WORKER]

    async def write(self, *, kind: Kind = Kind.TICKET_OFFERED, key: str = "ticket:1", is_urgent: bool = False) -> None:
        """Write to the worker, and let the outbox be delivered."""
        async with self.database.transaction() as session:
            await notify(
                session,
                self.clock,
                Principal.system(self.estate.organisation_id),
                person_ids=[self.worker.person_id],
                kind=kind,
                subject=SUBJECT,
                text=TEXT,
                link="/tickets/1",
                is_urgent=is_urgent,
                key=key,
            )
        await self.loop.deliver_due()

    async def send(self, channel: Channel = Channel.SMS) -> None:
        await send_due(self.database, self.clock, channel=channel, gateways=self.gateways, base_url=BASE_URL)

    async def ask(self) -> None:
        await ask_due(self.database, self.clock, gateways=self.gateways)

    async def deliveries(self) -> Sequence[DeliveryRow]:
        async with self.database.reading() as session:
            return (await session.scalars(select(DeliveryRow).order_by(DeliveryRow.id))).all()


async def make_post(
    database: Database, clock: FixedClock, wiring: Wiring, estate: Estate, gateway: PracticeGateway
) -> Post:
    worker = estate.principals[Role.WORKER]
    async with database.transaction() as session:
        await session.execute(update(PersonRow).where(PersonRow.id == worker.person_id).values(phone=PHONE))
    return Post(
        database=database,
        clock=clock,
        loop=DeliveryLoop(database, clock, wiring),
        estate=estate,
        gateways={Channel.SMS: Sms(gateway.url, SecretStr(TOKEN))},
    )
