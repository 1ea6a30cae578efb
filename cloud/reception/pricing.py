"""When which price is valid: what was valid once is never changed, and two are never valid at once."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from cloud.core.errors import Conflict, Refused
from cloud.core.money import Money
from cloud.core.words import Words
from cloud.reception.units import PriceUnit
from firmware_configs.look.words import _


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What something costs, from a day on.

    Attributes:
        amount: for one of `unit`; zero for what is included in the property fee.
        since: the first day.
        until: the first day on which it is no longer valid; None while no end is known.
        note: what is included, or which decision it rests on.
    """

    id: int
    amount: Money
    unit: PriceUnit
    since: date
    until: date | None
    note: Words

    def holds(self, on: date) -> bool:
        """Return whether it is valid on a day."""
        return self.since <= on and (self.until is None or on < self.until)


def price_on(prices: Collection[Price], on: date) -> Price | None:
    """Return the price of a day; None when there is none."""
    return next((price for price in prices if price.holds(on)), None)


def check_new(prices: Collection[Price], *, name: str, since: date, until: date | None, today: date) -> Price | None:
    """Let a new price pass, and return the one without an end that it ends; None when it ends none.

    Raises:
        Refused: it begins in the past, or ends before it begins.
        Conflict: another price of the same is valid then, or will be.
    """
    if since < today:
        raise Refused(_("What was valid stays as it was: begin today or later."), "since")
    if until is not None and until <= since:
        raise Refused(_("It must end after it began."), "until")
    ended = next((price for price in prices if price.until is None and price.since < since), None)
    for price in sorted(prices, key=lambda each: each.since):
        if price is not ended and _overlap(price, since, until):
            sentence = _("%(name)s has a price from %(since)s to %(until)s already: choose other days.")
            end = price.until.isoformat() if price.until else "…"
            raise Conflict(sentence, "since", name=name, since=price.since.isoformat(), until=end)
    return ended


def check_end(price: Price, *, until: date, today: date) -> date:
    """Return the first day on which a price is no longer valid; on the day it would have begun, it never is.

    Raises:
        Refused: the day is past or before the first one.
        Conflict: it has ended already.
    """
    if price.until is not None and price.until <= today:
        raise Conflict(_("This price has ended: it stays as it was."), "until")
    if until < today or until < price.since:
        raise Refused(_("What was valid stays as it was: end it today or later."), "until")
    return until


def _overlap(price: Price, since: date, until: date | None) -> bool:
    if price.until is not None and price.until <= price.since:
        return False  # it was taken back before it began
    return (until is None or price.since < until) and (price.until is None or since < price.until)
