"""The form of a ticket type: what it holds as text, and back."""

import re
from typing import Annotated, Any

from pydantic import Field, create_model

from cloud.alarms.domain import Priority
from cloud.core.errors import Refused
from cloud.core.words import Words
from cloud.tickets.domain import Kind, Payer, Step, Target, TicketType
from cloud.web.forms import Form, FormModel
from firmware_configs.look.words import _

_NAME = Annotated[str, Field(max_length=80)]
_TEXT = Annotated[str, Field(max_length=4_000)]
_MINUTES = Annotated[int, Field(ge=1, le=366 * 24 * 60)]
_SEPARATORS = re.compile(r"[,，、\n]")


class TypeWords(FormModel):
    """What a type is, but for its deadlines."""

    code: Annotated[str, Field(max_length=40, pattern=r"^[a-z][a-z0-9_]*$")]
    parent_code: str | None = None
    kind: Kind
    name_zh: _NAME = ""
    name_en: _NAME = ""
    default_priority: Annotated[int, Field(ge=1, le=4)]
    calendar: str
    procedure: _TEXT = ""
    skills: _TEXT = ""
    payer: Payer
    keywords: _TEXT = ""
    is_emergency: bool = False
    needs_plan: bool = False
    rework_days: Annotated[int, Field(ge=0, le=3_650)] = 7


def minutes_field(priority: Priority, target: Target) -> str:
    """Return the name of the field for the minutes of a target."""
    return f"minutes_{int(priority)}_{target}"


_TARGETS: dict[str, Any] = {
    minutes_field(priority, target): (_MINUTES | None, None) for priority in Priority for target in Target
}
TypeForm: Any = create_model("TypeForm", __base__=TypeWords, **_TARGETS)
"""A type as it is written; a target without minutes has no deadline."""


def type_of(sent: Any) -> TicketType:
    """Return the type that was written.

    Raises:
        Refused: a line of the procedure is no step.
    """
    minutes = {
        priority: {target: getattr(sent, minutes_field(priority, target)) for target in Target} for priority in Priority
    }
    return TicketType(
        code=sent.code,
        parent_code=sent.parent_code,
        kind=sent.kind,
        name=Words(zh=sent.name_zh, en=sent.name_en),
        default_priority=Priority(sent.default_priority),
        targets={
            priority: {target: each for target, each in targets.items() if each is not None}
            for priority, targets in minutes.items()
        },
        calendar=sent.calendar,
        procedure=_steps(sent.procedure),
        skills=_listed(sent.skills),
        payer=sent.payer,
        keywords=_listed(sent.keywords),
        is_emergency=sent.is_emergency,
        needs_plan=sent.needs_plan,
        rework_days=sent.rework_days,
    )


def filled(ticket_type: TicketType, **changes: object) -> Form[Any]:
    """Return the form of a type as it is kept, but for some fields."""
    minutes = {
        minutes_field(priority, target): each
        for priority, targets in ticket_type.targets.items()
        for target, each in targets.items()
    }
    said = {
        "code": ticket_type.code,
        "parent_code": ticket_type.parent_code or "",
        "kind": ticket_type.kind,
        "name_zh": ticket_type.name.zh,
        "name_en": ticket_type.name.en,
        "default_priority": int(ticket_type.default_priority),
        "calendar": ticket_type.calendar,
        "procedure": "\n".join(f"{each.code} | {each.words.zh} | {each.words.en}" for each in ticket_type.procedure),
        "skills": ", ".join(ticket_type.skills),
        "payer": ticket_type.payer,
        "keywords": ", ".join(ticket_type.keywords),
        "is_emergency": ticket_type.is_emergency,
        "needs_plan": ticket_type.needs_plan,
        "rework_days": ticket_type.rework_days,
    }
    form: Form[Any] = Form.blank(TypeForm, **{**said, **minutes, **changes})
    return form


def _steps(text: str) -> tuple[Step, ...]:
    steps = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        parts = [part.strip() for part in line.split("|")]
        if len(parts) != len(("code", "zh", "en")) or not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", parts[0]):
            raise Refused(
                _("Line %(number)d is no step: write code, Chinese and English with a vertical bar between."),
                "procedure",
                number=number,
            )
        steps.append(Step(code=parts[0], words=Words(zh=parts[1], en=parts[2])))
    return tuple(steps)


def _listed(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part.strip() for part in _SEPARATORS.split(text) if part.strip()))
