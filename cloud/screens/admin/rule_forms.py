"""The forms of rules, one for each kind of terms, and what they say when they are sent."""

from dataclasses import fields
from typing import Annotated, Any

import msgspec
from pydantic import Field

from cloud.alarms.domain import Priority
from cloud.alarms.rules import Draft
from cloud.alarms.terms import TERMS, Kind, Terms
from cloud.core.words import Words
from cloud.web.forms import Form, FormModel
from firmware_configs.look.words import _

KINDS = {
    Kind.LIMITS: _("Past a limit"),
    Kind.RATE: _("Changes too fast"),
    Kind.STATE: _("Has a value it should not have"),
    Kind.SILENCE: _("Sends nothing"),
}

_NAME = Annotated[str, Field(max_length=120)]
_TEXT = Annotated[str, Field(max_length=1_000)]


class RuleForm(FormModel):
    """What every rule has; `version` is the one that was changed."""

    unit: str
    priority: Annotated[int, Field(ge=1, le=4)]
    name_zh: _NAME = ""
    name_en: _NAME = ""
    consequence_zh: _TEXT = ""
    consequence_en: _TEXT = ""
    first_action_zh: _TEXT = ""
    first_action_en: _TEXT = ""
    is_enabled: bool = False
    version: int = 0


class LimitsForm(RuleForm):
    """See terms.Limits."""

    low: float | None = None
    high: float | None = None
    deadband: float = 0.0
    on_delay_s: float = 0.0
    off_delay_s: float = 0.0


class RateForm(LimitsForm):
    """See terms.Rate."""

    over_s: float = 600.0


class StateForm(RuleForm):
    """See terms.Equals."""

    value: float
    on_delay_s: float = 0.0
    off_delay_s: float = 0.0


class SilenceForm(RuleForm):
    """See terms.Silence."""

    after_s: float


FORMS: dict[Kind, type[RuleForm]] = {
    Kind.LIMITS: LimitsForm,
    Kind.RATE: RateForm,
    Kind.STATE: StateForm,
    Kind.SILENCE: SilenceForm,
}


def draft_of(kind: Kind, sent: RuleForm) -> Draft:
    """Return the rule that was written."""
    return Draft(
        terms=terms_of(kind, sent),
        unit=sent.unit,
        priority=Priority(sent.priority),
        name=Words(zh=sent.name_zh, en=sent.name_en),
        consequence=Words(zh=sent.consequence_zh, en=sent.consequence_en),
        first_action=Words(zh=sent.first_action_zh, en=sent.first_action_en),
        is_enabled=sent.is_enabled,
    )


def terms_of(kind: Kind, sent: RuleForm) -> Terms:
    """Return the terms that were written."""
    shape = TERMS[kind]
    return shape(**{field.name: getattr(sent, field.name) for field in fields(shape)})


def blank(kind: Kind, *, unit: str) -> Form[Any]:
    """Return the form of a new rule."""
    shape = FORMS[kind]
    initial = {name: field.default for name, field in shape.model_fields.items() if not field.is_required()}
    written = {name: _plain(value) for name, value in initial.items() if isinstance(value, float)}
    return Form.blank(shape, **{**written, "unit": unit, "priority": int(Priority.MEDIUM), "is_enabled": True})


def filled(kind: Kind, draft: Draft, *, version: int) -> Form[Any]:
    """Return the form of a rule as it is kept."""
    terms = {name: _plain(value) for name, value in msgspec.to_builtins(draft.terms).items() if value is not None}
    return Form.blank(
        FORMS[kind],
        **terms,
        unit=draft.unit,
        priority=int(draft.priority),
        name_zh=draft.name.zh,
        name_en=draft.name.en,
        consequence_zh=draft.consequence.zh,
        consequence_en=draft.consequence.en,
        first_action_zh=draft.first_action.zh,
        first_action_en=draft.first_action.en,
        is_enabled=draft.is_enabled,
        version=version,
    )


def _plain(value: float) -> str:
    """Return a number as a person types it: 80 and not 80.0."""
    return f"{value:.15g}"
