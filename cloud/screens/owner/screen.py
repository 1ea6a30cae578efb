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

_ENTRIES = (
    (_("Home"), _("My home and what is going on there."), home.HOME, "home"),
    (_("Report a fault"), _("Say what is broken, with a photo."), report.REPORT, "tool"),
    (_("My repairs"), _("See where they stand."), repairs.REPAIRS, "list"),
    (_("Fees and services"), _("See what is published and what it costs."), prices.PRICES, "note"),
    (_("owner|Me"), _("How pages look, how I am reached, what is known of me."), "/my/account", "user"),
)

SCREEN = Screen(
    name="owner",
    router=router,
    templates=Path(__file__).parent / "templates",
    entries=tuple(
        Entry(
            label=label,
            purpose=purpose,
            path=path,
            icon=icon,
            roles=_OWNERS,
            first_for=_OWNERS if path == home.HOME else frozenset(),
        )
        for label, purpose, path, icon in _ENTRIES
    ),
)
