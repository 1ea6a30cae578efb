"""One ticket: what is to be done by when, who has it, what happened, and what may be done with it now."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar

from pydantic import Field
from starlette.responses import Response

from cloud.accounts import people
from cloud.core.principal import Role
from cloud.screens.desk.lines import lines
from cloud.tickets import service as tickets
from cloud.tickets.domain import Act, Deed
from cloud.tickets.reading import Ticket, acts_for, ticket
from cloud.tickets.timeline import Entry, timeline
from cloud.web import words
from cloud.web.forms import Form, FormModel
from cloud.web.ids import Id
from cloud.web.notices import Undo
from cloud.web.pages import OnPage, Page
from cloud.web.routing import pages_for
from cloud.web.session import Unit, Work
from firmware_configs.look.words import _

router = pages_for(Role.DESK, Role.OPERATOR, Role.WORKER)

NOTE = "note"
"""The one form that is no act."""

Sent = TypeVar("Sent", bound=FormModel)
_TEXT = Annotated[str, Field(max_length=4_000)]

DEEDS = {
    Deed.OPENED: (_("Opened"), "ticket"),
    Deed.ASSIGNED: (_("Assigned"), "user-check"),
    Deed.TAKEN: (_("Taken"), "user-check"),
    Deed.RELEASED: (_("Given back"), "arrow-back-up"),
    Deed.STARTED: (_("Work began"), "tool"),
    Deed.RESOLVED: (_("Resolved"), "circle-check"),
    Deed.REOPENED: (_("Taken up again"), "refresh"),
    Deed.CANCELLED: (_("Cancelled"), "x"),
    Deed.NOTED: (_("Note"), "note"),
    Deed.ALARM_RETURNED: (_("The alarm's value is normal again"), "circle-check"),
    Deed.OFFERED: (_("Offered"), "send"),
    Deed.DECLINED: (_("Declined"), "user-x"),
    Deed.LAPSED: (_("No answer in time"), "clock-exclamation"),
    Deed.QUEUED: (_("The dispatcher's to give"), "users"),
    Deed.NOBODY_FOUND: (_("Nobody to be found"), "alert-triangle"),
    Deed.ESCALATED: (_("Time runs out: told"), "bell-ringing"),
}


class ActForm(FormModel):
    """An act, on the ticket as its sender saw it."""

    version: Id


class AssignForm(ActForm):
    """To whom it is given."""

    person_id: Id


class ResolveForm(ActForm):
    """What was done."""

    result: _TEXT


class ReasonForm(ActForm):
    """Why."""

    reason: _TEXT


class NoteForm(FormModel):
    """A line for the timeline."""

    text: _TEXT
    is_public: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A line of the timeline, as it is drawn."""

    at: datetime
    what: str
    icon: str
    who: str
    said: str


@dataclass(frozen=True, slots=True)
class Doing(Generic[Sent]):
    """An act: the form it is sent with, what it does, what is said when it is done, and how it is taken back."""

    model: type[Sent]
    carry: Callable[[Unit, int, Sent], Awaitable[None]]
    said: str
    undoing: Act | None = None


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


@router.post("/tickets/{ticket_id}/take")
async def take(work: Work, page: OnPage, ticket_id: int) -> Response:
    """Take a ticket that nobody has; who was too late is told so, since the ticket is no longer theirs to see."""
    await tickets.take(work.session, work.clock, work.principal, ticket_id=ticket_id)
    return await _done(work, page, ticket_id, _("The ticket is yours."), undoing=Act.RELEASE)


@router.post("/tickets/{ticket_id}/{act}")
async def do(work: Work, page: OnPage, ticket_id: int, act: Act) -> Response:
    """Carry out one of the other acts that move a ticket."""
    doing = DOINGS[act]
    before = await ticket(work.session, work.clock, work.principal, ticket_id=ticket_id)
    form = await page.form(doing.model)
    async with page.mending(form, lambda: _draw(work, page, ticket_id, {act: form})):
        await doing.carry(work, ticket_id, form.value)
    undoing = Act.ASSIGN if act is Act.ASSIGN and before.assignee_id is not None else doing.undoing
    return await _done(work, page, ticket_id, doing.said, undoing=undoing, before=before)


