"""The forms around every list: which columns it shows, views that are kept, and the one that it opens with."""

from typing import Annotated
from urllib.parse import parse_qsl, urlencode

from pydantic import Field
from starlette.responses import Response

from cloud.accounts import views
from cloud.accounts.askers import Asker
from cloud.accounts.views import SavedView
from cloud.core.errors import Forbidden, NotFound
from cloud.web.forms import Form, FormModel
from cloud.web.lists import CHOOSING, COLUMNS, VIEW, view_query
from cloud.web.notices import Notice
from cloud.web.pages import OnPage, Page
from cloud.web.replay import Listed, replay
from cloud.web.routing import pages_for
from cloud.web.session import Unit, Work, local_path
from firmware_configs.look.words import _

router = pages_for()

UP, DOWN, RESET = "up", "down", "reset"

Path = Annotated[str, Field(min_length=1, max_length=200)]
Query = Annotated[str, Field(max_length=views.QUERY_LENGTH)]


class StateForm(FormModel):
    """What a list's address asks."""

    query: Query = ""


class ListForm(StateForm):
    """A list as its address shows it."""

    path: Path


class ColumnsForm(ListForm):
    """The columns to be shown, in their order.

    Attributes:
        move: "up" or "down" and a column's name, or "reset".
    """

    cols: tuple[str, ...] = ()
    move: str = ""


class ViewForm(FormModel):
    """What a view is called, who sees it and whether its list opens with it."""

    name: Annotated[str, Field(min_length=1, max_length=views.NAME_LENGTH)]
    is_shared: bool = False
    is_default: bool = False


class NewViewForm(ViewForm):
    """A view that is not kept yet."""

    path: Path
    query: Query = ""


class DefaultForm(FormModel):
    """The view that a list opens with; none for the list as it comes."""

    path: Path
    view_id: int | None = None


async def listed(work: Unit, page: Page, *, path: str, query: str) -> Listed:
    """Return the list at an address, which the principal must be able to open.

    Raises:
        NotFound: no list is there, or it is not theirs to see.
    """
    found: list[Listed] = []

    async def take(shown: Listed) -> None:
        found.append(shown)

    asker = asker_of(work)
    at = local_path(path, default="")
    if at:
        site = work.request.app
        await replay(site, path=at, query=query, asker=asker, locale=page.reader.locale, take=take)
    if not found:
        raise NotFound(_("There is no such list."))
    return found[0]


def asker_of(work: Unit) -> Asker:
    """Return who asks, for what is looked at or done on their behalf.

    Raises:
        Forbidden: the principal is no person.
    """
    principal = work.principal
    if principal.person_id is None:
        raise Forbidden(_("Only a person can do this."))
    return Asker(organisation_id=principal.organisation_id, person_id=principal.person_id, roles=principal.roles)


@router.post("/views/columns")
async def choose_columns(work: Work, page: OnPage) -> Response:
    """Show other columns, or in another order, now and whenever the address says nothing."""
    sent = (await page.form(ColumnsForm)).value
    found = await listed(work, page, path=sent.path, query=sent.query)
    known = [column.name for column in found.view.columns]
    names = [] if sent.move == RESET else [name for name in dict.fromkeys(sent.cols) if name in known]
    act, _colon, moved = sent.move.partition(":")
    if moved in names:
        _move(names, moved, by=-1 if act == UP else 1)
    await views.remember_columns(work.session, work.principal, path=found.path, columns=names)
    pairs = [pair for pair in parse_qsl(view_query(found.view, found.asked)) if pair[0] != COLUMNS]
    pairs += [(COLUMNS, ",".join(names))] if names else []
    pairs += [(CHOOSING, "yes")] if moved else []
    return page.go(f"{found.path}?{urlencode(pairs or [(VIEW, '0')], safe=',')}")


@router.post("/views/default")
async def choose_default(work: Work, page: OnPage) -> Response:
    """Let a list open with a view."""
    sent = (await page.form(DefaultForm)).value
    await views.open_with(work.session, work.principal, path=sent.path, view_id=sent.view_id)
    said = _("The list opens with this view from now on.") if sent.view_id else _("The list opens as it comes.")
    return page.go(page.back(local_path(sent.path)), notice=Notice(id=said))


