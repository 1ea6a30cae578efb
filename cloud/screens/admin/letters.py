"""Dead letters: events that somebody who hears them refused to the last."""

from starlette.responses import Response

from cloud.core import dead_letters
from cloud.core.dead_letters import DeadLetter
from cloud.core.listing import Ask, Found
from cloud.core.principal import Role
from cloud.web.lists import Column, Kind, ListView
from cloud.web.pages import OnPage
from cloud.web.routing import pages_for
from cloud.web.session import Work
from firmware_configs.look.words import _

router = pages_for(Role.ADMINISTRATOR)

LIST = "/admin/letters"

LETTERS = ListView[DeadLetter](
    name="letter_list",
    caption=_("Dead letters"),
    searchable=_("event, handler, subject or error"),
    key=lambda row: row.id,
    columns=(
        Column(name="kind", label=_("Event"), value=lambda row: row.kind, filtered=True),
        Column(name="handler", label=_("Handler"), value=lambda row: row.handler, filtered=True),
        Column(name="subject", label=_("Subject"), value=lambda row: row.subject, filtered=True),
        Column(name="emitted_at", label=_("Happened"), value=lambda row: row.emitted_at, kind=Kind.TIME, filtered=True),
        Column(name="attempts", label=_("Tries"), value=lambda row: row.attempts, kind=Kind.NUMBER, phone=False),
        Column(name="error", label=_("Error"), value=lambda row: row.error, sortable=False),
        Column(name="acts", label=_("What to do"), value=lambda _row: None, sortable=False),
    ),
)


@router.get("/admin/letters")
async def letters(work: Work, page: OnPage) -> Response:
    """Draw the organisation's dead letters."""

    async def load(ask: Ask) -> Found[DeadLetter]:
        return await dead_letters.list_dead_letters(work.session, work.principal, ask)

    dead = await dead_letters.count_dead_letters(work.session, work.principal)
    waiting = await dead_letters.count_waiting(work.session, work.principal)
    return await page.list("admin/letters.html", LETTERS, load, dead=dead, waiting=waiting)


@router.post("/admin/letters/{letter_id}/retry")
async def retry(work: Work, page: OnPage, letter_id: int) -> Response:
    """Have one delivered again."""
    await dead_letters.retry(work.session, work.clock, work.principal, letter_id)
    return page.done(LIST, _("It is being delivered again."))


@router.get("/admin/letters/{letter_id}/discard")
async def ask_discard(work: Work, page: OnPage, letter_id: int) -> Response:
    """Ask once more, over what is given up."""
    letter = await dead_letters.find_dead_letter(work.session, work.principal, letter_id)
    return page.show("admin/discard.html", letter=letter)


@router.post("/admin/letters/{letter_id}/discard")
async def discard(work: Work, page: OnPage, letter_id: int) -> Response:
    """Give one up for good."""
    await dead_letters.discard(work.session, work.clock, work.principal, letter_id)
    return page.done(LIST, _("The letter is gone; what waited behind it goes on."))
