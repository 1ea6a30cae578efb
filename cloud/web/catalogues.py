"""The words of both languages: English is the id itself, 简体中文 comes from the catalogues of the look."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

from babel.messages.pofile import read_po
from markupsafe import Markup, escape

from cloud.core.errors import GatehouseError
from firmware_configs.look.assets import LOOK

CATALOGUES = LOOK / "catalogues"
_CONTEXT_BAR = "|"


class Locale(StrEnum):
    """A language that every page speaks; the values are BCP 47 tags."""

    ZH_HANS = "zh-Hans"
    EN = "en"

    @property
    def own_name(self) -> str:
        """Return the language's name in itself, which no catalogue translates."""
        return {Locale.ZH_HANS: "简体中文", Locale.EN: "English"}[self]


@dataclass(frozen=True, slots=True)
class Message:
    """A catalogue id with what stands in its places, to be said when the reader is known."""

    id: str
    parameters: Mapping[str, object] = field(default_factory=dict)

    @classmethod
    def of(cls, error: GatehouseError) -> "Message":
        """Return what a refusing use case has to say."""
        return cls(error.message, error.parameters)


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """One language's words: by id the text, or one text for each plural form."""

    texts: Mapping[str, tuple[str, ...]]

    def say(self, message: "str | Message | GatehouseError", /, **parameters: Any) -> str:
        """Return the message in this language; markup among the parameters stays markup."""
        if isinstance(message, GatehouseError):
            message = Message.of(message)
        if isinstance(message, str):
            return _filled(self.texts.get(message, (shown(message),))[0], parameters)
        return self.say(message.id, **{**message.parameters, **parameters})

    def say_number(self, one: str, many: str, number: int, **parameters: Any) -> str:
        """Return the message in the form that `number` wants; `%(number)s` stands for it."""
        texts = self.texts.get(one, (shown(one), shown(many)))
        return _filled(texts[0 if number == 1 else -1], {"number": number, **parameters})


def shown(message: str) -> str:
    """Return an id without its context."""
    return message.partition(_CONTEXT_BAR)[2] or message


@cache
def catalogue(locale: Locale) -> Catalogue:
    """Return a language's words, read once from all areas."""
    folder = CATALOGUES / locale.replace("-", "_")
    return Catalogue(texts={key: text for file in sorted(folder.glob("*.po")) for key, text in read(file).items()})


def read(file: Path) -> dict[str, tuple[str, ...]]:
    """Return a .po file's texts by id; a plural entry is found by its singular."""
    with file.open("rb") as source:
        return {_first(entry.id): _texts(entry.string) for entry in read_po(source, abort_invalid=True) if entry.id}


def _first(key: str | tuple[str, ...] | list[str]) -> str:
    return key if isinstance(key, str) else key[0]


def _texts(text: str | tuple[str, ...] | list[str] | None) -> tuple[str, ...]:
    return (text or "",) if isinstance(text, str | None) else tuple(text)


def _filled(text: str, parameters: Mapping[str, Any]) -> str:
    if not parameters:
        return text
    if any(hasattr(value, "__html__") for value in parameters.values()):
        return Markup(escape(text)) % parameters  # noqa: S704  the text is escaped, the markup is ours
    return text % parameters
