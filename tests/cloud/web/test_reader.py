from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from starlette.requests import Request

from cloud.web.catalogues import Locale
from cloud.web.reader import Reader, Size, Theme, reader_of


def _read(cookie: str = "", **headers: str) -> Reader:
    named = {"cookie": cookie, **{name.replace("_", "-"): value for name, value in headers.items()}}
    scope = {"type": "http", "headers": [(k.encode(), v.encode()) for k, v in named.items() if v]}
    return reader_of(Request(scope), now=datetime(2026, 3, 2, tzinfo=UTC), zone=ZoneInfo("Asia/Shanghai"))


@pytest.mark.parametrize(
    ("cookie", "accepted", "locale"),
    [
        ("", "", Locale.ZH_HANS),
        ("", "en-GB,en;q=0.9", Locale.EN),
        ("", "zh-CN,zh;q=0.9,en;q=0.8", Locale.ZH_HANS),
        ("", "en;q=0.3, zh-TW;q=0.7", Locale.ZH_HANS),
        ("", "fr-FR, en;q=0.5", Locale.EN),
        ("", "fr-FR", Locale.ZH_HANS),
        ("", "en;q=nonsense, zh", Locale.ZH_HANS),
        ("gatehouse_language=en", "zh-CN", Locale.EN),
        ("gatehouse_language=klingon", "en", Locale.EN),
    ],
)
def test_the_cookie_chooses_the_language_then_the_browser_then_chinese(
    cookie: str, accepted: str, locale: Locale
) -> None:
    assert _read(cookie, accept_language=accepted).locale is locale


@pytest.mark.parametrize(
    ("cookie", "hint", "theme", "drawn"),
    [
        ("", "", Theme.AUTO, Theme.LIGHT),
        ("", '"dark"', Theme.AUTO, Theme.DARK),
        ("gatehouse_theme=light", '"dark"', Theme.LIGHT, Theme.LIGHT),
        ("gatehouse_theme=dark", "", Theme.DARK, Theme.DARK),
        ("gatehouse_theme=pink", "", Theme.AUTO, Theme.LIGHT),
    ],
)
def test_the_cookie_chooses_the_theme_and_else_the_browsers_hint(
    cookie: str, hint: str, theme: Theme, drawn: Theme
) -> None:
    reader = _read(cookie, sec_ch_prefers_color_scheme=hint)
    assert (reader.theme, reader.drawn) == (theme, drawn)


def test_size_and_keys_are_kept_in_the_browser() -> None:
    reader = _read("gatehouse_size=elder; gatehouse_keys=off")
    assert (reader.size, reader.keys) == (Size.ELDER, False)
    assert (_read().size, _read().keys) == (Size.NORMAL, True)
