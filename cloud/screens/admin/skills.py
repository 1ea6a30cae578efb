"""What somebody can do, and the certificates that say so."""

from datetime import date
from typing import Annotated

from pydantic import Field
from starlette.responses import Response

from cloud.accounts import people
from cloud.core.principal import Role
from cloud.tickets import skills
from cloud.web import words
from cloud.web.forms import Form, FormModel
from cloud.web.pages import OnPage, Page
from cloud.web.routing import pages_for
from cloud.web.session import Unit, Work
from firmware_configs.look.words import _

router = pages_for(Role.ADMINISTRATOR)


class SkillForm(FormModel):
    """A skill, and by which certificate."""

    skill: Annotated[str, Field(max_length=40)]
    certificate: Annotated[str, Field(max_length=40)] = ""
    valid_until: date | None = None


@router.get("/admin/people/{person_id}/skills")
async def skills_page(work: Work, page: OnPage, person_id: int) -> Response:
    """Draw what somebody can do."""
    return await _draw(work, page, person_id, Form.blank(SkillForm))


@router.post("/admin/people/{person_id}/skills")
async def give(work: Work, page: OnPage, person_id: int) -> Response:
    """Write down a skill, or the new certificate for it."""
    form = await page.form(SkillForm)
    async with page.mending(form, lambda: _draw(work, page, person_id, form)):
        await skills.give_skill(
            work.session,
            work.clock,
            work.principal,
            person_id=person_id,
            skill=form.value.skill,
            certificate=form.value.certificate,
            valid_until=form.value.valid_until,
        )
    work.changed("tickets")
    return page.done(f"/admin/people/{person_id}/skills", _("Saved."))


@router.post("/admin/people/{person_id}/skills/{skill_id}/take")
async def take(work: Work, page: OnPage, person_id: int, skill_id: int) -> Response:
    """Write down that they can do it no longer."""
    await skills.take_skill(work.session, work.clock, work.principal, person_id=person_id, skill_id=skill_id)
    work.changed("tickets")
    return page.done(f"/admin/people/{person_id}/skills", _("Removed."))


async def _draw(work: Unit, page: Page, person_id: int, form: Form[SkillForm]) -> Response:
    person = await people.find_person(work.session, work.principal, person_id)
    today = await skills.today(work.session, work.clock, work.principal)
    known = await skills.skills_of(work.session, work.principal, person_id=person_id)
    locale = page.reader.locale
    offered = await skills.offered_skills(work.session, work.principal)
    return page.show(
        "admin/skills.html",
        person=person,
        form=form,
        known=[(each, words.written(skills.skill_name(each.skill), locale)) for each in known],
        offered=[(code, words.written(skills.skill_name(code), locale)) for code in offered],
        today=today,
        does_repairs=Role.WORKER in person.roles,
    )
