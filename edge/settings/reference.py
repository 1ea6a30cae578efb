"""The settings as a table for people, made from the sections themselves so that it can't grow stale."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from edge.settings.sections import Settings, section_of

_BEGIN = "<!-- settings: made by `make docs` -->"
_END = "<!-- end of settings -->"


def settings_table() -> str:
    """Return every setting with its default, its bounds and its meaning, as a Markdown table."""
    rows = ["| setting | default | bounds | meaning |", "| --- | --- | --- | --- |"]
    rows += (f"| `{name}` | {_default(field)} | {_bounds(field)} | {field.description} |" for name, field in _fields())
    return "\n".join(rows) + "\n"


def with_settings_table(page: str) -> str:
    """Return a page of the documentation with the table renewed between its two marks."""
    before, _, rest = page.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    return f"{before}{_BEGIN}\n{settings_table()}{_END}{after}"


def _fields(model: type[BaseModel] = Settings, prefix: str = "") -> Iterator[tuple[str, FieldInfo]]:
    for name, field in model.model_fields.items():
        table = section_of(field.annotation)
        if table is None:
            yield prefix + name, field
        else:
            many = "[]" if "tuple" in str(field.annotation) else ""
            yield from _fields(table, f"{prefix}{name}{many}.")


def _default(field: FieldInfo) -> str:
    match field.get_default():
        case value if value is PydanticUndefined:
            return "must be written"
        case None | "":
            return "none"
        case bool() as value:
            return f"`{str(value).lower()}`"
        case int() | float() as value:
            return f"{value}"
        case str() | Path() as value:
            return f"`{value}`"
        case value:
            raise TypeError(f"{value!r}: say here how such a default reads")


def _bounds(field: FieldInfo) -> str:
    limits: dict[str, Any] = {}
    for constraint in field.metadata:
        limits |= {name: getattr(constraint, name) for name in ("ge", "le") if hasattr(constraint, name)}
    match limits:
        case {"ge": low, "le": high}:
            return f"{low} to {high}"
        case {"ge": low}:
            return f"{low} and more"
        case _:
            return ", ".join(get_args(field.annotation)) if get_origin(field.annotation) is Literal else ""
