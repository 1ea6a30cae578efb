"""A manager's first page: what is late, what nobody was found for, and who was not content."""

from starlette.responses import Response

from cloud.core.principal import Role
from cloud.feedback import service as feedback
from cloud.feedback.service import LATELY
from cloud.tickets.board import count_unplaced
from cloud.tickets.reading import count_late, tickets
from cloud.web.pages import OnPage
from cloud.web.routing import pages_for
from cloud.web.session import Work

OVERVIEW = "/overview"

router = pages_for(Role.MANAGER)


@router.get(OVERVIEW)
async def overview(work: Work, page: OnPage) -> Response:
    """Draw the figures, each with the list behind it, and the poor opinions of tickets that the manager may see."""
    session, principal = work.session, work.principal
    poor = await feedback.poor_lately(session, work.clock, principal)
    seen = {each.id: each for each in await tickets(session, work.clock, principal, ticket_ids=poor)}
    return page.show(
        "manager/overview.html",
        late=await count_late(session, work.clock, principal),
        unplaced=await count_unplaced(session, principal),
        poor=[(seen[ticket_id], opinion) for ticket_id, opinion in poor.items() if ticket_id in seen],
        days=LATELY.days,
    )
