from datetime import timedelta

import pytest
from sqlalchemy import select

from cloud.core.audit import AuditEntry
from cloud.core.errors import Conflict, Refused
from cloud.core.listing import Ask
from cloud.core.principal import Role
from cloud.notifications.tables import MessageRow
from cloud.reception import callbacks, service
from cloud.reception.callbacks import Callback
from cloud.reception.domain import CallbackState, Ending
from tests.cloud.reception.counter import Counter


async def _promise(counter: Counter, *, minutes: int = 60, **changes: object) -> int:
    async with counter.database.transaction() as session:
        due_at = counter.clock.now() + timedelta(minutes=minutes)
        return await callbacks.promise(session, counter.clock, counter.desk, counter.entry(**changes), due_at=due_at)


async def _open(counter: Counter) -> list[Callback]:
    async with counter.database.reading() as session:
        return list((await callbacks.list_callbacks(session, counter.clock, counter.desk, Ask())).rows)


async def _tell(counter: Counter) -> list[int]:
    async with counter.database.transaction() as session:
        await callbacks.tell_due(session, counter.clock)
        return list(await session.scalars(select(MessageRow.person_id).order_by(MessageRow.id)))


async def test_a_promise_is_due_at_its_time_and_the_desk_is_told_once(counter: Counter) -> None:
    promised = await _promise(counter)
    assert promised == await _promise(counter)
    assert [each.is_due for each in await _open(counter)] == [False]
    assert await _tell(counter) == []
    counter.clock.advance(minutes=60)
    assert [each.is_due for each in await _open(counter)] == [True]
    assert await _tell(counter) == [counter.desk.person_id]
    assert await _tell(counter) == [counter.desk.person_id]


async def test_who_is_not_reached_is_called_again_later_and_the_desk_is_told_again(counter: Counter) -> None:
    callback_id = await _promise(counter)
    counter.clock.advance(minutes=61)
    await _tell(counter)
    async with counter.database.transaction() as session:
        due_at = counter.clock.now() + timedelta(minutes=30)
        await callbacks.not_reached(
            session, counter.clock, counter.desk, callback_id=callback_id, version=1, due_at=due_at, key="k2"
        )
    assert [(each.tries, each.is_due) for each in await _open(counter)] == [(1, False)]
    counter.clock.advance(minutes=30)
    assert await _tell(counter) == [counter.desk.person_id] * 2


async def test_a_kept_promise_is_written_down_and_off_the_list(counter: Counter) -> None:
    callback_id = await _promise(counter)
    async with counter.database.transaction() as session:
        await callbacks.reached(
            session, counter.clock, counter.desk, callback_id=callback_id, version=1, answer="Paid.", key="k2"
        )
    async with counter.database.reading() as session:
        lines = await service.last_contacts(session, counter.desk, person_id=counter.owner_id)
    assert sorted((line.ending, line.answer) for line in lines) == [(Ending.ANSWERED, "Paid."), (Ending.CALLBACK, "")]
    assert await _open(counter) == []


async def test_who_can_never_be_reached_is_given_up_with_a_reason(counter: Counter) -> None:
    callback_id = await _promise(counter)
    what = {"callback_id": callback_id, "version": 1, "key": "k2"}
    async with counter.database.transaction() as session:
        with pytest.raises(Refused) as refused:
            await callbacks.give_up(session, counter.clock, counter.desk, reason=" ", **what)
        await callbacks.give_up(session, counter.clock, counter.desk, reason="空号", **what)
    async with counter.database.reading() as session:
        lines = await service.last_contacts(session, counter.desk, person_id=counter.owner_id)
        found = await callbacks.find_callback(session, counter.clock, counter.desk, callback_id)
    assert refused.value.field == "reason"
    assert (Ending.UNREACHED, "空号") in {(line.ending, line.answer) for line in lines}
    assert found.state is CallbackState.GIVEN_UP
    assert await _open(counter) == []


async def test_what_is_said_at_a_call_back_becomes_a_ticket(counter: Counter) -> None:
    callback_id = await _promise(counter)
    async with counter.database.transaction() as session:
        ticket_id = await callbacks.make_ticket(
            session, counter.clock, counter.desk, callback_id=callback_id, version=1, type_code="repair",
            text="厨房漏水", unit_id=counter.unit_id, place_id=None, key="k2",
        )  # fmt: skip
    async with counter.database.reading() as session:
        [line] = await service.last_contacts(session, counter.desk, ticket_id=ticket_id)
    assert (line.ending, line.person_id, line.text) == (Ending.TICKET, counter.owner_id, "厨房漏水")
    assert await _open(counter) == []


async def test_the_number_is_shown_in_full_only_when_asked_for_which_is_written_down(counter: Counter) -> None:
    callback_id = await _promise(counter, person_id=None, name="", phone="13900000009")
    counter.clock.advance(minutes=61)
    await _tell(counter)
    async with counter.database.transaction() as session:
        assert await callbacks.reveal(session, counter.clock, counter.desk, callback_id) == "13900000009"
        told = list(await session.scalars(select(MessageRow.subject_en)))
        looked = list(
            await session.scalars(select(AuditEntry.subject).where(AuditEntry.action == "reception.phone_revealed"))
        )
    assert told == ["Call back now: 139****0009"]
    assert looked == [f"callback:{callback_id}"]


async def test_of_two_who_call_back_at_once_one_is_told_so(counter: Counter) -> None:
    callback_id = await _promise(counter)
    async with counter.database.transaction() as session:
        await callbacks.reached(
            session, counter.clock, counter.desk, callback_id=callback_id, version=1, answer="", key="k2"
        )
    async with counter.database.transaction() as session:
        with pytest.raises(Conflict):
            await callbacks.reached(
                session, counter.clock, counter.desk, callback_id=callback_id, version=1, answer="", key="k3"
            )


@pytest.mark.parametrize(
    ("minutes", "field"), [(-1, "due_at"), (61 * 24 * 60, "due_at")], ids=["in the past", "beyond anybody's memory"]
)
async def test_a_promise_that_nobody_can_keep_is_refused(counter: Counter, minutes: int, field: str) -> None:
    with pytest.raises(Refused) as refused:
        await _promise(counter, minutes=minutes)
    assert refused.value.field == field


async def test_a_promise_without_a_number_is_refused_and_leaves_nothing(counter: Counter) -> None:
    with pytest.raises(Refused) as refused:
        await _promise(counter, person_id=None, name="李先生", phone="")
    assert refused.value.field == "phone"
    assert await _open(counter) == []


async def test_only_desks_of_the_community_are_told(counter: Counter) -> None:
    other = await _promise(counter, person_id=counter.other_owner_id, unit_id=counter.other_unit_id)
    counter.clock.advance(minutes=61)
    async with counter.database.reading() as session:
        listed = await callbacks.list_callbacks(session, counter.clock, counter.limited, Ask())
        counted = await callbacks.count_due(session, counter.clock, counter.limited)
    assert (list(listed.rows), counted) == ([], 0)
    assert other
    assert counter.estate.principals[Role.DESK].communities is None
    assert await _tell(counter) == [counter.desk.person_id]
