"""Forms: what was typed becomes typed values, or errors tied to their fields over what was typed.

A form is a pydantic model; an empty field counts as not sent. A list field takes every value of its name.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Generic, TypeVar, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request

from cloud.core.errors import GatehouseError, Malformed
from cloud.web.catalogues import Message
from firmware_configs.look.words import _


class FormModel(BaseModel):
    """The parent of every form's model: surrounding blanks are nobody's intention."""

    model_config = ConfigDict(str_strip_whitespace=True, frozen=True, extra="ignore", arbitrary_types_allowed=True)


Model = TypeVar("Model", bound=FormModel)

_SENTENCES = {
    "missing": _("Fill this in."),
    "string_too_short": _("Too short: at least %(min_length)s characters."),
    "string_too_long": _("Too long: at most %(max_length)s characters."),
    "greater_than": _("Must be more than %(gt)s."),
    "greater_than_equal": _("Must be %(ge)s or more."),
    "less_than": _("Must be less than %(lt)s."),
    "less_than_equal": _("Must be %(le)s or less."),
    "int_parsing": _("Enter a whole number."),
    "int_from_float": _("Enter a whole number."),
    "float_parsing": _("Enter a number."),
    "finite_number": _("Enter a number."),
    "decimal_parsing": _("Enter a number."),
    "decimal_max_places": _("At most %(decimal_places)s digits after the point."),
    "bool_parsing": _("Choose one of the values offered."),
    "enum": _("Choose one of the values offered."),
    "literal_error": _("Choose one of the values offered."),
}
_OTHERWISE = _("This value can't be read: check it and try again.")


class Form(Generic[Model]):
    """One sending of a form, or the empty form before it.

    Attributes:
        typed: what stands in the fields, as text; drawn again when something is to be mended.
        errors: by field what to mend; the empty name holds what no single field caused.
    """

    def __init__(self, model: type[Model], typed: Mapping[str, list[str]], *, sent: bool) -> None:
        self.typed = typed
        self.errors: dict[str, list[Message]] = {}
        self._model = model
        self._value: Model | None = None
        if sent:
            self._read()

    @classmethod
    def blank(cls, model: type[Model], **initial: object) -> "Form[Model]":
        """Return the form as it is first drawn, with `initial` in its fields."""
        return cls(model, {name: _texts(value) for name, value in initial.items()}, sent=False)

    @property
    def value(self) -> Model:
        """Return the typed values.

        Raises:
            Malformed: a field is to be mended; the form's errors say which.
        """
        if self._value is None:
            raise Malformed(_("Something is missing or can't be read: see the marked fields."))
        return self._value

    def blame(self, error: GatehouseError) -> None:
        """Show a use case's refusal at the field it names, or above the form."""
        if self._value is None and isinstance(error, Malformed):
            return  # the fields say it already
        field = error.field if error.field in self._model.model_fields else ""
        self.errors.setdefault(field or "", []).append(Message.of(error))

    def text(self, field: str) -> str:
        """Return what stands in a field."""
        return next(iter(self.typed.get(field, ())), "")

    def texts(self, field: str) -> list[str]:
        """Return all that is chosen in a field of several values."""
        return list(self.typed.get(field, ()))

    def is_required(self, field: str) -> bool:
        """Return whether the form can't be sent without the field."""
        return field in self._model.model_fields and self._model.model_fields[field].is_required()

    def _read(self) -> None:
        fields = self._model.model_fields
        given = {
            name: texts if get_origin(fields[name].annotation) in {list, tuple, frozenset} else texts[0]
            for name, texts in self.typed.items()
            if name in fields and any(texts)
        }
        try:
            self._value = self._model.model_validate(given)
        except ValidationError as error:
            for detail in error.errors():
                field = str(detail["loc"][0]) if detail["loc"] else ""
                self.errors.setdefault(field, []).append(_message(detail))


async def read_form(request: Request, model: type[Model]) -> Form[Model]:
    """Return what the request's form holds."""
    data = await request.form()
    return Form(model, {name: _typed(data, name) for name in data}, sent=True)


def _typed(data: FormData, name: str) -> list[str]:
    return [value for value in data.getlist(name) if not isinstance(value, UploadFile)]


def _texts(value: object) -> list[str]:
    if value is None:
        return []
    if isinstance(value, Iterable) and not isinstance(value, str):
        return [str(part) for part in value]
    return [("on" if value else "") if isinstance(value, bool) else str(value)]


def _message(detail: ErrorDetails) -> Message:
    cause: Any = detail.get("ctx", {}).get("error")
    if isinstance(cause, GatehouseError):
        return Message.of(cause)
    sentence = _SENTENCES.get(detail["type"], _OTHERWISE)
    return Message(sentence, detail.get("ctx", {}) if "%(" in sentence else {})
