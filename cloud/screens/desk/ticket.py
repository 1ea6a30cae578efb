"""One ticket: what is to be done by when, who has it, what happened, and what may be done with it now."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any

from pydantic import Field
from starlette.responses import Response

from cloud.accounts import people
from cloud.alarms.domain import Priority
from cloud.calendars import service as calendars
from cloud.core.errors import NotFound
from cloud.core.principal import Role
from cloud.repairs import results
from cloud.screens.desk import deeds
from cloud.screens.desk.acts import DOINGS, TEXT, ActForm
from cloud.screens.desk.lines import lines
from cloud.screens.desk.tree import type_options
from cloud.tickets import service as tickets
from cloud.tickets.attachments import attachments_of
from cloud.tickets.contacts import contact
from cloud.tickets.deadlines import deadlines
from cloud.tickets.domain import Act, How, Outcome, State
from cloud.tickets.incident_reading import open_incidents
from cloud.tickets.incidents import add_ticket, remove_ticket
from cloud.tickets.merging import candidates, merged_into
from cloud.tickets.reading import Ticket, acts_for, ticket
from cloud.tickets.steps import tick, ticks
from cloud.tickets.timeline import timeline
from cloud.web import words
from cloud.web.forms import Form, FormModel
from cloud.web.ids import Id
from cloud.web.notices import Undo
from cloud.web.pages import OnPage, Page
from cloud.web.routing import pages_for
from cloud.web.session import Unit, Work
from firmware_configs.look.words import _

router = pages_for(Role.DESK, Role.OPERATOR, Role.WORKER, Role.MANAGER)

NOTE, CONTACT, TYPE, INCIDENT = "note", "contact", "type", "incident"
"""The forms that are no acts."""


class NoteForm(FormModel):
    """A line for the timeline."""

    text: TEXT
    is_public: bool = False


class ContactForm(FormModel):
    """How whoever asked was spoken to, and what they were told."""

    how: How = How.PHONE
    outcome: Outcome = Outcome.REACHED
    heard: TEXT = ""
    next_step: TEXT = ""


class TypeForm(ActForm):
    """What it is, after all."""

    type_code: str
    priority: Annotated[int, Field(ge=1, le=4)]


class IncidentForm(FormModel):
    """Which incident explains it; none for no incident."""

    incident_id: Id | None = None


class StepForm(FormModel):
    """A step, and whether it is done."""

    code: str
    is_done: bool = False


FORMS: Mapping[str, type[FormModel]] = {NOTE: NoteForm, CONTACT: ContactForm, TYPE: TypeForm, INCIDENT: IncidentForm}


@router.get("/tickets/{ticket_id}")
async def ticket_page(work: Work, page: OnPage, ticket_id: int) -> Response:
    """Draw one ticket."""
    return await _draw(work, page, ticket_id, {})


@router.post("/tickets/{ticket_id}/notes")
async def add_note(work: Work, page: OnPage, ticket_id: int) -> Response:
    """Write into the timeline."""
    form = await page.form(NoteForm)
    async with page.mending(form, lambda: _draw(work, page, ticket_id, {NOTE: form})):
        await tickets.note(
            work.session,
            work.clock,
            work.principal,
            ticket_id=ticket_id,
            text=form.value.text,
            is_public=form.value.is_public,
        )
    work.changed("tickets")
    return page.done(f"/tickets/{ticket_id}", _("The note is kept."))


@router.post("/tickets/{ticket_id}/contacts")
async def add_contact(work: Work, page: OnPage, ticket_id: int) -> Response:
    """Write down that whoever asked was spoken to."""
    form = await page.form(ContactForm)
    async with page.mending(form, lambda: _draw(work, page, ticket_id, {CONTACT: form})):
        sent = form.value
        await contact(
            work.session,
            work.clock,
            work.principal,
            ticket_id=ticket_id,
            how=sent.how,
            outcome=sent.outcome,
            text=sent.heard,
            next_step=sent.next_step,
        )
    work.changed("tickets")
    return page.done(f"/tickets/{ticket_id}", _("The contact is kept."))


@router.post("/tickets/{ticket_id}/steps")
async def tick_step(work: Work, page: OnPage, ticket_id: int) -> Response:
    """Tick a step of the procedure off, or take the tick away."""
    form = await page.form(StepForm)
    async with page.mending(form, lambda: _draw(work, page, ticket_id, {})):
        sent = form.value
        await tick(work.session, work.clock, work.principal, ticket_id=ticket_id, code=sent.code, is_done=sent.is_done)
    work.changed("tickets")
    return page.done(f"/tickets/{ticket_id}", _("The step is kept."))


@router.post("/tickets/{ticket_id}/type")
async def classify(work: Work, page: OnPage, ticket_id: int) -> Response:
    """Say that it is of another type or priority."""
    form = await page.form(TypeForm)
    async with page.mending(form, lambda: _draw(work, page, ticket_id, {TYPE: form})):
        sent = form.value
        await tickets.reclassify(
            work.session,
            work.clock,
            work.principal,
            ticket_id=ticket_id,
            version=sent.version,
            type_code=sent.type_code,
            priority=Priority(sent.priority),
        )
    work.changed("tickets")
    return page.done(f"/tickets/{ticket_id}", _("The ticket is of another type or priority now."))


@router.post("/tickets/{ticket_id}/incident")
async def explain(work: Work, page: OnPage, ticket_id: int) -> Response:
    """Say which incident explains it, or that none does."""
    form = await page.form(IncidentForm)
    async with page.mending(form, lambda: _draw(work, page, ticket_id, {INCIDENT: form})):
        before = await ticket(work.session, work.clock, work.principal, ticket_id=ticket_id)
        chosen = form.value.incident_id
        if before.incident_id is not None and before.incident_id != chosen:
            await remove_ticket(
                work.session, work.clock, work.principal, incident_id=before.incident_id, ticket_id=ticket_id
            )
        if chosen is not None:
            await add_ticket(work.session, work.clock, work.principal, incident_id=chosen, ticket_id=ticket_id)
    work.changed("tickets", "incidents")
    return page.done(f"/tickets/{ticket_id}", _("The ticket and its incident are kept together."))


@router.post("/tickets/{ticket_id}/take")
async def take(work: Work, page: OnPage, ticket_id: int) -> Response:
    """Take a ticket that nobody has; who was too late is told so, since the ticket is no longer theirs to see."""
    await tickets.take(work.session, work.clock, work.principal, ticket_id=ticket_id)
    return await _done(work, page, ticket_id, _("The ticket is yours."), undoing=Act.RELEASE)


@router.post("/tickets/{ticket_id}/{act}")
async def do(work: Work, page: OnPage, ticket_id: int, act: Act) -> Response:
    """Carry out one of the other acts that move a ticket."""
    doing = DOINGS.get(act)
    before = await ticket(work.session, work.clock, work.principal, ticket_id=ticket_id)
    if doing is None:
        raise NotFound(_("This is not done here."))
    form = await page.form(doing.model)
    async with page.mending(form, lambda: _draw(work, page, ticket_id, {act: form})):
        await doing.carry(work, ticket_id, form.value)
    undoing = Act.ASSIGN if act is Act.ASSIGN and before.assignee_id is not None else doing.undoing
    if act is Act.RESOLVE and await results.has_job(work.session, work.principal, ticket_id=ticket_id):
        undoing = None  # what it costs is charged by now
    return await _done(work, page, ticket_id, doing.said, undoing=undoing, before=before)


async def _done(
    work: Unit, page: Page, ticket_id: int, said: str, *, undoing: Act | None, before: Ticket | None = None
) -> Response:
    """Say what was done, with the act that takes it back within its ten seconds."""
    work.changed("tickets", "alarms")
    undo = None
    now = await ticket(work.session, work.clock, work.principal, ticket_id=ticket_id)
    if now.state is State.VERIFYING:
        said = _("The work is done; the ticket is resolved once the alarm's value is normal.")
    if undoing is not None and undoing in acts_for(work.principal, now):
        fields = {"version": str(now.version)}
        if undoing is Act.ASSIGN and before is not None:
            fields["person_id"] = str(before.assignee_id)
        if undoing is Act.REOPEN:
            fields["reason"] = page.say(_("Taken back at once."))
        undo = Undo(path=f"/tickets/{ticket_id}/{undoing}", fields=fields)
    return page.done(page.back(f"/tickets/{ticket_id}"), said, undo=undo)


async def _draw(work: Unit, page: Page, ticket_id: int, sent: Mapping[str, Form[Any]]) -> Response:
    """Draw the page, with the form that is to be mended if one is."""
    session, clock, principal = work.session, work.clock, work.principal
    found = await ticket(session, clock, principal, ticket_id=ticket_id)
    acts = acts_for(principal, found)
    has_job = Act.RESOLVE in acts and await results.has_job(session, principal, ticket_id=ticket_id)
    is_desk = principal.has(Role.DESK, Role.OPERATOR)
    works_here = found.is_undone and (is_desk or found.assignee_id == principal.person_id)
    near = await candidates(session, clock, principal, of=found) if Act.MERGE in acts else []
    return page.show(
        "desk/ticket.html",
        line=(await lines(work, page, [found]))[0],
        ticket=found,
        deadlines=await _deadlines(work, page, found),
        ticks=await ticks(session, principal, ticket_id=ticket_id),
        files=(await attachments_of(session, principal, ticket_ids=[ticket_id]))[ticket_id],
        steps=[deeds.line(page, each) for each in await _timeline(work, ticket_id)],
        acts=acts - {Act.RESOLVE} if has_job else acts,
        has_job=has_job,
        works_here=works_here,
        near=near,
        near_options=[
            (each.ticket.id, f"{each.ticket.number} {each.subject}") for each in await lines(work, page, near)
        ],
        hows=[(how, page.say(label)) for how, label in words.HOWS.items()],
        outcomes=[(outcome, page.say(label)) for outcome, label in words.OUTCOMES.items()],
        merged=await merged_into(session, clock, principal, ticket_id=ticket_id),
        types=await type_options(work, page) if is_desk and found.is_undone else [],
        incidents=await _incidents(work) if is_desk and found.is_undone else [],
        assignees=await _assignees(work) if Act.ASSIGN in acts else [],
        forms=_forms(found, sent),
        sees_alarms=principal.has(Role.OPERATOR),
        sees_incidents=is_desk,
    )


def _forms(found: Ticket, sent: Mapping[str, Form[Any]]) -> dict[str, Form[Any]]:
    """Return all forms of the page: the one that is to be mended, the others as they begin."""
    filled: dict[str, dict[str, object]] = {
        TYPE: {"type_code": found.type.code, "priority": int(found.priority)},
        INCIDENT: {"incident_id": found.incident_id or ""},
        CONTACT: {"how": How.PHONE, "outcome": Outcome.REACHED},
    }
    models: dict[str, type[FormModel]] = {**FORMS, **{str(act): doing.model for act, doing in DOINGS.items()}}
    return {name: sent.get(name) or Form.blank(model, **filled.get(name, {})) for name, model in models.items()}


async def _timeline(work: Unit, ticket_id: int) -> list[Any]:
    return (await timeline(work.session, work.principal, ticket_ids=[ticket_id]))[ticket_id]


async def _deadlines(work: Unit, page: Page, found: Ticket) -> list[tuple[str, Any, str, bool]]:
    """Return the targets: what for, the deadline, how it is counted in words, and whether it is late."""
    known = (await deadlines(work.session, work.principal, ticket_ids=[found.id]))[found.id]
    named = {version.id: version for version in await calendars.list_calendars(work.session, work.principal)}
    now = work.clock.now()
    return [
        (
            page.say(words.TARGETS[each.target]),
            each,
            page.say(
                _("%(hours)s h on the calendar %(calendar)s"),
                hours=f"{each.limit / timedelta(hours=1):g}",
                calendar=words.written(named[each.calendar_id].definition.name, page.reader.locale)
                if each.calendar_id in named
                else page.say(_("as it was at the time")),
            ),
            each.ended_at is None and each.due_at is not None and now > each.due_at,
        )
        for each in known
    ]


async def _incidents(work: Unit) -> list[tuple[int, str]]:
    found = await open_incidents(work.session, work.clock, work.principal)
    return [(each.id, each.title) for each in found]


async def _assignees(work: Unit) -> list[tuple[int, str]]:
    workers = await people.list_people(work.session, work.principal, role=Role.WORKER)
    return [(worker.id, worker.name) for worker in workers]
