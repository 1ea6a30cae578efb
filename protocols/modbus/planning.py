"""Which reads fetch a device's points: as few as the device's limits allow."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from protocols.errors import DictionaryError
from protocols.modbus.declarations import BlockLimits, Function, RegisterClock
from protocols.modbus.decoding import BitDecoder, BlockDecoder, Field, RegisterDecoder


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """One request to a device, and what takes its answer apart."""

    function: Function
    address: int
    count: int
    points: tuple[str, ...]
    decoder: BlockDecoder


@dataclass(frozen=True, slots=True)
class _Span:
    first: int
    last: int

    def joined(self, other: "_Span") -> "_Span":
        return _Span(min(self.first, other.first), max(self.last, other.last))

    def holds(self, first: int, last: int) -> bool:
        """Whether any address of first..last lies in it."""
        return first <= self.last and last >= self.first


def plan(fields: Sequence[Field], *, limits: BlockLimits, clock: RegisterClock | None = None) -> list[Read]:
    """Return the fewest reads that fetch all fields, sorted by function code and address.

    A field is never split over two reads, no read touches a forbidden address, and none asks for more than the limits
    allow. Neighbours join over a gap of at most `limits.max_gap`. Where the device has a clock, every read of the
    clock's function code holds it too, over any gap, because a value's time counts only if it was read with it.

    Raises:
        DictionaryError: a field (or a field with the clock) fits no read; a checked profile has none such.
    """
    ordered = sorted(fields, key=lambda field: (field.at.function, field.at.address, field.at.last))
    reads = []
    for function, group in groupby(ordered, key=lambda field: field.at.function):
        own_clock = clock if clock and clock.function == function else None
        reads += [_read(block, span, own_clock) for block, span in _blocks(list(group), limits, own_clock)]
    return reads


def _blocks(
    fields: Sequence[Field], limits: BlockLimits, clock: RegisterClock | None
) -> list[tuple[list[Field], _Span]]:
    """Join greedily from the lowest address on, which is optimal: what fits together also fits without its last."""
    blocks: list[tuple[list[Field], _Span]] = []
    for field in fields:
        alone = _Span(field.at.address, field.at.last)
        if clock:
            alone = alone.joined(_Span(clock.address, clock.last))
        if blocks:
            block, span = blocks[-1]
            wider = span.joined(alone)
            gap = alone.first - span.last - 1  # below 0 where both hold the clock
            if gap <= limits.max_gap and _fits(wider, field.at.function, limits):
                blocks[-1] = ([*block, field], wider)
                continue
        if not _fits(alone, field.at.function, limits):
            raise DictionaryError(
                f"point {field.point}: addresses {alone.first}..{alone.last} fit no single read; "
                "mend the limits, the forbidden ranges or the address"
            )
        blocks.append(([field], alone))
    return blocks


def _fits(span: _Span, function: Function, limits: BlockLimits) -> bool:
    most = limits.max_bits if function.reads_bits else limits.max_registers
    return span.last - span.first < most and not any(
        forbidden.function == function and span.holds(forbidden.first, forbidden.last) for forbidden in limits.forbidden
    )


def _read(fields: Sequence[Field], span: _Span, clock: RegisterClock | None) -> Read:
    function, count = fields[0].at.function, span.last - span.first + 1
    decoder: BlockDecoder
    if function.reads_bits:
        decoder = BitDecoder(fields, address=span.first, count=count)
    else:
        decoder = RegisterDecoder(fields, address=span.first, count=count, clock=clock)
    points = tuple(field.point for field in fields)
    return Read(function=function, address=span.first, count=count, points=points, decoder=decoder)
