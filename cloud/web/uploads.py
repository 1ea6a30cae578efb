"""Files that people send with a form, and the address by which whoever may see them gets them back.

A file is looked at and stored before the transaction of its form begins: neither drawing a photo anew nor the store
may hold up whoever else writes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import PurePath
from urllib.parse import quote

from fastapi import APIRouter
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response

from cloud.core import files
from cloud.core.clock import Clock
from cloud.core.errors import GatehouseError, NotFound, Refused
from cloud.core.files import FileStore, Saved
from cloud.core.principal import Principal, Role
from cloud.web import photos
from cloud.web.frame import frame_of
from cloud.web.ids import Id
from cloud.web.routing import pages_for
from cloud.web.session import Work, is_safe, who_is_signed_in
from firmware_configs.look.words import _

MAXIMUM_BYTES = 10 * 1024 * 1024
MAXIMUM_FILES = 6
_KEPT_S = 3_600
"""How long a browser shows a file without asking again: long enough to page back and forth, short after a move."""

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file that was sent, looked at, and is durable in the store.

    Attributes:
        width, height: pixels of a photo; 0 for a document.
    """

    saved: Saved
    name: str
    media_type: str
    width: int
    height: int


Uploads = Sequence[Upload]


@dataclass(slots=True)
class _Received:
    """What came in one field: files, or the first thing wrong with them."""

    uploads: list[Upload] = field(default_factory=list)
    error: GatehouseError | None = None


def pages_with_files(*roles: Role) -> APIRouter:
    """Return a router as routing.pages_for does, whose forms may bring files; see `sent`."""
    return pages_for(*roles, before=(_receive,))


def sent(request: Request, name: str) -> Uploads:
    """Return the files that came in a field, none when it was left empty.

    Raises:
        Refused: one of them is too large, can't be read, or is more than may come at once; all must be sent again.
    """
    received: dict[str, _Received] = request.state.received
    found = received.get(name, _Received())
    if found.error is not None:
        raise found.error
    return found.uploads


async def add(session: AsyncSession, clock: Clock, principal: Principal, upload: Upload) -> int:
    """Return the id of the file that an upload becomes; see core.files.add."""
    return await files.add(session, clock, principal, upload.saved, name=upload.name, media_type=upload.media_type)


@router.get("/files/{file_id}")
async def serve(request: Request, work: Work, file_id: Id) -> Response:
    """Send a file to whoever may see it: a photo to be shown, anything else to be kept.

    Raises:
        NotFound: there is none that the principal may see.
    """
    file = await files.find(work.session, work.principal, file_id)
    for may_see in frame_of(request).may_see:
        if await may_see(work.session, work.principal, file_id=file_id):
            break
    else:
        raise NotFound(_("There is no such file."))
    tag = f'"{file.sha256[:20]}"'
    kind = "inline" if file.media_type.startswith("image/") else "attachment"
    headers = {
        "ETag": tag,
        "Cache-Control": f"private, max-age={_KEPT_S}",
        "Content-Disposition": f"{kind}; filename*=UTF-8''{quote(file.name)}",
        # Opened by itself, a file is nobody's page: it runs nothing and belongs to no origin.
        "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
    }
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(await _store(request).load(file.sha256), media_type=file.media_type, headers=headers)


async def _receive(request: Request) -> None:
    """Look at and store the files of a form, before its unit of work begins.

    Raises:
        NotSignedIn: nobody is signed in, so nothing is looked at.
    """
    request.state.received = {}
    if is_safe(request):
        return
    await who_is_signed_in(request)
    data = await request.form()
    for name in data:
        files_of_field = [part for part in data.getlist(name) if isinstance(part, UploadFile) and part.filename]
        if files_of_field and name not in request.state.received:
            request.state.received[name] = await _take(request, name, files_of_field)


async def _take(request: Request, name: str, parts: Sequence[UploadFile]) -> _Received:
    received = _Received()
    try:
        if len(parts) > MAXIMUM_FILES:
            raise Refused(_("Send at most %(count)s files at once."), name, count=MAXIMUM_FILES)
        for part in parts:
            received.uploads.append(await _save(request, name, part))
    except GatehouseError as error:
        received.error = error  # said at its field by the handler, beside whatever else is to be mended
    return received


async def _save(request: Request, name: str, part: UploadFile) -> Upload:
    if (part.size or 0) > MAXIMUM_BYTES:
        sentence = _("%(name)s is too large: a file may have at most %(megabytes)s MB.")
        raise Refused(sentence, name, name=part.filename or "", megabytes=MAXIMUM_BYTES // 1024**2)
    checked = await photos.check(await part.read(), field=name)
    return Upload(
        saved=await _store(request).save(checked.content),
        name=(PurePath(part.filename or "").stem[:80] or "file") + checked.suffix,
        media_type=checked.media_type,
        width=checked.width,
        height=checked.height,
    )


def _store(request: Request) -> FileStore:
    store: FileStore = request.app.state.files
    return store
