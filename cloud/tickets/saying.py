"""What whoever asked says about a ticket: written into it, and told to whoever works on it."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.core.clock import Clock
from cloud.core.errors import Refused
from cloud.core.principal import Principal
from cloud.tickets import notices, service
from cloud.tickets.attachments import NewAttachment, attach
from cloud.tickets.moving import locked
from firmware_configs.look.words import _


async def say(
    session: AsyncSession,
    clock: Clock,
    principal: Principal,
    *,
    ticket_id: int,
    text: str = "",
    files: Sequence[NewAttachment] = (),
) -> None:
    """Add a word or files of whoever asked to a ticket, and tell whoever has it, else the front desk.

    Raises:
        NotFound: there is no such ticket that the principal may see.
        Refused: there is neither a word nor a file.
    """
    if not text.strip() and not files:
        raise Refused(_("Write something, or send a photo."), "text")
    row = await locked(session, principal, ticket_id=ticket_id)
    if text.strip():
        await service.note(session, clock, principal, ticket_id=ticket_id, text=text, is_public=True)
    await attach(session, clock, principal, ticket_id=ticket_id, attachments=files, is_public=True)
    await notices.tell_said(session, clock, row, who=principal.name, text=text.strip())
