"""Jinja over the look's macros and every screen's templates, with the words and formats of whoever reads."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, PrefixLoader, StrictUndefined
from markupsafe import Markup

from cloud.accounts.phones import masked
from cloud.core.once import new_key
from cloud.core.words import Words
from cloud.web import cells, formats, words
from cloud.web.catalogues import Locale, Message
from cloud.web.reader import Size, Theme, current
from firmware_configs.look.assets import LOOK, assets

TEMPLATES = Path(__file__).parent / "templates"
STATIC_PATH = "/static"
_MACROS = LOOK / "macros"


def environment(screens: Mapping[str, Path]) -> Environment:
    """Return the templates of the frame and of `screens`, found as `screen/name.html`."""
    folders = {"look": _MACROS, "web": TEMPLATES, **screens}
    made = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=PrefixLoader({name: FileSystemLoader(folder) for name, folder in folders.items()}),
        extensions=["jinja2.ext.do"],
    )
    made.globals.update(
        _=_say,
        ngettext=_say_number,
        reader=current,
        asset=asset_path,
        icon=_icon,
        drawn=cells.drawn,
        heads=cells.heads,
        plain=cells.plain,
        words=words,
        new_key=new_key,
        Locale=Locale,
        Theme=Theme,
        Size=Size,
    )
    made.tests["message"] = lambda value: isinstance(value, Message)
    made.filters.update(
        time=_time, exact_time=_exact_time, iso=_iso, duration=_duration, money=formats.money, number=formats.number
    )
    made.filters.update(quantity=_quantity, phone=masked, written=_written)
    # Macros are one namespace that every template finds without importing: a fragment is drawn from its block alone,
    # where a template's own imports would not have run.
    made.globals["ui"] = _macros(made)
    return made


def asset_path(name: str) -> str:
    """Return where a browser finds an asset."""
    return f"{STATIC_PATH}/{assets()[name].path}"


def _macros(made: Environment) -> SimpleNamespace:
    namespace = SimpleNamespace()
    made.globals["ui"] = namespace
    for file in sorted(_MACROS.glob("*.html")):
        module = made.get_template(f"look/{file.name}").module
        for name, macro in vars(module).items():
            if not name.startswith("_"):
                if hasattr(namespace, name):
                    raise ValueError(f"macro {name} of {file.name} is defined in another file too")
                setattr(namespace, name, macro)
    return namespace


def _say(message: Any, /, **parameters: Any) -> str:
    return current().words.say(message, **parameters)


def _say_number(one: str, many: str, number: int, /, **parameters: Any) -> str:
    return current().words.say_number(one, many, number, **parameters)


def _icon(name: str, *, label: str = "") -> Markup:
    """Return an icon; with a label it speaks for itself, without one it only decorates the words beside it."""
    return _drawn_icon(name, Markup('role="img" aria-label="%s"') % label) if label else _silent_icon(name)


@cache  # a long list has hundreds of them
def _silent_icon(name: str) -> Markup:
    return _drawn_icon(name, Markup('aria-hidden="true"'))


def _drawn_icon(name: str, spoken: Markup) -> Markup:
    return Markup('<svg class="icon" %s><use href="%s#%s"/></svg>') % (spoken, asset_path("icons.svg"), name)


def _time(instant: datetime | None, *, zone: ZoneInfo | None = None) -> Markup:
    """Return a time element; nothing stands as a dash."""
    if instant is None:
        return Markup('<span class="text-body-secondary">–</span>')
    return cells.time(instant, current(), zone=zone)


def _exact_time(instant: datetime, *, zone: ZoneInfo | None = None) -> str:
    return formats.exact_time(instant, current(), zone=zone)


def _iso(instant: datetime) -> str:
    return instant.isoformat(timespec="seconds")


def _duration(length: timedelta) -> str:
    return formats.duration(length, current())


def _written(text: Words) -> str:
    return words.written(text, current().locale)


def _quantity(value: float | Decimal, unit: str = "", *, digits: int | None = None) -> str:
    return formats.quantity(value, unit, digits=digits)
