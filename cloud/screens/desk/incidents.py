"""Incidents: what explains many tickets, what the desk says about it, and its end."""

from dataclasses import replace
from typing import Annotated, Any

from pydantic import Field
from starlette.responses import Response

from cloud.alarms.domain import Priority
from cloud.core.errors import Refused
from cloud.core.listing import Ask, Filter, Found, Operator
from cloud.core.principal import Role
from cloud.reception.explained import count_calls
from cloud.screens.desk.acts import TEXT
from cloud.screens.desk.concern import building_options, concern, place_options, typed
from cloud.screens.desk.lines import TicketLine, lines
from cloud.screens.desk.tickets import TICKETS
from cloud.screens.desk.tree import type_options
from cloud.tickets import incidents
from cloud.tickets.incident_area import explicable
from cloud.tickets.incident_reading import (
    Incident,
    count_tickets,
    incident,
    list_incidents,
    tickets_of_incident,
)
from cloud.tickets.reading import list_tickets
from cloud.web import words
from cloud.web.forms import Form, FormModel
from cloud.web.ids import Id
from cloud.web.lists import Column, Kind, ListView, Load
from cloud.web.pages import OnPage, Page
from cloud.web.routing import pages_for
from cloud.web.session import Unit, Work
from firmware_configs.look.words import _

router = pages_for(Role.DESK, Role.OPERATOR)

TOPIC = "incidents"

INCIDENTS = ListView[tuple[Incident, int]](
    name="incident_list",
    caption=_("Incidents"),
    searchable=_("title or notice"),
    key=lambda row: row[0].id,
    columns=(
        Column(name="title", label=_("What has happened"), value=lambda row: row[0].title),
        Column(
            name="where",
            label=_("Concerns"),
            value=lambda row: ", ".join(each.label for each in row[0].affected) or None,
            sortable=False,
        ),
        Column(name="tickets", label=_("Tickets"), value=lambda row: row[1], sortable=False),
        Column(name="due", label=_("Due"), value=lambda row: row[0].due_at, kind=Kind.TIME),
        Column(name="opened", label=_("Opened"), value=lambda row: row[0].opened_at, kind=Kind.TIME, phone=False),
        Column(name="closed", label=_("Over"), value=lambda row: row[0].closed_at, kind=Kind.TIME, phone=False),
    ),
)


EXPLAINED = replace(TICKETS, name="incident_tickets", caption=_("Tickets that it explains"))


class SaidForm(FormModel):
    """What an incident says, and what it concerns: buildings and places by their ids, units as people say them."""

    title: Annotated[str, Field(max_length=200)]
    script: TEXT = ""
    notice: TEXT = ""
    building_ids: tuple[Id, ...] = ()
    units: Annotated[str, Field(max_length=2_000)] = ""
    place_ids: tuple[Id, ...] = ()


class IncidentForm(SaidForm):
    """An incident as it is opened."""

    type: str
    priority: Annotated[int, Field(ge=1, le=4)] | None = None


class ChangeForm(SaidForm):
    """An incident as it is changed, on what its sender saw."""

    version: Id


class EndForm(FormModel):
    """How it ended, and whether its tickets end with it."""

    version: Id
    result: TEXT
    with_tickets: bool = False


class ExplainForm(FormModel):
    """Open tickets of what it concerns that it explains."""

    ticket_ids: tuple[Id, ...]


class TicketForm(FormModel):
    """A ticket that it explains, by its number."""

    number: Annotated[str, Field(max_length=11)]


@router.get("/incidents")
async def open_list(work: Work, page: OnPage) -> Response:
    """Draw the incidents that are not over."""
    return await page.list("desk/incidents.html", INCIDENTS, _loading(work, only_open=True), only_open=True)


@router.get("/incidents/all")
async def all_list(work: Work, page: OnPage) -> Response:
    """Draw all incidents, the newest first."""
    return await page.list("desk/incidents.html", INCIDENTS, _loading(work, only_open=False), only_open=False)


@router.get("/incidents/new")
async def new(work: Work, page: OnPage) -> Response:
    """Draw the form of a new incident."""
    return await _draw_new(work, page, Form.blank(IncidentForm, type="repair"))


@router.post("/incidents")
async def create(work: Work, page: OnPage) -> Response:
    """Open an incident."""
    form = await page.form(IncidentForm)
    incident_id = 0
    async with page.mending(form, lambda: _draw_new(work, page, form)):
        incident_id = await _open(work, form.value)
    work.changed(TOPIC)
    return page.go(f"/incidents/{incident_id}")


@router.get("/incidents/{incident_id}")
async def incident_page(work: Work, page: OnPage, incident_id: int) -> Response:
    """Draw one incident."""
    return await _draw(work, page, incident_id)


@router.post("/incidents/{incident_id}")
async def change(work: Work, page: OnPage, incident_id: int) -> Response:
    """Change what it says."""
    form = await page.form(ChangeForm)
    async with page.mending(form, lambda: _draw(work, page, incident_id, words_form=form)):
        sent = form.value
        concerned = await concern(work, sent.building_ids, sent.units, sent.place_ids)
        await incidents.change_incident(
            work.session,
            work.clock,
            work.principal,
            incident_id=incident_id,
            version=sent.version,
            title=sent.title,
            script=sent.script,
            notice=sent.notice,
            affected=concerned.affected,
            community_id=concerned.community_id,
        )
    work.changed(TOPIC, "tickets")
    return page.done(f"/incidents/{incident_id}", _("The incident is changed."))


