"""Forms that a telephone kept while it had no network: what comes again since its answer was lost is done once.

Each says when it was done and when it is sent, both by the telephone's clock: what they differ by is how old it is.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response

from cloud.core import once
from cloud.core.errors import Malformed
from cloud.web import csrf
from cloud.web.pages import Answered
from cloud.web.session import Work, is_safe
from firmware_configs.look.words import _

HEADER = "idempotency-key"
PRESSED, SENT = "x-pressed-at", "x-sent-at"
"""Instants by RFC 3339 with their zone, by the telephone's clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """When a form was pressed and when it was sent, by the telephone's clock."""

    pressed: datetime
    sent: datetime


def is_kept(request: Request) -> bool:
    """Return whether a form comes out of what a telephone keeps, perhaps long after its page was drawn."""
    return HEADER in request.headers


def moments(request: Request) -> Moments | None:
    """Return when a kept form was done and sent; None for one that does not say, which counts as done now.

    Raises:
        Malformed: one of the instants is missing or can't be read.
    """
    if PRESSED not in request.headers or not is_kept(request):
        return None
    return Moments(pressed=_instant(request, PRESSED), sent=_instant(request, SENT))


async def check(request: Request, work: Work) -> None:
    """Let a form with a key pass once; its repeat is answered as done, and changes nothing.

    A form that was refused has changed nothing either, its key included: it may be mended and sent again.

    Raises:
        Answered: it is a repeat.
        Malformed: the key can't be one.
        Conflict: the key came with another form, or with another content.
    """
    key = request.headers.get(HEADER)
    if key is None or is_safe(request):
        return
    if not await once.is_first(work.session, work.clock, work.principal, key=key, act=await _act(request)):
        raise Answered(Response(status_code=204))


def _instant(request: Request, header: str) -> datetime:
    sentence = _("The time at which this was done can't be read: open the page again.")
    try:
        found = datetime.fromisoformat(request.headers.get(header, ""))
    except ValueError as error:
        raise Malformed(sentence, header) from error
    if found.tzinfo is None:
        raise Malformed(sentence, header)
    return found


async def _act(request: Request) -> str:
    """Return what is sent to where: a digest of all but the token, which is another one after signing in again."""
    content = hashlib.sha256()
    for name, value in (await request.form()).multi_items():
        if name == csrf.FIELD:
            continue
        part = value if isinstance(value, str) else await _content(value)
        content.update(b"%d:%s=%d:" % (len(name), name.encode(), len(part)))
        content.update(part.encode() if isinstance(part, str) else part)
    return f"{content.hexdigest()[:32]} {request.url.path}"


async def _content(file: UploadFile) -> bytes:
    await file.seek(0)
    content = await file.read()
    await file.seek(0)
    return content
