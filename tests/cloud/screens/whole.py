"""The whole application over a building in which something happened: what tests of every page stand on."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

from fastapi import FastAPI
from fastapi.routing import RouteContext, iter_route_contexts
from starlette.responses import HTMLResponse

from cloud.accounts import service as accounts
from cloud.accounts import views
from cloud.app.application import create_app
from cloud.core import exports
from cloud.core.database import Base, Database
from cloud.core.exports import Format, Wanted
from cloud.core.outbox import DeliveryState, OutboxDelivery
from cloud.core.principal import Role
from cloud.core.sheets import read_sheet
from cloud.properties import imports
from cloud.properties.import_lines import ImportKind
from cloud.settings import Settings
from cloud.tickets import from_alarms
from cloud.tickets.default_types import DEFAULT_TYPES
from cloud.tickets.domain import Act
from cloud.tickets.incidents import open_incident
from cloud.tickets.types import define_type
from cloud.web.catalogues import Locale
from tests.clocks import FixedClock
from tests.cloud.alarms.site import Site, make_site
from tests.cloud.calendars.plans import make_plans
from tests.cloud.estate import PASSWORD, Estate, make_organisation
from tests.cloud.notifications.messages import make_messages
from tests.cloud.reception.life import make_desk_life
from tests.cloud.screens.households import Households, give_them_life, make_households
from tests.cloud.screens.repairing import make_repairs
from tests.cloud.tickets.dispatch.asked import make_offer

OWN_TYPE = "pumps"
"""A type of tickets that the neighbour has none of."""


@dataclass
class Whole:
    """A running building in one organisation, and another organisation next door."""

    app: FastAPI
    clock: FixedClock
    site: Site
    households: Households
    neighbour: Estate
    examples: dict[str, object] = field(default_factory=dict)
    """By the name of a path's parameter, a value that is there."""
    names: tuple[str, ...] = ("云杉苑", "3 栋", "办公室温度异常")
    """What only the organisation itself may read."""
    private: tuple[str, ...] = ("冯九", " · 501")
    """What an owner's neighbour may not read either."""

    @property
    def database(self) -> Database:
        database: Database = self.app.state.frame.database
        return database

    async def close(self) -> None:
        """Let go of the databases."""
        await self.app.state.series.close()
        await self.database.close()

    def login(self, role: Role) -> str:
        return self.site.estate.login(role)

    def path(self, route: RouteContext) -> str:
        """Return a route's address with the examples in it, and what it must be asked for."""
        asked = "?point={point_id}" if route.path == "/admin/rules/new" else ""
        return (route.path + asked).format(**self.examples)


async def make_whole(folder: Path) -> Whole:
    """Return the application with an alarm that stands, one that returned, and their tickets."""
    clock = FixedClock()
    app = await _make_app(folder, clock)
    database: Database = app.state.frame.database
    site = await make_site(database, clock, app.state.series, await make_organisation(database, clock))
    households = await make_households(database, clock, site.estate, community_id=site.community_id)
    neighbour = await make_organisation(database, clock, name="隔壁物业")
    examples = {
        **await _happen(site),
        **await _plan_and_tell(site),
        **await make_desk_life(
            database, clock, site.estate, community_id=site.community_id, unit_id=households.unit_id
        ),
    }
    at_home = await give_them_life(database, clock, households, site.estate.administrator, app.state.files)
    repairing = await make_repairs(database, clock, site, households, ticket_id=cast("int", at_home["repair_id"]))
    return Whole(
        app=app,
        clock=clock,
        site=site,
        households=households,
        neighbour=neighbour,
        examples={
            **at_home,
            **repairing,
            **examples,
            "act": Act.TAKE,
            "box_id": site.box_id,
            "code_id": 1,
            "export_id": await _ask_for_export(database, clock, site.estate),
            "community_id": site.community_id,
            "device_id": 1,
            "letter_id": 1,
            "noun": "places",
            "occupancy_id": households.occupancy_id,
            "person_id": site.estate.principals[Role.WORKER].person_id or 0,
            "place_id": site.place_id,
            "point_id": next(iter(site.points.values())),
            "session_id": 1,
            "thing_id": site.place_id,
            "type_code": OWN_TYPE,
            "unit_id": households.unit_id,
        },
    )


async def _make_app(folder: Path, clock: FixedClock) -> FastAPI:
    secret = folder / "inbox-hook"
    secret.write_text("an example of a secret that mails are signed with\n")
    app = create_app(Settings(data_folder=folder, inbox_hook_file=secret), clock=clock)
    async with app.state.frame.database.engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    await app.state.series.prepare()
    return app


async def _happen(site: Site) -> dict[str, object]:
    """Let alarms rise and fall, and open their tickets and an incident that explains them."""
    rule_id = await site.rule()
    await site.measure((-7_200, 70.0), (-7_100, 91.0), (-3_600, 70.0), (-60, 95.5))
    async with site.database.transaction() as session:
        ticket_ids = [
            await from_alarms.open_for_alarm(session, site.clock, site.operator, alarm_id=alarm.id)
            for alarm in await site.alarms()
        ]
        pumps = replace(DEFAULT_TYPES[1], code=OWN_TYPE, parent_code=DEFAULT_TYPES[1].code)
        await define_type(session, site.clock, site.estate.administrator, pumps)
        incident_id = await open_incident(
            session,
            site.clock,
            site.operator,
            type_code="water_off",
            title="3 栋停水",
            community_id=site.community_id,
            script="",
            notice="",
            ticket_ids=ticket_ids,
        )
        (await session.get_one(OutboxDelivery, 1)).state = DeliveryState.DEAD
        asked = await make_offer(session, site.clock, site.estate, ticket_id=ticket_ids[-1])
    return {
        **asked,
        "alarm_id": (await site.alarms())[-1].id,
        "incident_id": incident_id,
        "rule_id": rule_id,
        "ticket_id": ticket_ids[-1],
    }


async def _plan_and_tell(site: Site) -> dict[str, object]:
    """Let somebody sign in, plan shifts, write to people, keep a view and send a table."""
    clock, estate = site.clock, site.estate
    async with site.database.transaction() as session:
        await accounts.sign_in(
            session, clock, login=estate.login(Role.OPERATOR), password=PASSWORD, address="", agent=""
        )
        planned = await make_plans(session, clock, estate)
        told = await make_messages(session, clock, estate)
        view_id = await views.save_view(
            session,
            clock,
            estate.administrator,
            list_name="ticket_list",
            path="/tickets",
            name="云杉苑",
            query="place=3+栋",
            is_shared=True,
        )
        import_id = await imports.send(
            session,
            clock,
            estate.administrator,
            kind=ImportKind.ESTATE,
            file="云杉苑.csv",
            sheet=read_sheet("小区,楼栋,房号\n云杉苑,3 栋,601\n云杉苑,,602\n".encode()),
        )
    return {**planned, **told, "view_id": view_id, "import_id": import_id}


async def _ask_for_export(database: Database, clock: FixedClock, estate: Estate) -> int:
    wanted = Wanted(
        list_name="people_list",
        caption="People",
        path="/admin/people",
        query="q=张",
        format=Format.CSV,
        locale=Locale.ZH_HANS,
    )
    async with database.transaction() as session:
        return await exports.ask_for(session, clock, estate.administrator, wanted)


def pages(app: FastAPI) -> list[RouteContext]:
    """Return every route that a browser opens or sends a form to."""
    return [
        route for route in iter_route_contexts(app.routes) if getattr(route, "response_class", None) is HTMLResponse
    ]
