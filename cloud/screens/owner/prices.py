"""What is published to owners: fee standards and services, with what they cost today."""

from starlette.responses import Response

from cloud.core.principal import Role
from cloud.web import prices
from cloud.web.pages import OnPage
from cloud.web.routing import pages_for
from cloud.web.session import Work

router = pages_for(Role.OWNER)

PRICES = "/my/prices"


@router.get(PRICES)
async def published(work: Work, page: OnPage) -> Response:
    """Draw what is offered today where the owner lives."""
    return page.show("owner/prices.html", prices=await prices.published(work, page))
