"""Proof that a form was drawn by us for this browser: a token bound to its cookie, asked for by every unsafe method."""

import hashlib
import hmac
import secrets
from collections.abc import AsyncIterator

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from cloud.core.errors import Forbidden, TooLarge
from cloud.web.session import SESSION_COOKIE, is_safe, is_secure
from firmware_configs.look.words import _

FIELD = "csrf"
HEADER = "x-csrf-token"
LARGEST_FORM_BYTES = 64 * 1024 * 1024
"""Of six files of 10 MB and what stands around them."""

_VISITOR_COOKIE = "gatehouse_visitor"
_PURPOSE = b"gatehouse form"


def token_of(request: Request) -> str:
    """Return the token for the request's browser; before anybody signed in, one for its visitor's cookie.

    It is derived, so that every tab and every worker knows it, and says nothing about the secret it comes from.
    """
    secret = request.cookies.get(SESSION_COOKIE) or _visitor(request)
    return hmac.new(secret.encode(), _PURPOSE, hashlib.sha256).hexdigest()


def keep_visitor(request: Request, response: Response) -> None:
    """Give a browser that has neither session nor visitor's cookie the one its forms were drawn for."""
    secret = getattr(request.state, "visitor", None)
    if secret:
        response.set_cookie(_VISITOR_COOKIE, secret, path="/", httponly=True, samesite="lax", secure=is_secure(request))


async def check(request: Request) -> AsyncIterator[None]:
    """Let an unsafe request pass only with the token, in its header or in its form; its files go when it is answered.

    Raises:
        Forbidden: the token is missing or another browser's.
        TooLarge: the form is larger than any that a page of ours sends.
    """
    try:
        if not is_safe(request):
            await _check_token(request)
        yield
    finally:
        await request.close()


async def _check_token(request: Request) -> None:
    _check_length(request)
    given = request.headers.get(HEADER)
    if given is None:
        form: FormData = await request.form()
        given = str(form.get(FIELD, ""))
    if not hmac.compare_digest(given.encode(), token_of(request).encode()):
        raise Forbidden(_("This page has grown old. Open it again and send the form once more."))


def _check_length(request: Request) -> None:
    """Let a form pass that may be read whole: what is not read is not stored while its token is looked for."""
    length = request.headers.get("content-length", "0" if "transfer-encoding" not in request.headers else "")
    if not length.isdecimal() or int(length) > LARGEST_FORM_BYTES:
        raise TooLarge(
            _("This is more than %(megabytes)s MB at once: send less."), megabytes=LARGEST_FORM_BYTES // 1024**2
        )


def _visitor(request: Request) -> str:
    known = request.cookies.get(_VISITOR_COOKIE)
    if known:
        return known
    if not hasattr(request.state, "visitor"):
        request.state.visitor = secrets.token_urlsafe(24)
    fresh: str = request.state.visitor
    return fresh