@router.post("/incidents/{incident_id}/tickets/explain")
async def explain(work: Work, page: OnPage, incident_id: int) -> Response:
    """Say that it explains open tickets of what it concerns, all at once."""
    form = await page.form(ExplainForm)
    async with page.mending(form, lambda: _draw(work, page, incident_id)):
        for ticket_id in sorted(form.value.ticket_ids):  # all who lock several do so in this order
            await incidents.add_ticket(
                work.session, work.clock, work.principal, incident_id=incident_id, ticket_id=ticket_id
            )
    work.changed(TOPIC, "tickets")
    count = len(form.value.ticket_ids)
    return page.done(f"/incidents/{incident_id}", _("%(count)d tickets are added."), parameters={"count": count})


@router.post("/incidents/{incident_id}/tickets")
async def add(work: Work, page: OnPage, incident_id: int) -> Response:
    """Say that it explains a ticket."""
    form = await page.form(TicketForm)
    async with page.mending(form, lambda: _draw(work, page, incident_id, ticket_form=form)):
        ticket_id = await _numbered(work, form.value.number)
        await incidents.add_ticket(
            work.session, work.clock, work.principal, incident_id=incident_id, ticket_id=ticket_id
        )
    work.changed(TOPIC, "tickets")
    return page.done(f"/incidents/{incident_id}", _("The ticket is added, and whoever asked is told."))


@router.post("/incidents/{incident_id}/tickets/remove")
async def remove(work: Work, page: OnPage, incident_id: int) -> Response:
    """Say that it does not explain the chosen tickets after all."""
    await incident(work.session, work.clock, work.principal, incident_id=incident_id)
    chosen = await page.chosen(EXPLAINED, _explaining(work, page, incident_id))
    ticket_ids = sorted(int(key) for key in chosen if key.isdecimal())  # all who lock several do so in this order
    for ticket_id in ticket_ids:
        await incidents.remove_ticket(
            work.session, work.clock, work.principal, incident_id=incident_id, ticket_id=ticket_id
        )
    work.changed(TOPIC, "tickets")
    said = _("The ticket stands by itself again.") if len(ticket_ids) == 1 else _("%(count)d tickets are taken out.")
    return page.done(f"/incidents/{incident_id}", said, parameters={"count": len(ticket_ids)})


@router.post("/incidents/{incident_id}/resolve")
async def resolve(work: Work, page: OnPage, incident_id: int) -> Response:
    """End it, with its tickets or without."""
    form = await page.form(EndForm)
    async with page.mending(form, lambda: _draw(work, page, incident_id, end_form=form)):
        sent = form.value
        await incidents.resolve_incident(
            work.session,
            work.clock,
            work.principal,
            incident_id=incident_id,
            version=sent.version,
            result=sent.result,
            with_tickets=sent.with_tickets,
        )
    work.changed(TOPIC, "tickets")
    return page.done(f"/incidents/{incident_id}", _("The incident is over."))


async def _open(work: Unit, sent: IncidentForm) -> int:
    concerned = await concern(work, sent.building_ids, sent.units, sent.place_ids)
    return await incidents.open_incident(
        work.session,
        work.clock,
        work.principal,
        type_code=sent.type,
        title=sent.title,
        script=sent.script,
        notice=sent.notice,
        community_id=concerned.community_id,
        affected=concerned.affected,
        priority=Priority(sent.priority) if sent.priority else None,
    )


async def _numbered(work: Unit, number: str) -> int:
    ask = Ask(filters=(Filter(column="number", operator=Operator.IS, values=(number.strip(),)),), limit=1)
    found = await list_tickets(work.session, work.clock, work.principal, ask, only_undone=False)
    if not found.rows:
        raise Refused(_("There is no ticket with this number."), "number")
    return found.rows[0].id


async def _draw_new(work: Unit, page: Page, form: Form[IncidentForm]) -> Response:
    return page.show(
        "desk/new_incident.html",
        form=form,
        types=await type_options(work, page),
        buildings=await building_options(work),
        places=await place_options(work),
    )


async def _draw(
    work: Unit,
    page: Page,
    incident_id: int,
    *,
    words_form: Form[Any] | None = None,
    ticket_form: Form[Any] | None = None,
    end_form: Form[Any] | None = None,
) -> Response:
    found = await incident(work.session, work.clock, work.principal, incident_id=incident_id)
    said = Form.blank(ChangeForm, title=found.title, script=found.script, notice=found.notice, **typed(found.affected))
    open_tickets = [] if found.closed_at else await explicable(work.session, work.clock, work.principal, found)
    return await page.list(
        "desk/incident.html",
        EXPLAINED,
        _explaining(work, page, incident_id),
        path=f"/incidents/{incident_id}",
        incident=found,
        calls=await count_calls(work.session, work.principal, incident_id=incident_id),
        type_name=words.written(found.type.name, page.reader.locale),
        words_form=words_form or said,
        buildings=await building_options(work),
        places=await place_options(work),
        explicable=await lines(work, page, open_tickets),
        ticket_form=ticket_form or Form.blank(TicketForm),
        end_form=end_form or Form.blank(EndForm, with_tickets=True),
    )


def _explaining(work: Unit, page: Page, incident_id: int) -> Load[TicketLine]:
    async def load(ask: Ask) -> Found[TicketLine]:
        found = await tickets_of_incident(work.session, work.clock, work.principal, ask, incident_id=incident_id)
        return found.of(await lines(work, page, found.rows))

    return load


def _loading(work: Unit, *, only_open: bool) -> Load[tuple[Incident, int]]:
    async def load(ask: Ask) -> Found[tuple[Incident, int]]:
        found = await list_incidents(work.session, work.clock, work.principal, ask, only_open=only_open)
        counts = await count_tickets(work.session, work.principal, found.rows)
        return found.of([(each, counts[each.id]) for each in found.rows])

    return load
