"""Signing in and out."""

from typing import Annotated

from pydantic import Field
from starlette.responses import Response

from cloud.accounts import service as accounts
from cloud.accounts.domain import Denied, SignedIn
from cloud.web.forms import Form, FormModel
from cloud.web.pages import OnPage, Page
from cloud.web.routing import pages_for, public_pages
from cloud.web.session import (
    PASSWORD_PATH,
    SESSION_COOKIE,
    SIGN_IN_PATH,
    Session,
    client_address,
    forget,
    local_path,
    remember,
)

public = public_pages()
signed_in = pages_for()


class SignIn(FormModel):
    """Who comes, and where they wanted to go."""

    login: Annotated[str, Field(min_length=1, max_length=64)]
    password: Annotated[str, Field(min_length=1, max_length=128)]
    next: str = "/"


@public.get(SIGN_IN_PATH)
async def ask_who(page: OnPage) -> Response:
    """Draw the sign-in page."""
    return _draw(page, Form.blank(SignIn, next=local_path(page.request.query_params.get("next"))))


@public.post(SIGN_IN_PATH)
async def sign_in(page: OnPage, session: Session) -> Response:
    """Begin a visit and lead to the work."""
    form = await page.form(SignIn)

    async def again() -> Response:
        return _draw(page, form)

    async with page.mending(form, again):
        who = form.value
        outcome = await accounts.sign_in(
            session,
            page.frame.clock,
            login=who.login,
            password=who.password,
            address=client_address(page.request),
            agent=page.request.headers.get("user-agent", ""),
        )
        if isinstance(outcome, Denied):
            # Drawn, not raised: a failure that is undone with its transaction would never count.
            form.blame(outcome.reason)
            return _draw(page, form, status=429 if outcome.reason.status == 429 else 422)
    response = page.go(first_path(page, outcome, wanted=local_path(who.next)))
    remember(response, page.request, outcome.token)
    return response


@signed_in.post("/sign-out")
async def sign_out(page: OnPage, session: Session) -> Response:
    """End the visit, here and on the server."""
    await accounts.sign_out(session, page.frame.clock, token=page.request.cookies[SESSION_COOKIE])
    response = page.go(SIGN_IN_PATH)
    forget(response)
    return response


def first_path(page: Page, visit: SignedIn, *, wanted: str) -> str:
    """Return where the visit goes on: to a password of one's own, the page asked for, or where the roles begin."""
    if visit.must_change_password:
        return PASSWORD_PATH
    if wanted != "/":
        return wanted
    firsts = [entry.path for entry in page.frame.entries if entry.first_for & visit.principal.roles]
    return firsts[0] if len(firsts) == 1 else "/"


def _draw(page: Page, form: Form[SignIn], *, status: int = 200) -> Response:
    return page.show("entrance/sign_in.html", status=status, form=form)
