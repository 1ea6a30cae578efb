from datetime import UTC, datetime, time

import pytest
from sqlalchemy import select

from cloud.accounts.tables import PersonRow
from cloud.core.listing import Ask
from cloud.core.outbox import OutboxEvent
from cloud.core.principal import Principal, Role
from cloud.core.words import Words
from cloud.notifications.domain import KEPT, Channel, DeliveryState, Kind, Preferences, QuietHours
from cloud.notifications.inbox import list_messages
from cloud.notifications.preferences import choose
from cloud.notifications.service import forget_old, notify, send_code
from tests.cloud.estate import Estate
from tests.cloud.notifications.post import PHONE, SUBJECT, TEXT, Post

EVENING = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)  # 23:00 in Shanghai
MORNING = datetime(2026, 3, 3, 0, 0, tzinfo=UTC)


async def _told(post: Post, principal: Principal) -> list[str]:
    async with post.database.reading() as session:
        return [message.subject.en for message in (await list_messages(session, principal, Ask())).rows]


async def test_a_message_stands_in_the_inbox_and_goes_out_by_the_channels_of_its_kind(post: Post) -> None:
    await post.write()
    assert await _told(post, post.worker) == [SUBJECT.en]
    (delivery,) = await post.deliveries()
    assert (delivery.channel, delivery.address, delivery.state) == (Channel.SMS, PHONE, DeliveryState.WAITING)


async def test_the_same_key_again_changes_nothing(post: Post) -> None:
    await post.write()
    await post.write()
    assert await _told(post, post.worker) == [SUBJECT.en]
    assert len(await post.deliveries()) == 1


async def test_a_key_that_reached_some_still_reaches_the_others(post: Post) -> None:
    await post.write()
    desk = post.estate.principals[Role.DESK]
    async with post.database.transaction() as session:
        await notify(
            session,
            post.clock,
            Principal.system(post.estate.organisation_id),
            person_ids=[post.worker.person_id, desk.person_id],
            kind=Kind.TICKET_OFFERED,
            subject=SUBJECT,
            text=TEXT,
            link="",
            key="ticket:1",
        )
    assert await _told(post, post.worker) == await _told(post, desk) == [SUBJECT.en]


async def test_nobody_of_another_organisation_and_nobody_who_left_is_written_to(post: Post, neighbour: Estate) -> None:
    stranger, gone = neighbour.principals[Role.WORKER], post.estate.principals[Role.DESK]
    async with post.database.transaction() as session:
        (await session.get_one(PersonRow, gone.person_id)).is_active = False
        await notify(
            session,
            post.clock,
            Principal.system(post.estate.organisation_id),
            person_ids=[stranger.person_id, gone.person_id],
            kind=Kind.NOTICE,
            subject=SUBJECT,
            text=TEXT,
            link="",
            key="notice:1",
        )
        said = (await session.scalars(select(OutboxEvent))).all()
    assert await _told(post, stranger) == await _told(post, gone) == []
    assert list(said) == []


@pytest.mark.parametrize(
    ("is_urgent", "due_at"), [(False, MORNING), (True, EVENING)], ids=["until morning", "not if it is urgent"]
)
async def test_quiet_hours_put_off_what_comes_in_the_night(post: Post, is_urgent: bool, due_at: datetime) -> None:
    post.clock.set(EVENING)
    await post.write(is_urgent=is_urgent)
    assert [delivery.due_at for delivery in await post.deliveries()] == [due_at]


async def test_who_works_at_night_may_be_told_at_night(post: Post) -> None:
    post.clock.set(EVENING)
    async with post.database.transaction() as session:
        await choose(session, post.clock, post.worker, Preferences(quiet=QuietHours(time(9), time(17))))
    await post.write()
    assert [delivery.due_at for delivery in await post.deliveries()] == [EVENING]


async def test_a_channel_that_somebody_switched_off_stays_off(post: Post) -> None:
    wanted = Preferences(mail="li.si@example.com", chosen={Kind.TICKET_OFFERED: frozenset({Channel.MAIL})})
    async with post.database.transaction() as session:
        await choose(session, post.clock, post.worker, wanted)
    await post.write()
    assert [(d.channel, d.address) for d in await post.deliveries()] == [(Channel.MAIL, "li.si@example.com")]


async def test_who_gave_no_address_reads_the_inbox_alone(post: Post) -> None:
    async with post.database.transaction() as session:
        (await session.get_one(PersonRow, post.worker.person_id)).phone = None
    await post.write()
    assert await post.deliveries() == []


async def test_a_landline_is_sent_no_sms(post: Post) -> None:
    async with post.database.transaction() as session:
        (await session.get_one(PersonRow, post.worker.person_id)).phone = "+862155550000"
    await post.write()
    assert await post.deliveries() == []


async def test_a_code_is_due_at_once_in_the_night_and_once_only(post: Post) -> None:
    post.clock.set(EVENING)
    for _ in range(2):
        async with post.database.transaction() as session:
            await send_code(
                session,
                post.clock,
                organisation_id=post.estate.organisation_id,
                phone=PHONE,
                text=Words(zh="验证码 123456", en="Code 123456"),
                key="sign-in:1",
            )
    (code,) = await post.deliveries()
    assert (code.due_at, code.is_urgent, code.text) == (EVENING, True, "验证码 123456 Code 123456")


async def test_a_code_stands_in_no_event(post: Post) -> None:
    async with post.database.transaction() as session:
        await send_code(
            session,
            post.clock,
            organisation_id=post.estate.organisation_id,
            phone=PHONE,
            text=Words(zh="", en="Code 123456"),
            key="sign-in:1",
        )
        assert [
            event.payload for event in await session.scalars(select(OutboxEvent)) if "123456" in event.payload
        ] == []


async def test_what_is_older_than_a_year_is_forgotten_with_its_evidence(post: Post) -> None:
    await post.write(key="old")
    post.clock.advance(seconds=KEPT.total_seconds() + 1)
    await post.write(key="new")
    await forget_old(post.database, post.clock)
    assert await _told(post, post.worker) == [SUBJECT.en]
    assert len(await post.deliveries()) == 1
