"""What an inspection looks at: item by item, and a repair for what fails."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.core.clock import Clock
from cloud.core.errors import Conflict, NotFound, Refused
from cloud.core.principal import Principal
from cloud.core.words import Words
from cloud.repairs import maintenance_tables as tables
from cloud.repairs import sight
from cloud.repairs.maintenance_tables import Checked, CheckRow, InspectionRow
from cloud.tickets.domain import REPAIR, Origin
from cloud.tickets.moving import check_text, required
from cloud.tickets.opening import Location, open_ticket
from cloud.tickets.reading import Ticket
from cloud.tickets.types import list_types
from firmware_configs.look.words import _


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """An item of an inspection; `outcome` is None until somebody has looked."""

    code: str
    words: Words
    outcome: Checked | None = None
    text: str = ""
    at: datetime | None = None
    actor: str = ""
    repair_ticket_id: int | None = None


async def checklist(session: AsyncSession, principal: Principal, *, ticket_id: int) -> list[Item]:
    """Return the items of a ticket that the principal has seen; none when it is no inspection."""
    inspection = await tables.inspection_of(session, principal, ticket_id)
    if inspection is None:
        return []
    done = await tables.checks_of(session, principal, ticket_id)
    return [_item(each, done.get(each["code"])) for each in inspection.checklist]


async def check(
    session: AsyncSession,
    clock: Clock,
    principal: Principal,
    *,
    ticket_id: int,
    code: str,
    outcome: Checked,
    text: str = "",
) -> int | None:
    """Write down what a look at an item came to, and return the ticket of the repair that a failed one makes.

    Said again the same, it changes nothing. What has failed stays failed: its repair is under way.

    Raises:
        NotFound: there is no such item.
        Refused: nobody says what is wrong, or why it could not be looked at.
        Conflict: the item has failed already, or the ticket is closed.
        Forbidden: somebody else has the ticket.
    """
    ticket = await sight.worked_on(session, clock, principal, ticket_id=ticket_id)
    inspection = await tables.inspection_of(session, principal, ticket_id)
    item = next((each for each in inspection.checklist if each["code"] == code), None) if inspection else None
    if inspection is None or item is None:
        raise NotFound(_("There is no such item in this inspection."))
    row = (await tables.checks_of(session, principal, ticket_id)).get(code)
    if row is not None and row.outcome is Checked.FAILED:
        if outcome is Checked.FAILED:
            return row.repair_ticket_id
        raise Conflict(_("This item has failed, and its repair is under way."))
    check_text(text, "text")
    if outcome is not Checked.PASSED:
        required(text, "text", _("Say what is wrong, or why it could not be looked at."))
    if row is None:
        row = CheckRow(ticket_id=ticket_id, code=code, organisation_id=principal.organisation_id)
        session.add(row)
    row.outcome, row.text, row.at = outcome, text.strip(), clock.now()
    row.person_id, row.actor = principal.person_id, principal.name
    if outcome is Checked.FAILED:
        row.repair_ticket_id = await _open_repair(session, clock, principal, ticket, inspection, item, text.strip())
    await session.flush()
    return row.repair_ticket_id


async def require_all(session: AsyncSession, principal: Principal, *, ticket_id: int) -> None:
    """Let pass an inspection of which everything was looked at, and whatever is none.

    Raises:
        Refused: an item is left.
    """
    left = [item for item in await checklist(session, principal, ticket_id=ticket_id) if item.outcome is None]
    if left:
        raise Refused(_("Look at every item first: %(count)d are left."), "text", count=len(left))


async def _open_repair(
    session: AsyncSession,
    clock: Clock,
    principal: Principal,
    ticket: Ticket,
    inspection: InspectionRow,
    item: dict[str, str],
    text: str,
) -> int:
    zh, en = item["zh"] or item["en"], item["en"] or item["zh"]
    return await open_ticket(
        session,
        clock,
        Principal.system(principal.organisation_id),
        type_code=await _type_of(session, principal, inspection),
        subject=Words(zh=f"巡检不合格：{zh}", en=f"Failed inspection: {en}"),
        location=Location(community_id=ticket.community_id, place_id=ticket.place_id, place=ticket.place),
        description=f"{ticket.number} · {text}",
        origin=Origin.PLAN,
    )


async def _type_of(session: AsyncSession, principal: Principal, inspection: InspectionRow) -> str:
    """Return the type of a failed item's repair; the plan may have another one by now, and this one be retired."""
    known = {each.code for each in await list_types(session, principal)}
    return inspection.repair_type if inspection.repair_type in known else REPAIR


def _item(each: dict[str, str], row: CheckRow | None) -> Item:
    words = Words(zh=each["zh"], en=each["en"])
    if row is None:
        return Item(code=each["code"], words=words)
    return Item(
        code=each["code"],
        words=words,
        outcome=row.outcome,
        text=row.text,
        at=row.at,
        actor=row.actor,
        repair_ticket_id=row.repair_ticket_id,
    )
