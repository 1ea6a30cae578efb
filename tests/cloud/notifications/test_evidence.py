import pytest
from sqlalchemy import select

from cloud.core.audit import AuditEntry
from cloud.core.errors import Conflict, Forbidden, NotFound
from cloud.core.listing import Ask
from cloud.core.principal import Principal, Role
from cloud.core.words import Words
from cloud.notifications.domain import Channel, DeliveryState, Kind
from cloud.notifications.evidence import Delivery, count_troubles, list_deliveries, retry
from cloud.notifications.service import send_code
from provisioning.practice.sms import Failure, PracticeGateway
from tests.cloud.estate import Estate
from tests.cloud.notifications.post import PHONE, Post


async def _seen(post: Post, principal: Principal) -> list[Delivery]:
    async with post.database.reading() as session:
        return list((await list_deliveries(session, principal, Ask())).rows)


async def _retry(post: Post, principal: Principal, delivery_id: int) -> None:
    async with post.database.transaction() as session:
        await retry(session, post.clock, principal, delivery_id)


async def test_an_administrator_sees_to_whom_what_went_and_how(post: Post, gateway: PracticeGateway) -> None:
    await post.write()
    await post.send()
    (seen,) = await _seen(post, post.estate.administrator)
    assert (seen.kind, seen.person, seen.channel) == (Kind.TICKET_OFFERED, "李四", Channel.SMS)
    assert (seen.address, seen.state, seen.attempts) == ("138****0001", DeliveryState.ACCEPTED, 1)
    assert (seen.gateway_id, seen.error) == (gateway.messages[0].gateway_id, None)


async def test_of_a_code_neither_text_nor_number_is_shown(post: Post) -> None:
    async with post.database.transaction() as session:
        words, owner = Words(zh="验证码 123456", en=""), post.estate.organisation_id
        await send_code(session, post.clock, organisation_id=owner, phone=PHONE, text=words, key="1")
    (seen,) = await _seen(post, post.estate.administrator)
    assert "123456" not in repr(seen)
    assert (seen.kind, seen.subject, seen.address) == (None, None, "138****0001")


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMINISTRATOR])
async def test_nobody_else_sees_or_retries_any(post: Post, role: Role) -> None:
    principal = post.estate.principals[role]
    with pytest.raises(Forbidden):
        await _seen(post, principal)
    with pytest.raises(Forbidden):
        await _retry(post, principal, 1)


async def test_the_neighbour_sees_and_retries_none(post: Post, gateway: PracticeGateway, neighbour: Estate) -> None:
    gateway.failures = [Failure(status=422)]
    await post.write()
    await post.send()
    (delivery,) = await post.deliveries()
    assert await _seen(post, neighbour.administrator) == []
    with pytest.raises(NotFound):
        await _retry(post, neighbour.administrator, delivery.id)
    async with post.database.reading() as session:
        assert await count_troubles(session, neighbour.administrator) == (0, 0)


async def test_what_was_given_up_is_tried_again_at_an_administrators_word(post: Post, gateway: PracticeGateway) -> None:
    gateway.failures = [Failure(status=422, reason="no such number")]
    await post.write()
    await post.send()
    (seen,) = await _seen(post, post.estate.administrator)
    assert seen.can_be_retried
    await _retry(post, post.estate.administrator, seen.id)
    await post.send()
    (seen,) = await _seen(post, post.estate.administrator)
    assert (seen.state, seen.attempts, seen.error) == (DeliveryState.ACCEPTED, 1, None)
    async with post.database.reading() as session:
        (entry,) = await session.scalars(select(AuditEntry))
    assert (entry.action, entry.before) == ("notifications.retried", {"error": "422 no such number"})


async def test_what_a_gateway_had_taken_is_another_message_to_it_when_it_is_tried_again(
    post: Post, gateway: PracticeGateway
) -> None:
    gateway.fates[PHONE] = ("failed", "switched off")
    await post.write()
    await post.send()
    post.clock.advance(seconds=10)
    await post.ask()
    await _retry(post, post.estate.administrator, (await post.deliveries())[0].id)
    await post.send()
    assert len({message.id for message in gateway.messages}) == 2


async def test_what_was_not_given_up_is_not_tried_again(post: Post) -> None:
    await post.write()
    (delivery,) = await post.deliveries()
    with pytest.raises(Conflict):
        await _retry(post, post.estate.administrator, delivery.id)


async def test_a_code_that_was_given_up_is_not_tried_again(post: Post) -> None:
    post.gateways = {}
    async with post.database.transaction() as session:
        words, owner = Words(zh="验证码 123456", en=""), post.estate.organisation_id
        await send_code(session, post.clock, organisation_id=owner, phone=PHONE, text=words, key="1")
    await post.send()
    (seen,) = await _seen(post, post.estate.administrator)
    assert not seen.can_be_retried
    with pytest.raises(Conflict):
        await _retry(post, post.estate.administrator, seen.id)


async def test_troubles_are_counted(post: Post, gateway: PracticeGateway) -> None:
    for number, status in enumerate((422, 503)):
        gateway.failures = [Failure(status=status)]
        await post.write(key=f"{number}")
        await post.send()
    async with post.database.reading() as session:
        assert await count_troubles(session, post.estate.administrator) == (1, 1)
