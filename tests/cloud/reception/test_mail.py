from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from cloud.core.database import Database
from cloud.core.errors import Conflict, NotFound
from cloud.core.files import FileStore
from cloud.core.listing import Ask
from cloud.reception import correspondence, service
from cloud.reception.correspondence import Mail
from cloud.reception.domain import Ending
from cloud.reception.intake import MailIntake
from cloud.reception.mail import ALL_HOURLY, SENDER_HOURLY, is_flood
from cloud.reception.mail_tables import MailState, ReplyRow, ReplyState
from cloud.tickets.attachments import attachments_of
from cloud.tickets.contacts import contacts
from cloud.tickets.deadlines import deadlines
from cloud.tickets.domain import How, Target
from cloud.tickets.timeline import timeline
from cloud.web import photos
from tests.cloud.reception.counter import Counter
from tests.cloud.reception.mails import photo, written


@dataclass
class Post:
    """The counter with a way in for mails."""

    counter: Counter
    intake: MailIntake
    changes: list[int]

    async def take(self, raw: bytes) -> MailState | None:
        return await self.intake.take(raw)

    async def mails(self, *, only_new: bool = False, limited: bool = False) -> list[Mail]:
        """Return the mails in the order of their coming."""
        principal = self.counter.limited if limited else self.counter.desk
        async with self.counter.database.reading() as session:
            found = await correspondence.list_mails(session, principal, Ask(sort="received"), only_new=only_new)
            return [await correspondence.find_mail(session, principal, mail.id) for mail in found.rows]

    async def make_ticket(self, mail_id: int, *, key_unit: int | None = None) -> int:
        counter = self.counter
        async with counter.database.transaction() as session:
            return await correspondence.make_ticket(
                session, counter.clock, counter.desk, mail_id=mail_id, type_code="repair", text="漏水",
                unit_id=key_unit or counter.unit_id, place_id=None,
            )  # fmt: skip


@pytest.fixture
def post(counter: Counter, database: Database, tmp_path: Path) -> Post:
    changes: list[int] = []

    async def check(content: bytes) -> photos.Checked:
        return await photos.check(content, field="file")

    intake = MailIntake(
        database,
        counter.clock,
        FileStore(f"file://{tmp_path}/files"),
        check=check,
        note_change=lambda _session, organisation_id: changes.append(organisation_id),
        organisation_id=None,
    )
    return Post(counter, intake, changes)


async def test_the_same_message_twice_is_one_mail(post: Post) -> None:
    assert await post.take(written()) is MailState.NEW
    assert await post.take(written(Received="by another way")) is None
    assert [mail.subject for mail in await post.mails()] == ["漏水"]
    assert post.changes == [post.counter.estate.organisation_id]


async def test_a_photo_is_drawn_anew_and_what_is_no_photo_is_left_out(post: Post) -> None:
    await post.take(written(photo=photo()))
    await post.take(written(message_id="<2@example.com>", photo=b"MZ no photo"))
    first, second = await post.mails()
    assert [(file.name, file.width, file.height) for file in first.files] == [("水管.jpg", 320, 240)]
    assert (second.files, second.left_out) == ([], 1)


async def test_a_mail_becomes_a_ticket_with_its_photo_and_is_a_line_of_the_desk(post: Post) -> None:
    await post.take(written(photo=photo()))
    [mail] = await post.mails()
    ticket_id = await post.make_ticket(mail.id)
    async with post.counter.database.reading() as session:
        files = await attachments_of(session, post.counter.desk, ticket_ids=[ticket_id])
        lines = await service.last_contacts(session, post.counter.desk, ticket_id=ticket_id)
    assert [file.name for file in files[ticket_id]] == ["水管.jpg"]
    assert [(line.ending, line.name) for line in lines] == [(Ending.TICKET, "陈十二")]
    assert [(mail.state, mail.ticket_id) for mail in await post.mails()] == [(MailState.TICKET, ticket_id)]
    with pytest.raises(Conflict):
        await post.make_ticket(mail.id)


