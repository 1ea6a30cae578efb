"""The rules of dispatch: read by who dispatches, written by managers, tried on any ticket before."""

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import Field
from starlette.responses import Response

from cloud.accounts import people
from cloud.alarms.domain import Priority
from cloud.core.errors import Refused
from cloud.core.principal import Role
from cloud.screens.desk.dispatch_words import KINDS, WHOM
from cloud.screens.desk.verdict import Verdict, verdict_lines
from cloud.tickets.board import ticket_of_number, try_out
from cloud.tickets.dispatch_rules import DispatchRules, RulesVersion, check_rules, define_rules, rules_in_force
from cloud.tickets.domain import Kind
from cloud.tickets.ladder import Rung, Whom
from cloud.tickets.reading import Ticket
from cloud.tickets.skills import today
from cloud.web.forms import Form, FormModel
from cloud.web.ids import Id
from cloud.web.pages import OnPage, Page
from cloud.web.routing import pages_for
from cloud.web.session import Unit, Work
from firmware_configs.look.words import _

router = pages_for(Role.DESK, Role.OPERATOR, Role.MANAGER)

_Percent = Annotated[int, Field(ge=1, le=500)] | None


class RulesForm(FormModel):
    """The rules as they are typed; a step of the ladder without a number is none."""

    version: Annotated[int, Field(ge=0)]
    cap: int
    kinds: tuple[Kind, ...] = ()
    accept_1: int
    accept_2: int
    accept_3: int
    accept_4: int
    asked_at_most: int
    queue_min: int
    assignee_percent: _Percent = None
    assignee_emergency: bool = False
    lead_percent: _Percent = None
    lead_emergency: bool = False
    manager_percent: _Percent = None
    manager_emergency: bool = False
    area_percent: _Percent = None
    area_emergency: bool = False
    lead_ids: tuple[Id, ...] = ()
    area_ids: tuple[Id, ...] = ()
    ticket: Annotated[str, Field(max_length=20)] | None = None

    @property
    def rules(self) -> DispatchRules:
        """Return the rules that were typed."""
        percents: dict[Whom, int | None] = {whom: getattr(self, f"{whom}_percent") for whom in Whom}
        return DispatchRules(
            cap=self.cap,
            accept_min={priority: getattr(self, f"accept_{int(priority)}") for priority in Priority},
            asked_at_most=self.asked_at_most,
            queue_min=self.queue_min,
            kinds=frozenset(self.kinds),
            lead_ids=self.lead_ids,
            area_ids=self.area_ids,
            ladder=tuple(
                Rung(percent=percent, whom=whom, only_emergency=getattr(self, f"{whom}_emergency"))
                for whom, percent in percents.items()
                if percent is not None
            ),
        )


@router.get("/dispatch/rules")
async def rules_page(work: Work, page: OnPage) -> Response:
    """Draw the rules in force, or those of its address, which were tried on past tickets and are not kept yet."""
    form = typed_rules(work)
    if not form.typed:
        form = _filled(await rules_in_force(work.session, work.principal))
    return await _draw(work, page, form)


@router.post("/dispatch/rules")
async def define(work: Work, page: OnPage) -> Response:
    """Put the rules into force."""
    work.principal.require(Role.MANAGER)
    form = await page.form(RulesForm)
    async with page.mending(form, lambda: _draw(work, page, form)):
        await define_rules(work.session, work.clock, work.principal, form.value.rules, version=form.value.version)
    work.changed("tickets")
    return page.go("/dispatch/rules")


@router.post("/dispatch/rules/try")
async def try_rules(work: Work, page: OnPage) -> Response:
    """Show what the typed rules say of everybody for a ticket; nothing is kept."""
    form = await page.form(RulesForm)
    async with page.mending(form, lambda: _draw(work, page, form)):
        if not form.value.ticket:
            raise Refused(_("Enter the number of a ticket."), "ticket")
        rules = form.value.rules
        check_rules(rules)
        ticket_id = await ticket_of_number(work.session, work.principal, number=form.value.ticket)
        ticket, choice, team = await try_out(work.session, work.clock, work.principal, ticket_id=ticket_id, rules=rules)
        day = await today(work.session, work.clock, work.principal)
        lines = verdict_lines(page, choice, team, cap=rules.cap, needed=ticket.type.skills, today=day)
        return await _draw(work, page, form, tried=ticket, verdicts=lines)
    raise AssertionError("a refused form is drawn again")


def typed_rules(work: Unit) -> Form[RulesForm]:
    """Return the rules that stand in the page's address; with none in it, the form holds nothing."""
    asked = work.request.query_params
    typed = {name: asked.getlist(name) for name in asked if name in RulesForm.model_fields}
    return Form(RulesForm, typed, sent=bool(typed))


async def _draw(
    work: Unit, page: Page, form: Form[RulesForm], *, tried: Ticket | None = None, verdicts: Sequence[Verdict] = ()
) -> Response:
    staff = await people.list_people(work.session, work.principal)
    return page.show(
        "desk/dispatch_rules.html",
        form=form,
        kinds=[(kind, page.say(label)) for kind, label in KINDS.items()],
        steps=[(whom, page.say(label)) for whom, label in WHOM.items()],
        staff=[(person.id, person.name) for person in staff if person.is_active],
        may_write=work.principal.has(Role.MANAGER),
        tried=tried,
        verdicts=verdicts,
    )


def _filled(found: RulesVersion) -> Form[RulesForm]:
    rules = found.rules
    steps: dict[str, Any] = {}
    for rung in rules.ladder:
        steps |= {f"{rung.whom}_percent": rung.percent, f"{rung.whom}_emergency": rung.only_emergency}
    return Form.blank(
        RulesForm,
        version=found.version,
        cap=rules.cap,
        kinds=sorted(rules.kinds),
        asked_at_most=rules.asked_at_most,
        queue_min=rules.queue_min,
        lead_ids=rules.lead_ids,
        area_ids=rules.area_ids,
        **{f"accept_{int(priority)}": minutes for priority, minutes in rules.accept_min.items()},
        **steps,
    )
