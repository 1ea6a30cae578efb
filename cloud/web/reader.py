"""Who reads a page: language, zone, theme, size and keys, which every template's words and figures depend on."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeVar
from zoneinfo import ZoneInfo

from starlette.requests import Request

from cloud.web.catalogues import Catalogue, Locale, catalogue

LOCALE_COOKIE = "gatehouse_language"
THEME_COOKIE = "gatehouse_theme"
SIZE_COOKIE = "gatehouse_size"
KEYS_COOKIE = "gatehouse_keys"
Choice = TypeVar("Choice", bound=StrEnum)

_SCHEME_HINT = "sec-ch-prefers-color-scheme"


class Theme(StrEnum):
    """What the reader chose; AUTO follows the device."""

    AUTO = "auto"
    LIGHT = "light"
    DARK = "dark"


class Size(StrEnum):
    """How large a page is drawn."""

    NORMAL = "normal"
    ELDER = "elder"  # 长辈版: 20 px, targets of 60 px, one column


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """What a page must know of the person in front of it.

    Attributes:
        now: the instant of the request, which "yesterday" is counted from.
        drawn: the theme that the server writes into the page; with AUTO and no hint of the browser, light.
    """

    locale: Locale
    zone: ZoneInfo
    now: datetime
    theme: Theme = Theme.AUTO
    drawn: Theme = Theme.LIGHT
    size: Size = Size.NORMAL
    keys: bool = True

    @property
    def words(self) -> Catalogue:
        """Return the reader's language."""
        return catalogue(self.locale)


_current: ContextVar[Reader] = ContextVar("reader")


def current() -> Reader:
    """Return the reader of the page that is being drawn."""
    return _current.get()


@contextmanager
def reading(reader: Reader) -> Iterator[None]:
    """Draw for `reader` within the block."""
    token = _current.set(reader)
    try:
        yield
    finally:
        _current.reset(token)


def reader_of(request: Request, *, now: datetime, zone: ZoneInfo) -> Reader:
    """Return the reader that a request's cookies and headers speak of; what they do not say is the default."""
    cookies = request.cookies
    theme = _chosen(Theme, cookies.get(THEME_COOKIE), Theme.AUTO)
    hinted = _chosen(Theme, request.headers.get(_SCHEME_HINT, "").strip('"'), Theme.LIGHT)
    return Reader(
        locale=_locale(cookies.get(LOCALE_COOKIE), request.headers.get("accept-language", "")),
        zone=zone,
        now=now,
        theme=theme,
        drawn=hinted if theme is Theme.AUTO else theme,
        size=_chosen(Size, cookies.get(SIZE_COOKIE), Size.NORMAL),
        keys=cookies.get(KEYS_COOKIE) != "off",
    )


def _chosen(kind: type[Choice], value: str | None, default: Choice) -> Choice:
    return kind(value) if value in set(kind) else default


def _locale(chosen: str | None, accepted: str) -> Locale:
    """Return the cookie's language, else the first that the browser asks for, else 简体中文."""
    if chosen in set(Locale):
        return Locale(chosen)
    ranked = sorted(enumerate(accepted.lower().split(",")), key=lambda entry: (-_weight(entry[1]), entry[0]))
    for _, entry in ranked:
        tag = entry.partition(";")[0].strip()
        if tag.startswith(("zh", "en")):
            return Locale.EN if tag.startswith("en") else Locale.ZH_HANS
    return Locale.ZH_HANS


def _weight(entry: str) -> float:
    try:
        return float(entry.partition(";q=")[2] or 1)
    except ValueError:
        return 0.0
