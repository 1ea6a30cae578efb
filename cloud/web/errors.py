"""Errors as pages: what happened, what it means, what to do; the code last and small."""

import logging
import secrets
from collections.abc import Mapping
from http import HTTPStatus

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.types import Message as ASGIMessage

from cloud.core.errors import GatehouseError, NotSignedIn, TooMany
from cloud.core.principal import Role
from cloud.web.catalogues import Message
from cloud.web.pages import Answered, Page
from cloud.web.session import PASSWORD_PATH, SESSION_COOKIE, PasswordDue, forget, is_safe, sign_in_path
from cloud.web.words import ROLES
from firmware_configs.look.words import _

_log = logging.getLogger(__name__)

_TITLES = {
    400: _("That can't be done"),
    401: _("Nobody is signed in"),
    403: _("You may not do this"),
    404: _("There is nothing here"),
    405: _("That can't be done here"),
    409: _("Somebody was quicker"),
    413: _("That is too much at once"),
    422: _("This can't be read"),
    429: _("Too often"),
    500: _("Something broke on our side"),
}
_SENTENCES = {
    404: _("The page was moved or removed, or it is not yours to see."),
    405: _("This address takes no such request."),
    422: _("The address or the form holds a value that can't be read."),
    500: _("What was saved is kept. Try again; if it stays broken, tell whoever runs Gatehouse this number."),
}


def install(app: FastAPI) -> None:
    """Answer every error of `app` with a page, a fragment's notice or, for programs, JSON."""
    app.exception_handler(Answered)(_answered)
    app.exception_handler(GatehouseError)(_refused)
    app.exception_handler(HTTPException)(_http_error)
    app.exception_handler(RequestValidationError)(_unreadable)


async def _answered(_request: Request, error: Answered) -> Response:
    return error.response


async def _refused(request: Request, error: GatehouseError) -> Response:
    if isinstance(error, NotSignedIn) and _wants_page(request) and not _holds_a_form(request):
        return _to_sign_in(request)
    if isinstance(error, PasswordDue) and _wants_page(request):
        return Page(request).go(PASSWORD_PATH)
    headers = {"Retry-After": str(error.retry_after_s)} if isinstance(error, TooMany) else {}
    return _answer(request, status=error.status, code=error.code, message=_message(request, error), headers=headers)


def _message(request: Request, error: GatehouseError) -> Message:
    """Return the error's sentence; roles among its parameters are named as people know them."""
    message = Message.of(error)
    roles = str(message.parameters.get("roles", "")).split(", ")
    if not _wants_page(request) or not set(roles) <= set(Role):
        return message
    page = Page(request)
    named = page.say(_(" and ")).join(page.say(ROLES[Role(role)]) for role in roles)
    return Message(message.id, {**message.parameters, "roles": named})


async def _http_error(request: Request, error: HTTPException) -> Response:
    status = error.status_code
    message = Message(_SENTENCES.get(status, _SENTENCES[422]))
    return _answer(request, status=status, code=_code(status), message=message, headers=error.headers or {})


async def _unreadable(request: Request, _error: RequestValidationError) -> Response:
    # A path like /tickets/abc names no ticket: to a person that is a page that does not exist.
    status = 404 if request.method == "GET" else 422
    return _answer(request, status=status, code=_code(status), message=Message(_SENTENCES[status]))


class Breakage:
    """Middleware that answers what nobody foresaw with a page and a number that stands in the log.

    It stands inside the headers' middleware, so that this page too carries them.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; once an answer has begun, all that is left is to break off."""
        begun = False

        async def send_noting(message: ASGIMessage) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, send_noting)
        except Exception as error:  # the outermost loop of a request
            if begun or scope["type"] != "http":
                raise
            await _broken(Request(scope), error)(scope, receive, send)


def _broken(request: Request, error: Exception) -> Response:
    reference = secrets.token_hex(4)
    _log.error("request failed", exc_info=error, extra={"reference": reference, "path": request.url.path})
    return _answer(request, status=500, code=reference, message=Message(_SENTENCES[500]))


def _answer(
    request: Request, *, status: int, code: str, message: Message, headers: Mapping[str, str] | None = None
) -> Response:
    page = Page(request)
    if not _wants_page(request):
        # Programs read the sentence in English, the ids' language, whatever the person's browser asks for.
        sentence = message.id % message.parameters if message.parameters else message.id
        return JSONResponse({"code": code, "message": sentence}, status_code=status, headers=dict(headers or {}))
    title = _TITLES.get(status, _TITLES[500 if status >= 500 else 400])
    response = page.show("web/error.html", status=status, title=title, message=message, code=code)
    response.headers.update(headers or {})
    if page.is_fragment:
        response.headers["HX-Retarget"] = "#notices"
        response.headers["HX-Reswap"] = "innerHTML"
    return response


def _to_sign_in(request: Request) -> Response:
    response = Page(request).go(sign_in_path(request))
    if SESSION_COOKIE in request.cookies:
        forget(response)
    return response


def _holds_a_form(request: Request) -> bool:
    """Return whether sending the browser away would lose what was typed in the page it stays on."""
    return request.headers.get("hx-request") == "true" and not is_safe(request)


def _wants_page(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "") or request.headers.get("hx-request") == "true"


def _code(status: int) -> str:
    return HTTPStatus(status).phrase.lower().replace(" ", "_")
