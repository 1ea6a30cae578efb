"""Types suggested from the words of a report, with the reason; a person chooses."""

from collections.abc import Collection
from dataclasses import dataclass

from cloud.tickets.domain import TicketType
from cloud.tickets.learned import Guess

_MOST = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """A type that a report may be of.

    Attributes:
        found: the keywords of the type that stand in it, the longest first and those of one length in the order of the
            alphabet; or what weighed most in earlier tickets.
        probability: of what was learnt from those; None where keywords speak.
    """

    type: TicketType
    found: tuple[str, ...]
    probability: float | None = None


def suggested(text: str, types: Collection[TicketType], *, guess: Guess | None = None) -> list[Suggestion]:
    """Return the types that a text speaks for, the likeliest first.

    Emergencies whose keywords stand in it come before all, whatever was learnt; then the `guess` from earlier tickets,
    where there is one; then the other types by what most of their keywords speaks for.

    A keyword that is part of a longer one that was found says nothing of its own. Words of languages that put spaces
    between them count as whole words only.
    """
    found = {ticket_type.code: _standing_in(text, ticket_type.keywords) for ticket_type in types}
    longest = sorted({word for words in found.values() for word in words}, key=lambda word: (-len(word), word))
    suggestions = [
        Suggestion(type=ticket_type, found=words)
        for ticket_type in types
        if (words := tuple(word for word in longest if word in found[ticket_type.code]))
    ]
    by_words = sorted(suggestions, key=_weight, reverse=True)
    urgent = [each for each in by_words if each.type.is_emergency]
    return _once([*urgent, *_learned(guess, types), *by_words])[:_MOST]


def _learned(guess: Guess | None, types: Collection[TicketType]) -> list[Suggestion]:
    """Return the guess as a suggestion; a type that was retired since is none."""
    if guess is None:
        return []
    return [
        Suggestion(type=each, found=guess.because, probability=guess.probability)
        for each in types
        if each.code == guess.code
    ]


def _once(suggestions: list[Suggestion]) -> list[Suggestion]:
    """Return each type where it first stands."""
    once: dict[str, Suggestion] = {}
    for each in suggestions:
        once.setdefault(each.type.code, each)
    return list(once.values())


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
