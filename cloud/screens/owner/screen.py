"""The owner's screen as a whole."""

from pathlib import Path

from fastapi import APIRouter

from cloud.core.principal import Role
from cloud.screens.owner import account, home, opinion, plan, prices, repairs, report, result, visit
from cloud.web.screen import Entry, Screen
from firmware_configs.look.words import _

_OWNERS = frozenset({Role.OWNER})

router = APIRouter()
for part in (
    home.router,
    report.router,
    repairs.router,
    plan.router,
    visit.router,
    result.router,
    opinion.router,
    prices.router,
    account.router,
):
    router.include_router(part)

SCREEN = Screen(
    name="owner",
    router=router,
    templates=Path(__file__).parent / "templates",
    entries=(
        Entry(
            label=_("Home"),
            purpose=_("My home and what is going on there."),
            path=home.HOME,
            icon="home",
            roles=_OWNERS,
            first_for=_OWNERS,
        ),
        Entry(
            label=_("Report a fault"),
            purpose=_("Say what is broken, with a photo."),
            path=report.REPORT,
            icon="tool",
            roles=_OWNERS,
        ),
        Entry(
            label=_("My repairs"),
            purpose=_("See where they stand."),
            path=repairs.REPAIRS,
            icon="list",
            roles=_OWNERS,
        ),
        Entry(
            label=_("Fees and services"),
            purpose=_("See what is published and what it costs."),
            path=prices.PRICES,
            icon="note",
            roles=_OWNERS,
        ),
        Entry(
            label=_("owner|Me"),
            purpose=_("How pages look, how I am reached, what is known of me."),
            path="/my/account",
            icon="user",
            roles=_OWNERS,
        ),
    ),
)
