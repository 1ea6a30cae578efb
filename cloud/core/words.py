"""A text in both languages."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """A text that an administrator writes in both languages; one that is empty is said in the other."""

    zh: str
    en: str
