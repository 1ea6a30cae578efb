"""Times, money and quantities as a person reads them; the only place where local time exists."""

from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from cloud.core.money import Money
from cloud.web.reader import Reader
from firmware_configs.look.words import _
from protocols.units import symbol

_MINUS = "\N{MINUS SIGN}"
_THIN_SPACE = "\N{NARROW NO-BREAK SPACE}"
_SIGNS = {"CNY": "¥", "USD": "$", "EUR": "€", "HKD": "HK$"}
_SIGNIFICANT_DIGITS = 6
_WALL = len("2026-03-02 14:02:09")


def local(instant: datetime, zone: ZoneInfo) -> datetime:
    """Return the instant on the wall of `zone`."""
    return instant.astimezone(zone)


def time(instant: datetime, reader: Reader, *, zone: ZoneInfo | None = None) -> str:
    """Return 14:02 for today, 昨天 14:02, 11-23 14:02, and with the year when it is another one."""
    there = zone or reader.zone
    moment, today = local(instant, there), local(reader.now, there).date()
    written = moment.isoformat(sep=" ", timespec="minutes")  # several times as fast as strftime, and lists are long
    clock = written[11:16]
    if moment.date() == today:
        return clock
    if moment.date() == today - timedelta(days=1):
        return reader.words.say(_("yesterday %(clock)s"), clock=clock)
    return written[5:16] if moment.year == today.year else written[:16]


def exact_time(instant: datetime, reader: Reader, *, zone: ZoneInfo | None = None) -> str:
    """Return the instant to the second with its offset, for whoever wants to know it."""
    written = local(instant, zone or reader.zone).isoformat(sep=" ", timespec="seconds")
    return f"{written[:_WALL]} UTC{written[_WALL:]}"


def duration(length: timedelta, reader: Reader) -> str:
    """Return a length of time in its two largest units: 3 min, 2 h 05 min, 4 d 3 h."""
    minutes = max(int(length.total_seconds()) // 60, 0)
    hours, days = minutes // 60, minutes // 1440
    if days:
        return reader.words.say(_("%(days)d d %(hours)d h"), days=days, hours=hours % 24)
    if hours:
        return reader.words.say(_("%(hours)d h %(minutes)02d min"), hours=hours, minutes=minutes % 60)
    return reader.words.say(_("%(minutes)d min"), minutes=minutes)


def number(value: float | Decimal, *, digits: int | None = None) -> str:
    """Return a number with thousands separated; without `digits`, six in all at most and no trailing zero."""
    if digits is None:
        digits = _digits(value)
        text = f"{value:,.{digits}f}"
        text = text.rstrip("0").rstrip(".") if digits else text
    else:
        text = f"{value:,.{digits}f}"
    return text.replace("-", _MINUS)


def quantity(value: float | Decimal, unit: str, *, digits: int | None = None) -> str:
    """Return a number with the symbol of its UCUM unit after a thin space; a number without a unit stands alone."""
    written = symbol(unit) if unit else ""
    return f"{number(value, digits=digits)}{_THIN_SPACE}{written}" if written else number(value, digits=digits)


def money(amount: Money) -> str:
    """Return ¥1,234.50, with a minus sign in front when it is negative."""
    sign = _SIGNS.get(amount.currency, f"{amount.currency}{_THIN_SPACE}")
    return f"{_MINUS if amount.minor < 0 else ''}{sign}{abs(amount.amount):,}"


def _digits(value: float | Decimal) -> int:
    """Return how many decimals leave six digits in all."""
    whole_digits = len(str(abs(int(value))))
    return max(_SIGNIFICANT_DIGITS - whole_digits, 0)
