"""What a repair is made of: lines of a plan, what they come to, who may agree to it, and what is charged in the end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar

from cloud.core.errors import Refused
from cloud.core.events import Event
from cloud.core.money import Money
from cloud.core.words import Words
from cloud.tickets.domain import Payer
from firmware_configs.look.words import _

MILLI = 1_000
"""Quantities have three decimals: a metre of pipe to the millimetre, an hour to some seconds."""

LARGEST_QUANTITY = Decimal(1_000_000)


class Hazard(StrEnum):
    """How dangerous what was found is."""

    NONE = "none"
    CAUTION = "caution"  # to be watched until it is mended
    DANGER = "danger"  # somebody or the building is in danger now


class LineKind(StrEnum):
    """What a line of a plan is for."""

    LABOUR = "labour"
    MATERIAL = "material"
    OTHER = "other"


class Stage(StrEnum):
    """What a photo of a repair shows."""

    SURVEY = "survey"
    BEFORE = "before"
    AFTER = "after"
    SIGNATURE = "signature"


class Standing(StrEnum):
    """What has become of a version of a plan; where the work stands, its ticket says."""

    ASKED = "asked"  # it waits for an answer
    QUESTION = "question"  # whoever is to agree asked something first
    AGREED = "agreed"
    REFUSED = "refused"
    REPLACED = "replaced"  # by a newer version
    LAPSED = "lapsed"  # nobody agreed while it was valid


UNANSWERED = frozenset({Standing.ASKED, Standing.QUESTION})


class Reply(StrEnum):
    """What was said to a plan."""

    AGREED = "agreed"
    REFUSED = "refused"
    ASKED = "asked"
    ANSWERED = "answered"  # by those who do the work


class Means(StrEnum):
    """How a reply reached those who wrote it down."""

    APP = "app"
    PHONE = "phone"
    DESK = "desk"  # they came by
    PAPER = "paper"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of a plan or of a charge; its total is rounded once.

    Attributes:
        item: the code in the price list; empty for what is not in it.
        unit: of the quantity, as it is written: "m", "个", "h".
        rate: for one unit.
    """

    kind: LineKind
    item: str = ""
    text: str
    quantity: Decimal
    unit: str
    rate: Money

    @property
    def total(self) -> Money:
        """Return what the line comes to."""
        return self.rate.times(self.quantity)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What is put to whoever pays.

    Attributes:
        visits: how many times somebody comes.
        valid_until: until when the prices hold; nobody can agree afterwards.
    """

    lines: tuple[Line, ...]
    payer: Payer
    visits: int
    finish_on: date
    valid_until: datetime
    text: str = ""

    @property
    def budget(self) -> Money:
        """Return what all lines come to: what whoever pays agrees to."""
        return total(self.lines)


class Differs(StrEnum):
    """How a line differs from the version before."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A line that is not what it was; `before` or `after` is None where there was or is none."""

    how: Differs
    before: Line | None
    after: Line | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairCharged(Event):
    """A repair is done and somebody owes for it; said once for each result.

    Attributes:
        amount_minor: in minor units of `currency`; never more than was agreed to.
        plan_version: of the plan that was agreed to.
        lines: each with `kind`, `text`, `quantity`, `unit`, `rate_minor` and `total_minor`.
    """

    kind: ClassVar[str] = "repairs.charged"

    ticket_id: int
    result_id: int
    payer: Payer
    unit_id: int | None
    amount_minor: int
    currency: str
    plan_id: int
    plan_version: int
    lines: list[dict[str, str | int]]

    @property
    def subject(self) -> str:
        return f"ticket:{self.ticket_id}"


def total(lines: Sequence[Line]) -> Money:
    """Return the sum of lines' totals.

    Raises:
        Refused: there is no line, or they are in two currencies.
    """
    if not lines:
        raise Refused(_("A plan needs at least one line: what is done, or what is used."), "lines")
    if len({line.rate.currency for line in lines}) > 1:
        raise Refused(_("All lines of a plan must be in one currency."), "lines")
    summed = Money.zero(lines[0].rate.currency)
    for line in lines:
        summed += line.total
    return summed


def checked_quantity(quantity: Decimal, field: str) -> Decimal:
    """Return a quantity above zero with at most three decimals.

    Raises:
        Refused: it is none.
    """
    if not (quantity.is_finite() and 0 < quantity <= LARGEST_QUANTITY and quantity * MILLI % 1 == 0):
        raise Refused(_("A quantity is above 0, at most a million, and has at most three decimals."), field)
    return quantity


def to_milli(quantity: Decimal) -> int:
    """Return a quantity in thousandths."""
    return int(quantity * MILLI)


def from_milli(milli: int) -> Decimal:
    """Return the quantity of so many thousandths, without zeros at its end."""
    quantity = Decimal(milli) / MILLI
    return quantity.quantize(Decimal(1)) if quantity == quantity.to_integral_value() else quantity.normalize()


def differences(before: Sequence[Line], after: Sequence[Line]) -> list[Difference]:
    """Return how the lines of a newer version differ: what stayed is left out, the newer version's order is kept.

    A line is the same one where kind, item and text are; of several such lines the first is paired with the first.
    """
    left = list(before)
    found: list[Difference] = []
    for line in after:
        old = next((each for each in left if _name(each) == _name(line)), None)
        if old is None:
            found.append(Difference(how=Differs.ADDED, before=None, after=line))
            continue
        left.remove(old)
        if old != line:
            found.append(Difference(how=Differs.CHANGED, before=old, after=line))
    return found + [Difference(how=Differs.REMOVED, before=old, after=None) for old in left]


def charged(terms: Terms, *, worked: Decimal, used: Mapping[str, Decimal]) -> tuple[Line, ...]:
    """Return the lines that are charged: what was done and used, at the agreed rates, and never more than agreed.

    Args:
        terms: those agreed to.
        worked: hours of labour, as they were written down; they fill the lines of labour in their order.
        used: what was taken from stock and not brought back, by item.
    """
    left = dict(used)
    lines = []
    for line in terms.lines:
        if line.kind is LineKind.LABOUR:
            quantity = min(line.quantity, worked)
            worked -= quantity
        elif line.kind is LineKind.MATERIAL and line.item:
            quantity = min(line.quantity, left.get(line.item, Decimal(0)))
            left[line.item] = left.get(line.item, Decimal(0)) - quantity
        else:
            quantity = line.quantity
        if quantity:
            lines.append(replace(line, quantity=quantity))
    return tuple(lines)


def _name(line: Line) -> tuple[LineKind, str, str]:
    return line.kind, line.item, line.text


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A line of the price list.

    Attributes:
        on_hand: how much of it is in stock; None for what is never in stock, as labour.
    """

    code: str
    version: int
    kind: LineKind
    name: Words
    unit: str
    price: Money
    on_hand: Decimal | None
