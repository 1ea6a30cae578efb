"""The desk's answers on their way out by SMTP: tried until the server takes them, under one Message-ID."""

import ssl
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from aiosmtplib import SMTPException, SMTPRecipientsRefused, SMTPResponseException
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.accounts.organisations import find_organisation
from cloud.core.clock import Clock
from cloud.core.database import Database
from cloud.core.errors import first_line
from cloud.core.principal import Principal
from cloud.notifications.domain import MAXIMUM_ATTEMPTS, delay_after
from cloud.notifications.mail import PERMANENT, MailServer, hand_over
from cloud.reception.mail_tables import MailRow, ReplyRow, ReplyState

_AT_ONCE = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outgoing:
    reply_id: int
    message: EmailMessage
    receiver: str


class Replies:
    """Sends what the desk has written; `address` is the mailbox's, to which an answer comes back."""

    def __init__(self, server: MailServer, *, address: str) -> None:
        self._server = server
        self._address = address
        self._context = ssl.create_default_context(cafile=server.authority)

    async def run(self, database: Database, clock: Clock) -> None:
        """Send what is due; a job. What is sent twice, because a crash lost its mark, has one Message-ID."""
        async with database.reading() as session:
            due = await self._due(session, clock.now())
        for outgoing in due:
            error, is_final = await self._send(outgoing)
            async with database.transaction() as session:
                row = await session.get_one(ReplyRow, outgoing.reply_id, with_for_update=True)
                _note(row, clock.now(), error, is_final=is_final)

    async def _due(self, session: AsyncSession, now: datetime) -> list[_Outgoing]:
        # any organisation: a job sends everybody's
        found = await session.execute(
            select(ReplyRow, MailRow)
            .join(MailRow, MailRow.id == ReplyRow.mail_id)
            .where(ReplyRow.state == ReplyState.WAITING, ReplyRow.due_at <= now)
            .order_by(ReplyRow.id)
            .limit(_AT_ONCE)
        )
        outgoing = []
        for reply, mail in found:
            organisation = await find_organisation(session, Principal.system(reply.organisation_id))
            message = self._written(reply, mail, organisation.name)
            outgoing.append(_Outgoing(reply_id=reply.id, message=message, receiver=reply.receiver))
        return outgoing

    async def _send(self, outgoing: _Outgoing) -> tuple[str | None, bool]:
        """Return why a mail could not be handed over, None when it was; and whether trying again is useless."""
        try:
            await hand_over(self._server, self._context, outgoing.message, receiver=outgoing.receiver)
        except SMTPRecipientsRefused as error:
            return first_line(error), error.recipients[0].code >= PERMANENT
        except SMTPResponseException as error:
            return first_line(error), error.code >= PERMANENT
        except (SMTPException, OSError) as error:
            return first_line(error), False
        return None, False

    def _written(self, reply: ReplyRow, mail: MailRow, organisation: str) -> EmailMessage:
        name, _, host = self._server.sender.rpartition("@")
        written = EmailMessage(policy=SMTP)
        written["From"] = Address(display_name=" ".join(organisation.split()), username=name, domain=host)
        written["Reply-To"] = self._address
        written["To"] = Address(addr_spec=reply.receiver)
        written["Subject"] = reply.subject
        written["Date"] = format_datetime(reply.written_at)
        written["Message-ID"] = reply.message_id
        written["In-Reply-To"] = mail.message_id
        written["References"] = mail.message_id
        written.set_content(f"{reply.text}\n\n-- \n{reply.author}\n{organisation}\n")
        return written


def _note(row: ReplyRow, now: datetime, error: str | None, *, is_final: bool) -> None:
    row.attempts, row.error = row.attempts + 1, error
    if error is None:
        row.state, row.due_at = ReplyState.SENT, None
    elif is_final or row.attempts >= MAXIMUM_ATTEMPTS:
        row.state, row.due_at = ReplyState.DEAD, None
    else:
        row.due_at = now + delay_after(row.attempts)
