"""What just happened, said once on the next page, with the way to take it back where there is one."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from cloud.web.catalogues import Message
from cloud.web.session import is_secure

_COOKIE = "gatehouse_notice"
UNDO_S = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Undo:
    """The form that takes the act back: where it is sent and with which fields."""

    path: str
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One sentence about what was done."""

    id: str
    parameters: Mapping[str, str | int] = field(default_factory=dict)
    undo: Undo | None = None

    @property
    def message(self) -> Message:
        """Return the sentence to be said."""
        return Message(self.id, self.parameters)


def leave(response: Response, request: Request, notice: Notice) -> None:
    """Let the next page say `notice`."""
    value = base64.urlsafe_b64encode(msgspec.json.encode(notice)).decode()
    response.set_cookie(_COOKIE, value, max_age=60, path="/", httponly=True, samesite="lax", secure=is_secure(request))


def left(request: Request) -> Notice | None:
    """Return what the last answer left to be said; a cookie that can't be read says nothing."""
    value = request.cookies.get(_COOKIE)
    if not value:
        return None
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(value), type=Notice)
    except (binascii.Error, msgspec.DecodeError, UnicodeDecodeError):
        return None


def clear(response: Response) -> None:
    """Forget the notice, once it is said."""
    response.delete_cookie(_COOKIE, path="/", httponly=True, samesite="lax")
