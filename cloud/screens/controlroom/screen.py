"""The control room's screen as a whole."""

from pathlib import Path

from fastapi import APIRouter

from cloud.alarms.service import count_asking
from cloud.core.principal import Role
from cloud.screens.controlroom import alarm, alarms
from cloud.web.screen import Entry, Screen
from firmware_configs.look.words import _

router = APIRouter()
# The list's addresses come first: `/alarms/history` is no alarm's number.
for part in (alarms.router, alarm.router):
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
    ),
)
