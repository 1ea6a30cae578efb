import asyncio
import logging
from datetime import timedelta

import pytest
from pydantic import SecretStr

from cloud.core.words import Words
from cloud.notifications.channels import Parcel, Receipt, Report, SendDelayed
from cloud.notifications.domain import CODE_GOOD, MAXIMUM_ATTEMPTS, Channel, DeliveryState, Language, Preferences
from cloud.notifications.inbox import read
from cloud.notifications.preferences import choose
from cloud.notifications.sending import send_due
from cloud.notifications.service import send_code
from cloud.notifications.sms import Sms
from provisioning.practice.sms import Failure, PracticeGateway
from tests.cloud.notifications.post import BASE_URL, PHONE, TOKEN, Post

TEN_S = timedelta(seconds=10)


class Slow:
    """A gateway that takes nothing until it is let go: a fault that no real one can be told to have."""

    def __init__(self) -> None:
        self.has_begun = asyncio.Event()
        self.may_end = asyncio.Event()

    async def send(self, parcel: Parcel) -> Receipt:
        self.has_begun.set()
        await self.may_end.wait()
        return Receipt(gateway_id=parcel.uid, is_reported=False)

    async def report(self, gateway_id: str) -> Report:
        raise SendDelayed(gateway_id)


class Broken(Slow):
    """A gateway with a bug."""

    async def send(self, parcel: Parcel) -> Receipt:
        raise ZeroDivisionError(parcel.channel)


async def _code(post: Post, key: str = "sign-in:1") -> None:
    async with post.database.transaction() as session:
        await send_code(
            session,
            post.clock,
            organisation_id=post.estate.organisation_id,
            phone=PHONE,
            text=Words(zh="验证码 123456", en=""),
            key=key,
        )


async def test_a_message_is_handed_over_and_its_evidence_kept(post: Post, gateway: PracticeGateway) -> None:
    await post.write()
    await post.send()
    (delivery,), (message,) = await post.deliveries(), gateway.messages
    assert message.text == f"【云杉物业】工单 2026-000001 已派给您 水管漏水 {BASE_URL}/tickets/1"
    assert (delivery.state, delivery.accepted_at) == (DeliveryState.ACCEPTED, post.clock.now())
    assert (delivery.gateway_id, delivery.uid, delivery.attempts) == (message.gateway_id, message.id, 1)


async def test_it_is_written_in_the_receivers_language(post: Post, gateway: PracticeGateway) -> None:
    async with post.database.transaction() as session:
        await choose(session, post.clock, post.worker, Preferences(language=Language.EN))
    await post.write()
    await post.send()
    assert "Ticket 2026-000001 is yours A pipe leaks" in gateway.messages[0].text


async def test_what_was_handed_over_is_not_handed_over_again(post: Post, gateway: PracticeGateway) -> None:
    await post.write()
    for _ in range(3):
        await post.send()
        post.clock.advance(hours=1)
    assert len(gateway.messages) == 1


async def test_a_try_that_fails_is_made_again_later_with_the_same_id(post: Post, gateway: PracticeGateway) -> None:
    gateway.failures = [Failure(status=503, reason="busy", keeps=True)]  # only the answer is lost
    await post.write()
    await post.send()
    (delivery,) = await post.deliveries()
    assert (delivery.state, delivery.error) == (DeliveryState.WAITING, "503 busy")
    assert delivery.due_at == post.clock.now() + timedelta(seconds=5)
    post.clock.advance(seconds=5)
    await post.send()
    (delivery,) = await post.deliveries()
    assert (delivery.state, delivery.error, delivery.attempts) == (DeliveryState.ACCEPTED, None, 2)
    assert len(gateway.messages) == 1


async def test_a_gateway_that_says_when_to_come_again_is_left_alone_until_then(
    post: Post, gateway: PracticeGateway
) -> None:
    gateway.failures = [Failure(status=429, retry_after_s=90)]
    await post.write()
    await post.send()
    assert [delivery.due_at for delivery in await post.deliveries()] == [post.clock.now() + timedelta(seconds=90)]


async def test_what_is_refused_is_given_up_at_once(post: Post, gateway: PracticeGateway) -> None:
    gateway.failures = [Failure(status=422, reason="no such number")]
    await post.write()
    await post.send()
    (delivery,) = await post.deliveries()
    assert (delivery.state, delivery.error, delivery.due_at) == (DeliveryState.DEAD, "422 no such number", None)


async def test_after_the_last_try_a_message_is_given_up(post: Post, gateway: PracticeGateway) -> None:
    gateway.failures = [Failure(status=503)] * MAXIMUM_ATTEMPTS
    await post.write()
    for _ in range(MAXIMUM_ATTEMPTS):
        await post.send()
        post.clock.advance(hours=1)
    (delivery,) = await post.deliveries()
    assert (delivery.state, delivery.attempts) == (DeliveryState.DEAD, MAXIMUM_ATTEMPTS)
    assert gateway.messages == []


async def test_what_was_read_meanwhile_is_not_sent(post: Post, gateway: PracticeGateway) -> None:
    await post.write()
    async with post.database.transaction() as session:
        await read(session, post.clock, post.worker, (await post.deliveries())[0].message_id)
    await post.send()
    (delivery,) = await post.deliveries()
    assert (delivery.state, delivery.due_at) == (DeliveryState.UNNEEDED, None)
    assert gateway.messages == []


async def test_the_urgent_goes_before_a_crowd(post: Post, gateway: PracticeGateway) -> None:
    for number in range(40):
        await post.write(key=f"notice:{number}")
    await _code(post)
    await post.send()
    assert gateway.messages.index(next(m for m in gateway.messages if "123456" in m.text)) < 16
    assert len(gateway.messages) == 41


