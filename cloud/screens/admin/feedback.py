"""How opinions are asked for, and what a poor one does."""

from typing import Annotated

from pydantic import Field
from starlette.responses import Response

from cloud.core.principal import Role
from cloud.feedback import rules
from cloud.feedback.domain import FeedbackRules, OnPoor, Rating
from cloud.web import words
from cloud.web.forms import Form, FormModel
from cloud.web.pages import OnPage, Page
from cloud.web.routing import pages_for
from cloud.web.session import Unit, Work
from firmware_configs.look.words import _

router = pages_for(Role.ADMINISTRATOR)

PATH = "/admin/feedback"
ON_POOR = {
    OnPoor.REOPEN: _("poor|The case is taken up again"),
    OnPoor.CALL: _("poor|Whoever leads the repairs is told"),
}


class RulesForm(FormModel):
    """The rules, as a person changes them."""

    cap_days: int
    open_days: int
    change_hours: int
    poor_at: Annotated[int, Field(ge=1, le=5)]
    on_poor: OnPoor
    version: Annotated[int, Field(ge=0)]


@router.get(PATH)
async def ask(work: Work, page: OnPage) -> Response:
    """Draw the rules in force."""
    found = await rules.find_rules(work.session, work.principal)
    form = Form.blank(
        RulesForm,
        cap_days=found.rules.cap_days,
        open_days=found.rules.open_days,
        change_hours=found.rules.change_hours,
        poor_at=int(found.rules.poor_at),
        on_poor=found.rules.on_poor,
        version=found.version,
    )
    return _draw(page, form)


@router.post(PATH)
async def change(work: Work, page: OnPage) -> Response:
    """Put other rules into force."""
    form = await page.form(RulesForm)

    async def again() -> Response:
        return _draw(page, form)

    async with page.mending(form, again):
        await _define(work, form.value)
    return page.done(PATH, _("Saved."))


async def _define(work: Unit, sent: RulesForm) -> None:
    wanted = FeedbackRules(
        cap_days=sent.cap_days,
        open_days=sent.open_days,
        change_hours=sent.change_hours,
        poor_at=Rating(sent.poor_at),
        on_poor=sent.on_poor,
    )
    await rules.define_rules(work.session, work.clock, work.principal, wanted, version=sent.version)


def _draw(page: Page, form: Form[RulesForm]) -> Response:
    poor = [(int(rating), page.say(words.RATINGS[rating])) for rating in Rating if rating is not Rating.VERY_GOOD]
    effects = [(effect, page.say(label)) for effect, label in ON_POOR.items()]
    return page.show("admin/feedback.html", form=form, poor=poor, effects=effects)
