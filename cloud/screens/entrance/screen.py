"""The page that leads each person to their work, and the screen as a whole."""

from pathlib import Path

from starlette.responses import Response

from cloud.screens.entrance import account, appearance, inbox, signing, telephone, told
from cloud.web.pages import OnPage
from cloud.web.routing import pages_for, public_pages
from cloud.web.screen import Screen
from cloud.web.session import PASSWORD_PATH, Visit, Work

signed_in = pages_for()


@signed_in.get("/")
async def home(page: OnPage, work: Work, visit: Visit) -> Response:
    """Draw what this person's work is, and how much of it waits."""
    if visit.must_change_password:
        return page.go(PASSWORD_PATH)
    entries = [entry for entry in page.frame.entries if entry.is_for(work.principal)]
    waiting = {e.path: await e.waiting(work.session, work.principal) for e in entries if e.waiting}
    return page.show("entrance/home.html", waiting=waiting)


router = public_pages()
for part in (
    signing.public,
    telephone.router,
    signing.signed_in,
    appearance.router,
    account.router,
    inbox.router,
    told.router,
    signed_in,
):
    router.include_router(part)

SCREEN = Screen(name="entrance", router=router, templates=Path(__file__).parent / "templates")
