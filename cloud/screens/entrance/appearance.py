"""How pages look and speak in this browser."""

from typing import Literal

from starlette.responses import RedirectResponse, Response

from cloud.web.catalogues import Locale
from cloud.web.forms import FormModel
from cloud.web.pages import OnPage
from cloud.web.reader import KEYS_COOKIE, LOCALE_COOKIE, SIZE_COOKIE, THEME_COOKIE, Size, Theme
from cloud.web.routing import public_pages
from cloud.web.session import is_secure, local_path

_A_YEAR_S = 31_536_000

router = public_pages()


class Appearance(FormModel):
    """What the reader chose; what is not sent stays as it is."""

    language: Locale | None = None
    theme: Theme | None = None
    size: Size | None = None
    keys: Literal["on", "off"] | None = None
    next: str = "/"


@router.post("/appearance")
async def tune(page: OnPage) -> Response:
    """Keep the choice in the browser, so that it holds before anybody signs in."""
    chosen = (await page.form(Appearance)).value
    cookies = {
        LOCALE_COOKIE: chosen.language,
        THEME_COOKIE: chosen.theme,
        SIZE_COOKIE: chosen.size,
        KEYS_COOKIE: chosen.keys,
    }
    response = RedirectResponse(local_path(chosen.next), status_code=303)
    for name, value in cookies.items():
        if value:
            secure = is_secure(page.request)
            response.set_cookie(name, value, max_age=_A_YEAR_S, path="/", samesite="lax", secure=secure, httponly=True)
    return response