async def test_an_answer_in_the_thread_stands_in_the_tickets_timeline(post: Post) -> None:
    await post.take(written())
    [mail] = await post.mails()
    ticket_id = await post.make_ticket(mail.id)
    state = await post.take(
        written(message_id="<2@example.com>", answers="<1@example.com>", text="明天下午在家", photo=photo())
    )
    async with post.counter.database.reading() as session:
        entries = await timeline(session, post.counter.desk, ticket_ids=[ticket_id])
        files = await attachments_of(session, post.counter.desk, ticket_ids=[ticket_id])
    assert state is MailState.JOINED
    assert [(entry.text, entry.is_public) for entry in entries[ticket_id] if entry.text == "明天下午在家"] == [
        ("明天下午在家", True)
    ]
    assert len(files[ticket_id]) == 1


async def test_a_ticket_number_in_the_subject_counts_only_from_who_belongs_to_it(post: Post) -> None:
    await post.take(written())
    [mail] = await post.mails()
    await post.make_ticket(mail.id)
    subject = "Re: [2026-000001] 漏水"
    stranger = written(sender="eve@example.org", subject=subject, message_id="<2@example.org>")
    known = written(subject=subject, message_id="<3@example.com>")
    assert (await post.take(stranger), await post.take(known)) == (MailState.NEW, MailState.JOINED)
    assert [mail.ticket for mail in await post.mails()] == ["2026-000001", "", "2026-000001"]


async def test_a_thread_alone_lets_no_stranger_into_a_ticket(post: Post) -> None:
    await post.take(written())
    [mail] = await post.mails()
    await post.make_ticket(mail.id)
    forwarded = written(sender="eve@example.org", message_id="<2@example.org>", answers="<1@example.com>")
    assert await post.take(forwarded) is MailState.NEW
    _first, second = await post.mails()
    assert (second.ticket_id, [subject for _id, subject in second.thread]) == (None, ["漏水"])


async def test_a_known_address_belongs_to_the_tickets_of_its_person(post: Post) -> None:
    counter = post.counter
    async with counter.database.transaction() as session:
        await service.opened(session, counter.clock, counter.desk, counter.entry(), type_code="repair")
    await post.take(written())
    [mail] = await post.mails()
    assert mail.person_id is None
    async with counter.database.transaction() as session:
        await correspondence.say_who(session, counter.clock, counter.desk, mail_id=mail.id, person_id=counter.owner_id)
    assert await post.take(written(subject="2026-000001", message_id="<2@example.com>")) is MailState.JOINED
    assert [mail.person_id for mail in await post.mails(limited=True)] == [counter.owner_id] * 2


async def test_what_a_machine_wrote_and_what_floods_waits_aside_until_let_through(post: Post) -> None:
    assert await post.take(written(Auto_Submitted="auto-replied")) is MailState.AUTOMATIC
    states = [
        await post.take(written(sender="flood@example.org", message_id=f"<{number}@flood>"))
        for number in range(SENDER_HOURLY + 2)
    ]
    assert states == [MailState.NEW] * SENDER_HOURLY + [MailState.HELD] * 2
    assert await post.take(written(message_id="<other@example.com>")) is MailState.NEW
    held = [mail for mail in await post.mails() if mail.state is MailState.HELD]
    counter = post.counter
    async with counter.database.transaction() as session:
        with pytest.raises(Conflict):
            await correspondence.dismiss(session, counter.clock, counter.desk, mail_id=held[0].id)
        await correspondence.let_through(session, counter.clock, counter.desk, mail_id=held[0].id)
        await correspondence.dismiss(session, counter.clock, counter.desk, mail_id=held[0].id)
    counter.clock.advance(hours=1)
    assert await post.take(written(sender="flood@example.org", message_id="<later@flood>")) is MailState.NEW


async def test_what_machines_write_keeps_no_person_s_mail_aside(post: Post) -> None:
    for number in range(SENDER_HOURLY + 1):
        machine = written(message_id=f"<{number}@machine>", Auto_Submitted="auto-generated")
        assert await post.take(machine) is MailState.AUTOMATIC
    assert await post.take(written()) is MailState.NEW


