"""Where somebody is signed in, and signing a browser of theirs out."""

from starlette.responses import Response

from cloud.accounts import people
from cloud.accounts import service as accounts
from cloud.core.principal import Role
from cloud.web.pages import OnPage
from cloud.web.routing import pages_for
from cloud.web.session import Visit, Work
from firmware_configs.look.words import _

router = pages_for(Role.ADMINISTRATOR)


@router.get("/admin/people/{person_id}/sessions")
async def sessions(work: Work, page: OnPage, visit: Visit, person_id: int) -> Response:
    """Draw the browsers in which somebody is signed in."""
    person = await people.find_person(work.session, work.principal, person_id)
    found = await accounts.list_sessions_of(
        work.session, work.clock, work.principal, person_id, own_session_id=visit.session_id
    )
    return page.show("admin/sessions.html", person=person, sessions=found)


@router.post("/admin/people/{person_id}/sessions/{session_id}/end")
async def end(work: Work, page: OnPage, person_id: int, session_id: int) -> Response:
    """Sign one of them out."""
    await people.find_person(work.session, work.principal, person_id)
    await accounts.end_session(work.session, work.clock, work.principal, session_id=session_id)
    return page.done(f"/admin/people/{person_id}/sessions", _("That browser is signed out."))
