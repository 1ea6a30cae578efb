"""The ways out that the settings speak of: mail and SMS."""

from urllib.parse import urlsplit

from cloud.core.clock import Clock
from cloud.notifications.channels import Gateway, Gateways
from cloud.notifications.domain import Channel
from cloud.notifications.mail import Mail, MailServer
from cloud.notifications.sms import Sms
from cloud.settings import Settings


def open_gateways(settings: Settings, clock: Clock) -> Gateways:
    """Return a gateway for each channel that is set up; nothing is connected before something is sent.

    Raises:
        SettingsRefused: a file of a secret can't be read.
    """
    gateways: dict[Channel, Gateway] = {}
    if settings.mail_host is not None:
        gateways[Channel.MAIL] = Mail(mail_server(settings, settings.mail_host), clock)
    if settings.sms_url is not None:
        gateways[Channel.SMS] = Sms(settings.sms_url, settings.sms_token)
    return gateways


def mail_server(settings: Settings, host: str) -> MailServer:
    """Return the SMTP server that the settings speak of.

    Raises:
        SettingsRefused: the password's file can't be read.
    """
    return MailServer(
        host=host,
        port=settings.mail_port,
        security=settings.mail_security,
        user=settings.mail_user,
        password=settings.mail_password,
        authority=settings.mail_authority_file,
        sender=settings.mail_sender,
        domain=urlsplit(settings.address).hostname or "localhost",
        preferences=f"{settings.address}/me/notifications",
    )
