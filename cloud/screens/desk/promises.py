"""Calls back that were promised: the list by their time, and what came of one."""

from datetime import datetime, timedelta
from secrets import token_hex
from typing import Annotated

from pydantic import Field
from starlette.responses import Response

from cloud.accounts.phones import masked, shown
from cloud.core.listing import Ask, Found
from cloud.core.principal import Role
from cloud.reception import callbacks
from cloud.reception.callbacks import Callback
from cloud.screens.desk.calls import DEFAULT_TYPE, TOPIC, local, resolve
from cloud.screens.desk.tree import type_options
from cloud.web.forms import Form, FormModel
from cloud.web.ids import Id
from cloud.web.lists import Column, Kind, ListView
from cloud.web.pages import OnPage, Page
from cloud.web.routing import pages_for
from cloud.web.session import Unit, Work
from firmware_configs.look.words import _

router = pages_for(Role.DESK)

_TRIED_AGAIN_IN = timedelta(minutes=30)

CALLBACKS = ListView[Callback](
    name="callback_list",
    caption=_("Calls back"),
    searchable=_("name, place or words"),
    key=lambda row: row.id,
    columns=(
        Column(name="name", label=_("Who"), value=lambda row: row.name or masked(row.phone), filtered=True),
        Column(name="due", label=_("Due"), value=lambda row: row.due_at, kind=Kind.TIME, filtered=True),
        Column(name="place", label=_("Where"), value=lambda row: row.place or None, filtered=True),
        Column(name="text", label=_("What"), value=lambda row: row.text or None, sortable=False),
        Column(name="tries", label=_("Tried"), value=lambda row: row.tries, kind=Kind.NUMBER),
        Column(name="taken", label=_("Promised by"), value=lambda row: row.taken_name, filtered=True, phone=False),
    ),
)


class ReachedForm(FormModel):
    """What was said, of a promise as its sender saw it."""

    version: Id
    key: Annotated[str, Field(min_length=8, max_length=64)]
    answer: Annotated[str, Field(max_length=4_000)] = ""


class AgainForm(FormModel):
    """When it is tried again."""

    version: Id
    key: Annotated[str, Field(min_length=8, max_length=64)]
    due_at: datetime


class GiveUpForm(FormModel):
    """Why no more is tried."""

    version: Id
    key: Annotated[str, Field(min_length=8, max_length=64)]
    reason: Annotated[str, Field(max_length=4_000)] = ""


class TicketForm(FormModel):
    """What the ticket is about that comes of the call, and where."""

    version: Id
    key: Annotated[str, Field(min_length=8, max_length=64)]
    what: Annotated[str, Field(max_length=4_000)]
    where: Annotated[str, Field(max_length=300)]
    type: str


@router.get("/desk/callbacks")
async def promises(work: Work, page: OnPage) -> Response:
    """Draw the calls back that were promised and not made, by their time."""

    async def load(ask: Ask) -> Found[Callback]:
        return await callbacks.list_callbacks(work.session, work.clock, work.principal, ask)

    return await page.list("desk/callbacks.html", CALLBACKS, load)


@router.get("/desk/callbacks/{callback_id}")
async def promise(work: Work, page: OnPage, callback_id: int) -> Response:
    """Draw one of them."""
    return await _draw(work, page, callback_id)


@router.post("/desk/callbacks/{callback_id}/phone")
async def reveal(work: Work, page: OnPage, callback_id: int) -> Response:
    """Show the number to call in full, which is written down."""
    phone = await callbacks.reveal(work.session, work.clock, work.principal, callback_id)
    return page.show("desk/call_phone.html", phone=shown(phone), back=f"/desk/callbacks/{callback_id}")


@router.post("/desk/callbacks/{callback_id}/reached")
async def reached(work: Work, page: OnPage, callback_id: int) -> Response:
    """Write down that somebody was reached."""
    form = await page.form(ReachedForm)
    async with page.mending(form, lambda: _draw(work, page, callback_id, reached_form=form)):
        sent = form.value
        what = (work.session, work.clock, work.principal)
        await callbacks.reached(*what, callback_id=callback_id, version=sent.version, answer=sent.answer, key=sent.key)
    work.changed(TOPIC)
    return page.done("/desk/callbacks", _("The promise is kept."))


@router.post("/desk/callbacks/{callback_id}/again")
async def again(work: Work, page: OnPage, callback_id: int) -> Response:
    """Write down that nobody was reached, and when it is tried again."""
    form = await page.form(AgainForm)
    async with page.mending(form, lambda: _draw(work, page, callback_id, again_form=form)):
        sent = form.value
        await callbacks.not_reached(
            work.session,
            work.clock,
            work.principal,
            callback_id=callback_id,
            version=sent.version,
            due_at=local(page, sent.due_at),
            key=sent.key,
        )
    work.changed(TOPIC)
    return page.done("/desk/callbacks", _("It will be tried again."))


@router.post("/desk/callbacks/{callback_id}/give-up")
async def give_up(work: Work, page: OnPage, callback_id: int) -> Response:
    """Write down that somebody can't be reached, and try no more."""
    form = await page.form(GiveUpForm)
    async with page.mending(form, lambda: _draw(work, page, callback_id, give_up_form=form)):
        sent = form.value
        what = (work.session, work.clock, work.principal)
        await callbacks.give_up(*what, callback_id=callback_id, version=sent.version, reason=sent.reason, key=sent.key)
    work.changed(TOPIC)
    return page.done("/desk/callbacks", _("It is tried no more."))


@router.post("/desk/callbacks/{callback_id}/ticket")
async def make_ticket(work: Work, page: OnPage, callback_id: int) -> Response:
    """Open a ticket for what was said when somebody was reached."""
    form = await page.form(TicketForm)
    ticket_id = 0
    async with page.mending(form, lambda: _draw(work, page, callback_id, ticket_form=form)):
        sent = form.value
        spot = await resolve(work, sent.where)
        ticket_id = await callbacks.make_ticket(
            work.session,
            work.clock,
            work.principal,
            callback_id=callback_id,
            version=sent.version,
            type_code=sent.type,
            text=sent.what,
            unit_id=spot.unit_id,
            place_id=spot.place_id,
            key=sent.key,
        )
    work.changed(TOPIC, "tickets")
    return page.go(f"/tickets/{ticket_id}")


async def _draw(
    work: Unit,
    page: Page,
    callback_id: int,
    *,
    reached_form: Form[ReachedForm] | None = None,
    again_form: Form[AgainForm] | None = None,
    give_up_form: Form[GiveUpForm] | None = None,
    ticket_form: Form[TicketForm] | None = None,
) -> Response:
    found = await callbacks.find_callback(work.session, work.clock, work.principal, callback_id)
    key, later = token_hex(16), page.reader.now + _TRIED_AGAIN_IN
    due_at = later.astimezone(page.reader.zone).strftime("%Y-%m-%dT%H:%M")
    return page.show(
        "desk/callback.html",
        promise=found,
        reached=reached_form or Form.blank(ReachedForm, version=found.version, key=key),
        again=again_form or Form.blank(AgainForm, version=found.version, key=key, due_at=due_at),
        give_up=give_up_form or Form.blank(GiveUpForm, version=found.version, key=key),
        ticket=ticket_form
        or Form.blank(
            TicketForm, version=found.version, key=key, what=found.text, where=found.place, type=DEFAULT_TYPE
        ),
        types=await type_options(work, page),
    )
