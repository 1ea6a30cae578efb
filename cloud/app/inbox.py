"""The front desk's mail as the settings speak of it: the mailbox, the hook, and the answers' way out."""

from collections.abc import Sequence
from functools import partial

from fastapi import APIRouter
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.api.mail_hook import MailHook
from cloud.app.gateways import mail_server
from cloud.core.clock import Clock
from cloud.core.database import Database
from cloud.core.files import FileStore
from cloud.core.jobs import Job
from cloud.reception.intake import MailIntake
from cloud.reception.mailbox import Mailbox, MailboxReader
from cloud.reception.replies import Replies
from cloud.settings import Settings
from cloud.web import live, photos
from cloud.web.live import Hub

_READ_S = 30.0
_REPLY_S = 5.0


def open_intake(settings: Settings, database: Database, clock: Clock, store: FileStore, hub: Hub) -> MailIntake:
    """Return the way in of all mails."""
    return MailIntake(
        database,
        clock,
        store,
        check=partial(photos.check, field="file"),
        note_change=partial(_note_mail, hub),
        organisation_id=settings.desk_organisation,
    )


def inbox_jobs(settings: Settings, intake: MailIntake) -> Sequence[Job]:
    """Return what reads the mailbox and sends the answers, as far as they are set up.

    Raises:
        SettingsRefused: a file of a secret can't be read.
    """
    jobs = []
    if settings.inbox_host is not None:
        reader = MailboxReader(_mailbox(settings, settings.inbox_host), intake)
        jobs.append(Job(name="reception.read_mailbox", period_s=_READ_S, run=reader.run))
    if settings.mail_host is not None:
        address = settings.inbox_address or settings.mail_sender
        replies = Replies(mail_server(settings, settings.mail_host), address=address)
        jobs.append(Job(name="reception.send_replies", period_s=_REPLY_S, run=replies.run))
    return jobs


def hook_router(settings: Settings, intake: MailIntake, clock: Clock) -> APIRouter:
    """Return the hook's route; none without a secret.

    Raises:
        SettingsRefused: the secret's file can't be read.
    """
    secret = settings.inbox_hook
    return MailHook(intake, clock, secret=secret).router() if secret is not None else APIRouter()


def _mailbox(settings: Settings, host: str) -> Mailbox:
    return Mailbox(
        host=host,
        port=settings.inbox_port,
        security=settings.inbox_security,
        user=settings.inbox_user or "",
        password=settings.inbox_password,
        authority=settings.inbox_authority_file,
        folder=settings.inbox_folder,
    )


def _note_mail(hub: Hub, session: AsyncSession, organisation_id: int) -> None:
    live.changed(session, hub, organisation_id=organisation_id, topics=("reception", "tickets"))
