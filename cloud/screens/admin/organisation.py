"""The organisation's own page: what it is called, and its local time."""

from typing import Annotated

from pydantic import Field
from starlette.responses import Response

from cloud.accounts import organisations
from cloud.core.principal import Role
from cloud.web.forms import Form, FormModel
from cloud.web.pages import OnPage, Page
from cloud.web.routing import pages_for
from cloud.web.session import Work
from firmware_configs.look.words import _

router = pages_for(Role.ADMINISTRATOR)


class OrganisationForm(FormModel):
    """What may be changed of an organisation."""

    name: Annotated[str, Field(min_length=1, max_length=80)]
    time_zone: Annotated[str, Field(min_length=1, max_length=40)]


@router.get("/admin/organisation")
async def organisation(work: Work, page: OnPage) -> Response:
    """Draw the form with what stands."""
    found = await organisations.find_organisation(work.session, work.principal)
    return _draw(page, Form.blank(OrganisationForm, name=found.name, time_zone=found.time_zone))


@router.post("/admin/organisation")
async def change(work: Work, page: OnPage) -> Response:
    """Take the changes."""
    form = await page.form(OrganisationForm)

    async def again() -> Response:
        return _draw(page, form)

    async with page.mending(form, again):
        await organisations.change_organisation(
            work.session, work.clock, work.principal, name=form.value.name, time_zone=form.value.time_zone
        )
    return page.done("/admin/organisation", _("Saved."))


def _draw(page: Page, form: Form[OrganisationForm]) -> Response:
    return page.show("admin/organisation.html", form=form)
