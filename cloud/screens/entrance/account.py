"""One's own account: the password, and the browsers one is signed in with."""

from typing import Annotated

from pydantic import Field
from starlette.responses import Response

from cloud.accounts import service as accounts
from cloud.web.forms import Form, FormModel
from cloud.web.pages import OnPage, Page
from cloud.web.routing import pages_for
from cloud.web.session import PASSWORD_PATH, Visit, Work
from firmware_configs.look.words import _

# In this order: most browsers name others beside themselves.
_BROWSERS = (
    ("MicroMessenger/", "WeChat"),
    ("Edg/", "Edge"),
    ("HuaweiBrowser/", "Huawei Browser"),
    ("QQBrowser/", "QQ Browser"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("Windows", "Windows"),
    ("OpenHarmony", "HarmonyOS"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)

router = pages_for()


class NewPassword(FormModel):
    """The present password and the one that takes its place."""

    current: Annotated[str, Field(min_length=1, max_length=128)]
    password: Annotated[str, Field(min_length=1, max_length=128)]


@router.get("/me")
async def me(page: OnPage, work: Work, visit: Visit) -> Response:
    """Draw how pages look to this person, and where they are signed in."""
    own = visit.session_id
    sessions = await accounts.list_sessions(work.session, work.clock, work.principal, own_session_id=own)
    return page.show("entrance/me.html", sessions=[(session, _browser_name(session.agent)) for session in sessions])


@router.post("/me/sessions/{session_id}/end")
async def end_session(page: OnPage, work: Work, session_id: int) -> Response:
    """Sign another browser out."""
    await accounts.end_session(work.session, work.clock, work.principal, session_id=session_id)
    return page.done("/me", _("That browser is signed out."))


@router.get(PASSWORD_PATH)
async def ask_password(page: OnPage, visit: Visit) -> Response:
    """Draw the form for a new password."""
    return _draw(page, visit, Form.blank(NewPassword))


@router.post(PASSWORD_PATH)
async def change_password(page: OnPage, work: Work, visit: Visit) -> Response:
    """Take the new password and sign all other browsers out."""
    form = await page.form(NewPassword)

    async def again() -> Response:
        return _draw(page, visit, form)

    async with page.mending(form, again):
        denied = await accounts.change_password(
            work.session,
            work.clock,
            work.principal,
            session_id=visit.session_id,
            current=form.value.current,
            new=form.value.password,
        )
        if denied is not None:
            # Drawn, not raised: a failure that is undone with its transaction would never count.
            form.blame(denied.reason)
            return _draw(page, visit, form, status=429 if denied.reason.status == 429 else 422)
    return page.go("/")


def _browser_name(agent: str) -> str:
    """Return the browser and the system that a User-Agent header speaks of; empty when it names neither."""
    names = (next((name for mark, name in marks if mark in agent), "") for marks in (_BROWSERS, _SYSTEMS))
    return ", ".join(filter(None, names))


def _draw(page: Page, visit: Visit, form: Form[NewPassword], *, status: int = 200) -> Response:
    return page.show("entrance/password.html", status=status, form=form, must_change=visit.must_change_password)