async def _done(
    work: Unit, page: Page, ticket_id: int, said: str, *, undoing: Act | None, before: Ticket | None = None
) -> Response:
    """Say what was done, with the act that takes it back within its ten seconds."""
    work.changed("tickets", "alarms")
    undo = None
    if undoing is not None:
        now = await ticket(work.session, work.clock, work.principal, ticket_id=ticket_id)
        fields = {"version": str(now.version)}
        if undoing is Act.ASSIGN and before is not None:
            fields["person_id"] = str(before.assignee_id)
        if undoing is Act.REOPEN:
            fields["reason"] = page.say(_("Taken back at once."))
        undo = Undo(path=f"/tickets/{ticket_id}/{undoing}", fields=fields)
    return page.done(page.back(f"/tickets/{ticket_id}"), said, undo=undo)


async def _draw(work: Unit, page: Page, ticket_id: int, sent: Mapping[str, Form[Any]]) -> Response:
    """Draw the page, with the form that is to be mended if one is."""
    found = await ticket(work.session, work.clock, work.principal, ticket_id=ticket_id)
    entries = (await timeline(work.session, work.principal, ticket_ids=[ticket_id]))[ticket_id]
    acts = acts_for(work.principal, found)
    return page.show(
        "desk/ticket.html",
        line=(await lines(work, page, [found]))[0],
        ticket=found,
        type_name=words.written(found.type.name, page.reader.locale),
        procedure=[words.written(step.words, page.reader.locale) for step in found.type.procedure],
        steps=[_step(page, entry) for entry in entries],
        acts=acts,
        assignees=await _assignees(work) if Act.ASSIGN in acts else [],
        forms={act: sent.get(act) or Form.blank(doing.model) for act, doing in DOINGS.items()},
        note=sent.get(NOTE) or Form.blank(NoteForm),
        sees_alarms=bool(work.principal.roles & {Role.ADMINISTRATOR, Role.OPERATOR}),
    )


async def _assignees(work: Unit) -> list[tuple[int, str]]:
    workers = await people.list_people(work.session, work.principal, role=Role.WORKER)
    return [(worker.id, worker.name) for worker in workers]


def _step(page: Page, entry: Entry) -> Step:
    sentence, icon = DEEDS[entry.deed]
    if entry.deed is Deed.NOTED and not entry.is_public:
        sentence = _("Internal note")
    return Step(at=entry.at, what=page.say(sentence), icon=icon, who=entry.actor, said=entry.text)


async def _release(work: Unit, ticket_id: int, sent: ActForm) -> None:
    await tickets.release(work.session, work.clock, work.principal, ticket_id=ticket_id, version=sent.version)


async def _assign(work: Unit, ticket_id: int, sent: AssignForm) -> None:
    await tickets.assign(
        work.session, work.clock, work.principal, ticket_id=ticket_id, version=sent.version, person_id=sent.person_id
    )


async def _start(work: Unit, ticket_id: int, sent: ActForm) -> None:
    await tickets.start(work.session, work.clock, work.principal, ticket_id=ticket_id, version=sent.version)


async def _resolve(work: Unit, ticket_id: int, sent: ResolveForm) -> None:
    await tickets.resolve(
        work.session, work.clock, work.principal, ticket_id=ticket_id, version=sent.version, result=sent.result
    )


async def _reopen(work: Unit, ticket_id: int, sent: ReasonForm) -> None:
    await tickets.reopen(
        work.session, work.clock, work.principal, ticket_id=ticket_id, version=sent.version, reason=sent.reason
    )


async def _cancel(work: Unit, ticket_id: int, sent: ReasonForm) -> None:
    await tickets.cancel(
        work.session, work.clock, work.principal, ticket_id=ticket_id, version=sent.version, reason=sent.reason
    )


DOINGS: Mapping[Act, Doing[Any]] = {
    Act.ASSIGN: Doing(AssignForm, _assign, _("The ticket is assigned."), undoing=Act.RELEASE),
    Act.RELEASE: Doing(ActForm, _release, _("Nobody has the ticket now.")),
    Act.START: Doing(ActForm, _start, _("Work has begun.")),
    Act.RESOLVE: Doing(ResolveForm, _resolve, _("The ticket is resolved."), undoing=Act.REOPEN),
    Act.REOPEN: Doing(ReasonForm, _reopen, _("The ticket is taken up again.")),
    Act.CANCEL: Doing(ReasonForm, _cancel, _("The ticket is cancelled."), undoing=Act.REOPEN),
}
