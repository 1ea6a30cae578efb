"""An owner's first page: their units, what is open, and one big button."""

from datetime import date

from starlette.responses import Response

from cloud.core.listing import Ask
from cloud.core.principal import Role
from cloud.properties import occupancies
from cloud.properties.occupancies import Occupied
from cloud.repairs import consent
from cloud.screens.owner import words
from cloud.tickets import reading
from cloud.web.pages import OnPage, Page
from cloud.web.routing import pages_for
from cloud.web.session import Unit, Work

HOME = "/my/home"
_SHOWN = 20
"""Open repairs on the first page; whoever has more opens the list."""

router = pages_for(Role.OWNER)


@router.get(HOME)
async def home(work: Work, page: OnPage) -> Response:
    """Draw the units, the open repairs and the way to report one."""
    ask = Ask(limit=_SHOWN)
    found = await reading.list_tickets(work.session, work.clock, work.principal, ask, only_undone=True)
    return page.show(
        "owner/home.html",
        units=await own_units(work, page),
        kinds=words.OCCUPANCY_KINDS,
        repairs=found.rows,
        asked=await consent.asked_of(work.session, work.clock, work.principal, of=found.rows),
        more=found.total > len(found.rows),
    )


async def own_units(work: Unit, page: Page) -> list[Occupied]:
    """Return the units that are the owner's today."""
    person_id = work.principal.person_id or 0
    theirs = await occupancies.units_of(work.session, work.principal, [person_id], on=today(work, page))
    return theirs[person_id]


def today(work: Unit, page: Page) -> date:
    """Return the date at the reader's."""
    return work.clock.now().astimezone(page.reader.zone).date()
