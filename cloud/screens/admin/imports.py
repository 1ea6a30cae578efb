"""Importing communities, buildings, units, occupants and staff: send a table, look at it, import it or leave it."""

import asyncio
import io
from collections.abc import Sequence
from typing import Annotated

import xlsxwriter
from pydantic import Field
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response

from cloud.core.errors import GatehouseError, Malformed
from cloud.core.listing import Ask, Found
from cloud.core.principal import Role
from cloud.core.sheets import MAXIMUM_BYTES, MAXIMUM_ROWS, read_sheet
from cloud.properties import imports
from cloud.properties.import_applying import Invitation
from cloud.properties.import_lines import COLUMNS, ImportKind
from cloud.properties.import_tables import ImportState, Noun
from cloud.properties.imports import MAXIMUM_STAFF, Import
from cloud.web.forms import Form, FormModel
from cloud.web.frame import frame_of
from cloud.web.lists import Column, Kind, ListView, Option
from cloud.web.pages import OnPage, Page
from cloud.web.routing import pages_for
from cloud.web.session import Unit, Work, who_is_signed_in
from firmware_configs.look.words import _


async def _draw_passwords(request: Request, import_id: int) -> None:
    """Draw what the new staff of an import sign in with, before its transaction begins; see imports.draw_passwords.

    What keeps the import from being applied is said by the handler, beside what is to be mended.

    Raises:
        NotSignedIn: nobody is signed in, so nothing is drawn.
    """
    principal = await who_is_signed_in(request)
    try:
        request.state.drawn = await imports.draw_passwords(frame_of(request).database, principal, import_id)
    except GatehouseError:
        request.state.drawn = ()


router = pages_for(Role.ADMINISTRATOR)
applying = pages_for(Role.ADMINISTRATOR, before=(_draw_passwords,))

LIST = "/admin/imports"
_FAULTS_SHOWN = 200

KINDS = {
    ImportKind.ESTATE: _("Communities, buildings and units"),
    ImportKind.OCCUPANTS: _("Owners and residents"),
    ImportKind.STAFF: _("Staff"),
}
STATES = {
    ImportState.CHECKED: _("to be looked at"),
    ImportState.APPLIED: _("imported"),
    ImportState.UNDONE: _("undone"),
}
MADE = {
    Noun.COMMUNITY: _("Communities"),
    Noun.BUILDING: _("Buildings"),
    Noun.UNIT: _("Units"),
    Noun.PERSON: _("People"),
    Noun.OWNER: _("Known people who are owners now"),
    Noun.OCCUPANCY: _("Moved in"),
}
MAKES = {
    "communities": _("Communities"),
    "buildings": _("Buildings"),
    "units": _("Units"),
    "occupants": _("Moved in"),
    "staff": _("People"),
}

IMPORTS = ListView[Import](
    name="import_list",
    caption=_("Imports"),
    searchable=_("file or name"),
    key=lambda each: each.id,
    columns=(
        Column(name="file", label=_("File"), value=lambda each: each.file, filtered=True),
        Column(
            name="kind",
            label=_("Table of"),
            value=lambda each: each.kind,
            filtered=True,
            options=tuple(Option(value=kind, label=label) for kind, label in KINDS.items()),
        ),
        Column(name="rows", label=_("Rows"), value=lambda each: each.rows, kind=Kind.NUMBER, filtered=True),
        Column(
            name="state",
            label=_("State"),
            value=lambda each: each.state,
            filtered=True,
            options=tuple(Option(value=state, label=label) for state, label in STATES.items()),
        ),
        Column(name="sent", label=_("Sent"), value=lambda each: each.checked_at, kind=Kind.TIME, filtered=True),
        Column(name="actor", label=_("By"), value=lambda each: each.actor, filtered=True),
    ),
)


class SendForm(FormModel):
    """What the table tells of.

    Attributes:
        file: where what is wrong with the file is said; it comes beside the fields.
    """

    kind: ImportKind
    file: str | None = None


class ApplyForm(FormModel):
    """How many rows were to make something, as it was shown."""

    news: Annotated[int, Field(ge=0, le=MAXIMUM_ROWS)]


@router.get("/admin/imports")
async def import_list(work: Work, page: OnPage) -> Response:
    """Draw what was imported of late, and the form to send a table."""
    return await _draw_list(work, page, Form.blank(SendForm, kind=ImportKind.ESTATE))


@router.get("/admin/imports/template", response_class=Response)
async def template(kind: ImportKind = ImportKind.ESTATE) -> Response:
    """Send an empty table with its headings and one example."""
    content = await asyncio.to_thread(_template, kind)
    media_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    headers = {"Content-Disposition": f'attachment; filename="gatehouse-{kind}.xlsx"'}
    return Response(content, media_type=media_type, headers=headers)


