"""Telephone numbers: read as people write them, kept as E.164, shown as people dial them, masked in lists."""

import re
import unicodedata

from cloud.core.errors import Refused
from firmware_configs.look.words import _

DEFAULT_COUNTRY = "+86"
"""Of numbers that are written without a country."""

LENGTH = 16
"""Of the longest number in E.164, with its plus."""

_E164 = re.compile(r"\+[1-9]\d{6,14}")
_MOBILE = re.compile(r"\+861[3-9]\d{9}")
_CHINESE = re.compile(r"\+86(1[3-9]\d{9}|[2-9]\d{8,10})")
_BETWEEN = re.compile(r"[\s().·-]+")  # what people put between the digits
_SHOWN = 4


def check_phone(text: str) -> str:
    """Return a number in E.164, e.g. "+8613800000001" for "138 0000 0001" and "+862155550000" for "021-5555 0000".

    Raises:
        Refused: it is no telephone number.
    """
    digits = _BETWEEN.sub("", unicodedata.normalize("NFKC", text))
    phone = _with_country(digits)
    is_one = _CHINESE.fullmatch(phone) if phone.startswith("+86") else _E164.fullmatch(phone)
    if not is_one:
        sentence = _(
            "This is no telephone number: write 11 digits like 138 0000 0001, or begin with + and the country."
        )
        raise Refused(sentence, field="phone")
    return phone


def is_mobile(phone: str) -> bool:
    """Return whether a text message can reach the number, as far as the number itself says."""
    return bool(_MOBILE.fullmatch(phone)) or not phone.startswith("+86")


def shown(phone: str) -> str:
    """Return a number as it is dialled at home: "138 0000 0001"; another country's keeps its own."""
    if _MOBILE.fullmatch(phone):
        home = phone.removeprefix(DEFAULT_COUNTRY)
        return f"{home[:3]} {home[3:7]} {home[7:]}"
    return f"0{phone.removeprefix(DEFAULT_COUNTRY)}" if phone.startswith(DEFAULT_COUNTRY) else phone


def masked(phone: str) -> str:
    """Return a number that only those recognise who know it: "138****0001"."""
    digits = shown(phone).replace(" ", "")
    return f"{digits[:3]}****{digits[-_SHOWN:]}"


def _with_country(digits: str) -> str:
    if digits.startswith("+"):
        return digits
    if digits.startswith("00"):
        return f"+{digits[2:]}"
    return DEFAULT_COUNTRY + digits.removeprefix("0")
