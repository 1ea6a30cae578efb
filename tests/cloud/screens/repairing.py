"""An example of everything that pages of repairs and opinions speak of."""

import hashlib
from datetime import timedelta
from decimal import Decimal

from cloud.core.clock import Clock
from cloud.core.database import Database
from cloud.core.money import Money
from cloud.core.principal import Role
from cloud.core.words import Words
from cloud.feedback.tables import RequestRow
from cloud.repairs import preventive, prices, stock
from cloud.repairs.domain import LineKind
from cloud.repairs.preventive import Draft
from cloud.repairs.rhythm import Rhythm
from tests.cloud.alarms.site import Site
from tests.cloud.screens.households import Households

TOKEN = "an-example-of-a-link"


async def make_repairs(
    database: Database, clock: Clock, site: Site, households: Households, *, ticket_id: int
) -> dict[str, object]:
    """Put a pipe on the price list and into the store, plan an inspection, and ask for an opinion."""
    manager = site.estate.principals[Role.MANAGER]
    async with database.transaction() as session:
        await prices.define_price(
            session, clock, manager, code="pipe-20", kind=LineKind.MATERIAL, name=Words(zh="PPR 管", en="PPR pipe"),
            unit="m", price=Money(1_299, "CNY"), version=0,
        )  # fmt: skip
        await stock.receive(session, clock, manager, item="pipe-20", quantity=Decimal(10))
        draft = Draft(
            name=Words(zh="水泵月检", en="Pumps, monthly"),
            place_id=site.place_id,
            checklist=(Words(zh="轴封", en="Seal"),),
            rhythm=Rhythm.MONTHS,
            every=Decimal(1),
            first_on=clock.now().date(),
        )
        plan_id = await preventive.create_plan(session, clock, manager, draft)
        session.add(
            RequestRow(
                organisation_id=site.estate.organisation_id,
                ticket_id=ticket_id,
                person_id=households.owner.person_id or 0,
                worker_id=None,
                token_hash=hashlib.sha256(TOKEN.encode()).hexdigest(),
                asked_at=clock.now(),
                closes_at=clock.now() + timedelta(days=30),
            )
        )
    return {"token": TOKEN, "item_code": "pipe-20", "maintenance_id": plan_id, "deed": "arrive"}
