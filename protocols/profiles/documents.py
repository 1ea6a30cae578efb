"""YAML as a profile file is written in it: YAML 1.2's plain values, every key once.

PyYAML reads YAML 1.1, where ON is a boolean, 010 is eight, 12:30 is 750 and the second of two equal keys wins in
silence; each of these turns a device's table into another one.
"""

import re
from collections.abc import Hashable

import yaml

from protocols.errors import DictionaryError

_PLAIN_VALUES = [
    ("tag:yaml.org,2002:null", r"~|null|", ["~", "n", ""]),
    ("tag:yaml.org,2002:bool", r"true|false", list("tf")),
    ("tag:yaml.org,2002:int", r"[-+]?(0|[1-9][0-9]*)|0x[0-9a-fA-F]+", list("-+0123456789")),
    (
        "tag:yaml.org,2002:float",
        r"[-+]?([0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))([eE][-+]?[0-9]+)?",
        list("-+.0123456789"),
    ),
]


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012  PyYAML's own protocol

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, object]:  # noqa: FBT001, FBT002  PyYAML's signature
        keys: set[Hashable] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, Hashable):
                raise _error("a key must be a plain value", key_node)
            if key in keys:
                raise _error(f"{key!r} stands here twice", key_node)
            keys.add(key)
        return super().construct_mapping(node, deep)


def _error(problem: str, node: yaml.Node) -> yaml.MarkedYAMLError:
    return yaml.constructor.ConstructorError(None, None, problem, node.start_mark)


for _tag, _pattern, _first in _PLAIN_VALUES:
    _Loader.add_implicit_resolver(_tag, re.compile(rf"(?:{_pattern})\Z"), _first)


def load_document(text: str | bytes) -> object:
    """Return the one document of a YAML text as dicts, lists and plain values.

    Raises:
        DictionaryError: the text is no YAML, or a key stands twice in one mapping; the message names the line.
    """
    try:
        return yaml.load(text, _Loader)  # noqa: S506  a SafeLoader that is stricter still
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise DictionaryError(f"line {line}: {error.problem}") from error
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise DictionaryError(f"no YAML: {error}") from error
