"""Communities: the list, one with all that is in it, and making, changing and deleting one."""

from functools import partial
from typing import Annotated

from pydantic import Field
from starlette.responses import Response

from cloud.core.principal import Role
from cloud.properties import service as properties
from cloud.properties.domain import DEFAULT_TIME_ZONE
from cloud.properties.tree import read_tree
from cloud.screens.admin.deleting import ask_delete, delete_asked
from cloud.screens.admin.words import PLACE_KINDS
from cloud.web.forms import Form, FormModel
from cloud.web.pages import OnPage, Page
from cloud.web.routing import pages_for
from cloud.web.session import Work
from firmware_configs.look.words import _

router = pages_for(Role.ADMINISTRATOR)

LIST = "/admin/communities"


class CommunityForm(FormModel):
    """What there is to say about a community."""

    name: Annotated[str, Field(min_length=1, max_length=80)]
    address: Annotated[str, Field(max_length=200)] = ""
    time_zone: Annotated[str, Field(min_length=1, max_length=40)]


@router.get("/admin/communities")
async def communities(work: Work, page: OnPage) -> Response:
    """Draw all communities."""
    found = await properties.list_communities(work.session, work.principal)
    return page.show("admin/communities.html", communities=found)


@router.get("/admin/communities/new")
async def ask_new(page: OnPage) -> Response:
    """Draw the form for a new one."""
    return _draw(page, Form.blank(CommunityForm, time_zone=DEFAULT_TIME_ZONE))


@router.post("/admin/communities/new")
async def create(work: Work, page: OnPage) -> Response:
    """Make a community."""
    form = await page.form(CommunityForm)

    async def again() -> Response:
        return _draw(page, form)

    async with page.mending(form, again):
        community_id = await properties.create_community(
            work.session, work.clock, work.principal, **form.value.model_dump()
        )
    return page.done(f"{LIST}/{community_id}", _("Added."))


@router.get("/admin/communities/{community_id}")
async def community(work: Work, page: OnPage, community_id: int) -> Response:
    """Draw a community with its buildings, units and places."""
    tree = await read_tree(work.session, work.principal, community_id)
    return page.show("admin/community.html", community=tree, kinds=PLACE_KINDS)


@router.get("/admin/communities/{community_id}/edit")
async def ask_change(work: Work, page: OnPage, community_id: int) -> Response:
    """Draw the form with what stands."""
    found = await properties.find_community(work.session, work.principal, community_id)
    form = Form.blank(CommunityForm, name=found.name, address=found.address, time_zone=found.time_zone)
    return _draw(page, form, community_id=community_id)


@router.post("/admin/communities/{community_id}/edit")
async def change(work: Work, page: OnPage, community_id: int) -> Response:
    """Take the changes."""
    form = await page.form(CommunityForm)

    async def again() -> Response:
        return _draw(page, form, community_id=community_id)

    async with page.mending(form, again):
        await properties.change_community(
            work.session, work.clock, work.principal, community_id, **form.value.model_dump()
        )
    return page.done(f"{LIST}/{community_id}", _("Saved."))


@router.get("/admin/communities/{community_id}/delete")
async def ask_delete_community(work: Work, page: OnPage, community_id: int) -> Response:
    """Ask once more."""
    found = await properties.find_community(work.session, work.principal, community_id)
    return ask_delete(page, found.name, back=f"{LIST}/{community_id}")


@router.post("/admin/communities/{community_id}/delete")
async def delete(work: Work, page: OnPage, community_id: int) -> Response:
    """Delete a community that nothing is in."""
    found = await properties.find_community(work.session, work.principal, community_id)
    deleting = partial(properties.delete_community, work.session, work.clock, work.principal, community_id)
    await delete_asked(page, deleting, name=found.name, back=f"{LIST}/{community_id}")
    return page.done(LIST, _("Deleted."))


def _draw(page: Page, form: Form[CommunityForm], *, community_id: int | None = None) -> Response:
    back = LIST if community_id is None else f"{LIST}/{community_id}"
    return page.show("admin/community_form.html", form=form, back=back, is_new=community_id is None)
