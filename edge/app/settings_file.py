"""From a TOML file and the environment to Settings, or to sentences that say what is wrong with them."""

import difflib
import os
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from edge.errors import SettingsRefused
from edge.settings.sections import Settings, section_of

ENVIRONMENT_PREFIX = "GATEHOUSE_EDGE_"
DEFAULT_FILE = Path("/etc/gatehouse/edge.toml")

FILE_VARIABLE = f"{ENVIRONMENT_PREFIX}SETTINGS"
"""Names the file; the one variable with the prefix that is no setting."""


def load(file: Path) -> Settings:
    """Return the settings of `file` with the environment laid over them.

    Raises:
        SettingsRefused: a line for every field that can't work: its name, its value and the mend.
    """
    table = _read(file)
    _overlay(table, os.environ)
    try:
        return Settings(**table)
    except ValidationError as error:
        lines = (f"{_source(file, detail['loc'])}: {_sentence(detail)}" for detail in error.errors())
        raise SettingsRefused("\n".join(lines)) from None


def read_secret(file: Path) -> str:
    """Return the first line of `file`.

    Raises:
        SettingsRefused: the file can't be read or its first line is empty.
    """
    try:
        secret = file.read_text(encoding="utf-8").partition("\n")[0].strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsRefused(f"{file}: can't be read ({error}); put the secret there, readable by this user") from None
    if not secret:
        raise SettingsRefused(f"{file}: its first line is empty; write the secret there")
    return secret


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingsRefused(f"{file}: there is no such file; docs/edge.md shows one to begin with") from None
    except OSError as error:
        raise SettingsRefused(f"{file}: can't be read ({error.strerror}); let this user read it") from None
    except ValueError as error:
        raise SettingsRefused(f"{file}: is not TOML: {error}") from None


def _overlay(table: dict[str, Any], environment: Mapping[str, str]) -> None:
    """Lay the environment over the file: GATEHOUSE_EDGE_LOG__LEVEL is log.level."""
    for name, text in environment.items():
        if name.startswith(ENVIRONMENT_PREFIX) and name != FILE_VARIABLE:
            *sections, field = name.removeprefix(ENVIRONMENT_PREFIX).lower().split("__")
            place: Any = table
            for section in sections:
                place = place.setdefault(section, {}) if isinstance(place, dict) else None
            if not isinstance(place, dict):
                raise SettingsRefused(f"{name}: names no table of the settings; write it to the file")
            place[field] = text


def _source(file: Path, where: Sequence[int | str]) -> str:
    """Return where the field was written: the environment's variable, which wins, or the file."""
    variable = ENVIRONMENT_PREFIX + "__".join(str(part) for part in where).upper()
    return variable if variable in os.environ else str(file)


def _sentence(detail: ErrorDetails) -> str:
    """Return field, value and mend of one of pydantic's findings; values of unknown fields may be secrets."""
    where = detail["loc"]
    field = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in where).lstrip(".")
    match detail["type"]:
        case "missing":
            return f"{field}: is missing; write it"
        case "extra_forbidden":
            return f"{field}: there is no such setting; {_nearest(str(where[-1]), _siblings(where))} or delete it"
        case _ if isinstance(detail["input"], (dict, BaseModel)) or not field:
            return f"{field or 'settings'}: {_mend(detail)}"
        case _:
            return f"{field} = {detail['input']!r}: {_mend(detail)}"


def _mend(detail: ErrorDetails) -> str:
    return re.sub(
        r"^(Value error, |\w+ should )", lambda opening: "must " if "should" in opening[0] else "", detail["msg"]
    )


def _siblings(where: Sequence[int | str]) -> Iterable[str]:
    """Return the names that the table at the end of `where` knows."""
    table: type[BaseModel] = Settings
    for part in where[:-1]:
        if isinstance(part, str):
            table = section_of(table.model_fields[part].annotation) or table
    return table.model_fields


def _nearest(name: str, known: Iterable[str]) -> str:
    names = list(known)
    near = difflib.get_close_matches(name, names, n=1)
    return f"write {near[0]}" if near else f"write one of {', '.join(names)}"
