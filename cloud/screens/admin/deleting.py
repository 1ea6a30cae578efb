"""The page that asks whether something may be deleted, and says why it may not."""

from collections.abc import Awaitable, Callable

from starlette.responses import Response

from cloud.web.forms import Form, FormModel
from cloud.web.pages import Page


def ask_delete(page: Page, name: str, *, back: str, form: Form[FormModel] | None = None) -> Response:
    """Ask whether something may be deleted; the answer is sent to where the question stands."""
    return page.show("admin/delete.html", name=name, back=back, form=form or Form.blank(FormModel))


async def delete_asked(page: Page, delete: Callable[[], Awaitable[None]], *, name: str, back: str) -> None:
    """Delete what was asked about; when it is used, ask again and say so."""
    form = await page.form(FormModel)

    async def again() -> Response:
        return ask_delete(page, name, back=back, form=form)

    async with page.mending(form, again):
        await delete()
