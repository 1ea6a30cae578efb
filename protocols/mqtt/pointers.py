"""JSON pointers (RFC 6901): the path of one value in a JSON document."""

import re

from protocols.errors import DictionaryError

Pointer = tuple[str, ...]
"""Reference tokens, unescaped; the empty pointer is the whole document."""

_INDEX = re.compile(r"0|[1-9][0-9]*")  # section 4: no leading zeros
_BAD_ESCAPE = re.compile(r"~(?![01])")


def parse_pointer(text: str) -> Pointer:
    """Return the tokens of a pointer's text.

    Raises:
        DictionaryError: the text is no JSON pointer.
    """
    if text and not text.startswith("/"):
        raise DictionaryError(f'pointer {text!r} must be "" or begin with "/"')
    if _BAD_ESCAPE.search(text):
        raise DictionaryError(f'pointer {text!r}: write "~" as "~0" and a "/" inside a name as "~1"')
    return tuple(token.replace("~1", "/").replace("~0", "~") for token in text.split("/")[1:])


def resolve(document: object, pointer: Pointer) -> object:
    """Return what stands at the pointer; None where nothing does, or null."""
    for token in pointer:
        if isinstance(document, dict):
            document = document.get(token)
        elif isinstance(document, list) and _INDEX.fullmatch(token) and int(token) < len(document):
            document = document[int(token)]
        else:
            return None
    return document
