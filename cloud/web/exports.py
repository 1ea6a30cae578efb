"""The pages of exports: asking for a long list as a file, how far it is, and the file."""

from starlette.responses import Response, StreamingResponse

from cloud.core import exports, files
from cloud.core.errors import Conflict
from cloud.core.exports import OPEN, ExportState, Format, Wanted
from cloud.core.files import FileStore
from cloud.core.principal import STAFF
from cloud.web.export import attachment
from cloud.web.exporting import EXPORTS
from cloud.web.lists import view_query
from cloud.web.notices import Notice
from cloud.web.pages import OnPage
from cloud.web.routing import pages_for
from cloud.web.session import Work
from cloud.web.views import ListForm, listed
from firmware_configs.look.words import _

router = pages_for(*STAFF)

STATES = {
    ExportState.WAITING: _("Waits for its turn"),
    ExportState.RUNNING: _("Is being written"),
    ExportState.DONE: _("Ready"),
    ExportState.REFUSED: _("Refused"),
    ExportState.FAILED: _("Failed"),
    ExportState.CANCELLED: _("Cancelled"),
}


class ExportForm(ListForm):
    """A list as its address shows it, and as what it is wanted."""

    format: Format


@router.get("/exports")
async def export_list(work: Work, page: OnPage) -> Response:
    """Draw one's own exports."""
    rows = await exports.list_exports(work.session, work.principal)
    return page.show("web/exports.html", exports=rows, states=STATES, open_states=OPEN, kept_days=exports.KEPT.days)


@router.post("/exports")
async def ask(work: Work, page: OnPage) -> Response:
    """Ask for a list as a file, which is written in the background."""
    sent = (await page.form(ExportForm)).value
    found = await listed(work, page, path=sent.path, query=sent.query)
    wanted = Wanted(
        list_name=found.view.name,
        caption=found.view.caption,
        path=found.path,
        query=view_query(found.view, found.asked),
        format=sent.format,
        locale=page.reader.locale,
    )
    said = _("The file is being written: it stands here when it is ready.")
    try:
        await exports.ask_for(work.session, work.clock, work.principal, wanted)
    except Conflict as error:
        said = error.message
    work.changed(EXPORTS)
    return page.go("/exports", notice=Notice(id=said))


@router.post("/exports/{export_id}/cancel")
async def cancel(work: Work, page: OnPage, export_id: int) -> Response:
    """Let an export be."""
    await exports.cancel(work.session, work.clock, work.principal, export_id)
    work.changed(EXPORTS)
    return page.go("/exports")


@router.get("/exports/{export_id}/file", response_class=Response)
async def download(work: Work, page: OnPage, export_id: int) -> Response:
    """Send the file to whoever asked for it and may still see the list."""
    row = await exports.find_export(work.session, work.principal, export_id)
    if row.file_id is None:
        raise Conflict(_("The file is not ready."))
    await listed(work, page, path=row.path, query=row.query)  # what they may not see now they may not fetch either
    file = await files.find(work.session, work.principal, row.file_id)
    store: FileStore = work.request.app.state.files
    headers = {"Content-Disposition": attachment(file.name), "Content-Length": str(file.size_bytes)}
    return StreamingResponse(store.pieces(file.sha256), media_type=file.media_type, headers=headers)