async def test_a_code_is_purged_once_it_is_sent_and_never_logged(
    post: Post, gateway: PracticeGateway, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.WARNING, logger="aiosqlite")  # as in every program: see cloud/app/logs.py
    gateway.failures = [Failure(status=503)]
    await _code(post)
    await post.send()
    assert [delivery.text for delivery in await post.deliveries()] == ["验证码 123456"]
    post.clock.advance(seconds=5)
    await post.send()
    assert gateway.messages[0].text == "【云杉物业】验证码 123456"
    assert [delivery.text for delivery in await post.deliveries()] == [None]
    assert "123456" not in caplog.text


async def test_a_code_that_is_too_old_is_given_up_and_purged(post: Post, gateway: PracticeGateway) -> None:
    await _code(post)
    post.clock.advance(seconds=CODE_GOOD.total_seconds() + 1)
    await post.send()
    (delivery,) = await post.deliveries()
    assert (delivery.state, delivery.text) == (DeliveryState.DEAD, None)
    assert gateway.messages == []


async def test_a_code_without_a_gateway_is_given_up_with_the_reason(post: Post) -> None:
    post.gateways = {}
    await _code(post)
    await post.send()
    (delivery,) = await post.deliveries()
    assert delivery.state is DeliveryState.DEAD
    assert delivery.error == "no gateway is set up for sms: see docs/cloud.md"


async def test_a_gateway_with_a_bug_is_logged_and_tried_again(post: Post, caplog: pytest.LogCaptureFixture) -> None:
    post.gateways = {Channel.SMS: Broken()}
    await post.write()
    await post.send()
    assert [delivery.state for delivery in await post.deliveries()] == [DeliveryState.WAITING]
    assert "delivery by sms broke" in caplog.text


async def test_while_one_is_on_its_way_nobody_else_tries_it_and_no_transaction_is_open(
    post: Post, gateway: PracticeGateway
) -> None:
    slow = Slow()
    await post.write()
    gateways = {Channel.SMS: slow}
    sending = asyncio.create_task(
        send_due(post.database, post.clock, channel=Channel.SMS, gateways=gateways, base_url="")
    )
    await slow.has_begun.wait()
    await post.send()
    async with asyncio.timeout(60), post.database.transaction():  # SQLite's one writer is free
        assert gateway.messages == []
    slow.may_end.set()
    await sending
    assert [delivery.state for delivery in await post.deliveries()] == [DeliveryState.ACCEPTED]


async def test_a_try_that_nobody_ended_is_made_again_when_its_lease_runs_out(
    post: Post, gateway: PracticeGateway
) -> None:
    slow = Slow()
    await post.write()
    gateways = {Channel.SMS: slow}
    died = asyncio.create_task(send_due(post.database, post.clock, channel=Channel.SMS, gateways=gateways, base_url=""))
    await slow.has_begun.wait()
    died.cancel()
    await asyncio.wait([died])
    await post.send()
    assert gateway.messages == []
    post.clock.advance(minutes=5)
    await post.send()
    (delivery,) = await post.deliveries()
    assert (delivery.state, delivery.attempts, len(gateway.messages)) == (DeliveryState.ACCEPTED, 2, 1)


async def test_an_end_that_comes_after_a_later_try_began_changes_nothing(post: Post, gateway: PracticeGateway) -> None:
    slow = Slow()
    await post.write()
    gateways = {Channel.SMS: slow}
    late = asyncio.create_task(send_due(post.database, post.clock, channel=Channel.SMS, gateways=gateways, base_url=""))
    await slow.has_begun.wait()
    post.clock.advance(minutes=5)
    await post.send()
    slow.may_end.set()
    await late
    (delivery,) = await post.deliveries()
    assert delivery.gateway_id == gateway.messages[0].gateway_id


async def test_a_gateway_tells_later_that_it_arrived(post: Post) -> None:
    await post.write()
    await post.send()
    await post.ask()
    assert [delivery.state for delivery in await post.deliveries()] == [DeliveryState.ACCEPTED]
    post.clock.advance(seconds=10)
    await post.ask()
    (delivery,) = await post.deliveries()
    assert (delivery.state, delivery.sent_at, delivery.due_at) == (DeliveryState.SENT, post.clock.now(), None)


async def test_a_gateway_tells_later_that_it_failed(post: Post, gateway: PracticeGateway) -> None:
    gateway.fates[PHONE] = ("failed", "switched off")
    await post.write()
    await post.send()
    post.clock.advance(seconds=10)
    await post.ask()
    (delivery,) = await post.deliveries()
    assert (delivery.state, delivery.error) == (DeliveryState.DEAD, "switched off")


async def test_a_gateway_that_knows_nothing_yet_is_asked_ever_more_rarely_and_not_for_ever(
    post: Post, gateway: PracticeGateway
) -> None:
    gateway.fates[PHONE] = ("accepted", "")
    await post.write()
    await post.send()
    waits = []
    while (due_at := (await post.deliveries())[0].due_at) is not None:
        waits.append(due_at - post.clock.now())
        post.clock.set(due_at)
        await post.ask()
    assert waits[:4] == [TEN_S, TEN_S, 2 * TEN_S, 4 * TEN_S]
    assert len(waits) < 20
    assert (await post.deliveries())[0].state is DeliveryState.ACCEPTED


async def test_a_gateway_that_does_not_answer_is_asked_again(post: Post, unused_url: str) -> None:
    await post.write()
    await post.send()
    post.gateways = {Channel.SMS: Sms(unused_url, SecretStr(TOKEN))}
    post.clock.advance(seconds=10)
    await post.ask()
    assert [delivery.due_at for delivery in await post.deliveries()] == [post.clock.now() + TEN_S]
