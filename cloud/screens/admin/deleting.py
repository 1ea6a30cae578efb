"""The page that asks whether something may be deleted."""

from starlette.responses import Response

from cloud.web.pages import Page


def ask_delete(page: Page, name: str, *, back: str) -> Response:
    """Ask whether something may be deleted; the answer is sent to where the question stands."""
    return page.show("admin/delete.html", name=name, back=back)
