"""Proof that a form was drawn by us for this browser: a token bound to its cookie, asked for by every unsafe method."""

import hashlib
import hmac
import secrets
from typing import Annotated

from fastapi import Depends
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from cloud.core.errors import Forbidden
from cloud.web.session import SESSION_COOKIE, is_safe, is_secure
from firmware_configs.look.words import _

FIELD = "csrf"
HEADER = "x-csrf-token"
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


async def check(request: Request) -> None:
    """Let an unsafe request pass only with the token, in its header or in its form.

    Raises:
        Forbidden: the token is missing or another browser's.
    """
    if is_safe(request):
        return
    given = request.headers.get(HEADER)
    if given is None:
        form: FormData = await request.form()
        given = str(form.get(FIELD, ""))
    if not hmac.compare_digest(given.encode(), token_of(request).encode()):
        raise Forbidden(_("This page has grown old. Open it again and send the form once more."))


Checked = Annotated[None, Depends(check)]


def _visitor(request: Request) -> str:
    known = request.cookies.get(_VISITOR_COOKIE)
    if known:
        return known
    if not hasattr(request.state, "visitor"):
        request.state.visitor = secrets.token_urlsafe(24)
    fresh: str = request.state.visitor
    return fresh
