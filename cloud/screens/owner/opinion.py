"""The link of a message that asks for an opinion: its five choices, for whoever has it, without signing in."""

from starlette.responses import Response

from cloud.core.clock import Clock
from cloud.feedback import service as feedback
from cloud.screens.owner.result import THANKS, RatingForm
from cloud.web.forms import Form
from cloud.web.frame import frame_of
from cloud.web.pages import OnPage, Page
from cloud.web.routing import public_pages
from cloud.web.session import Session

router = public_pages()


@router.get("/opinion/{token}")
async def ask(session: Session, page: OnPage, token: str) -> Response:
    """Draw the choices; opening the link rates nothing, since mail programs open links by themselves."""
    return await _draw(session, page, token, Form.blank(RatingForm))


@router.post("/opinion/{token}")
async def rate(session: Session, page: OnPage, token: str) -> Response:
    """Take the choice that was tapped."""
    form = await page.form(RatingForm)
    async with page.mending(form, lambda: _draw(session, page, token, form)):
        await feedback.rate_by_link(session, _clock(page), token=token, rating=form.value.rating, text=form.value.text)
    return page.done(f"/opinion/{token}", THANKS)


async def _draw(session: Session, page: Page, token: str, form: Form[RatingForm]) -> Response:
    asked = await feedback.asked_by_link(session, _clock(page), token=token)
    return page.show("owner/opinion.html", asked=asked, form=form)


def _clock(page: Page) -> Clock:
    return frame_of(page.request).clock
