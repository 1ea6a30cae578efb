import ssl
from pathlib import Path

import pytest
from pydantic import SecretStr

from cloud.notifications.channels import Parcel, Receipt, SendDelayed, SendRefused
from cloud.notifications.domain import Language
from cloud.notifications.mail import Mail, MailServer
from provisioning.practice.ports import free_port
from tests.clocks import FixedClock
from tests.servers.certificates import make_certificate
from tests.servers.mail import PASSWORD, USER, running_mail


def _mail(clock: FixedClock, port: int, **changed: object) -> Mail:
    told = {"security": "none", "user": None, "password": None, "authority": None} | changed
    server = MailServer(
        host="127.0.0.1",
        port=port,
        sender="gatehouse@gatehouse.example",
        domain="gatehouse.example",
        preferences="https://gatehouse.example/me/notifications",
        **told,
    )
    return Mail(server, clock)


def _parcel(uid: str = "u1", **changed: object) -> Parcel:
    told = {
        "subject": "工单 2026-000001 已派给您",
        "text": "水管漏水",
        "link": "https://gatehouse.example/tickets/1",
        "language": Language.ZH_HANS,
        "sender": "云杉物业",
        "address": "li.si@example.com",
        "topic": "1 /tickets/1",
    }
    return Parcel(uid=uid, **(told | changed))


async def test_a_mail_is_plain_text_with_the_link_and_how_to_switch_it_off(clock: FixedClock) -> None:
    with running_mail() as server:
        receipt = await _mail(clock, server.port).send(_parcel())
        (mail,) = server.mails
    assert mail.get_content_type() == "text/plain"
    assert mail.get_content().replace("\r\n", "\n") == (
        "水管漏水\n\nhttps://gatehouse.example/tickets/1\n\n-- \n云杉物业\n"
        "此邮件由系统自动发送，请勿回复。如何接收通知，可在此设置：\nhttps://gatehouse.example/me/notifications\n"
    )
    assert receipt == Receipt(gateway_id="queued as 1", is_reported=False)


async def test_a_mails_head_keeps_machines_from_answering(clock: FixedClock) -> None:
    with running_mail() as server:
        await _mail(clock, server.port).send(_parcel())
        (mail,) = server.mails
    assert {name: mail[name] for name in ("From", "To", "Subject", "Message-ID", "List-Id", "Auto-Submitted")} == {
        "From": "云杉物业 <gatehouse@gatehouse.example>",
        "To": "li.si@example.com",
        "Subject": "工单 2026-000001 已派给您",
        "Message-ID": "<u1@gatehouse.example>",
        "List-Id": "<notifications.gatehouse.example>",
        "Auto-Submitted": "auto-generated",
    }
    assert mail["Date"].datetime == clock.now()


async def test_mails_about_one_matter_are_one_thread(clock: FixedClock) -> None:
    with running_mail() as server:
        mail = _mail(clock, server.port)
        for uid, topic in (("u1", "1 /tickets/1"), ("u2", "1 /tickets/1"), ("u3", "1 /tickets/2")):
            await mail.send(_parcel(uid, topic=topic))
    first, second, other = (mail["References"] for mail in server.mails)
    assert first == second != other


async def test_an_english_reader_is_told_in_english(clock: FixedClock) -> None:
    with running_mail() as server:
        await _mail(clock, server.port).send(_parcel(language=Language.EN, text="A pipe leaks"))
        (mail,) = server.mails
    assert "answers are not read" in mail.get_content()
    assert mail["Content-Language"] == "en"


async def test_a_subject_of_several_lines_makes_no_header(clock: FixedClock) -> None:
    with running_mail() as server:
        await _mail(clock, server.port).send(_parcel(subject="a\r\nBcc: b@example.com", sender="x\ny"))
        (mail,) = server.mails
    assert (mail["Subject"], mail["Bcc"]) == ("a Bcc: b@example.com", None)


async def test_the_way_to_the_server_is_encrypted_and_proved(clock: FixedClock, tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path)
    with running_mail(certificate=certificate, asks_who=True) as server:
        mail = _mail(
            clock,
            server.port,
            security="starttls",
            authority=certificate[0],
            user=USER,
            password=SecretStr(PASSWORD),
        )
        await mail.send(_parcel())
    assert server.was_encrypted == [True]


async def test_a_server_without_encryption_gets_no_mail_that_insists_on_it(clock: FixedClock) -> None:
    with running_mail() as server:
        with pytest.raises(SendDelayed):
            await _mail(clock, server.port, security="starttls").send(_parcel())
        assert server.mails == []


async def test_a_certificate_that_nobody_vouches_for_gets_no_mail(clock: FixedClock, tmp_path: Path) -> None:
    with running_mail(certificate=make_certificate(tmp_path)) as server:
        with pytest.raises(SendDelayed) as delayed:
            await _mail(clock, server.port, security="starttls").send(_parcel())
        assert isinstance(delayed.value.__cause__, ssl.SSLError | OSError)
        assert server.mails == []


async def test_a_wrong_password_delays_mail_and_loses_none(clock: FixedClock, tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path)
    with running_mail(certificate=certificate, asks_who=True) as server:
        mail = _mail(
            clock, server.port, security="starttls", authority=certificate[0], user=USER, password=SecretStr("x")
        )
        with pytest.raises(SendDelayed, match="SMTPAuthenticationError"):
            await mail.send(_parcel())


async def test_a_receiver_that_is_not_there_is_refused_for_good(clock: FixedClock) -> None:
    with running_mail() as server:
        server.answers = ["550 no such mailbox"]
        with pytest.raises(SendRefused, match="550 no such mailbox"):
            await _mail(clock, server.port).send(_parcel())


async def test_a_server_that_asks_to_come_again_delays(clock: FixedClock) -> None:
    with running_mail() as server:
        server.answers = ["451 greylisted"]
        with pytest.raises(SendDelayed, match="451 greylisted"):
            await _mail(clock, server.port).send(_parcel())


async def test_a_server_that_is_not_there_delays(clock: FixedClock) -> None:
    with pytest.raises(SendDelayed, match="SMTPConnectError"):
        await _mail(clock, free_port()).send(_parcel())
