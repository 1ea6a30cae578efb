"""The mail hook: a mail server of the organisation's own hands over a message as it came, signed with a shared secret.

The signature is `t=<seconds since 1970>,v1=<hex>` in X-Gatehouse-Signature: the HMAC-SHA256 of the time, a dot and
the body. An old signature is refused; within its time the same message again changes nothing.
"""

import hashlib
import hmac
import re
from datetime import timedelta

from fastapi import APIRouter
from pydantic import SecretStr
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from cloud.core.clock import Clock
from cloud.core.errors import GatehouseError, NotSignedIn, TooLarge
from cloud.reception.intake import MailIntake
from cloud.reception.letters import MAXIMUM_BYTES

PATH = "/hooks/mail"
SIGNATURE = "X-Gatehouse-Signature"
TOLERANCE = timedelta(minutes=5)

_FORM = re.compile(r"t=(\d{1,12}),v1=([0-9a-f]{64})")


class MailHook:
    """What a mail server reaches of the cloud."""

    def __init__(self, intake: MailIntake, clock: Clock, *, secret: SecretStr) -> None:
        self._intake = intake
        self._clock = clock
        self._secret = secret.get_secret_value().encode()

    def router(self) -> APIRouter:
        """Return the one route."""
        return APIRouter(routes=[Route(PATH, self._post, methods=["POST"], include_in_schema=False)])

    async def _post(self, request: Request) -> Response:
        try:
            body = await _body(request)
            self._check(request.headers.get(SIGNATURE, ""), body)
            state = await self._intake.take(body)
        except GatehouseError as error:
            return _json({"code": error.code, "message": str(error)}, status=error.status)
        return _json({"state": state or "known"}, status=200)

    def _check(self, signature: str, body: bytes) -> None:
        """Let a message pass that who knows the secret signed a moment ago.

        Raises:
            NotSignedIn: the signature is missing, wrong or old.
        """
        form = _FORM.fullmatch(signature.strip())
        if form is None:
            raise NotSignedIn("Sign the message: %(header)s is t=<seconds since 1970>,v1=<hex>.", header=SIGNATURE)
        expected = sign(body, secret=self._secret, at_s=int(form[1]))
        if not hmac.compare_digest(expected, signature.strip()):
            raise NotSignedIn("The signature does not fit the message: check the shared secret.")
        if abs(self._clock.now().timestamp() - int(form[1])) > TOLERANCE.total_seconds():
            raise NotSignedIn("The signature is old: check the sender's clock and sign anew.")


def sign(body: bytes, *, secret: bytes, at_s: int) -> str:
    """Return the header's value for a message that is sent at `at_s`, in seconds since 1970."""
    mark = hmac.new(secret, f"{at_s}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at_s},v1={mark}"


async def _body(request: Request) -> bytes:
    """Return the message.

    Raises:
        TooLarge: it has more than MAXIMUM_BYTES; what is more is not read.
    """
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > MAXIMUM_BYTES:
            raise TooLarge("A mail may have at most %(megabytes)d MB.", megabytes=MAXIMUM_BYTES // 1024**2)
        parts.append(part)
    return b"".join(parts)


def _json(content: dict[str, str], *, status: int) -> Response:
    return JSONResponse(content, status_code=status)
