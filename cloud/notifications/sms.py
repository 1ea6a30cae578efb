"""SMS by HTTP, through an interface of our own that a provider's is put behind.

POST {url}/messages       {"id": "...", "to": "+8613800000001", "text": "..."}   with "Authorization: Bearer TOKEN"
    200 {"gateway_id": "..."}; the same id again is answered the same and sends nothing
    400, 422 {"reason": "..."}: never; 429 with Retry-After: later; everything else: later
GET  {url}/messages/{gateway_id}
    200 {"state": "accepted" | "sent" | "failed", "reason": "..."}
"""

import asyncio
from datetime import timedelta
from http import HTTPStatus
from typing import Literal, TypeVar
from urllib.parse import quote

import msgspec
import urllib3
from pydantic import SecretStr
from urllib3.exceptions import HTTPError

from cloud.notifications.channels import Fate, Parcel, Receipt, Report, SendDelayed, SendRefused

_TIMEOUT = urllib3.Timeout(connect=5.0, read=10.0)
_CONNECTIONS = 8
_LENGTH = 500  # of a text; some seven messages of 70 characters, which is what a provider joins
_MORE = "…"
_NEVER = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY})
_LONGEST_WAIT_S = 3_600

_FATES = {"accepted": Fate.UNKNOWN, "sent": Fate.SENT, "failed": Fate.FAILED}
_Answer = TypeVar("_Answer", bound=msgspec.Struct)


class _Taken(msgspec.Struct):
    gateway_id: str


class _Told(msgspec.Struct):
    state: Literal["accepted", "sent", "failed"]
    reason: str = ""


class _Refusal(msgspec.Struct):
    reason: str = ""


class Sms:
    """The gateway behind one URL."""

    def __init__(self, url: str, token: SecretStr) -> None:
        self._url = url.rstrip("/")
        self._token = token
        self._pool = urllib3.PoolManager(maxsize=_CONNECTIONS, timeout=_TIMEOUT, retries=False)

    async def send(self, parcel: Parcel) -> Receipt:
        sent = {"id": parcel.uid, "to": parcel.address, "text": _written(parcel)}
        taken = await self._ask("POST", "/messages", answer=_Taken, body=msgspec.json.encode(sent))
        return Receipt(gateway_id=taken.gateway_id, is_reported=True)

    async def report(self, gateway_id: str) -> Report:
        try:
            told = await self._ask("GET", f"/messages/{quote(gateway_id, safe='')}", answer=_Told)
        except SendRefused as error:
            raise SendDelayed(str(error)) from error
        return Report(fate=_FATES[told.state], reason=told.reason)

    async def _ask(self, method: str, path: str, *, answer: type[_Answer], body: bytes | None = None) -> _Answer:
        headers = {"Authorization": f"Bearer {self._token.get_secret_value()}", "Content-Type": "application/json"}
        try:
            came = await asyncio.to_thread(
                self._pool.request, method, f"{self._url}{path}", body=body, headers=headers, redirect=False
            )
            if came.status == HTTPStatus.OK:
                return msgspec.json.decode(came.data, type=answer)
        except HTTPError as error:
            raise SendDelayed(f"{type(error).__name__}: the gateway does not answer") from error
        except msgspec.DecodeError as error:
            raise SendDelayed(f"the gateway's answer can't be read: {error}") from error
        reason = _reason(came)
        if came.status in _NEVER:
            raise SendRefused(reason)
        raise SendDelayed(reason, retry_after=_retry_after(came.headers.get("Retry-After", "")))


def _written(parcel: Parcel) -> str:
    """Return the text with the sender before it in the brackets that China's carriers ask for, the link whole."""
    said = " ".join(part for part in (parcel.subject, parcel.text) if part)
    before, after = f"【{parcel.sender}】", f" {parcel.link}" if parcel.link else ""
    room = _LENGTH - len(before) - len(after)
    return before + (said if len(said) <= room else said[: room - len(_MORE)] + _MORE) + after


def _reason(came: urllib3.BaseHTTPResponse) -> str:
    try:
        told = msgspec.json.decode(came.data, type=_Refusal).reason
    except msgspec.DecodeError:
        told = ""
    return f"{came.status} {told}".strip()


def _retry_after(header: str) -> timedelta | None:
    return timedelta(seconds=min(int(header), _LONGEST_WAIT_S)) if header.isascii() and header.isdigit() else None
