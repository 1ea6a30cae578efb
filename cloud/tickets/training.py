"""A program of its own that learns types from closed tickets: it alone needs the extra `learning`.

It reads the tickets from its input and writes what it learnt to its output, both as msgpack, and keeps the 180 MB that
scikit-learn takes out of the process that serves people.
"""

import math
import sys
from array import array
from collections import Counter
from collections.abc import Iterable
from typing import Any

import msgspec
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline

from cloud.tickets.learned import LONGEST_GRAM, Model, Report

FOLDS = 5
_MOST_GRAMS = 20_000  # with 40 types a model of 3 MB
_CONFIDENCE = 1.96  # standard deviations on each side that hold 95 %


class Lesson(msgspec.Struct, frozen=True, kw_only=True):
    """Texts, and the type of each."""

    texts: list[str]
    types: list[str]


class Learnt(msgspec.Struct, frozen=True, kw_only=True):
    """The model, and what is to be said of it."""

    model: Model
    report: Report


def learn(lesson: Lesson) -> Learnt:
    """Return what the texts teach; every type must stand there FOLDS times at least."""
    pipeline = make_pipeline(
        TfidfVectorizer(analyzer="char", ngram_range=(1, LONGEST_GRAM), min_df=2, max_features=_MOST_GRAMS),
        LogisticRegression(C=10.0, max_iter=1_000, class_weight="balanced"),
    )
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    told = cross_val_predict(pipeline, lesson.texts, lesson.types, cv=folds)
    right = sum(bool(said == was) for said, was in zip(told, lesson.types, strict=True))
    pipeline.fit(lesson.texts, lesson.types)
    lowest, highest = interval(right, len(lesson.types))
    report = Report(
        tickets=len(lesson.types),
        support=dict(Counter(lesson.types)),
        accuracy=right / len(lesson.types),
        lowest=lowest,
        highest=highest,
    )
    return Learnt(model=_model(*(step for _name, step in pipeline.steps)), report=report)


def interval(right: int, of: int) -> tuple[float, float]:
    """Return between what the true part lies with 95 % confidence: Wilson's score interval."""
    part, square = right / of, _CONFIDENCE**2
    middle = (part + square / (2 * of)) / (1 + square / of)
    spread = _CONFIDENCE * math.sqrt(part * (1 - part) / of + square / (4 * of * of)) / (1 + square / of)
    return middle - spread, middle + spread


def _model(vectorizer: Any, classifier: Any) -> Model:
    weights, biases = classifier.coef_, [float(each) for each in classifier.intercept_]
    if len(classifier.classes_) == len(weights) + 1:  # of two types it keeps what speaks for the second
        weights, biases = [[0.0] * weights.shape[1], weights[0]], [0.0, *biases]
    return Model(
        types=[str(code) for code in classifier.classes_],
        grams=[str(gram) for gram in vectorizer.get_feature_names_out()],
        idf=_floats(vectorizer.idf_),
        weights=b"".join(map(_floats, weights)),
        biases=biases,
    )


def _floats(values: Iterable[float]) -> bytes:
    return array("f", map(float, values)).tobytes()


if __name__ == "__main__":
    sent = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Lesson)
    sys.stdout.buffer.write(msgspec.msgpack.encode(learn(sent)))
