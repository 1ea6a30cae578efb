"""Devices' own timestamps, in the ways they are written, as microseconds since 1970 UTC."""

from datetime import UTC, datetime, timedelta, tzinfo
from enum import StrEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from protocols.errors import AnswerRefused, DictionaryError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_END_US = 253_402_214_400_000_000
"""9999-12-31: what comes later can't be moved between zones any more."""


class TimeFormat(StrEnum):
    """How a device writes an instant."""

    EPOCH_S = "epoch_s"
    EPOCH_MS = "epoch_ms"
    ISO8601 = "iso8601"


def zone_named(name: str) -> tzinfo:
    """Return the IANA time zone of that name; UTC needs no zone data on the machine.

    Raises:
        DictionaryError: there is no such zone on this machine.
    """
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise DictionaryError(f"zone {name!r} is unknown; write an IANA name such as UTC or Asia/Shanghai") from error


def from_epoch(number: float, *, tick_us: int, zone: tzinfo = UTC) -> int:
    """Return the instant that is `number` ticks since 1970; exact for whole numbers.

    Args:
        number: the device's count.
        tick_us: microseconds in one tick.
        zone: whose wall clock the device counts as if that were UTC; UTC where it counts true.

    Raises:
        AnswerRefused: the instant lies outside the years 1970 to 9999.
    """
    if not 0 <= number * tick_us < _END_US:
        raise AnswerRefused(f"timestamp {str(number)[:40]} lies outside the years 1970 to 9999")
    time_us = round(number * tick_us)
    if zone is UTC:
        return time_us
    wall = _EPOCH + timedelta(microseconds=time_us)
    return (wall.replace(tzinfo=zone) - _EPOCH) // _MICROSECOND


def from_iso8601(text: str, *, zone: tzinfo = UTC) -> int:
    """Return the instant of an ISO 8601 text; one without an offset is read in `zone`.

    Raises:
        AnswerRefused: the text is no ISO 8601 instant, or lies outside the years 1970 to 9999.
    """
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise AnswerRefused(f"timestamp {text!r} is no ISO 8601 instant") from error
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=zone)
    time_us = (instant - _EPOCH) // _MICROSECOND
    if not 0 <= time_us < _END_US:
        raise AnswerRefused(f"timestamp {text!r} lies outside the years 1970 to 9999")
    return time_us


def tick_us(time_format: TimeFormat) -> int:
    """Return the microseconds in one step of an epoch format."""
    return 1_000_000 if time_format is TimeFormat.EPOCH_S else 1_000
