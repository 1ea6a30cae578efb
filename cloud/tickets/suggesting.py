"""Types suggested from the words of a report, with the reason; a person chooses."""

from collections.abc import Collection
from dataclasses import dataclass

from cloud.tickets.domain import TicketType

_MOST = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """A type that a report may be of.

    Attributes:
        found: the keywords of the type that stand in it, the longest first.
    """

    type: TicketType
    found: tuple[str, ...]


def suggested(text: str, types: Collection[TicketType]) -> list[Suggestion]:
    """Return the types whose keywords stand in a text, the likeliest first: emergencies, then what most speaks for.

    A keyword that is part of a longer one that was found says nothing of its own. Words of languages that put spaces
    between them count as whole words only.
    """
    found = {ticket_type.code: _standing_in(text, ticket_type.keywords) for ticket_type in types}
    longest = sorted({word for words in found.values() for word in words}, key=len, reverse=True)
    suggestions = [
        Suggestion(type=ticket_type, found=words)
        for ticket_type in types
        if (words := tuple(word for word in longest if word in found[ticket_type.code]))
    ]
    return sorted(suggestions, key=_weight, reverse=True)[:_MOST]


def _weight(suggestion: Suggestion) -> tuple[bool, int]:
    counted: list[str] = []
    for word in suggestion.found:
        if not any(word in longer for longer in counted):
            counted.append(word)
    return suggestion.type.is_emergency, sum(map(_letters, counted))


def _letters(word: str) -> int:
    """Return how much a word says: a Chinese character says about as much as three letters."""
    return sum(1 if letter.isascii() else 3 for letter in word)


def _standing_in(text: str, keywords: Collection[str]) -> frozenset[str]:
    plain = text.lower()
    words = f" {' '.join(''.join(letter if letter.isalnum() else ' ' for letter in plain).split())} "
    return frozenset(
        keyword
        for keyword in keywords
        if (f" {keyword.lower()} " in words if keyword.isascii() else keyword.lower() in plain)
    )
