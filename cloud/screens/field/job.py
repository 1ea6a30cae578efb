"""One job on one page: where, whom to call, what is next, and every act as a form of its own."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from starlette.responses import Response

from cloud.core.errors import NotFound
from cloud.core.principal import Role
from cloud.repairs import charges, checks, plans, prices, sight, stock, surveys, visits
from cloud.repairs.domain import Hazard, Item, LineKind
from cloud.repairs.maintenance_tables import Checked
from cloud.screens.field.deeds import DEEDS, SLOTS, VersionForm
from cloud.screens.field.telling import as_told
from cloud.tickets.deadlines import deadlines
from cloud.tickets.domain import Outcome, Target
from cloud.tickets.reading import Ticket, acts_for, ticket
from cloud.web import kept, uploads, words
from cloud.web.forms import Form
from cloud.web.ids import Id
from cloud.web.once import OnceForm, is_first
from cloud.web.pages import OnPage, Page
from cloud.web.session import Unit, Work
from firmware_configs.look.words import _

router = uploads.pages_with_files(Role.WORKER, Role.DESK, Role.OPERATOR)

JOB = "/work"
_VALID_DAYS = 7
"""For how long a plan is usually asked."""

OUTCOMES = {
    Checked.PASSED: _("check|In order"),
    Checked.FAILED: _("check|Failed"),
    Checked.SKIPPED: _("check|Not looked at"),
}
REACHED = {Outcome.REACHED: _("contact|Reached"), Outcome.NOT_REACHED: _("contact|Not reached")}


@router.get(f"{JOB}/{{ticket_id}}")
async def job(work: Work, page: OnPage, ticket_id: Id) -> Response:
    """Draw a job."""
    return await _draw(work, page, ticket_id, {})


@router.post(f"{JOB}/{{ticket_id}}/{{deed}}")
async def do(work: Work, page: OnPage, ticket_id: Id, deed: str) -> Response:
    """Carry out an act; one that comes again changes nothing and is answered as the first was."""
    if deed not in DEEDS:
        raise NotFound(_("There is no such page."))
    found = await ticket(work.session, work.clock, work.principal, ticket_id=ticket_id)
    asked, form = DEEDS[deed], await page.form(DEEDS[deed].model)
    async with page.mending(form, lambda: _draw(work, page, ticket_id, {deed: form})):
        if await is_first(work, form.value, f"{deed} ticket:{ticket_id}"):
            await asked.carry(await as_told(work, ticket_id), page, ticket_id, _as_of_now(work, found, form.value))
    work.changed("tickets")
    return page.done(f"{JOB}/{ticket_id}", asked.said)


def _as_of_now(work: Unit, found: Ticket, sent: OnceForm) -> OnceForm:
    """Return a form that a telephone kept as if its page were drawn now: the acts before it changed the ticket.

    Whether it may still be done is for the ticket's state to say.
    """
    if isinstance(sent, VersionForm) and kept.is_kept(work.request):
        return sent.model_copy(update={"version": found.version})
    return sent


async def _draw(work: Unit, page: Page, ticket_id: int, sent: Mapping[str, Form[Any]]) -> Response:
    session, principal = work.session, work.principal
    found = await ticket(session, work.clock, principal, ticket_id=ticket_id)
    known = (await visits.visits(session, principal, ticket_ids=[ticket_id]))[ticket_id]
    last = known[-1] if known else None
    items = await prices.price_list(session, principal)
    names = {item.code: words.written(item.name, page.reader.locale) for item in items}
    used = await stock.used(session, principal, ticket_id=ticket_id)
    return page.show(
        "field/job.html",
        ticket=found,
        acts=acts_for(principal, found),
        is_working=sight.is_working(principal, found),
        surveys=await surveys.surveys(session, principal, ticket_id=ticket_id),
        photos=await surveys.photos(session, principal, ticket_id=ticket_id),
        plan=await plans.current_plan(session, principal, ticket_id=ticket_id),
        must_contact=await _must_contact(work, ticket_id),
        visits=known,
        due=last if last is not None and not last.is_over else None,
        is_there=await visits.is_there(session, principal, found),
        worked=await charges.worked(session, principal, ticket_id=ticket_id),
        materials=[(item.code, _offered(page, item)) for item in items if item.kind is LineKind.MATERIAL],
        used_options=[(code, f"{names.get(code, code)}: {taken}") for code, taken in used.items()],
        checklist=await checks.checklist(session, principal, ticket_id=ticket_id),
        slots=[(slot, slot) for slot in SLOTS],
        outcomes=OUTCOMES,
        reached_options=[(value, page.say(label)) for value, label in REACHED.items()],
        hazard_options=[(value, page.say(label)) for value, label in words.HAZARDS.items()],
        forms={name: sent.get(name) or _blank(name, work, page) for name in DEEDS},
    )


async def _must_contact(work: Unit, ticket_id: int) -> bool:
    """Return whether whoever asked still waits to be spoken to."""
    found = await deadlines(work.session, work.principal, ticket_ids=[ticket_id])
    return any(each.target is Target.FIRST_CONTACT and each.ended_at is None for each in found[ticket_id])


def _blank(name: str, work: Unit, page: Page) -> Form[Any]:
    """Return a form before it is filled in, with what is most likely meant."""
    today = work.clock.now().astimezone(page.reader.zone).date()
    likely: dict[str, dict[str, object]] = {
        "survey": {"hazard": Hazard.NONE},
        "contact": {"outcome": Outcome.REACHED},
        "offer": {"day": today.isoformat()},
        "ask-again": {"valid_until": (today + timedelta(days=_VALID_DAYS)).isoformat()},
    }
    return Form.blank(DEEDS[name].model, **likely.get(name, {}))


def _offered(page: Page, item: Item) -> str:
    """Return a material as one chooses it: "PPR 管 · 8.5 m"."""
    return f"{words.written(item.name, page.reader.locale)} · {item.on_hand} {item.unit}"
