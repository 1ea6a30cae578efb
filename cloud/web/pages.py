"""One page being answered: drawing it whole or only the part that htmx asked for, and what follows an act."""

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import Depends
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from cloud.accounts import views
from cloud.accounts.views import Habits
from cloud.core.errors import GatehouseError
from cloud.core.exports import Format
from cloud.core.principal import Principal
from cloud.web import csrf, notices
from cloud.web.catalogues import Message
from cloud.web.export import as_file, every_row
from cloud.web.forms import Form, Model, read_form
from cloud.web.frame import Frame, frame_of
from cloud.web.lists import FORMAT, MATCHING, ROW, Entry, ListView, Load
from cloud.web.notices import Notice, Undo
from cloud.web.reader import Reader, reader_of, reading
from cloud.web.replay import TAKEN, TAKER, Listed
from cloud.web.session import is_safe, local_path
from cloud.web.shown import Shown

_MENDABLE = frozenset({400, 409, 422, 429})
_VARY = "Cookie, HX-Request, HX-Target, Accept-Language"


class Answered(Exception):
    """The answer stands and what the request changed must be undone: raised through the unit of work."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status_code)
        self.response = response


class Page:
    """What a handler draws with."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.frame: Frame = frame_of(request)
        zone = getattr(request.state, "zone", self.frame.zone)
        self.reader: Reader = reader_of(request, now=self.frame.clock.now(), zone=zone)

    @property
    def principal(self) -> Principal | None:
        """Return who is signed in; None on pages that ask for nobody."""
        visit = getattr(self.request.state, "visit", None)
        return visit.principal if visit else None

    @property
    def is_fragment(self) -> bool:
        """Return whether htmx asks for a part of the page rather than a browser for the whole."""
        headers = self.request.headers
        return headers.get("hx-request") == "true" and headers.get("hx-history-restore-request") != "true"

    def say(self, message: str | Message | GatehouseError, /, **parameters: Any) -> str:
        """Return the sentence in the reader's language."""
        return self.reader.words.say(message, **parameters)

    def show(self, template: str, *, status: int = 200, **context: Any) -> Response:
        """Draw a template, or, when htmx aims at an element that is one of its blocks, that block alone.

        The block carries the name of its element's id. The answer has an ETag; who has it already gets a 304.
        """
        found = self.frame.environment.get_template(template)
        target = self.request.headers.get("hx-target", "") if self.is_fragment else ""
        whole = target not in found.blocks
        notice = notices.left(self.request) if whole else None
        with reading(self.reader):
            values = {**self._surroundings(notice), **context}
            text = found.render(values) if whole else "".join(found.blocks[target](found.new_context(values)))
        response = self._fresh(text, status=status)
        if notice:
            notices.clear(response)
        csrf.keep_visitor(self.request, response)
        return response

    async def list(
        self, template: str, view: ListView[Entry], load: Load[Entry], *, path: str = "", **context: Any
    ) -> Response:
        """Draw a list as `list` in `template`, or send it as a file when the address asks for one.

        An address that says nothing leads to the view that the reader opens this list with, if they chose one. A form
        that stands on the list's page names the page's `path`, since it is drawn again at the form's own address.
        """
        path = path or self.request.url.path
        take = self.request.scope.get(TAKER)
        if take is not None:
            await take(self._listed(view, load, path, Habits()))
            return Response(status_code=TAKEN)
        shown = await self._shown(view, load, path)
        wanted = self.request.query_params.get(FORMAT)
        if wanted in set(Format):
            if shown.is_long:
                return self.show("web/export.html", list=shown, format=Format(wanted))
            return await as_file(self._listed(view, load, path, shown.habits), Format(wanted))
        default = next((kept for kept in shown.habits.views if kept.id == shown.habits.default_id), None)
        if default and is_safe(self.request) and not self.request.url.query and not self.is_fragment:
            return self.go(shown.view_address(default))
        return self.show(template, list=shown, **context)

    async def chosen(self, view: ListView[Entry], load: Load[Entry]) -> tuple[str, ...]:
        """Return the keys of the rows that a bulk act was sent for: those ticked, or all that match the view.

        Raises:
            Refused: more rows match than one act may take.
        """
        form = await self.request.form()
        if MATCHING not in form:
            return tuple(str(key) for key in form.getlist(ROW))
        asked = view.asked(QueryParams(str(form[MATCHING])), self.reader.zone)
        return tuple([str(view.key(row)) async for row in every_row(asked.ask, load)])

    def _listed(self, view: ListView[Entry], load: Load[Entry], path: str, habits: Habits) -> Listed:
        asked = view.asked(self.request.query_params, self.reader.zone, habits.columns)
        return Listed(view=view, asked=asked, load=load, reader=self.reader, path=path)

    async def _shown(self, view: ListView[Entry], load: Load[Entry], path: str) -> Shown[Entry]:
        habits, principal = Habits(), self.principal
        if principal is not None:
            habits = await views.habits(self.request.state.session, principal, path=path)
        asked = view.asked(self.request.query_params, self.reader.zone, habits.columns)
        return Shown(
            view=view,
            path=path,
            asked=asked,
            found=await load(asked.ask),
            zone=self.reader.zone,
            habits=habits,
            token=csrf.token_of(self.request),
            may_share=principal is not None and views.may_share(principal),
        )

    def done(
        self,
        path: str,
        said: str = "",
        /,
        *,
        undo: Undo | None = None,
        parameters: dict[str, str | int] | None = None,
    ) -> Response:
        """Answer an act that succeeded: send the browser to `path`, where `said` stands once.

        On htmx the page stays: `said` appears in it, and its live parts fetch themselves anew. A form that a telephone
        kept learns from the header where its page would have gone.
        """
        notice = Notice(id=said, parameters=parameters or {}, undo=undo) if said else None
        if not self.is_fragment:
            return self.go(path, notice=notice)
        response = self.show("web/notice.html", notice=notice)
        response.headers["HX-Retarget"] = "#notices"
        response.headers["HX-Reswap"] = "innerHTML"
        response.headers["HX-Trigger"] = "changed"
        response.headers["X-Then"] = path
        return response

    def go(self, path: str, *, notice: Notice | None = None) -> Response:
        """Send the browser to another page, with the whole page on htmx too."""
        response: Response = RedirectResponse(path, status_code=303)
        if self.is_fragment:
            response = Response(status_code=204, headers={"HX-Redirect": path})
        if notice:
            notices.leave(response, self.request, notice)
        return response

    def back(self, default: str = "/") -> str:
        """Return the path of our page that the browser came from."""
        came_from = urlsplit(self.request.headers.get("hx-current-url") or self.request.headers.get("referer", ""))
        if came_from.netloc != self.request.url.netloc:
            return default
        return local_path(came_from.path + (f"?{came_from.query}" if came_from.query else ""), default=default)

    async def form(self, model: type[Model]) -> Form[Model]:
        """Return what was sent, as typed values or as errors at its fields."""
        return await read_form(self.request, model)

    @asynccontextmanager
    async def mending(self, form: Form[Any], draw: Callable[[], Awaitable[Response]]) -> AsyncIterator[None]:
        """Run an act; when it is refused, draw the form again with what was typed and what to mend.

        What the act had changed is undone. Errors that no typing mends (not found, not allowed) pass through.
        """
        try:
            yield
        except GatehouseError as error:
            if error.status not in _MENDABLE:
                raise
            form.blame(error)
            response = await draw()
            response.status_code = 422 if error.status == 400 else error.status
            raise Answered(response) from error

    def _fresh(self, text: str, *, status: int) -> Response:
        headers = {"Vary": _VARY}
        if status == 200 and is_safe(self.request):
            tag = f'W/"{hashlib.sha256(text.encode()).hexdigest()[:20]}"'
            headers["ETag"] = tag
            if tag in self.request.headers.get("if-none-match", ""):
                return Response(status_code=304, headers={**headers, "Cache-Control": "private, no-cache"})
        return HTMLResponse(text, status_code=status, headers=headers)

    def _surroundings(self, notice: Notice | None) -> dict[str, Any]:
        principal = self.principal
        entries = [entry for entry in self.frame.entries if principal and entry.is_for(principal)]
        versions = self.frame.hub.told(principal.organisation_id) if principal else {}
        return {
            "page": self,
            "principal": principal,
            "entries": entries,
            "here": self.request.url.path,
            "unread": getattr(self.request.state, "unread", 0),
            "csrf_token": csrf.token_of(self.request),
            "notice": notice,
            "undo_s": notices.UNDO_S,
            "live_versions": " ".join(f"{topic}:{version}" for topic, version in sorted(versions.items())),
        }


def page(request: Request) -> Page:
    """Return the page of the request."""
    return Page(request)


OnPage = Annotated[Page, Depends(page)]
