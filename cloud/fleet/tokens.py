"""Box tokens: a short JWT that a box signs with the key it was claimed with."""

import re
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from jwt.types import Options
from jwt.utils import base64url_decode
from sqlalchemy import select

from cloud.core.clock import Clock, to_us
from cloud.core.database import Database
from cloud.core.errors import NotSignedIn
from cloud.fleet.domain import BoxIdentity
from cloud.fleet.tables import BoxRow
from protocols.wire import TOKEN_AUDIENCE, TOKEN_LEEWAY_S, TOKEN_LIFETIME_S

_REMEMBERED = 20_000
_LONGEST_TOKEN = 2_048
_ALGORITHM = "EdDSA"
_BOX_ID = re.compile(r"[0-9]{1,18}")
_TIMES_ARE_CHECKED: Options = {"verify_exp": False, "verify_iat": False, "verify_nbf": False}  # by the cloud's Clock


@dataclass(frozen=True, slots=True)
class _Checked:
    box: BoxIdentity
    until_s: float


class Tokens:
    """Knows boxes by their tokens; one for a process. A token that was checked is not checked again."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._checked: OrderedDict[str, _Checked] = OrderedDict()

    async def identify(self, authorisation: str | None) -> BoxIdentity:
        """Return the box that an Authorization header proves.

        A box that was shown out since its token was checked is still named; whoever acts for it looks at its state.

        Raises:
            NotSignedIn: there is no token, or it is not good now; the message says what is wrong with it.
        """
        token = (authorisation or "").removeprefix("Bearer ")
        now_s = to_us(self._clock.now()) / 1_000_000
        checked = self._checked.get(token)
        if checked is None or checked.until_s <= now_s:
            checked = await self._check(token, now_s)
            self._checked[token] = checked
            if len(self._checked) > _REMEMBERED:
                self._checked.popitem(last=False)
        return checked.box

    async def _check(self, token: str, now_s: float) -> _Checked:
        unproved = _read(token)
        box_id = _box_id(unproved)
        until_s = _until_s(unproved, now_s)
        # any organisation: the box names itself, and its key proves it
        asked = select(BoxRow.id, BoxRow.organisation_id, BoxRow.name, BoxRow.public_key.label("key"))
        async with self._database.reading() as session:
            row = (await session.execute(asked.where(BoxRow.id == box_id))).one_or_none()
        if row is None or row.key is None:
            raise NotSignedIn("There is no box %(box_id)s, or it was shown out: claim it again.", box_id=box_id)
        _prove(token, row.key)
        box = BoxIdentity(box_id=row.id, organisation_id=row.organisation_id, name=row.name, key=row.key)
        return _Checked(box, until_s)


def _read(token: str) -> Mapping[str, Any]:
    """Return what the token says; nothing of it is proved yet."""
    if not token:
        raise NotSignedIn("Authorization is missing: send a box token as Bearer.")
    try:
        claims: Mapping[str, Any] = jwt.decode(token[:_LONGEST_TOKEN], options={"verify_signature": False})
    except jwt.InvalidTokenError as error:
        raise NotSignedIn("Authorization holds no token: %(error)s.", error=str(error)) from error
    return claims


def _box_id(claims: Mapping[str, Any]) -> int:
    issuer = claims.get("iss")
    if not isinstance(issuer, str) or not _BOX_ID.fullmatch(issuer):
        raise NotSignedIn("The token's iss is no box id.")
    return int(issuer)


def _until_s(claims: Mapping[str, Any], now_s: float) -> float:
    """Return how long the token is good by the cloud's clock, seconds since 1970."""
    issued_s, expires_s = claims.get("iat"), claims.get("exp")
    if not isinstance(issued_s, int | float) or not isinstance(expires_s, int | float):
        raise NotSignedIn("The token's iat and exp must be numbers.")
    if not 0 < expires_s - issued_s <= TOKEN_LIFETIME_S:
        raise NotSignedIn("The token lives %(most)s seconds at most: mind exp.", most=TOKEN_LIFETIME_S)
    if not issued_s - TOKEN_LEEWAY_S <= now_s < expires_s + TOKEN_LEEWAY_S:
        raise NotSignedIn(
            "The token's iat is %(off)s seconds from the cloud's time: ask for the time again.",
            off=round(issued_s - now_s),
        )
    return float(expires_s + TOKEN_LEEWAY_S)


def _prove(token: str, key: str) -> None:
    public_key = Ed25519PublicKey.from_public_bytes(base64url_decode(key))
    try:
        jwt.decode(token, public_key, algorithms=[_ALGORITHM], audience=TOKEN_AUDIENCE, options=_TIMES_ARE_CHECKED)
    except jwt.InvalidTokenError as error:
        raise NotSignedIn("The token is not good: %(error)s.", error=str(error)) from error
