"""The acts that move a ticket: the form each is sent with, what it does, and how it is taken back."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

from pydantic import Field

from cloud.repairs import results
from cloud.tickets import service as tickets
from cloud.tickets.domain import Act
from cloud.tickets.merging import merge
from cloud.web.forms import FormModel
from cloud.web.ids import Id
from cloud.web.session import Unit
from firmware_configs.look.words import _

Sent = TypeVar("Sent", bound=FormModel)
TEXT = Annotated[str, Field(max_length=4_000)]


class ActForm(FormModel):
    """An act, on the ticket as its sender saw it."""

    version: Id


class AssignForm(ActForm):
    """To whom it is given."""

    person_id: Id


class ResolveForm(ActForm):
    """What was done."""

    result: TEXT


class WaitForm(ActForm):
    """What it waits for."""

    waiting_for: TEXT


class EmergencyForm(ActForm):
    """Why the work can't wait for consent."""

    emergency_reason: TEXT


class ReasonForm(ActForm):
    """Why it is taken up again."""

    reason: TEXT


class VouchForm(ActForm):
    """How somebody knows that the work is done, which its sensor can't say."""

    vouch_reason: TEXT


class CancelForm(ActForm):
    """Why it is no longer wanted."""

    cancel_reason: TEXT


class MergeForm(ActForm):
    """Into which ticket."""

    into_id: Id


@dataclass(frozen=True, slots=True)
class Doing(Generic[Sent]):
    """An act: the form it is sent with, what it does, what is said when it is done, and how it is taken back."""

    model: type[Sent]
    carry: Callable[[Unit, int, Sent], Awaitable[None]]
    said: str
    undoing: Act | None = None


async def _release(work: Unit, ticket_id: int, sent: ActForm) -> None:
    await tickets.release(work.session, work.clock, work.principal, ticket_id=ticket_id, version=sent.version)


async def _assign(work: Unit, ticket_id: int, sent: AssignForm) -> None:
    await tickets.assign(
        work.session, work.clock, work.principal, ticket_id=ticket_id, version=sent.version, person_id=sent.person_id
    )


async def _start(work: Unit, ticket_id: int, sent: ActForm) -> None:
    await tickets.start(work.session, work.clock, work.principal, ticket_id=ticket_id, version=sent.version)


async def _start_emergency(work: Unit, ticket_id: int, sent: EmergencyForm) -> None:
    await tickets.start_emergency(
        work.session,
        work.clock,
        work.principal,
        ticket_id=ticket_id,
        version=sent.version,
        reason=sent.emergency_reason,
    )


async def _wait(work: Unit, ticket_id: int, sent: WaitForm) -> None:
    await tickets.wait(
        work.session, work.clock, work.principal, ticket_id=ticket_id, version=sent.version, reason=sent.waiting_for
    )


async def _go_on(work: Unit, ticket_id: int, sent: ActForm) -> None:
    await tickets.go_on(work.session, work.clock, work.principal, ticket_id=ticket_id, version=sent.version)


async def _resolve(work: Unit, ticket_id: int, sent: ResolveForm) -> None:
    await results.finish(
        work.session, work.clock, work.principal, ticket_id=ticket_id, version=sent.version, text=sent.result
    )


async def _vouch(work: Unit, ticket_id: int, sent: VouchForm) -> None:
    await tickets.vouch(
        work.session, work.clock, work.principal, ticket_id=ticket_id, version=sent.version, reason=sent.vouch_reason
    )


async def _reopen(work: Unit, ticket_id: int, sent: ReasonForm) -> None:
    await tickets.reopen(
        work.session, work.clock, work.principal, ticket_id=ticket_id, version=sent.version, reason=sent.reason
    )


async def _cancel(work: Unit, ticket_id: int, sent: CancelForm) -> None:
    await tickets.cancel(
        work.session, work.clock, work.principal, ticket_id=ticket_id, version=sent.version, reason=sent.cancel_reason
    )


async def _merge(work: Unit, ticket_id: int, sent: MergeForm) -> None:
    await merge(
        work.session, work.clock, work.principal, ticket_id=ticket_id, version=sent.version, into_id=sent.into_id
    )


DOINGS: Mapping[Act, Doing[Any]] = {
    Act.ASSIGN: Doing(AssignForm, _assign, _("The ticket is assigned."), undoing=Act.RELEASE),
    Act.RELEASE: Doing(ActForm, _release, _("Nobody has the ticket now.")),
    Act.START: Doing(ActForm, _start, _("Work has begun.")),
    Act.START_EMERGENCY: Doing(EmergencyForm, _start_emergency, _("Work has begun; the reason is kept.")),
    Act.WAIT: Doing(WaitForm, _wait, _("The ticket waits, and its clocks stand."), undoing=Act.CONTINUE),
    Act.CONTINUE: Doing(ActForm, _go_on, _("The ticket goes on.")),
    Act.RESOLVE: Doing(ResolveForm, _resolve, _("The ticket is resolved."), undoing=Act.REOPEN),
    Act.VOUCH: Doing(VouchForm, _vouch, _("The ticket is resolved on your word."), undoing=Act.REOPEN),
    Act.REOPEN: Doing(ReasonForm, _reopen, _("The ticket is taken up again.")),
    Act.CANCEL: Doing(CancelForm, _cancel, _("The ticket is cancelled."), undoing=Act.REOPEN),
    Act.MERGE: Doing(MergeForm, _merge, _("The ticket is merged; both have been told."), undoing=Act.REOPEN),
}
"""What a person does with a ticket on its page; plans are proposed and agreed to on pages of their own."""
