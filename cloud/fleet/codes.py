"""Claim codes as people type them: Crockford's base 32 with a check character, in three groups of four."""

import hashlib
import secrets
import unicodedata

from cloud.core.errors import Malformed
from firmware_configs.look.words import _

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_VALUES = {character: value for value, character in enumerate(_ALPHABET)}
_LOOK_ALIKES = str.maketrans({"O": "0", "I": "1", "L": "1"})
_IGNORED = str.maketrans("", "", " -–—_.")
_LENGTH = 12
_GROUP = 4


def draw() -> str:
    """Return a new code: 55 random bits, which nobody guesses within a day at any rate the cloud answers."""
    body = "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH - 1))
    return body + _check_character(body)


def written(code: str) -> str:
    """Return the code in groups, as it is shown."""
    return "-".join(code[start : start + _GROUP] for start in range(0, _LENGTH, _GROUP))


def read(text: str) -> str:
    """Return the code that a person typed, whatever its case, its groups, and the width of its characters.

    Raises:
        Malformed: it has another length or alphabet, or its check character says that it was mistyped.
    """
    code = unicodedata.normalize("NFKC", text).upper().translate(_IGNORED).translate(_LOOK_ALIKES)
    if len(code) != _LENGTH:
        raise Malformed(
            _("A claim code has %(length)s characters, this one %(count)s."), "code", length=_LENGTH, count=len(code)
        )
    strange = sorted(set(code) - _VALUES.keys())
    if strange:
        raise Malformed(_("A claim code has no %(character)s in it: look at it again."), "code", character=strange[0])
    if code[-1] != _check_character(code[:-1]):
        raise Malformed(_("The claim code is mistyped: one of its characters is another, or two are swapped."), "code")
    return code


def hashed(code: str) -> str:
    """Return what is kept of a code: with 55 random bits in it, a plain hash is not turned back within its day."""
    return hashlib.sha256(code.encode()).hexdigest()


def _check_character(body: str) -> str:
    """Return the Luhn check character over 32: it finds every wrong character and nearly every swapped pair."""
    total = 0
    for place, character in enumerate(reversed(body)):
        value = _VALUES[character] * (1 + (place + 1) % 2)
        total += value // len(_ALPHABET) + value % len(_ALPHABET)
    return _ALPHABET[-total % len(_ALPHABET)]
