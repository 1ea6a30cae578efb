"""Which type earlier tickets' words speak for: a model as plain numbers, read without running anything that it holds.

It computes what scikit-learn's TfidfVectorizer and LogisticRegression do of characters one to three at a time, so that
only training needs that library.
"""

import math
import re
from array import array
from collections import Counter
from dataclasses import dataclass

import msgspec

LONGEST_GRAM = 3
_BLANKS = re.compile(r"\s\s+")
_REASONS = 3


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """What was learnt.

    Attributes:
        types: codes in the order of the weights' rows and of the biases.
        grams: runs of characters, in the order of a row's columns.
        idf: how telling each run is; 32-bit floats.
        weights: what each run says for each type, row by row; 32-bit floats.
    """

    types: list[str]
    grams: list[str]
    idf: bytes
    weights: bytes
    biases: list[float]


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What a training learnt from, and how well it does on tickets that it had not seen.

    Attributes:
        support: tickets by type's code.
        accuracy: the part that was told right in cross-validation, `lowest` to `highest` with 95 % confidence.
    """

    tickets: int
    support: dict[str, int]
    accuracy: float
    lowest: float
    highest: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """A type that a text is likely of, with what weighed most for it."""

    code: str
    probability: float
    because: tuple[str, ...]


class Unreadable(ValueError):
    """A model's numbers do not fit together."""


class Learned:
    """A model that can be asked."""

    def __init__(self, model: Model) -> None:
        size = len(model.grams)
        if not (len(model.idf) == 4 * size and len(model.weights) == 4 * size * len(model.types)):
            raise Unreadable("the numbers of the model do not fit its types and runs of characters")
        if not model.types or len(model.biases) != len(model.types):
            raise Unreadable("the model has no types, or not one bias for each")
        self._model = model
        self._column = {gram: number for number, gram in enumerate(model.grams)}
        self._idf, self._weights = array("f", model.idf), array("f", model.weights)

    @classmethod
    def decode(cls, content: bytes) -> "Learned":
        """Return the model that a file holds.

        Raises:
            Unreadable: it is none.
        """
        try:
            return cls(msgspec.msgpack.decode(content, type=Model))
        except msgspec.MsgspecError as error:
            raise Unreadable("the file holds no model") from error

    def guess(self, text: str) -> Guess | None:
        """Return the likeliest type of a text; None when it holds nothing that was ever seen."""
        found = self._vector(text)
        if not found:
            return None
        size = len(self._column)
        scores = [
            bias + sum(value * self._weights[row * size + column] for column, value in found.items())
            for row, bias in enumerate(self._model.biases)
        ]
        highest = max(scores)
        best = scores.index(highest)
        probability = 1 / sum(math.exp(score - highest) for score in scores)
        said = {column: value * self._weights[best * size + column] for column, value in found.items()}
        return Guess(code=self._model.types[best], probability=probability, because=self._reasons(said))

    def _vector(self, text: str) -> dict[int, float]:
        """Return how much of each known run a text holds, of length 1 all together."""
        counts = Counter(self._column[gram] for gram in grams(text) if gram in self._column)
        told = {column: count * self._idf[column] for column, count in counts.items()}
        length = math.sqrt(sum(value * value for value in told.values()))
        return {column: value / length for column, value in told.items()} if length else {}

    def _reasons(self, said: dict[int, float]) -> tuple[str, ...]:
        """Return the runs that weighed most, none of them a part of another."""
        reasons: list[str] = []
        for column in sorted(said, key=lambda each: (-said[each], each)):
            gram = self._model.grams[column].strip()
            if said[column] > 0 and gram and not any(gram in known or known in gram for known in reasons):
                reasons.append(gram)
            if len(reasons) == _REASONS:
                break
        return tuple(reasons)


def grams(text: str) -> list[str]:
    """Return the runs of one to LONGEST_GRAM characters of a text, as TfidfVectorizer(analyzer="char") cuts them."""
    plain = _BLANKS.sub(" ", text.lower())
    return [
        plain[start : start + size] for size in range(1, LONGEST_GRAM + 1) for start in range(len(plain) - size + 1)
    ]
