"""The settings as a table for people, made from the settings themselves so that it can't grow stale."""

from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from cloud.settings import ENVIRONMENT_PREFIX, Settings


def settings_table() -> str:
    """Return every setting with its variable, its default, its bounds and its meaning, as a Markdown table."""
    rows = ["| setting | variable | default | bounds | meaning |", "| --- | --- | --- | --- | --- |"]
    rows += (_row(name, field) for name, field in Settings.model_fields.items())
    return "\n".join(rows) + "\n"


def _row(name: str, field: FieldInfo) -> str:
    variable = f"{ENVIRONMENT_PREFIX}{name.upper()}"
    return f"| `{name}` | `{variable}` | {_default(field)} | {_bounds(field)} | {field.description} |"


def _default(field: FieldInfo) -> str:
    match field.get_default():
        case None:
            return "none"
        case int() as value:
            return f"{value}"
        case str() | Path() as value:
            return f"`{value}`"
        case tuple() as values:
            return ", ".join(f"`{value}`" for value in values)
        case value:
            raise TypeError(f"{value!r}: say here how such a default reads")


def _bounds(field: FieldInfo) -> str:
    if get_origin(field.annotation) is Literal:
        return ", ".join(get_args(field.annotation))
    limits: dict[str, Any] = {}
    for constraint in field.metadata:
        limits |= {name: getattr(constraint, name) for name in ("ge", "le") if hasattr(constraint, name)}
    return f"{limits['ge']} to {limits['le']}" if limits else ""
