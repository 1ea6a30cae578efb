from pathlib import Path

import pytest
from sqlalchemy import select

from cloud.core.clock import Clock
from cloud.core.database import Database
from cloud.notifications.mail import MailServer as Server
from cloud.reception import correspondence
from cloud.reception.letters import read_letter
from cloud.reception.mail import receive
from cloud.reception.mail_tables import MailRow, ReplyRow, ReplyState
from cloud.reception.replies import Replies
from tests.cloud.reception.counter import Counter
from tests.cloud.reception.mails import written
from tests.servers.certificates import make_certificate
from tests.servers.mail import MailServer, running_mail

ADDRESS = "desk@yunshan.example"


def _replies(server: MailServer, authority: Path) -> Replies:
    from_settings = Server(
        host="127.0.0.1",
        port=server.port,
        security="starttls",
        user=None,
        password=None,
        authority=authority,
        sender="gatehouse@yunshan.example",
        domain="yunshan.example",
        preferences="",
    )
    return Replies(from_settings, address=ADDRESS)


async def _answered(counter: Counter) -> str:
    """Return the Message-ID of an answer that waits to go out."""
    async with counter.database.transaction() as session:
        await receive(session, counter.clock, counter.estate.organisation_id, read_letter(written()))
        mail_id = await session.scalar(select(MailRow.id)) or 0
        await correspondence.answer(session, counter.clock, counter.desk, mail_id=mail_id, text="请拍照发来。")
        return await session.scalar(select(ReplyRow.message_id)) or ""


async def _state(database: Database) -> tuple[ReplyState, int]:
    async with database.reading() as session:
        row = (await session.scalars(select(ReplyRow))).one()
        return row.state, row.attempts


async def _run(replies: Replies, database: Database, clock: Clock) -> tuple[ReplyState, int]:
    await replies.run(database, clock)
    return await _state(database)


async def test_an_answer_goes_out_once_in_its_thread_and_comes_back_to_the_desk(
    counter: Counter, tmp_path: Path
) -> None:
    message_id = await _answered(counter)
    certificate = make_certificate(tmp_path)
    with running_mail(certificate=certificate) as server:
        replies = _replies(server, certificate[0])
        assert await _run(replies, counter.database, counter.clock) == (ReplyState.SENT, 1)
        assert await _run(replies, counter.database, counter.clock) == (ReplyState.SENT, 1)
    [mail] = server.mails
    assert (mail["To"], mail["Reply-To"], mail["Message-ID"], mail["In-Reply-To"], mail["Subject"]) == (
        "chen@example.com", ADDRESS, message_id, "<1@example.com>", "Re: 漏水",
    )  # fmt: skip
    assert mail.get_content().splitlines() == ["请拍照发来。", "", "-- ", "孙三", "云杉物业"]


@pytest.mark.parametrize(
    ("answer", "state"),
    [("451 later", ReplyState.WAITING), ("550 unknown", ReplyState.DEAD)],
    ids=["not now", "never"],
)
async def test_an_answer_that_is_not_taken_is_tried_again_unless_that_is_useless(
    counter: Counter, tmp_path: Path, answer: str, state: ReplyState
) -> None:
    await _answered(counter)
    certificate = make_certificate(tmp_path)
    with running_mail(certificate=certificate) as server:
        server.answers.append(answer)
        replies = _replies(server, certificate[0])
        assert await _run(replies, counter.database, counter.clock) == (state, 1)
        assert await _run(replies, counter.database, counter.clock) == (state, 1)
        counter.clock.advance(minutes=1)
        again = await _run(replies, counter.database, counter.clock)
    assert again == ((ReplyState.SENT, 2) if state is ReplyState.WAITING else (ReplyState.DEAD, 1))
