"""What an owner may set, and what is known of them."""

from starlette.responses import Response

from cloud.accounts import telephones
from cloud.accounts.phones import shown
from cloud.core.principal import Role
from cloud.properties import occupancies
from cloud.screens.owner import words
from cloud.web.pages import OnPage
from cloud.web.routing import pages_for
from cloud.web.session import Work

router = pages_for(Role.OWNER)


@router.get("/my/account")
async def account(work: Work, page: OnPage) -> Response:
    """Draw how pages look, by what the owner is reached, and what is kept of them."""
    person_id = work.principal.person_id or 0
    phone = await telephones.own_phone(work.session, work.principal)
    homes = await occupancies.units_of(work.session, work.principal, [person_id])
    return page.show(
        "owner/account.html",
        phone=shown(phone) if phone else "",
        homes=homes[person_id],
        kinds=words.OCCUPANCY_KINDS,
    )
