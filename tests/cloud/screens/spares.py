"""What forms need besides the usual examples: things that may be deleted, undone, tried again or fetched."""

from typing import cast

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.alarms import service as alarms
from cloud.core.sheets import read_sheet
from cloud.fleet import claims
from cloud.notifications.domain import DeliveryState
from cloud.notifications.tables import DeliveryRow
from cloud.properties import imports
from cloud.properties import service as properties
from cloud.properties.domain import PlaceKind
from cloud.properties.import_lines import ImportKind
from cloud.properties.tree import read_tree
from cloud.tickets.reading import ticket
from cloud.web.exporting import build_due
from firmware_configs.look.assets import assets
from tests.cloud.screens.stages import make_stages
from tests.cloud.screens.whole import Whole


async def make_spares(whole: Whole) -> dict[str, object]:
    """Return the examples of a building with repairs at every stage and one of everything that an act ends."""
    site = whole.site
    stages = await make_stages(site, whole.households)
    hub = whole.app.state.hub
    await build_due(whole.database, whole.clock, files=whole.app.state.files, hub=hub, site=lambda: whole.app)
    async with whole.database.transaction() as session:
        seen_alarm_id, *_others = [alarm.id for alarm in await site.alarms()]
        await alarms.acknowledge(session, whole.clock, site.operator, alarm_ids=[seen_alarm_id])
        delivery = await session.get_one(DeliveryRow, whole.examples["delivery_id"])
        delivery.state = DeliveryState.DEAD
        opened = await ticket(session, whole.clock, site.system, ticket_id=cast("int", whole.examples["ticket_id"]))
        step = (await ticket(session, whole.clock, site.system, ticket_id=cast("int", stages["assigned_id"]))).type
        return {
            **stages,
            **await _places(session, whole),
            **await _imports(session, whole),
            "seen_alarm_id": seen_alarm_id,
            "ticket_version": opened.version,
            "step_code": step.procedure[0].code,
            "owner_id": whole.households.owner.person_id,
            "temperature_id": site.points["probe/temperature"],
            "path": next(iter(assets().values())).path,
            "code_id": await _code(session, whole),
        }


async def _code(session: AsyncSession, whole: Whole) -> int:
    who = (session, whole.clock, whole.site.estate.administrator)
    await claims.issue(*who, community_id=whole.site.community_id, box_name="车库网关")
    return (await claims.open_codes(*who))[0].id


async def _places(session: AsyncSession, whole: Whole) -> dict[str, object]:
    who = (session, whole.clock, whole.site.estate.administrator)
    community_id = whole.site.community_id
    tree = await read_tree(session, whole.site.estate.administrator, community_id)
    building_id = tree.buildings[0].id
    return {
        "building_id": building_id,
        "spare_community_id": await properties.create_community(*who, name="空地"),
        "spare_building_id": await properties.create_building(*who, community_id=community_id, name="车棚"),
        "spare_unit_id": await properties.create_unit(*who, building_id=building_id, name="999"),
        "spare_place_id": await properties.create_place(
            *who, community_id=community_id, name="花园", kind=PlaceKind.ROOM
        ),
    }


async def _imports(session: AsyncSession, whole: Whole) -> dict[str, object]:
    """Send a table that is ready to be applied, and apply another."""
    who = (session, whole.clock, whole.site.estate.administrator)
    ids = [
        await imports.send(
            *who,
            kind=ImportKind.ESTATE,
            file="estate.csv",
            sheet=read_sheet(f"小区,楼栋,房号\n{name},1 栋,101\n".encode()),
        )
        for name in ("青松苑", "红梅苑")
    ]
    await imports.apply(*who, ids[1], news=1)
    return {"ready_import_id": ids[0], "done_import_id": ids[1], "import_news": 1}
