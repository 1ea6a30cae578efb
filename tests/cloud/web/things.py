"""A screen for the tests of the frame: a list of things, a form that changes one, and pages that go wrong."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated

from pydantic import Field
from sqlalchemy import select
from starlette.responses import Response

from cloud.core.errors import Conflict, Refused
from cloud.core.listing import Ask, Found, Listing, containing, fetch
from cloud.core.outbox import OutboxEvent
from cloud.core.principal import Role
from cloud.web.forms import Form, FormModel
from cloud.web.lists import Column, Kind, ListView, Load
from cloud.web.notices import Undo
from cloud.web.pages import OnPage, Page
from cloud.web.routing import pages_for
from cloud.web.screen import Entry, Screen
from cloud.web.session import Unit, Work
from protocols.readings import Quality

router = pages_for(Role.OPERATOR)


class Renaming(FormModel):
    name: Annotated[str, Field(min_length=2, max_length=10)]
    level: Annotated[int, Field(ge=1, le=4)]
    note: str | None = None


THINGS = ListView[OutboxEvent](
    name="things",
    caption="Things",
    searchable="name",
    key=lambda row: row.id,
    sort="name",
    page_rows=2,
    columns=(
        Column(name="name", label="Name", value=lambda row: row.kind, filtered=True),
        Column(name="act", label="Act", value=lambda _row: None, sortable=False),
        Column(name="at", label="Since", value=lambda row: row.emitted_at, kind=Kind.TIME),
    ),
)


@router.get("/things")
async def things(work: Work, page: OnPage) -> Response:
    return await page.list("things/things.html", THINGS, _loading(work))


@router.post("/things/choose")
async def choose(work: Work, page: OnPage) -> Response:
    chosen = await page.chosen(THINGS, _loading(work))
    return page.done(f"/things?{','.join(chosen)}")


@router.get("/things/{thing_id}")
async def thing(work: Work, page: OnPage, thing_id: int) -> Response:
    return await _draw(work, page, thing_id, Form.blank(Renaming, level=1))


@router.post("/things/{thing_id}")
async def rename(work: Work, page: OnPage, thing_id: int) -> Response:
    form = await page.form(Renaming)
    async with page.mending(form, lambda: _draw(work, page, thing_id, form)):
        found = await work.session.get_one(OutboxEvent, thing_id)
        found.kind = form.value.name
        await work.session.flush()
        if form.value.name == "taken":
            raise Conflict("Somebody was quicker", field="name")
        if form.value.name == "refused":
            raise Refused("Must be %(ge)s or more.", ge=7)
    work.changed("things")
    return page.done("/things", "Undo", undo=Undo(path=f"/things/{thing_id}", fields={"name": "back", "level": "1"}))


@router.post("/things/{thing_id}/break")
async def break_thing(work: Work, thing_id: int) -> Response:
    (await work.session.get_one(OutboxEvent, thing_id)).kind = "broken"
    await work.session.flush()
    raise ZeroDivisionError


def _loading(work: Unit) -> Load[OutboxEvent]:
    async def load(ask: Ask) -> Found[OutboxEvent]:
        found = await fetch(work.session, _listing(work), ask)
        return Found(rows=[row.OutboxEvent for row in found.rows], total=found.total)

    return load


def _listing(work: Unit) -> Listing:
    return Listing(
        select=select(OutboxEvent).where(OutboxEvent.organisation_id == work.principal.organisation_id),
        columns={"name": OutboxEvent.kind, "at": OutboxEvent.emitted_at},
        key=OutboxEvent.id,
        search=containing(OutboxEvent.kind),
    )


async def _draw(work: Unit, page: Page, thing_id: int, form: Form[Renaming]) -> Response:
    found = await work.session.get_one(OutboxEvent, thing_id)
    curve = [(found.emitted_at + timedelta(minutes=n), None if n == 5 else 60.0 + n, Quality.GOOD) for n in range(10)]
    return page.show("things/thing.html", thing=found, form=form, curve=curve)


SCREEN = Screen(
    name="things",
    router=router,
    templates=Path(__file__).parent / "templates",
    entries=(
        Entry(
            label="Values as a table",
            purpose="My work",
            path="/things",
            icon="list",
            key="t",
            roles=frozenset({Role.OPERATOR}),
            first_for=frozenset({Role.OPERATOR}),
        ),
    ),
)
