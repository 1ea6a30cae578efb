"""The organisation's people: the list, and adding, changing and letting go."""

from typing import Annotated

from pydantic import Field
from starlette.responses import Response

from cloud.accounts import people
from cloud.accounts.domain import Person
from cloud.accounts.phones import shown
from cloud.core.errors import Refused
from cloud.core.listing import Ask, Found
from cloud.core.principal import STAFF, Role
from cloud.properties import service as properties
from cloud.properties.domain import SEPARATOR
from cloud.web import words
from cloud.web.forms import Form, FormModel
from cloud.web.lists import Column, Kind, ListView, Option
from cloud.web.pages import OnPage, Page
from cloud.web.routing import pages_for
from cloud.web.session import Unit, Work
from firmware_configs.look.words import _

router = pages_for(Role.ADMINISTRATOR)


class PersonForm(FormModel):
    """What may be changed of a person; no community chosen means all of them."""

    name: Annotated[str, Field(min_length=1, max_length=80)]
    phone: Annotated[str, Field(max_length=40)] | None = None
    roles: tuple[Role, ...]
    communities: tuple[int, ...] = ()


class NewPersonForm(PersonForm):
    """A person who is not there yet."""

    login: Annotated[str, Field(min_length=3, max_length=64)]


@router.get("/admin/people")
async def people_list(work: Work, page: OnPage) -> Response:
    """Draw everybody, those who left too."""

    async def load(ask: Ask) -> Found[Person]:
        return await people.ask_for_people(work.session, work.principal, ask)

    return await page.list("admin/people.html", _view(page), load)


@router.get("/admin/people/new")
async def ask_new(work: Work, page: OnPage) -> Response:
    """Draw the form for somebody new."""
    return await _draw(work, page, Form.blank(NewPersonForm))


@router.post("/admin/people/new")
async def add(work: Work, page: OnPage) -> Response:
    """Add somebody, and show their one-time password this once."""
    form = await page.form(NewPersonForm)
    async with page.mending(form, lambda: _draw(work, page, form)):
        invited = await people.add_person(
            work.session,
            work.clock,
            work.principal,
            login=form.value.login,
            name=form.value.name,
            phone=form.value.phone,
            roles=frozenset(form.value.roles),
            communities=await _communities(work, form.value),
        )
    return await _show_password(work, page, invited)


@router.get("/admin/people/{person_id}")
async def person(work: Work, page: OnPage, person_id: int) -> Response:
    """Draw somebody's form, and what else can be done."""
    found = await people.find_person(work.session, work.principal, person_id)
    communities = sorted(found.communities or ())
    phone = shown(found.phone) if found.phone else None
    form = Form.blank(PersonForm, name=found.name, phone=phone, roles=sorted(found.roles), communities=communities)
    return await _draw(work, page, form, person=found)


@router.post("/admin/people/{person_id}")
async def change(work: Work, page: OnPage, person_id: int) -> Response:
    """Take the changes."""
    found = await people.find_person(work.session, work.principal, person_id)
    form = await page.form(PersonForm)
    async with page.mending(form, lambda: _draw(work, page, form, person=found)):
        await people.change_person(
            work.session,
            work.clock,
            work.principal,
            person_id,
            name=form.value.name,
            phone=form.value.phone,
            roles=frozenset(form.value.roles),
            communities=await _communities(work, form.value),
        )
    return page.done(f"/admin/people/{person_id}", _("Saved."))


@router.get("/admin/people/{person_id}/deactivate")
async def ask_deactivate(work: Work, page: OnPage, person_id: int) -> Response:
    """Ask once more, for browsers without scripts."""
    return await _ask_deactivate(work, page, person_id, Form.blank(FormModel))


@router.post("/admin/people/{person_id}/deactivate")
async def deactivate(work: Work, page: OnPage, person_id: int) -> Response:
    """Let somebody sign in no more."""
    form = await page.form(FormModel)
    async with page.mending(form, lambda: _ask_deactivate(work, page, person_id, form)):
        await people.deactivate_person(work.session, work.clock, work.principal, person_id)
    return page.go(f"/admin/people/{person_id}")


@router.post("/admin/people/{person_id}/reactivate")
async def reactivate(work: Work, page: OnPage, person_id: int) -> Response:
    """Let somebody in again, with a one-time password shown this once."""
    invited = await people.reactivate_person(work.session, work.clock, work.principal, person_id)
    return await _show_password(work, page, invited)


@router.post("/admin/people/{person_id}/password")
async def reset_password(work: Work, page: OnPage, person_id: int) -> Response:
    """Give somebody a one-time password, shown this once."""
    invited = await people.reset_password(work.session, work.clock, work.principal, person_id)
    return await _show_password(work, page, invited)


def _view(page: Page) -> ListView[Person]:
    return ListView(
        name="people_list",
        caption=_("People"),
        searchable=_("name or login"),
        key=lambda row: row.id,
        sort="name",
        columns=(
            Column(name="name", label=_("person|Name"), value=lambda row: row.name),
            Column(name="login", label=_("Login"), value=lambda row: row.login),
            Column(
                name=people.ROLES,
                label=_("Roles"),
                value=lambda row: SEPARATOR.join(page.say(words.ROLES[role]) for role in sorted(row.roles)),
                sortable=False,
                filtered=True,
                options=tuple(Option(value=role, label=words.ROLES[role]) for role in words.ROLES if role in STAFF),
            ),
            Column(
                name="is_active",
                label=_("Signs in"),
                value=lambda row: row.is_active,
                filtered=True,
                options=(
                    Option(value="yes", label=_("Yes"), meaning=True),
                    Option(value="no", label=_("No longer"), meaning=False),
                ),
            ),
            Column(name="signed_in_at", label=_("Last sign-in"), value=lambda row: row.signed_in_at, kind=Kind.TIME),
        ),
    )


async def _draw(
    work: Unit, page: Page, form: Form[NewPersonForm] | Form[PersonForm], *, person: Person | None = None
) -> Response:
    communities = await properties.list_communities(work.session, work.principal)
    return page.show(
        "admin/person.html",
        form=form,
        person=person,
        roles=[(role, page.say(label)) for role, label in words.ROLES.items() if role in STAFF],
        communities=[(community.id, community.name) for community in communities],
    )


async def _ask_deactivate(work: Unit, page: Page, person_id: int, form: Form[FormModel]) -> Response:
    found = await people.find_person(work.session, work.principal, person_id)
    return page.show("admin/deactivate.html", person=found, form=form)


async def _show_password(work: Unit, page: Page, invited: people.Invited) -> Response:
    found = await people.find_person(work.session, work.principal, invited.person_id)
    response = page.show("admin/invited.html", person=found, password=invited.one_time_password)
    response.headers["Cache-Control"] = "no-store"
    return response


async def _communities(work: Unit, form: PersonForm) -> frozenset[int] | None:
    """Return the chosen communities, None for all.

    Raises:
        Refused: one of them is not there to be chosen.
    """
    if not form.communities:
        return None
    offered = {community.id for community in await properties.list_communities(work.session, work.principal)}
    if not offered.issuperset(form.communities):
        raise Refused(_("Choose among the communities that are offered."), field="communities")
    return frozenset(form.communities)