@router.post("/admin/imports")
async def send(work: Work, page: OnPage) -> Response:
    """Take a table, to be looked at before anything is made."""
    form = await page.form(SendForm)
    import_id = 0
    async with page.mending(form, lambda: _draw_list(work, page, form)):
        kind = form.value.kind
        name, content = await _file(page)
        sheet = await asyncio.to_thread(read_sheet, content)
        import_id = await imports.send(work.session, work.clock, work.principal, kind=kind, file=name, sheet=sheet)
    return page.go(f"{LIST}/{import_id}")


@router.get("/admin/imports/{import_id}")
async def import_page(work: Work, page: OnPage, import_id: int) -> Response:
    """Draw one import: what it would do, or what it did."""
    return await _draw(work, page, import_id, Form.blank(ApplyForm))


@applying.post("/admin/imports/{import_id}/apply")
async def apply(work: Work, page: OnPage, import_id: int) -> Response:
    """Make all that the table tells; the passwords of new staff are shown this once."""
    form = await page.form(ApplyForm)
    invitations: Sequence[Invitation] = ()
    async with page.mending(form, lambda: _draw(work, page, import_id, form)):
        applied = await imports.apply(
            work.session, work.clock, work.principal, import_id, news=form.value.news, drawn=page.request.state.drawn
        )
        invitations = applied.invitations
    if invitations:
        return page.show("admin/import_invited.html", invitations=invitations, back=f"{LIST}/{import_id}")
    return page.done(f"{LIST}/{import_id}", _("The table is imported."))


@router.post("/admin/imports/{import_id}/undo")
async def undo(work: Work, page: OnPage, import_id: int) -> Response:
    """Take back all that the import made."""
    form = await page.form(FormModel)
    async with page.mending(form, lambda: _draw(work, page, import_id, form)):
        await imports.undo(work.session, work.clock, work.principal, import_id)
    return page.done(f"{LIST}/{import_id}", _("The import is undone."))


@router.post("/admin/imports/{import_id}/discard")
async def discard(work: Work, page: OnPage, import_id: int) -> Response:
    """Forget the table."""
    await imports.discard(work.session, work.clock, work.principal, import_id)
    return page.done(LIST, _("The table is forgotten; nothing was imported."))


async def _file(page: Page) -> tuple[str, bytes]:
    """Return the name of the file that was sent, and what it holds up to a byte more than may be."""
    async with page.request.form() as sent:
        file = sent.get("file")
        if not isinstance(file, UploadFile) or not file.filename:
            raise Malformed(_("Choose the file with the table."), "file")
        return file.filename, await file.read(MAXIMUM_BYTES + 1)


async def _draw_list(work: Unit, page: Page, form: Form[SendForm]) -> Response:
    async def load(ask: Ask) -> Found[Import]:
        return await imports.list_imports(work.session, work.principal, ask)

    return await page.list(
        "admin/imports.html",
        IMPORTS,
        load,
        path=LIST,
        form=form,
        kinds=KINDS,
        columns=COLUMNS,
        most_rows=MAXIMUM_ROWS,
        most_staff=MAXIMUM_STAFF,
        most_megabytes=MAXIMUM_BYTES // 1024**2,
    )


async def _draw(work: Unit, page: Page, import_id: int, form: Form[FormModel] | Form[ApplyForm]) -> Response:
    found = await imports.find(work.session, work.principal, import_id)
    is_open = found.state is ImportState.CHECKED
    verdict = await imports.judge(work.session, work.principal, import_id) if is_open else None
    return page.show(
        "admin/import.html",
        form=form,
        found=found,
        verdict=verdict,
        faults=verdict.faults[:_FAULTS_SHOWN] if verdict else (),
        kinds=KINDS,
        states=STATES,
        made=MADE,
        makes=MAKES,
    )


def _template(kind: ImportKind) -> bytes:
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as workbook:
        sheet = workbook.add_worksheet()
        text = workbook.add_format({"num_format": "@"})  # a room "0101" or a number "138..." must stay as it is typed
        heading = workbook.add_format({"bold": True, "num_format": "@"})
        for position, column in enumerate(COLUMNS[kind]):
            sheet.set_column(position, position, 20, text)
            sheet.write_string(0, position, column.zh + ("*" if column.is_required else ""), heading)
            sheet.write_string(1, position, column.example, text)
        sheet.freeze_panes(1, 0)
    return content.getvalue()
