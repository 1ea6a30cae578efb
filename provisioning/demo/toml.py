"""Settings as TOML text; the standard library reads the format and does not write it."""

import json
from collections.abc import Mapping
from typing import Any


def to_toml(table: Mapping[str, Any], *, path: str = "") -> str:
    """Return the text of a table whose values are strings, numbers, booleans, tables and lists of tables."""
    plain = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in table.items() if _is_plain(value)]
    parts = ["\n".join(plain)] if plain else []
    for key, value in table.items():
        below = f"{path}{key}"
        if isinstance(value, Mapping):
            parts.append(f"[{below}]\n{to_toml(value, path=f'{below}.')}")
        elif isinstance(value, list):
            parts += [f"[[{below}]]\n{to_toml(each, path=f'{below}.')}" for each in value]
    return "\n\n".join(parts).rstrip("\n") + "\n"


def _is_plain(value: object) -> bool:
    return isinstance(value, str | int | float)
