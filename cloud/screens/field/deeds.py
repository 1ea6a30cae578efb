"""What whoever has a job does there, each one form: sent twice, it is done once."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Annotated, Any, Generic, TypeVar
from zoneinfo import ZoneInfo

from pydantic import Field

from cloud.repairs import checks, consent, plans, results, stock, surveys, visits
from cloud.repairs.domain import Hazard
from cloud.repairs.maintenance_tables import Checked
from cloud.repairs.visits import Window
from cloud.tickets import contacts
from cloud.tickets import service as tickets
from cloud.tickets.attachments import NewAttachment
from cloud.tickets.domain import How, Outcome
from cloud.web import uploads
from cloud.web.ids import Id
from cloud.web.once import OnceForm
from cloud.web.pages import Page
from cloud.web.session import Unit
from firmware_configs.look.words import _

_TEXT = Annotated[str, Field(max_length=4_000)]
SLOTS = ("08:00-10:00", "10:00-12:00", "12:00-14:00", "14:00-16:00", "16:00-18:00", "18:00-20:00")
"""The times of a day that are offered, on the reader's wall clock."""


class VersionForm(OnceForm):
    """An act on the ticket as its sender saw it."""

    version: Id


class UrgentForm(VersionForm):
    """Why the work can't wait for consent."""

    urgent_reason: _TEXT


class FinishForm(VersionForm):
    """What was done."""

    result: _TEXT
    result_photos: None = None


class ContactForm(OnceForm):
    """That whoever asked was spoken to, and what they were told."""

    outcome: Outcome
    learnt: _TEXT = ""
    next_step: _TEXT = ""


class SurveyForm(OnceForm):
    """What was found."""

    findings: _TEXT
    hazard: Hazard
    survey_photos: None = None


class LeaveForm(OnceForm):
    """How long the visit took, and who signed."""

    minutes: Annotated[int, Field(ge=0, le=10_080)]
    visit_text: _TEXT = ""
    signer: Annotated[str, Field(max_length=80)] = ""
    signature: None = None
    before: None = None
    after: None = None


class MissForm(OnceForm):
    """Why the visit came to nothing."""

    missed_reason: _TEXT


class OfferForm(OnceForm):
    """The day and the times that are offered."""

    day: date
    slots: list[str]


class MaterialForm(OnceForm):
    """So much of what."""

    item: Annotated[str, Field(min_length=1, max_length=40)]
    quantity: Decimal


class ReturnForm(OnceForm):
    """So much of what is brought back."""

    back_item: Annotated[str, Field(min_length=1, max_length=40)]
    back_quantity: Decimal


class CheckForm(OnceForm):
    """What a look at an item came to."""

    code: Annotated[str, Field(min_length=1, max_length=40)]
    outcome: Checked
    check_text: _TEXT = ""


class AnswerForm(OnceForm):
    """The answer to a question about the plan."""

    answer: _TEXT


class AgainForm(OnceForm):
    """Until when a plan that is asked again holds."""

    valid_until: date


Sent = TypeVar("Sent", bound=OnceForm)


@dataclass(frozen=True, slots=True)
class Deed(Generic[Sent]):
    """An act: the form it is sent with, what it does, and what is said when it is done."""

    model: type[Sent]
    carry: Callable[[Unit, Page, int, Sent], Awaitable[object]]
    said: str


def end_of(day: date, zone: ZoneInfo) -> datetime:
    """Return the end of a day on the reader's wall clock."""
    return datetime.combine(day + timedelta(days=1), time(), zone)


async def pictures(work: Unit, page: Page, name: str) -> list[NewAttachment]:
    """Return what was sent in a field, stored."""
    return [
        NewAttachment(
            file_id=await uploads.add(work.session, work.clock, work.principal, upload),
            name=upload.name,
            width=upload.width,
            height=upload.height,
        )
        for upload in uploads.sent(page.request, name)
    ]


async def _contact(work: Unit, _page: Page, ticket_id: int, sent: ContactForm) -> None:
    await contacts.contact(
        work.session,
        work.clock,
        work.principal,
        ticket_id=ticket_id,
        how=How.PHONE,
        outcome=sent.outcome,
        text=sent.learnt,
        next_step=sent.next_step,
    )


async def _survey(work: Unit, page: Page, ticket_id: int, sent: SurveyForm) -> None:
    photos = await pictures(work, page, "survey_photos")
    await surveys.survey(
        work.session,
        work.clock,
        work.principal,
        ticket_id=ticket_id,
        findings=sent.findings,
        hazard=sent.hazard,
        photos=photos,
    )


async def _offer(work: Unit, page: Page, ticket_id: int, sent: OfferForm) -> None:
    windows = [_window(sent.day, slot, page.reader.zone) for slot in SLOTS if slot in sent.slots]
    await visits.offer(work.session, work.clock, work.principal, ticket_id=ticket_id, windows=windows)


