"""Making a plan on a telephone: what is done, what is used, who pays, and by when."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from itertools import zip_longest
from typing import Annotated

from pydantic import Field
from starlette.responses import Response

from cloud.core.errors import Refused
from cloud.core.money import Money
from cloud.core.principal import Role
from cloud.repairs import plans, prices
from cloud.repairs.domain import Item, Line, LineKind, Terms
from cloud.repairs.plans import Plan
from cloud.repairs.prices import Wanted
from cloud.screens.field.deeds import end_of
from cloud.screens.field.job import JOB
from cloud.screens.field.telling import as_told
from cloud.tickets.domain import Payer
from cloud.tickets.reading import Ticket, ticket
from cloud.web import words
from cloud.web.catalogues import Locale
from cloud.web.forms import Form
from cloud.web.ids import Id
from cloud.web.once import OnceForm, is_first
from cloud.web.pages import OnPage, Page
from cloud.web.routing import pages_for
from cloud.web.session import Unit, Work
from firmware_configs.look.words import _

router = pages_for(Role.WORKER, Role.DESK, Role.OPERATOR)

CURRENCY = "CNY"
_ROWS = 6
_SPARE_ROWS = 3
_VALID_DAYS, _FINISH_DAYS = 7, 7
_LISTED = "item:"


class PlanForm(OnceForm):
    """A plan; the lists hold a line each, `what` being `item:` and a code, or a kind with a text and a rate."""

    what: list[str] = []  # noqa: RUF012  pydantic copies it
    text: list[str] = []  # noqa: RUF012
    quantity: list[str] = []  # noqa: RUF012
    rate: list[str] = []  # noqa: RUF012
    payer: Payer
    visits: Annotated[int, Field(ge=1, le=50)]
    finish_on: date
    valid_until: date
    note: Annotated[str, Field(max_length=4_000)] = ""


@router.get(f"{JOB}/{{ticket_id}}/plan")
async def editor(work: Work, page: OnPage, ticket_id: Id) -> Response:
    """Draw the plan as it stands, or an empty one."""
    found = await ticket(work.session, work.clock, work.principal, ticket_id=ticket_id)
    plan = await plans.current_plan(work.session, work.principal, ticket_id=ticket_id)
    return await _draw(work, page, ticket_id, _begun(work, page, found, plan))


@router.post(f"{JOB}/{{ticket_id}}/plan")
async def put_forward(work: Work, page: OnPage, ticket_id: Id) -> Response:
    """Put the plan to whoever pays; sent again, it changes nothing."""
    await ticket(work.session, work.clock, work.principal, ticket_id=ticket_id)
    form = await page.form(PlanForm)
    async with page.mending(form, lambda: _draw(work, page, ticket_id, form)):
        if await is_first(work, form.value, f"plan ticket:{ticket_id}"):
            terms = await _terms(work, page, form.value)
            told = await as_told(work, ticket_id)
            await plans.put_forward(told.session, told.clock, told.principal, ticket_id=ticket_id, terms=terms)
    work.changed("tickets")
    return page.done(f"{JOB}/{ticket_id}", _("The plan is put to whoever pays."))


async def _terms(work: Unit, page: Page, sent: PlanForm) -> Terms:
    rows = zip_longest(sent.what, sent.text, sent.quantity, sent.rate, fillvalue="")
    wanted = [_wanted(number, *row) for number, row in enumerate(rows, 1) if row[0] and row[2].strip()]
    is_zh = page.reader.locale is Locale.ZH_HANS
    return Terms(
        lines=tuple(await prices.priced(work.session, work.principal, wanted, is_zh=is_zh)),
        payer=sent.payer,
        visits=sent.visits,
        finish_on=sent.finish_on,
        valid_until=end_of(sent.valid_until, page.reader.zone),
        text=sent.note,
    )


def _wanted(number: int, what: str, text: str, quantity: str, rate: str) -> Wanted:
    kind, _colon, code = what.partition(":")
    amount = _number(number, quantity)
    if what.startswith(_LISTED):
        kind, _colon, item = code.partition(":")
        return Wanted(kind=_kind(number, kind), item=item, quantity=amount)
    asked = Money.of(_number(number, rate), CURRENCY) if rate.strip() else None
    unit = "h" if kind == LineKind.LABOUR else ""
    return Wanted(kind=_kind(number, kind), text=text, quantity=amount, unit=unit, rate=asked)


def _kind(number: int, kind: str) -> LineKind:
    if kind not in set(LineKind):
        raise Refused(_("Line %(number)d: choose what it is for."), "lines", number=number)
    return LineKind(kind)


def _number(number: int, text: str) -> Decimal:
    try:
        return Decimal(text.strip())
    except InvalidOperation as error:
        raise Refused(_("Line %(number)d: %(text)s is no number."), "lines", number=number, text=text) from error


def _begun(work: Unit, page: Page, found: Ticket, plan: Plan | None) -> Form[PlanForm]:
    today = work.clock.now().astimezone(page.reader.zone).date()
    lines = plan.terms.lines if plan is not None else ()
    return Form.blank(
        PlanForm,
        what=[_what(line) for line in lines],
        text=["" if line.item else line.text for line in lines],
        quantity=[str(line.quantity) for line in lines],
        rate=["" if line.item else str(line.rate.amount) for line in lines],
        payer=plan.terms.payer if plan is not None else found.payer,
        visits=plan.terms.visits if plan is not None else 1,
        finish_on=(today + timedelta(days=_FINISH_DAYS)).isoformat(),
        valid_until=(today + timedelta(days=_VALID_DAYS)).isoformat(),
        note=plan.terms.text if plan is not None else None,
    )


def _what(line: Line) -> str:
    return f"{_LISTED}{line.kind}:{line.item}" if line.item else f"{line.kind}:"


async def _draw(work: Unit, page: Page, ticket_id: int, form: Form[PlanForm]) -> Response:
    found = await ticket(work.session, work.clock, work.principal, ticket_id=ticket_id)
    items = await prices.price_list(work.session, work.principal)
    columns = [form.texts(name) for name in ("what", "text", "quantity", "rate")]
    filled = list(zip_longest(*columns, fillvalue=""))
    choices = _choices(page, items)
    rows = filled + [("", "", "", "")] * max(_ROWS - len(filled), _SPARE_ROWS)
    payers = [(payer, page.say(label)) for payer, label in words.PAYERS.items()]
    return page.show("field/plan.html", ticket=found, form=form, rows=rows, choices=choices, payers=payers)


def _choices(page: Page, items: Sequence[Item]) -> list[tuple[str, str]]:
    """Return what a line may be for: the price list, then what is priced by hand."""
    listed = [
        (
            f"{_LISTED}{item.kind}:{item.code}",
            f"{words.written(item.name, page.reader.locale)} · {item.price.amount}/{item.unit}",
        )
        for item in items
    ]
    free = [(f"{kind}:", page.say(words.LINE_KINDS[kind])) for kind in (LineKind.LABOUR, LineKind.OTHER)]
    return listed + free
