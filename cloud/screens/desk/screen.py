"""The screen of the front desk, and of the repair workers whom it sends, as a whole."""

from pathlib import Path

from fastapi import APIRouter

from cloud.core.principal import Role
from cloud.reception.correspondence import count_new
from cloud.reception.domain import TAKES_CALLS
from cloud.screens.desk import (
    calls,
    consent,
    dispatch,
    dispatch_rules,
    dispatch_simulation,
    entries,
    incidents,
    mails,
    maintenance,
    materials,
    new_ticket,
    offers,
    prices,
    promises,
    ticket,
    ticket_board,
    tickets,
    visitors,
)
from cloud.tickets.board import count_unowned
from cloud.tickets.reading import count_waiting
from cloud.web.screen import Entry, Screen
from firmware_configs.look.words import _

router = APIRouter()
# The list's addresses come first: `/tickets/new` is no ticket's number, and `/dispatch/rules` neither.
for part in (
    calls.router,
    entries.router,
    mails.router,
    promises.router,
    visitors.router,
    prices.router,
    tickets.router,
    new_ticket.router,
    ticket_board.router,
    consent.router,
    ticket.router,
    incidents.router,
    materials.router,
    maintenance.router,
    offers.router,
    dispatch_rules.router,
    dispatch_simulation.router,
    dispatch.router,
):
    router.include_router(part)

SCREEN = Screen(
    name="desk",
    router=router,
    templates=Path(__file__).parent / "templates",
    entries=(
        Entry(
            label=_("Front desk"),
            purpose=_("See who calls, answer or open a ticket, keep what was promised."),
            path="/desk",
            icon="phone",
            key="f",
            roles=frozenset(TAKES_CALLS),
            first_for=frozenset({Role.DESK}),
            waiting=count_new,
        ),
        Entry(
            label=_("Tickets"),
            purpose=_("See what is to be done by when, give it to somebody, and do it."),
            path="/tickets",
            icon="ticket",
            key="t",
            roles=frozenset({Role.DESK, Role.OPERATOR, Role.WORKER, Role.MANAGER}),
            waiting=count_waiting,
        ),
        Entry(
            label=_("Incidents"),
            purpose=_("Say what explains many tickets, and tell everybody it concerns."),
            path="/incidents",
            icon="alert-circle",
            key="i",
            roles=frozenset({Role.DESK, Role.OPERATOR}),
        ),
        Entry(
            label=_("Dispatch"),
            purpose=_("See what nobody has, who should do it and why, and give it to them."),
            path="/dispatch",
            icon="users",
            key="w",
            roles=frozenset({Role.DESK, Role.OPERATOR, Role.MANAGER}),
            waiting=count_unowned,
        ),
        Entry(
            label=_("Prices and stock"),
            purpose=_("Say what labour and material cost, and how much is there."),
            path=materials.LIST,
            icon="box",
            roles=frozenset({Role.DESK, Role.OFFICE, Role.MANAGER}),
        ),
        Entry(
            label=_("Preventive plans"),
            purpose=_("Plan what is looked at before it breaks."),
            path=maintenance.LIST,
            icon="calendar",
            roles=frozenset({Role.MANAGER, Role.DESK}),
        ),
        Entry(
            label=_("Rules of dispatch"),
            purpose=_("Say how work finds people, and who is told when it does not go on."),
            path="/dispatch/rules",
            icon="adjustments-horizontal",
            roles=frozenset({Role.MANAGER}),
        ),
        Entry(
            label=_("Prices"),
            purpose=_("Publish fee standards and services, and say from when they are valid."),
            path="/prices",
            icon="list",
            roles=frozenset({Role.MANAGER}),
        ),
    ),
)
