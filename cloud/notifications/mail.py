"""Mail by SMTP: plain text, nothing that tracks, and headers that keep machines from answering."""

import hashlib
import ssl
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path
from typing import Literal

import aiosmtplib
from aiosmtplib import (
    SMTPAuthenticationError,
    SMTPConnectError,
    SMTPException,
    SMTPHeloError,
    SMTPRecipientsRefused,
    SMTPResponseException,
    SMTPSenderRefused,
)
from pydantic import SecretStr

from cloud.core.clock import Clock
from cloud.core.words import Words
from cloud.notifications.channels import Parcel, Receipt, Report, SendDelayed, SendRefused
from cloud.notifications.domain import Language

Security = Literal["starttls", "tls", "none"]

_TIMEOUT_S = 20.0
PERMANENT = 500  # RFC 5321, 4.2.1: from here on trying again does not help
_FOOTER = Words(
    zh="此邮件由系统自动发送，请勿回复。如何接收通知，可在此设置：",
    en="This message was sent by a machine; answers are not read. Choose how you are told:",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """The organisation's way into the mail.

    Attributes:
        security: `starttls` insists on encryption after the greeting, `tls` begins with it.
        authority: file of the certificates (PEM) that the server's is checked against; None for the system's.
        sender: the address that mails come from.
        domain: ours, in names that must be unique in the world.
        preferences: the address of the page where people choose how they are told.
    """

    host: str
    port: int
    security: Security
    user: str | None
    password: SecretStr | None
    authority: Path | None
    sender: str
    domain: str
    preferences: str


class Mail:
    """The gateway that is an SMTP server. What it has taken is its own: it reports nothing later."""

    def __init__(self, server: MailServer, clock: Clock) -> None:
        self._server = server
        self._clock = clock
        self._context = ssl.create_default_context(cafile=server.authority)

    async def send(self, parcel: Parcel) -> Receipt:
        try:
            answer = await hand_over(self._server, self._context, self._written(parcel), receiver=parcel.address)
        except SMTPRecipientsRefused as error:
            raise _judged(error.recipients[0].code, error.recipients[0].message) from error
        except (SMTPAuthenticationError, SMTPConnectError, SMTPHeloError, SMTPSenderRefused) as error:
            # What is wrong with us and not with the parcel is mended by people, and the mail goes then.
            raise SendDelayed(f"{type(error).__name__}: {error}") from error
        except SMTPResponseException as error:
            raise _judged(error.code, error.message) from error
        except (SMTPException, OSError) as error:
            raise SendDelayed(f"{type(error).__name__}: {error}") from error
        return Receipt(gateway_id=answer, is_reported=False)

    async def report(self, gateway_id: str) -> Report:
        raise SendDelayed(f"a mail server tells nothing more of {gateway_id}")

    def _written(self, parcel: Parcel) -> EmailMessage:
        domain = self._server.domain
        topic = hashlib.sha256(parcel.topic.encode()).hexdigest()[:32]
        name, _, host = self._server.sender.rpartition("@")
        mail = EmailMessage(policy=SMTP)
        mail["From"] = Address(display_name=_line(parcel.sender), username=name, domain=host)
        mail["To"] = Address(addr_spec=parcel.address)
        mail["Subject"] = _line(parcel.subject)
        mail["Date"] = format_datetime(self._clock.now())
        mail["Message-ID"] = f"<{parcel.uid}@{domain}>"
        mail["References"] = f"<{topic}@{domain}>"  # nobody ever gets that one: it is what the mails have in common
        mail["List-Id"] = f"<notifications.{domain}>"
        mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no machine answers that
        mail["X-Auto-Response-Suppress"] = "All"  # and the same for Exchange
        footer = _FOOTER.zh if parcel.language is Language.ZH_HANS else _FOOTER.en
        parts = (parcel.text, parcel.link, f"-- \n{_line(parcel.sender)}\n{footer}\n{self._server.preferences}")
        mail.set_content("\n\n".join(part for part in parts if part) + "\n")
        mail["Content-Language"] = parcel.language  # after its content, which brings the headers of its own
        return mail


async def hand_over(server: MailServer, context: ssl.SSLContext, mail: EmailMessage, *, receiver: str) -> str:
    """Return what the server says to a mail that it has taken.

    Raises:
        SMTPException, OSError: it has not; a timeout and a bad certificate are OSErrors too.
    """
    _errors, answer = await aiosmtplib.send(
        mail,
        sender=server.sender,
        recipients=[receiver],
        hostname=server.host,
        port=server.port,
        username=server.user,
        password=server.password.get_secret_value() if server.password else None,
        use_tls=server.security == "tls",
        start_tls=server.security == "starttls",
        tls_context=context,
        timeout=_TIMEOUT_S,
    )
    return answer


def _line(text: str) -> str:
    """Return the text as one line: a header ends at the line's end, and what would follow is somebody else's header."""
    return " ".join(text.split())


def _judged(code: int, message: str) -> SendDelayed | SendRefused:
    reason = f"{code} {_line(message)}"
    return SendRefused(reason) if code >= PERMANENT else SendDelayed(reason)
