"""Signing in and out, the page that leads each person to their work, and how pages look and speak."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field
from starlette.responses import RedirectResponse, Response

from cloud.accounts import service as accounts
from cloud.core.principal import Principal
from cloud.web.catalogues import Locale
from cloud.web.forms import Form, FormModel
from cloud.web.pages import OnPage, Page
from cloud.web.reader import KEYS_COOKIE, LOCALE_COOKIE, SIZE_COOKIE, THEME_COOKIE, Size, Theme
from cloud.web.routing import pages_for, public_pages
from cloud.web.screen import Entry, Screen
from cloud.web.session import SESSION_COOKIE, SIGN_IN_PATH, Session, Work, forget, local_path, remember

_A_YEAR_S = 31_536_000

public = public_pages()
signed_in = pages_for()


class SignIn(FormModel):
    """Who comes, and where they wanted to go."""

    name: Annotated[str, Field(min_length=1, max_length=100)]
    password: Annotated[str, Field(min_length=1, max_length=200)]
    next: str = "/"


class Appearance(FormModel):
    """How pages look and speak; what is not sent stays as it is."""

    language: Locale | None = None
    theme: Theme | None = None
    size: Size | None = None
    keys: Literal["on", "off"] | None = None
    next: str = "/"


@public.get(SIGN_IN_PATH)
async def ask_who(page: OnPage) -> Response:
    """Draw the sign-in page."""
    next_path = local_path(page.request.query_params.get("next"))
    return page.show("entrance/sign_in.html", form=Form.blank(SignIn, next=next_path))


@public.post(SIGN_IN_PATH)
async def sign_in(page: OnPage, session: Session) -> Response:
    """Begin a visit and lead to the work."""
    form = await page.form(SignIn)

    async def again() -> Response:
        return page.show("entrance/sign_in.html", form=form)

    async with page.mending(form, again):
        who = form.value
        visit = await accounts.sign_in(session, page.frame.clock, name=who.name, password=who.password)
    response = page.go(_first_path(page, visit.principal, local_path(who.next)))
    remember(response, page.request, visit.token)
    return response


@signed_in.post("/sign-out")
async def sign_out(page: OnPage, session: Session) -> Response:
    """End the visit, here and on the server."""
    await accounts.sign_out(session, page.frame.clock, token=page.request.cookies[SESSION_COOKIE])
    response = page.go(SIGN_IN_PATH)
    forget(response)
    return response


@signed_in.get("/")
async def home(page: OnPage, work: Work) -> Response:
    """Draw what this person's work is, and how much of it waits."""
    entries = _entries(page, work.principal)
    waiting = {e.path: await e.waiting(work.session, work.principal) for e in entries if e.waiting}
    return page.show("entrance/home.html", waiting=waiting)


@public.post("/appearance")
async def tune(page: OnPage) -> Response:
    """Keep how pages look and speak in this browser."""
    chosen = (await page.form(Appearance)).value
    response = RedirectResponse(local_path(chosen.next), status_code=303)
    cookies = {
        LOCALE_COOKIE: chosen.language,
        THEME_COOKIE: chosen.theme,
        SIZE_COOKIE: chosen.size,
        KEYS_COOKIE: chosen.keys,
    }
    secure = page.request.url.scheme == "https"
    for name, value in ((name, value) for name, value in cookies.items() if value):
        response.set_cookie(name, value, max_age=_A_YEAR_S, path="/", samesite="lax", secure=secure, httponly=True)
    return response


def _first_path(page: Page, principal: Principal, wanted: str) -> str:
    """Return where the visit goes on: the page that was asked for, else where all of the person's roles begin."""
    if wanted != "/":
        return wanted
    firsts = [entry.path for entry in _entries(page, principal) if entry.first_for & principal.roles]
    return firsts[0] if len(firsts) == 1 else "/"


def _entries(page: Page, principal: Principal) -> list[Entry]:
    return [entry for entry in page.frame.entries if entry.is_for(principal)]


public.include_router(signed_in)
SCREEN = Screen(name="entrance", router=public, templates=Path(__file__).parent / "templates")
