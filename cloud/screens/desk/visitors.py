"""The queue at a counter: giving numbers, calling the next one, and the end of each visit."""

from typing import Annotated

from pydantic import Field
from starlette.responses import Response

from cloud.core.principal import Role
from cloud.properties import service as properties
from cloud.reception import queue
from cloud.reception.domain import Channel, VisitorState
from cloud.screens.desk.calls import TOPIC
from cloud.screens.desk.reception_words import VISITOR_STATES
from cloud.web.forms import Form, FormModel
from cloud.web.ids import Id
from cloud.web.pages import OnPage, Page
from cloud.web.routing import pages_for
from cloud.web.session import Unit, Work
from firmware_configs.look.words import _

router = pages_for(Role.DESK)


class VisitorForm(FormModel):
    """Somebody who takes a number."""

    community_id: Id
    name: Annotated[str, Field(max_length=80)] = ""
    text: Annotated[str, Field(max_length=200)] = ""


class CounterForm(FormModel):
    """At which community's counter."""

    community_id: Id


@router.get("/desk/queue")
async def line(work: Work, page: OnPage, community: Id | None = None) -> Response:
    """Draw who waits at a community's counter and who is served there."""
    return await _draw(work, page, community, None)


@router.post("/desk/queue")
async def take(work: Work, page: OnPage) -> Response:
    """Give somebody a number."""
    form = await page.form(VisitorForm)
    number = 0
    async with page.mending(form, lambda: _draw(work, page, None, form)):
        sent = form.value
        number = await queue.take_number(
            work.session,
            work.clock,
            work.principal,
            community_id=sent.community_id,
            name=sent.name,
            text=sent.text,
        )
    work.changed(TOPIC)
    path = f"/desk/queue?community={form.value.community_id}"
    return page.done(path, _("Number %(number)d."), parameters={"number": number})


@router.post("/desk/queue/next")
async def call_next(work: Work, page: OnPage) -> Response:
    """Call whoever has waited longest, and go on with them at the desk."""
    sent = (await page.form(CounterForm)).value
    called = await queue.call_next(work.session, work.clock, work.principal, community_id=sent.community_id)
    work.changed(TOPIC)
    path = f"/desk/queue?community={sent.community_id}"
    return page.done(path, _("Number %(number)d is called."), parameters={"number": called.number})


@router.post("/desk/queue/{visitor_id}/{state}")
async def end(work: Work, page: OnPage, visitor_id: int, state: VisitorState) -> Response:
    """Note that somebody was served or left."""
    visitor = await queue.find_visitor(work.session, work.clock, work.principal, visitor_id)
    await queue.end_visit(work.session, work.clock, work.principal, visitor_id=visitor_id, state=state)
    work.changed(TOPIC)
    return page.done(f"/desk/queue?community={visitor.community_id}", _("The visit is over."))


async def _draw(work: Unit, page: Page, community_id: int | None, form: Form[VisitorForm] | None) -> Response:
    communities = await properties.list_communities(work.session, work.principal)
    chosen = community_id or (communities[0].id if communities else None)
    waiting = []
    if chosen is not None:
        waiting = await queue.in_line(work.session, work.clock, work.principal, community_id=chosen)
    return page.show(
        "desk/queue.html",
        communities=communities,
        chosen=chosen,
        visitors=waiting,
        states=VISITOR_STATES,
        visit=Channel.VISIT,
        form=form or Form.blank(VisitorForm, community_id=chosen),
    )
