"""The screen of whoever repairs, as a whole."""

from pathlib import Path

from fastapi import APIRouter

from cloud.core.principal import Role
from cloud.screens.field import job, plan, today, worker
from cloud.tickets.offers import count_offers
from cloud.web.screen import Entry, Screen
from firmware_configs.look.words import _

_WORKERS = frozenset({Role.WORKER})

router = APIRouter()
# A plan's address comes before those of deeds, which take any last word.
for part in (today.router, plan.router, job.router, worker.router):
    router.include_router(part)

SCREEN = Screen(
    name="field",
    router=router,
    templates=Path(__file__).parent / "templates",
    entries=(
        Entry(
            label=_("My day"),
            purpose=_("Do what is to be done, one job after the other, with or without a network."),
            path=today.DAY,
            icon="tool",
            key="y",
            roles=_WORKERS,
            first_for=_WORKERS,
            waiting=count_offers,
        ),
    ),
)
