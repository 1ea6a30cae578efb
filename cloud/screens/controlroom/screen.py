"""The control room's screen as a whole."""

from pathlib import Path

from fastapi import APIRouter

from cloud.alarms.service import count_asking
from cloud.core.principal import Role
from cloud.screens.controlroom import alarm, alarms, box_acts, box_codes, boxes, point
from cloud.web.screen import Entry, Screen
from firmware_configs.look.words import _

router = APIRouter()
# The lists' and the acts' addresses come first: `/alarms/history` and `/boxes/new` are no numbers.
for part in (alarms.router, alarm.router, box_acts.router, box_codes.router, boxes.router, point.router):
    router.include_router(part)

SCREEN = Screen(
    name="controlroom",
    router=router,
    templates=Path(__file__).parent / "templates",
    entries=(
        Entry(
            label=_("Alarms"),
            purpose=_("See what needs a person now, and act on it."),
            path="/alarms",
            icon="bell-ringing",
            key="a",
            roles=frozenset({Role.OPERATOR}),
            first_for=frozenset({Role.OPERATOR}),
            waiting=count_asking,
        ),
        Entry(
            label=_("Boxes"),
            purpose=_("See which boxes are there, what they still hold, and which points are silent."),
            path="/boxes",
            icon="router",
            key="o",
            roles=frozenset({Role.OPERATOR}),
        ),
    ),
)
