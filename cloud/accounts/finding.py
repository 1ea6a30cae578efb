"""People found by part of a name or the end of a number, among however many there are."""

import re
import unicodedata

from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.accounts.phones import check_phone
from cloud.accounts.tables import PEOPLE_SEARCH, PersonRow
from cloud.core.errors import Refused
from cloud.core.principal import Principal

SHORTEST_END = 4
"""Digits of a number's end that say something: fewer are a house's or a flat's."""

_BETWEEN = re.compile(r"[\s().·+-]+")


def matching(session: AsyncSession, principal: Principal, words: str) -> Select[int]:
    """Return the select of the ids of the organisation's people whom the words mean, of whichever community.

    The words are a part of a name, a whole number as people write it, or at least SHORTEST_END of its last digits.
    """
    words = words.strip()
    found = select(PersonRow.id).where(PersonRow.organisation_id == principal.organisation_id, PersonRow.is_active)
    digits = _BETWEEN.sub("", unicodedata.normalize("NFKC", words))
    if digits.isdecimal() and len(digits) >= SHORTEST_END:
        return _with_number(session, found, digits)
    return _through_index(session, found, words, PersonRow.name.icontains(words, autoescape=True))


def _with_number(session: AsyncSession, found: Select[int], digits: str) -> Select[int]:
    try:
        whole = check_phone(digits)
    except Refused:
        return _through_index(session, found, digits, PersonRow.phone.endswith(digits, autoescape=True))
    return found.where(or_(PersonRow.phone == whole, PersonRow.phone == f"+{digits}"))


def _through_index(session: AsyncSession, found: Select[int], words: str, exactly: ColumnElement[bool]) -> Select[int]:
    candidates = PEOPLE_SEARCH.candidates(words, dialect=session.get_bind().dialect.name)
    # Without statistics SQLite would rather read the organisation's every row than look candidates up by their ids.
    return found.where(PersonRow.id.in_(candidates), exactly).with_hint(PersonRow, "NOT INDEXED", "sqlite")
