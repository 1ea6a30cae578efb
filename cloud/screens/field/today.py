"""A worker's day: the jobs in order, each with its next act as one big button."""

from starlette.responses import JSONResponse, Response

from cloud.core.principal import Role
from cloud.screens.field import jobs
from cloud.screens.field.telling import as_told
from cloud.tickets import offers, telephone
from cloud.tickets.reading import ticket
from cloud.web import csrf
from cloud.web.ids import Id
from cloud.web.pages import OnPage
from cloud.web.routing import pages_for
from cloud.web.session import Work
from firmware_configs.look.words import _

DAY = "/day"

router = pages_for(Role.WORKER)


@router.get(DAY)
async def day(work: Work, page: OnPage) -> Response:
    """Draw what the worker is asked to take and what is theirs to do."""
    return page.show("field/today.html", jobs=await jobs.day(work), next=jobs.Next)


@router.get(f"{DAY}/ready", response_class=JSONResponse)
async def ready(work: Work, page: OnPage) -> Response:
    """Tell a telephone that is back on the network who is signed in, and the token for what it kept meanwhile."""
    answer = {"person": str(work.principal.person_id), "token": csrf.token_of(page.request)}
    return JSONResponse(answer, headers={"Cache-Control": "no-store"})


@router.post(f"{DAY}/offers/{{offer_id}}/accept")
async def accept(work: Work, page: OnPage, offer_id: Id) -> Response:
    """Take what was offered; who was too late is told so."""
    ticket_id = await offers.offered_ticket(work.session, work.principal, offer_id=offer_id)
    told = await as_told(work, ticket_id)
    await offers.accept(told.session, told.clock, told.principal, offer_id=offer_id)
    work.changed("tickets")
    return page.done(DAY, _("The ticket is yours."))


@router.post(f"{DAY}/{{ticket_id}}/phone")
async def reveal(work: Work, page: OnPage, ticket_id: Id) -> Response:
    """Show the number of whoever asked, which is written down."""
    phone = await telephone.reveal(work.session, work.clock, work.principal, ticket_id=ticket_id)
    found = await ticket(work.session, work.clock, work.principal, ticket_id=ticket_id)
    return page.show("field/phone.html", ticket=found, phone=phone)
