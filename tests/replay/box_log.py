"""What a box's log says of its rows: when they were committed, when they left."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

_COMMITTED = re.compile(r"committed rows (\d+)\.\.(\d+) of")
_SENT = re.compile(r"batch sent: rows \[(.*)\] of")
_RANGE = re.compile(r"\((\d+), (\d+)\)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Rows that were committed, or sent."""

    at: datetime
    sent: bool
    ranges: tuple[tuple[int, int], ...]

    @property
    def first(self) -> int:
        return self.ranges[0][0]

    @property
    def last(self) -> int:
        return self.ranges[-1][1]


def lines(log: Path) -> list[Line]:
    """Return what was committed and what was sent, in its order."""
    return list(_lines(log))


def _lines(log: Path) -> Iterator[Line]:
    for text in log.read_text().splitlines():
        if committed := _COMMITTED.search(text):
            yield Line(at=_at(text), sent=False, ranges=((int(committed[1]), int(committed[2])),))
        elif sent := _SENT.search(text):
            ranges = tuple((int(first), int(last)) for first, last in _RANGE.findall(sent[1]))
            if ranges:
                yield Line(at=_at(text), sent=True, ranges=ranges)


def _at(text: str) -> datetime:
    said = json.loads(text)
    return datetime.fromisoformat(said["time"])
