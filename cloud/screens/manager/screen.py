"""The managers' screen as a whole."""

from pathlib import Path

from cloud.core.principal import Role
from cloud.screens.manager import overview
from cloud.web.screen import Entry, Screen
from firmware_configs.look.words import _

SCREEN = Screen(
    name="manager",
    router=overview.router,
    templates=Path(__file__).parent / "templates",
    entries=(
        Entry(
            label=_("Overview"),
            purpose=_("See what is late, what nobody was found for, and who was not content."),
            path=overview.OVERVIEW,
            icon="flag",
            key="v",
            roles=frozenset({Role.MANAGER}),
            first_for=frozenset({Role.MANAGER}),
        ),
    ),
)
