"""Wall times for rows of boots that never learnt theirs."""

from collections.abc import Sequence
from dataclasses import replace

from edge.buffer.tables import Tables
from edge.buffer.timeline import Anchor, Stretch

_APART_US = 1_000_000
"""Between boots whose distance nobody knows: less than any boot takes."""


def placed(tables: Tables, stretches: Sequence[Stretch], *, head: int, now_us: int) -> list[Stretch]:
    """Return the stretches with an anchor for each that has none; the last one must have its own.

    Args:
        tables: Where the rows are.
        stretches: All stretches, oldest first; those without an anchor stand right before the last.
        head: The newest row's number.
        now_us: Wall time now, the latest that any row can be.
    """
    unknown = [at for at, stretch in enumerate(stretches) if stretch.anchor is None]
    if not unknown:
        return list(stretches)
    spans = [_span(tables, stretches[at].first_seq, stretches[at + 1].first_seq - 1) for at in unknown]
    lower_us = _last_wall_us(tables, stretches, before_seq=stretches[unknown[0]].first_seq)
    upper_us = _first_wall_us(tables, stretches[-1], head=head)
    anchors = place(spans, lower_us=lower_us, upper_us=now_us if upper_us is None else upper_us)
    whole = list(stretches)
    for at, anchor in zip(unknown, anchors, strict=True):
        whole[at] = replace(whole[at], anchor=anchor)
    return whole


def place(spans: Sequence[tuple[int, int]], *, lower_us: int | None, upper_us: int) -> list[Anchor]:
    """Return anchors for boots that never learnt their offset, in their order, between their neighbours.

    A boot keeps its own pace, and the time between the boots is shared out evenly; where the boots took longer than
    there is room for (a crystal that ran fast), all are squeezed alike.

    Args:
        spans: First and last monotonic microsecond of each boot's rows.
        lower_us: Wall time of the last known row before; None where there is none.
        upper_us: Wall time of the first known row after, or now.
    """
    total_us = sum(last - first for first, last in spans)
    if lower_us is None or lower_us >= upper_us:  # nothing to lean on, or neighbours that contradict each other
        lower_us = upper_us - total_us - _APART_US * (len(spans) + 1)
    room_us = upper_us - lower_us
    rate = min(1.0, 0.9 * room_us / total_us) if total_us > 0 else 1.0
    apart_us = (room_us - total_us * rate) / (len(spans) + 1)
    anchors = []
    at_us = lower_us + apart_us
    for first, last in spans:
        anchors.append(Anchor(mono_us=first, wall_us=round(at_us), rate=rate, estimated=True))
        at_us += (last - first) * rate + apart_us
    return anchors


def _span(tables: Tables, first: int, last: int) -> tuple[int, int]:
    first_us, last_us = tables.first_us(first, last), tables.last_us(first, last)
    return (0, 0) if first_us is None or last_us is None else (first_us, max(first_us, last_us))


def _last_wall_us(tables: Tables, stretches: Sequence[Stretch], *, before_seq: int) -> int | None:
    """Return the wall time of the newest known row below `before_seq`; None where there is none."""
    for stretch in reversed([stretch for stretch in stretches if stretch.first_seq < before_seq]):
        last_us = tables.last_us(stretch.first_seq, before_seq - 1)
        if last_us is not None and stretch.anchor is not None:
            return stretch.anchor.wall_of(last_us)
    return None


def _first_wall_us(tables: Tables, stretch: Stretch, *, head: int) -> int | None:
    first_us = tables.first_us(stretch.first_seq, head)
    return None if first_us is None or stretch.anchor is None else stretch.anchor.wall_of(first_us)