@router.post("/views")
async def save(work: Work, page: OnPage) -> Response:
    """Keep what a list shows, under a name."""
    form = await page.form(NewViewForm)

    async def again() -> Response:
        return _draw(work, page, form, view=None)

    view_id = 0
    async with page.mending(form, again):
        sent = form.value
        found = await listed(work, page, path=sent.path, query=sent.query)
        view_id = await views.save_view(
            work.session,
            work.clock,
            work.principal,
            list_name=found.view.name,
            path=found.path,
            name=sent.name,
            query=view_query(found.view, found.asked),
            is_shared=sent.is_shared,
        )
        if sent.is_default:
            await views.open_with(work.session, work.principal, path=found.path, view_id=view_id)
    return page.go(_address(await views.find_view(work.session, work.principal, view_id)), notice=_SAVED)


@router.get("/views/{view_id}")
async def view_page(work: Work, page: OnPage, view_id: int) -> Response:
    """Draw one's own view, to call it otherwise, share it or delete it."""
    found = await _own(work, view_id)
    habits = await views.habits(work.session, work.principal, path=found.path)
    is_default = habits.default_id == view_id
    form = Form.blank(ViewForm, name=found.name, is_shared=found.is_shared, is_default=is_default)
    return _draw(work, page, form, view=found)


@router.post("/views/{view_id}")
async def change(work: Work, page: OnPage, view_id: int) -> Response:
    """Take the changes."""
    found = await _own(work, view_id)
    form = await page.form(ViewForm)

    async def again() -> Response:
        return _draw(work, page, form, view=found)

    async with page.mending(form, again):
        sent = form.value
        await views.change_view(
            work.session, work.clock, work.principal, view_id, name=sent.name, is_shared=sent.is_shared
        )
        habits = await views.habits(work.session, work.principal, path=found.path)
        if sent.is_default != (habits.default_id == view_id):
            default = view_id if sent.is_default else None
            await views.open_with(work.session, work.principal, path=found.path, view_id=default)
    return page.go(_address(found), notice=_SAVED)


@router.post("/views/{view_id}/keep")
async def keep(work: Work, page: OnPage, view_id: int) -> Response:
    """Let a view show what its list shows now."""
    found = await _own(work, view_id)
    sent = (await page.form(StateForm)).value
    shown = await listed(work, page, path=found.path, query=sent.query)
    query = view_query(shown.view, shown.asked)
    await views.change_view(work.session, work.clock, work.principal, view_id, query=query)
    return page.go(_address(await views.find_view(work.session, work.principal, view_id)), notice=_SAVED)


@router.get("/views/{view_id}/delete")
async def ask_delete(work: Work, page: OnPage, view_id: int) -> Response:
    """Ask once more, for browsers without scripts."""
    return page.show("web/view_delete.html", view=await _own(work, view_id))


@router.post("/views/{view_id}/delete")
async def delete(work: Work, page: OnPage, view_id: int) -> Response:
    """Delete one's own view."""
    found = await _own(work, view_id)
    await views.delete_view(work.session, work.clock, work.principal, view_id)
    return page.go(local_path(found.path), notice=Notice(id=_("The view is deleted.")))


async def _own(work: Unit, view_id: int) -> SavedView:
    found = await views.find_view(work.session, work.principal, view_id)
    if not found.is_mine:
        raise Forbidden(_("Only whoever saved a view may change it."))
    return found


def _draw(work: Unit, page: Page, form: Form[NewViewForm] | Form[ViewForm], *, view: SavedView | None) -> Response:
    may_share = views.may_share(work.principal)
    return page.show("web/view.html", form=form, view=view, may_share=may_share)


def _address(view: SavedView) -> str:
    return f"{view.path}?{view.query}{'&' if view.query else ''}{VIEW}={view.id}"


def _move(names: list[str], name: str, *, by: int) -> None:
    at = names.index(name)
    names.insert(max(at + by, 0), names.pop(at))


_SAVED = Notice(id=_("The view is kept."))
