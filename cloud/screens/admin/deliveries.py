"""What was sent to people outside their inboxes, by which channel, and how it went."""

from dataclasses import dataclass

from starlette.responses import Response

from cloud.core.listing import Ask, Found
from cloud.core.principal import Role
from cloud.notifications import evidence
from cloud.notifications.evidence import Delivery
from cloud.web import words
from cloud.web.lists import Column, Kind, ListView, Option
from cloud.web.pages import OnPage, Page
from cloud.web.routing import pages_for
from cloud.web.session import Work
from firmware_configs.look.words import _

router = pages_for(Role.ADMINISTRATOR)

LIST = "/admin/deliveries"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryLine:
    """A delivery, and what it says in the reader's language."""

    delivery: Delivery
    subject: str


DELIVERIES = ListView[DeliveryLine](
    name="delivery_list",
    caption=_("Sent messages"),
    searchable=_("number, mail address, gateway's number or error"),
    key=lambda line: line.delivery.id,
    columns=(
        Column(name="subject", label=_("Message"), value=lambda line: line.subject, sortable=False),
        Column(name="person", label=_("To"), value=lambda line: line.delivery.person, sortable=False),
        Column(
            name="channel",
            label=_("Channel"),
            value=lambda line: line.delivery.channel,
            filtered=True,
            options=tuple(Option(value=channel, label=label) for channel, label in words.MESSAGE_CHANNELS.items()),
        ),
        Column(name="address", label=_("Address"), value=lambda line: line.delivery.address, sortable=False),
        Column(
            name="state",
            label=_("State"),
            value=lambda line: line.delivery.state,
            filtered=True,
            options=tuple(Option(value=state, label=label) for state, label in words.MESSAGE_STATES.items()),
        ),
        Column(
            name="written_at",
            label=_("Written"),
            value=lambda line: line.delivery.written_at,
            kind=Kind.TIME,
            filtered=True,
        ),
        Column(
            name="accepted_at",
            label=_("Handed over"),
            value=lambda line: line.delivery.accepted_at,
            kind=Kind.TIME,
            phone=False,
        ),
        Column(
            name="sent_at",
            label=_("Arrived"),
            value=lambda line: line.delivery.sent_at,
            kind=Kind.TIME,
            phone=False,
        ),
        Column(
            name="attempts", label=_("Tries"), value=lambda line: line.delivery.attempts, kind=Kind.NUMBER, phone=False
        ),
        Column(
            name="gateway_id", label=_("Gateway's number"), value=lambda line: line.delivery.gateway_id, phone=False
        ),
        Column(name="error", label=_("Error"), value=lambda line: line.delivery.error, sortable=False),
        Column(name="acts", label=_("What to do"), value=lambda _line: None, sortable=False),
    ),
)


@router.get("/admin/deliveries")
async def deliveries(work: Work, page: OnPage) -> Response:
    """Draw what went out of the organisation, or was to."""

    async def load(ask: Ask) -> Found[DeliveryLine]:
        found = await evidence.list_deliveries(work.session, work.principal, ask)
        return found.of([_line(page, delivery) for delivery in found.rows])

    dead, failing = await evidence.count_troubles(work.session, work.principal)
    return await page.list("admin/deliveries.html", DELIVERIES, load, dead=dead, failing=failing)


@router.post("/admin/deliveries/{delivery_id}/retry")
async def retry(work: Work, page: OnPage, delivery_id: int) -> Response:
    """Have one sent again."""
    await evidence.retry(work.session, work.clock, work.principal, delivery_id)
    return page.done(LIST, _("It is being sent again."))


def _line(page: Page, delivery: Delivery) -> DeliveryLine:
    written = delivery.subject
    subject = page.say(_("Sign-in code")) if written is None else words.written(written, page.reader.locale)
    return DeliveryLine(delivery=delivery, subject=subject)