def _window(day: date, slot: str, zone: ZoneInfo) -> Window:
    starts, _dash, ends = slot.partition("-")
    return Window(
        starts_at=datetime.combine(day, time.fromisoformat(starts), zone),
        ends_at=datetime.combine(day, time.fromisoformat(ends), zone),
    )


async def _arrive(work: Unit, _page: Page, ticket_id: int, _sent: OnceForm) -> None:
    await visits.arrive(work.session, work.clock, work.principal, ticket_id=ticket_id)


async def _leave(work: Unit, page: Page, ticket_id: int, sent: LeaveForm) -> None:
    signed = await pictures(work, page, "signature")
    await visits.leave(
        work.session,
        work.clock,
        work.principal,
        ticket_id=ticket_id,
        labour_minutes=sent.minutes,
        text=sent.visit_text,
        signer=sent.signer,
        signature=signed[0] if signed else None,
        before=await pictures(work, page, "before"),
        after=await pictures(work, page, "after"),
    )


async def _miss(work: Unit, _page: Page, ticket_id: int, sent: MissForm) -> None:
    await visits.miss(work.session, work.clock, work.principal, ticket_id=ticket_id, reason=sent.missed_reason)


async def _accept(work: Unit, _page: Page, ticket_id: int, _sent: OnceForm) -> None:
    await tickets.take(work.session, work.clock, work.principal, ticket_id=ticket_id)


async def _start(work: Unit, _page: Page, ticket_id: int, sent: VersionForm) -> None:
    await tickets.start(work.session, work.clock, work.principal, ticket_id=ticket_id, version=sent.version)


async def _go_on(work: Unit, _page: Page, ticket_id: int, sent: VersionForm) -> None:
    await tickets.go_on(work.session, work.clock, work.principal, ticket_id=ticket_id, version=sent.version)


async def _start_urgent(work: Unit, _page: Page, ticket_id: int, sent: UrgentForm) -> None:
    await tickets.start_emergency(
        work.session,
        work.clock,
        work.principal,
        ticket_id=ticket_id,
        version=sent.version,
        reason=sent.urgent_reason,
    )


async def _take(work: Unit, _page: Page, ticket_id: int, sent: MaterialForm) -> None:
    await stock.take(
        work.session, work.clock, work.principal, ticket_id=ticket_id, item=sent.item, quantity=sent.quantity
    )


async def _bring_back(work: Unit, _page: Page, ticket_id: int, sent: ReturnForm) -> None:
    await stock.give_back(
        work.session, work.clock, work.principal, ticket_id=ticket_id, item=sent.back_item, quantity=sent.back_quantity
    )


async def _check(work: Unit, _page: Page, ticket_id: int, sent: CheckForm) -> None:
    await checks.check(
        work.session,
        work.clock,
        work.principal,
        ticket_id=ticket_id,
        code=sent.code,
        outcome=sent.outcome,
        text=sent.check_text,
    )


async def _answer(work: Unit, _page: Page, ticket_id: int, sent: AnswerForm) -> None:
    await consent.explain(work.session, work.clock, work.principal, ticket_id=ticket_id, text=sent.answer)


async def _ask_again(work: Unit, page: Page, ticket_id: int, sent: AgainForm) -> None:
    until = end_of(sent.valid_until, page.reader.zone)
    await plans.ask_again(work.session, work.clock, work.principal, ticket_id=ticket_id, valid_until=until)


async def _finish(work: Unit, page: Page, ticket_id: int, sent: FinishForm) -> None:
    await results.finish(
        work.session,
        work.clock,
        work.principal,
        ticket_id=ticket_id,
        version=sent.version,
        text=sent.result,
        after=await pictures(work, page, "result_photos"),
    )


DEEDS: Mapping[str, Deed[Any]] = {
    "contact": Deed(ContactForm, _contact, _("The contact is written down.")),
    "survey": Deed(SurveyForm, _survey, _("What you found is written down.")),
    "offer": Deed(OfferForm, _offer, _("The times are offered.")),
    "arrive": Deed(OnceForm, _arrive, _("Your arrival is written down.")),
    "leave": Deed(LeaveForm, _leave, _("The visit is written down.")),
    "miss": Deed(MissForm, _miss, _("It is written down that the visit came to nothing.")),
    "accept": Deed(OnceForm, _accept, _("The ticket is yours.")),
    "start": Deed(VersionForm, _start, _("Work has begun.")),
    "go-on": Deed(VersionForm, _go_on, _("The work goes on.")),
    "start-urgent": Deed(UrgentForm, _start_urgent, _("Work has begun before consent; the reason is kept.")),
    "take": Deed(MaterialForm, _take, _("The material is taken from the store.")),
    "bring-back": Deed(ReturnForm, _bring_back, _("The material is back in the store.")),
    "check": Deed(CheckForm, _check, _("Checked.")),
    "answer": Deed(AnswerForm, _answer, _("The answer is sent, and consent is asked for again.")),
    "ask-again": Deed(AgainForm, _ask_again, _("Consent is asked for again.")),
    "finish": Deed(FinishForm, _finish, _("The job is done, and its result is reported.")),
}
"""By the last word of the address that their forms are sent to."""