async def test_what_waits_aside_is_counted(post: Post) -> None:
    for number in range(SENDER_HOURLY + 2):
        await post.take(written(sender="flood@example.org", message_id=f"<{number}@flood>"))
    async with post.counter.database.reading() as session:
        assert await correspondence.count_held(session, post.counter.desk) == 2


async def test_an_address_without_a_name_is_masked_in_lists(post: Post) -> None:
    await post.take(written(sender="eve@example.org"))
    assert [mail.who for mail in await post.mails()] == ["e***@example.org"]


async def test_what_became_a_ticket_is_answered_which_is_a_contact(post: Post) -> None:
    counter = post.counter
    await post.take(written())
    [mail] = await post.mails()
    ticket_id = await post.make_ticket(mail.id)
    for seen, text in enumerate(("明天上午来修。", "改为下午。")):
        async with counter.database.transaction() as session:
            await correspondence.answer(
                session, counter.clock, counter.desk, mail_id=mail.id, text=text, replies_seen=seen
            )
    async with counter.database.transaction() as session:
        with pytest.raises(Conflict, match="answered this mail meanwhile"):
            await correspondence.answer(session, counter.clock, counter.desk, mail_id=mail.id, text="?", replies_seen=1)
    async with counter.database.reading() as session:
        said = await contacts(session, counter.desk, ticket_id=ticket_id)
        due = await deadlines(session, counter.desk, ticket_ids=[ticket_id])
    [after] = await post.mails()
    assert (after.state, [reply.text for reply in after.replies]) == (
        MailState.TICKET,
        ["明天上午来修。", "改为下午。"],
    )
    assert [(each.how, each.next_step) for each in said] == [(How.MAIL, "改为下午。"), (How.MAIL, "明天上午来修。")]
    assert [each.is_met for each in due[ticket_id] if each.target is Target.FIRST_CONTACT] == [True]


async def test_an_answer_is_written_once_and_what_answers_it_is_in_the_thread(post: Post) -> None:
    await post.take(written())
    [mail] = await post.mails()
    counter = post.counter
    async with counter.database.transaction() as session:
        await correspondence.answer(session, counter.clock, counter.desk, mail_id=mail.id, text="请拍照发来。")
        reply = await session.scalar(select(ReplyRow).where(ReplyRow.mail_id == mail.id))
        assert reply is not None
        assert (reply.receiver, reply.subject, reply.state) == ("chen@example.com", "Re: 漏水", ReplyState.WAITING)
        with pytest.raises(Conflict):
            await correspondence.answer(session, counter.clock, counter.desk, mail_id=mail.id, text="again")
    await post.take(written(message_id="<2@example.com>", answers=reply.message_id))
    assert await post.take(written(message_id=reply.message_id)) is None
    assert [len(mail.thread) for mail in await post.mails()] == [1, 1]


async def test_a_desk_of_one_community_sees_no_mail_of_another_or_of_nobody_known(post: Post) -> None:
    await post.take(written(photo=photo()))
    [mail] = await post.mails()
    assert await post.mails(limited=True) == []
    async with post.counter.database.reading() as session:
        with pytest.raises(NotFound):
            await correspondence.find_mail(session, post.counter.limited, mail.id)
        [file] = mail.files
        assert await correspondence.may_see(session, post.counter.desk, file_id=file.file_id)
        assert not await correspondence.may_see(session, post.counter.limited, file_id=file.file_id)
        assert not await correspondence.may_see(session, post.counter.manager, file_id=file.file_id)


@given(of_sender=st.integers(0, 50), of_others=st.integers(0, 1_000))
def test_a_flood_is_more_of_one_or_of_all_than_somebody_can_read(of_sender: int, of_others: int) -> None:
    of_all = of_sender + of_others
    assert is_flood(of_sender=of_sender, of_all=of_all) == (of_sender >= SENDER_HOURLY or of_all >= ALL_HOURLY)
