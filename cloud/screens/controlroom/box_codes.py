"""Claim codes that nobody has used yet: for which box, how long still, and taking one back."""

from dataclasses import dataclass

from starlette.responses import Response

from cloud.accounts import people
from cloud.core.principal import Role
from cloud.fleet import claims
from cloud.fleet.claims import OpenCode
from cloud.properties import service as properties
from cloud.web.pages import OnPage
from cloud.web.routing import pages_for
from cloud.web.session import Unit, Work
from firmware_configs.look.words import _

router = pages_for(Role.ADMINISTRATOR)


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeLine:
    """An open code, where its box is to stand, and who issued it."""

    code: OpenCode
    where: str
    issued_by: str


@router.get("/boxes/codes")
async def open_codes(work: Work, page: OnPage) -> Response:
    """Draw the open codes."""
    found = await claims.open_codes(work.session, work.clock, work.principal)
    return page.show("controlroom/box_codes.html", codes=await _lines(work, found))


@router.post("/boxes/codes/{code_id}/withdraw")
async def withdraw(work: Work, page: OnPage, code_id: int) -> Response:
    """Let a code open nothing from now on."""
    await claims.withdraw(work.session, work.clock, work.principal, code_id=code_id)
    work.changed("boxes")
    return page.done("/boxes/codes", _("The claim code opens nothing from now on."))


async def _lines(work: Unit, codes: list[OpenCode]) -> list[CodeLine]:
    issuers = {code.issued_by for code in codes if code.issued_by is not None}
    names = await people.names(work.session, work.principal, issuers)
    places = await properties.labels(work.session, work.principal, {code.place_id or 0 for code in codes})
    communities = {found.id: found.name for found in await properties.list_communities(work.session, work.principal)}
    return [
        CodeLine(
            code=code,
            where=places.get(code.place_id or 0) or communities[code.community_id],
            issued_by=names.get(code.issued_by or 0, ""),
        )
        for code in codes
    ]
