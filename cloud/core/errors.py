"""Business errors, named by what the caller can do; each carries the HTTP status and a stable code.

The sentence is for a person and goes through the catalogues: it is a message id with named parameters, so that
it can be said in the reader's language.
"""

from typing import ClassVar

_LENGTH = 300


class GatehouseError(Exception):
    """A use case said no.

    Attributes:
        message: a catalogue id in English with `%(name)s` places.
        parameters: what stands in those places.
        field: the form field or message field that is to be mended; None where no single one is.
    """

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal"

    def __init__(self, message: str, /, field: str | None = None, **parameters: object) -> None:
        super().__init__(message % parameters if parameters else message)
        self.message = message
        self.parameters = parameters
        self.field = field


def first_line(error: BaseException) -> str:
    """Return what a page may say of an error: its kind and its sentence, without traceback or a statement's values."""
    lines = str(error).splitlines()
    return f"{type(error).__name__}: {lines[0] if lines else 'no message'}"[:_LENGTH]


class Malformed(GatehouseError):
    """The input can't be read; nothing was changed."""

    status = 422
    code = "malformed"


class Refused(GatehouseError):
    """The input is understood and breaks a rule; nothing was changed."""

    status = 400
    code = "refused"


class NotSignedIn(GatehouseError):
    """Nobody is signed in, or the token is no longer good."""

    status = 401
    code = "not_signed_in"


class Forbidden(GatehouseError):
    """The principal may not do this; the message says who may."""

    status = 403
    code = "forbidden"


class NotFound(GatehouseError):
    """There is no such thing, or it is not the principal's to see: the two are not told apart."""

    status = 404
    code = "not_found"


class Conflict(GatehouseError):
    """Somebody else was quicker, or the thing is not in a state for this."""

    status = 409
    code = "conflict"


class TooLarge(GatehouseError):
    """More than one request may carry."""

    status = 413
    code = "too_large"


class TooMany(GatehouseError):
    """Too often; try again after `retry_after_s`."""

    status = 429
    code = "too_many"

    def __init__(self, message: str, *, retry_after_s: int, field: str | None = None, **parameters: object) -> None:
        super().__init__(message, field, retry_after_s=retry_after_s, **parameters)
        self.retry_after_s = retry_after_s
