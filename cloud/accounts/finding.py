"""People found by part of a name or the end of a number, among however many there are."""

import re
import unicodedata
from contextlib import suppress

from sqlalchemy import ColumnElement, Select, select
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
    words = unicodedata.normalize("NFKC", words).strip()
    found = select(PersonRow.id).where(PersonRow.organisation_id == principal.organisation_id, PersonRow.is_active)
    digits = _BETWEEN.sub("", words)
    if not digits.isdecimal():
        return _through_index(session, found, words, PersonRow.name.icontains(words, autoescape=True))
    numbers = [f"+{digits}"]
    with suppress(Refused):
        numbers.append(check_phone(digits))
    # The end of a number stands alone: 12-1505 is a house with a flat.
    if len(numbers) == 1 and words.isdecimal() and len(words) >= SHORTEST_END:
        return _through_index(session, found, words, PersonRow.phone.endswith(words, autoescape=True))
    return found.where(PersonRow.phone.in_(numbers))


def _through_index(session: AsyncSession, found: Select[int], words: str, exactly: ColumnElement[bool]) -> Select[int]:
    candidates = PEOPLE_SEARCH.candidates(words, dialect=session.get_bind().dialect.name)
    # Without statistics SQLite would rather read the organisation's every row than look candidates up by their ids.
    return found.where(PersonRow.id.in_(candidates), exactly).with_hint(PersonRow, "NOT INDEXED", "sqlite")
