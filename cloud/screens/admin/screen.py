"""The administrator's screen as a whole, and its first page."""

from pathlib import Path

from fastapi import APIRouter
from starlette.responses import Response

from cloud.core.dead_letters import count_dead_letters
from cloud.core.principal import Role
from cloud.notifications.evidence import count_troubles
from cloud.screens.admin import (
    audit,
    calendars,
    communities,
    deliveries,
    feedback,
    imports,
    jobs,
    letters,
    organisation,
    people,
    places,
    residents,
    rules,
    sessions,
    shifts,
    skills,
    ticket_types,
    unit_letters,
)
from cloud.web.pages import OnPage
from cloud.web.routing import pages_for
from cloud.web.screen import Entry, Screen
from cloud.web.session import Work
from firmware_configs.look.words import _

router = APIRouter()
front = pages_for(Role.ADMINISTRATOR)


@front.get("/admin")
async def overview(work: Work, page: OnPage) -> Response:
    """Draw the ways to everything that is administered, and whether something there needs a look."""
    dead = await count_dead_letters(work.session, work.principal)
    failing = await jobs.count_failing(work.session)
    unsent = sum(await count_troubles(work.session, work.principal))
    return page.show("admin/overview.html", dead=dead, failing=failing, unsent=unsent)


for part in (
    front,
    organisation.router,
    people.router,
    residents.at_desk,
    residents.for_staff,
    unit_letters.router,
    sessions.router,
    skills.router,
    communities.router,
    imports.router,
    imports.applying,
    rules.router,
    calendars.router,
    shifts.router,
    ticket_types.router,
    places.router,
    letters.router,
    deliveries.router,
    jobs.router,
    feedback.router,
    audit.router,
):
    router.include_router(part)

SCREEN = Screen(
    name="admin",
    router=router,
    templates=Path(__file__).parent / "templates",
    entries=(
        Entry(
            label=_("Units"),
            purpose=_("Who owns and lives in which unit."),
            path="/units",
            icon="home",
            key="u",
            roles=frozenset({Role.DESK}),
        ),
        Entry(
            label=_("Administration"),
            purpose=_("Look after people, places and what runs by itself."),
            path="/admin",
            icon="settings",
            key="d",
            roles=frozenset({Role.ADMINISTRATOR}),
            waiting=count_dead_letters,
        ),
    ),
)
