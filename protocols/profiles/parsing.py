"""From a profile file's text to a checked profile; every fault found is told at once."""

import re
from pathlib import PurePath

import msgspec
from msgspec import inspect

from protocols.errors import DictionaryError, ProfileRefused
from protocols.profiles.checks import problems_of
from protocols.profiles.documents import load_document
from protocols.profiles.schema import Point, Profile

_KEY = re.compile("[a-z0-9][a-z0-9-]*")

_Row = dict[str, object]


def parse_profile(text: str | bytes, *, file: str) -> Profile:
    """Return the checked profile that a file's text declares.

    The file's `defaults` are laid under every point, and their `modbus` and `mqtt` parts under the point's own.

    Args:
        text: the YAML.
        file: the file's name, for the profile's key and for the errors.

    Raises:
        ProfileRefused: the text is no YAML or declares no usable profile; `problems` names the point, the field and
            the mend of each fault.
    """
    try:
        document = load_document(text)
    except DictionaryError as error:
        raise ProfileRefused(file, [str(error)]) from error
    key = PurePath(file).stem
    if not _KEY.fullmatch(key):
        raise ProfileRefused(file, ["the file's name is the profile's key: small letters, digits and hyphens"])
    if not isinstance(document, dict):
        raise ProfileRefused(file, ["the file must be a mapping that begins with maker, models, kind, label, source"])
    head = {name: value for name, value in document.items() if name != "defaults"}
    rows, problems = _rows(head.get("points"), document.get("defaults", {}))
    if not problems:
        try:
            profile = msgspec.convert({**head, "key": key, "points": rows}, Profile)
        except msgspec.ValidationError as error:
            raise ProfileRefused(file, [_sentence(error, Profile)]) from error
        problems = problems_of(profile)
        if not problems:
            return profile
    raise ProfileRefused(file, problems)


def _rows(points: object, defaults: object) -> tuple[list[_Row], list[str]]:
    """Return the points with the defaults laid under them, and what is wrong with each."""
    if not isinstance(points, list) or not points:
        return [], ["points must be a list with at least one point"]
    if not isinstance(defaults, dict):
        return [], ["defaults must be a mapping of a point's fields"]
    rows: list[_Row] = []
    problems = []
    for number, point in enumerate(points, start=1):
        if not isinstance(point, dict):
            problems.append(f"point {number}: must be a mapping that begins with name, label, unit, kind, class")
            continue
        row = _over(defaults, point)
        try:
            msgspec.convert(row, Point)
        except msgspec.ValidationError as error:
            problems.append(f"point {point.get('name', number)}: {_sentence(error, Point)}")
        rows.append(row)
    return rows, problems


def _over(defaults: _Row, point: _Row) -> _Row:
    row = {**defaults, **point}
    for part in ("modbus", "mqtt"):
        under, over = defaults.get(part), point.get(part)
        if isinstance(under, dict) and isinstance(over, dict):
            row[part] = {**under, **over}
    return row


def _sentence(error: msgspec.ValidationError, model: type[msgspec.Struct]) -> str:
    """Return the error with the choices that its place leaves."""
    message, _, place = str(error).partition(" - at ")
    if place.startswith("`key` in "):
        message, place = f"{message} as a key", place.removeprefix("`key` in ")
    path = place.strip("`").removeprefix("$").removeprefix(".")
    choices = _choices(message, inspect.type_info(model), path)
    named = f"field {path}: {message}" if path else message
    return f"{named}; write one of {', '.join(choices)}" if choices else named


def _choices(message: str, node: inspect.Type, path: str) -> list[str]:
    """Return the values or field names that may stand at the path, where the message is of a choice."""
    if not message.startswith(("Object contains unknown field", "Invalid enum value")):
        return []
    for step in re.sub(r"\[[^]]*\]", ".[]", path).split(".") if path else []:
        node = _inner(_bare(node), step)
    node = _bare(node)
    if isinstance(node, inspect.StructType):
        return [field.encode_name for field in node.fields if field.encode_name != "key"]
    if isinstance(node, inspect.EnumType):
        return [str(member.value) for member in node.cls]
    return [str(value) for value in node.values] if isinstance(node, inspect.LiteralType) else []


def _inner(node: inspect.Type, step: str) -> inspect.Type:
    if isinstance(node, inspect.StructType):
        return next(field.type for field in node.fields if field.encode_name == step)
    if isinstance(node, inspect.VarTupleType):
        return node.item_type
    if isinstance(node, inspect.DictType):
        return node.value_type
    return node


def _bare(node: inspect.Type) -> inspect.Type:
    """Return the type without its bounds and without "or None"."""
    if isinstance(node, inspect.Metadata):
        return _bare(node.type)
    if isinstance(node, inspect.UnionType):
        return _bare(next(kind for kind in node.types if not isinstance(kind, inspect.NoneType)))
    return node
