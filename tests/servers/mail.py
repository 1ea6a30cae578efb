"""A real SMTP server in a thread, on a free port of loopback, that keeps what it takes."""

import asyncio
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

USER = "gatehouse"
PASSWORD = "mail is for post"
_OK = "250 OK"


@dataclass
class MailServer:
    """What the server took, and how it is told to answer.

    Attributes:
        answers: to the next receivers that it is offered, one after the other; then it takes all.
        was_encrypted: of each mail, whether it came over TLS.
    """

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    was_encrypted: list[bool] = field(default_factory=list)

    async def handle_RCPT(  # noqa: N802  the library calls it so
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answer = self.answers.pop(0) if self.answers else _OK
        if answer == _OK:
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802  as above
        self.mails.append(message_from_bytes(envelope.content, _class=EmailMessage, policy=policy.default))
        self.was_encrypted.append(session.ssl is not None)
        return f"250 queued as {len(self.mails)}"


class _Controller(Controller):
    """The library's own, on a port that the system chooses."""

    async def _create_server(self) -> asyncio.AbstractServer:
        server = await super()._create_server()
        self.port = server.sockets[0].getsockname()[1]
        return server


@contextmanager
def running_mail(*, certificate: tuple[Path, Path] | None = None, asks_who: bool = False) -> Iterator[MailServer]:
    """Yield a server that offers STARTTLS with a certificate and, when it asks who, takes USER with PASSWORD alone."""
    server = MailServer()
    context = None
    if certificate is not None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(*certificate)
    controller = _Controller(
        server,
        hostname="127.0.0.1",
        port=0,
        tls_context=context,
        require_starttls=certificate is not None,
        auth_required=asks_who,
        authenticator=_is_known if asks_who else None,
    )
    controller.start()
    try:
        server.port = controller.port
        yield server
    finally:
        controller.stop()


def _is_known(
    server: SMTP, session: Session, envelope: Envelope, mechanism: str, auth_data: LoginPassword
) -> AuthResult:
    is_ours = (auth_data.login, auth_data.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=is_ours, handled=False)
