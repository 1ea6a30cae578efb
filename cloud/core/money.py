"""Exact amounts of money: whole minor units of a currency, rounded half up (四舍五入), once."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal, Inexact, InvalidOperation

_EXPONENTS = {"CNY": 2, "HKD": 2, "MOP": 2, "TWD": 2, "USD": 2, "EUR": 2, "JPY": 0}  # ISO 4217

# Enough digits that no product of a rate and a quantity is rounded before its one rounding here.
_EXACT = Context(prec=100, traps=[InvalidOperation, Inexact])


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """An amount in minor units, fen for CNY; negative for what is owed the other way.

    Raises:
        TypeError: `minor` is no integer; a float never is an amount.
        ValueError: the currency is none that Gatehouse knows.
    """

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.minor) is not int:
            raise TypeError(f"minor {self.minor!r} is a {type(self.minor).__name__}: it must be an int")
        _exponent(self.currency)

    @classmethod
    def of(cls, amount: Decimal | int | str, currency: str) -> "Money":
        """Return an amount that is given in major units, rounded half up to whole minor ones.

        Raises:
            TypeError: the amount is a float, which has lost its last digits already.
            ValueError: the text is no finite decimal number.
        """
        return cls(_rounded(_decimal(amount).scaleb(_exponent(currency), _EXACT)), currency)

    @classmethod
    def zero(cls, currency: str) -> "Money":
        return cls(0, currency)

    @property
    def amount(self) -> Decimal:
        """Return the amount in major units, with exactly the currency's decimal places."""
        return Decimal(self.minor).scaleb(-_exponent(self.currency), _EXACT)

    def times(self, factor: Decimal | int) -> "Money":
        """Return the product, rounded half up: the one rounding of a line of a bill.

        Raises:
            TypeError: the factor is a float.
        """
        return Money(_rounded(_EXACT.multiply(Decimal(self.minor), _decimal(factor))), self.currency)

    def __add__(self, other: "Money") -> "Money":
        return Money(self.minor + self._like(other), self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.minor - self._like(other), self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.minor, self.currency)

    def __lt__(self, other: "Money") -> bool:
        return self.minor < self._like(other)

    def __le__(self, other: "Money") -> bool:
        return self.minor <= self._like(other)

    def __bool__(self) -> bool:
        return self.minor != 0

    def _like(self, other: "Money") -> int:
        if other.currency != self.currency:
            raise ValueError(f"{self.currency} and {other.currency} don't mix: convert one first")
        return other.minor


def _exponent(currency: str) -> int:
    if currency not in _EXPONENTS:
        raise ValueError(f"currency {currency!r} is unknown: it is one of {', '.join(_EXPONENTS)}")
    return _EXPONENTS[currency]


def _decimal(number: Decimal | int | str) -> Decimal:
    if type(number) not in (Decimal, int, str):
        raise TypeError(f"{number!r} is a {type(number).__name__}: money is reckoned in Decimal, int or text")
    try:
        exact = Decimal(number)
    except InvalidOperation as error:
        raise ValueError(f"{number!r} is no decimal number") from error
    if not exact.is_finite():
        raise ValueError(f"{number!r} is no finite number")
    return exact


def _rounded(exact: Decimal) -> int:
    return int(exact.to_integral_value(ROUND_HALF_UP))
