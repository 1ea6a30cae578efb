"""What came in, line by line, putting a line right, a caller's number in full, and the notes on addresses."""

from datetime import date
from secrets import token_hex
from typing import Annotated

from pydantic import Field
from starlette.responses import Response

from cloud.accounts import telephones
from cloud.accounts.phones import shown
from cloud.core.listing import Ask, Found
from cloud.core.principal import Role
from cloud.reception import hints, service
from cloud.reception.card import card_of_person
from cloud.reception.domain import Subject
from cloud.reception.lines import Interaction
from cloud.screens.desk.calls import TOPIC
from cloud.screens.desk.reception_words import CHANNELS, ENDINGS, SUBJECTS
from cloud.tickets.incident_reading import incident
from cloud.web.forms import Form, FormModel
from cloud.web.ids import Id
from cloud.web.lists import Column, Kind, ListView, Option
from cloud.web.pages import OnPage, Page
from cloud.web.routing import pages_for
from cloud.web.session import Unit, Work
from firmware_configs.look.words import _

router = pages_for(Role.DESK)

ENTRIES = ListView[Interaction](
    name="entry_list",
    caption=_("What came in"),
    searchable=_("name, place or words"),
    key=lambda row: row.id,
    columns=(
        Column(name="begun", label=_("When"), value=lambda row: row.begun_at, kind=Kind.TIME, filtered=True),
        Column(name="name", label=_("Who"), value=lambda row: row.name or None, filtered=True),
        Column(name="place", label=_("Where"), value=lambda row: row.place or None, filtered=True),
        Column(name="text", label=_("What"), value=lambda row: row.text or None, sortable=False),
        Column(
            name="channel",
            label=_("Came by"),
            value=lambda row: row.channel,
            filtered=True,
            options=tuple(Option(value=channel, label=label) for channel, label in CHANNELS.items()),
        ),
        Column(
            name="subject",
            label=_("What it is about"),
            value=lambda row: row.subject,
            filtered=True,
            phone=False,
            options=tuple(Option(value=subject, label=label) for subject, label in SUBJECTS.items()),
        ),
        Column(
            name="ending",
            label=_("How it ended"),
            value=lambda row: row.ending,
            filtered=True,
            options=tuple(Option(value=ending, label=label) for ending, label in ENDINGS.items()),
        ),
        Column(name="taken", label=_("By"), value=lambda row: row.taken_name or None, filtered=True, phone=False),
    ),
)


class CorrectForm(FormModel):
    """What a line should have said."""

    key: Annotated[str, Field(min_length=8, max_length=64)]
    subject: Subject
    text: Annotated[str, Field(max_length=4_000)] = ""
    answer: Annotated[str, Field(max_length=4_000)] = ""


class HintForm(FormModel):
    """A note on a unit, and the last day on which it is shown."""

    unit_id: Id
    hint: Annotated[str, Field(max_length=500)]
    until: date


@router.get("/desk/entries")
async def entries(work: Work, page: OnPage) -> Response:
    """Draw what came in, the newest first."""

    async def load(ask: Ask) -> Found[Interaction]:
        return await service.list_interactions(work.session, work.principal, ask)

    return await page.list("desk/entries.html", ENTRIES, load)


@router.get("/desk/entries/{interaction_id}")
async def entry(work: Work, page: OnPage, interaction_id: int) -> Response:
    """Draw one line."""
    return await _draw(work, page, interaction_id, None)


@router.post("/desk/entries/{interaction_id}/correct")
async def correct(work: Work, page: OnPage, interaction_id: int) -> Response:
    """Put a line right by another one."""
    form = await page.form(CorrectForm)
    new_id = 0
    async with page.mending(form, lambda: _draw(work, page, interaction_id, form)):
        sent = form.value
        new_id = await service.correct(
            work.session,
            work.clock,
            work.principal,
            interaction_id=interaction_id,
            subject=sent.subject,
            text=sent.text,
            answer=sent.answer,
            key=sent.key,
        )
    work.changed(TOPIC)
    return page.go(f"/desk/entries/{new_id}")


@router.post("/desk/people/{person_id}/phone")
async def reveal(work: Work, page: OnPage, person_id: int) -> Response:
    """Show somebody's number in full, which is written down."""
    await card_of_person(work.session, work.clock, work.principal, person_id)
    phone = await telephones.reveal(work.session, work.clock, work.principal, person_id)
    return page.show("desk/call_phone.html", phone=shown(phone) if phone else "", back=f"/desk?person={person_id}")


@router.post("/desk/hints")
async def add_hint(work: Work, page: OnPage) -> Response:
    """Leave a note on a unit."""
    sent = (await page.form(HintForm)).value
    await hints.add_hint(
        work.session, work.clock, work.principal, unit_id=sent.unit_id, text=sent.hint, until=sent.until
    )
    return page.done(f"/desk?unit={sent.unit_id}", _("The note is kept."))


@router.post("/desk/hints/{hint_id}/remove")
async def remove_hint(work: Work, page: OnPage, hint_id: int) -> Response:
    """Show a note no longer."""
    await hints.remove_hint(work.session, work.clock, work.principal, hint_id)
    return page.done(page.back("/desk"), _("The note is taken off."))


async def _draw(work: Unit, page: Page, interaction_id: int, form: Form[CorrectForm] | None) -> Response:
    line = await service.find_interaction(work.session, work.principal, interaction_id)
    explained_by = None
    if line.incident_id is not None:
        explained_by = await incident(work.session, work.clock, work.principal, incident_id=line.incident_id)
    blank = Form.blank(CorrectForm, key=token_hex(16), subject=line.subject, text=line.text, answer=line.answer)
    return page.show(
        "desk/entry.html",
        line=line,
        incident=explained_by,
        form=form or blank,
        channels=CHANNELS,
        endings=ENDINGS,
        subjects=SUBJECTS,
        choices=[(subject, page.say(label)) for subject, label in SUBJECTS.items()],
    )
