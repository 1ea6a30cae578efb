from datetime import timedelta

import pytest
from sqlalchemy import func, select

from cloud.core.audit import AuditEntry
from cloud.core.errors import Forbidden, NotFound, Refused
from cloud.core.listing import Ask
from cloud.core.principal import Role
from cloud.reception import callbacks, service
from cloud.reception.domain import Channel, Ending, Subject
from cloud.reception.lines import Interaction
from cloud.reception.tables import InteractionRow
from cloud.tickets.domain import Deed, Origin
from cloud.tickets.reading import ticket
from cloud.tickets.timeline import timeline
from tests.cloud.reception.counter import Counter


async def _answer(counter: Counter, **changes: object) -> int:
    async with counter.database.transaction() as session:
        return await service.answered(session, counter.clock, counter.desk, counter.entry(**changes))


async def _lines(counter: Counter, *, limited: bool = False) -> list[Interaction]:
    async with counter.database.reading() as session:
        principal = counter.limited if limited else counter.desk
        return list((await service.list_interactions(session, principal, Ask())).rows)


async def test_an_answered_call_says_who_where_what_and_how_long_and_is_no_ticket(counter: Counter) -> None:
    begun_at = counter.clock.now()
    counter.clock.advance(seconds=75)
    line_id = await _answer(counter, begun_at=begun_at, answer="At the counter, till six.")
    assert await _lines(counter) == [
        Interaction(
            id=line_id,
            channel=Channel.CALL,
            subject=Subject.ENQUIRY,
            ending=Ending.ANSWERED,
            begun_at=begun_at,
            duration_s=75,
            person_id=counter.owner_id,
            name="陈十二",
            phone="+8613800000001",
            unit_id=counter.unit_id,
            place="云杉苑 · 1 号楼 · 302",
            text="Where do I pay?",
            answer="At the counter, till six.",
            ticket_id=None,
            ticket="",
            incident_id=None,
            corrects_id=None,
            is_corrected=False,
            taken_name="孙三",
        )
    ]


async def test_the_same_form_sent_twice_is_one_line(counter: Counter) -> None:
    assert await _answer(counter) == await _answer(counter)
    assert len(await _lines(counter)) == 1


async def test_a_form_that_stood_open_over_night_says_nothing_of_how_long_it_took(counter: Counter) -> None:
    await _answer(counter, begun_at=counter.clock.now() - timedelta(hours=11))
    assert [line.duration_s for line in await _lines(counter)] == [None]


async def test_a_stranger_is_who_they_say(counter: Counter) -> None:
    await _answer(counter, person_id=None, unit_id=None, name="李先生", phone="021-5555 0000")
    assert [(line.name, line.phone, line.place) for line in await _lines(counter)] == [("李先生", "021-5555 0000", "")]


async def test_a_ticket_that_a_call_opens_knows_the_caller_and_is_known_by_the_call(counter: Counter) -> None:
    entry = counter.entry(subject=Subject.REPAIR, text="Kitchen tap drips\nsince Monday", channel=Channel.VISIT)
    async with counter.database.transaction() as session:
        ticket_id = await service.opened(session, counter.clock, counter.desk, entry, type_code="repair")
        again = await service.opened(session, counter.clock, counter.desk, entry, type_code="repair")
        found = await ticket(session, counter.clock, counter.desk, ticket_id=ticket_id)
        lines = await service.last_contacts(session, counter.desk, ticket_id=ticket_id)
    assert again == ticket_id
    assert (found.requester_id, found.requester_name, found.unit_id, found.origin, found.place) == (
        counter.owner_id, "陈十二", counter.unit_id, Origin.VISIT, "云杉苑 · 1 号楼 · 302",
    )  # fmt: skip
    assert (found.subject and found.subject.zh, found.description) == (
        "Kitchen tap drips",
        "Kitchen tap drips\nsince Monday",
    )
    assert [(line.ending, line.ticket) for line in lines] == [(Ending.TICKET, found.number)]


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"unit_id": None}, "where"), ({"text": "  "}, "text")],
    ids=["without where", "without what"],
)
async def test_a_ticket_needs_where_and_what(counter: Counter, changes: dict[str, object], field: str) -> None:
    async with counter.database.transaction() as session:
        with pytest.raises(Refused) as refused:
            await service.opened(session, counter.clock, counter.desk, counter.entry(**changes), type_code="repair")
    assert refused.value.field == field


async def test_a_call_about_a_ticket_that_there_is_stands_with_it_and_opens_no_other(counter: Counter) -> None:
    async with counter.database.transaction() as session:
        opening = counter.entry(key="first", text="漏水")
        ticket_id = await service.opened(session, counter.clock, counter.desk, opening, type_code="repair")
    for _twice in range(2):
        async with counter.database.transaction() as session:
            entry = counter.entry(key="second", text="什么时候来？")
            await service.about_ticket(session, counter.clock, counter.desk, entry, ticket_id=ticket_id)
    async with counter.database.reading() as session:
        lines = await service.last_contacts(session, counter.desk, ticket_id=ticket_id)
        told = (await timeline(session, counter.desk, ticket_ids=[ticket_id]))[ticket_id]
    assert sorted((line.ending, line.text) for line in lines) == [
        (Ending.TICKET, "什么时候来？"),
        (Ending.TICKET, "漏水"),
    ]
    assert [(each.text, each.is_public) for each in told if each.deed is Deed.NOTED] == [("什么时候来？", False)]


async def test_a_correction_is_a_new_line_beside_the_old_one_and_audited(counter: Counter) -> None:
    line_id = await _answer(counter)
    async with counter.database.transaction() as session:
        new_id = await service.correct(
            session, counter.clock, counter.desk, interaction_id=line_id, subject=Subject.COMPLAINT,
            text="The lift stank", answer="", key="k2",
        )  # fmt: skip
        with pytest.raises(Refused):
            await service.correct(
                session, counter.clock, counter.desk, interaction_id=line_id, subject=Subject.COMPLAINT, text="",
                answer="", key="k3",
            )  # fmt: skip
        old = await session.get_one(InteractionRow, line_id)
        said = await session.scalar(select(AuditEntry).where(AuditEntry.action == "reception.corrected"))
        shown = await service.last_contacts(session, counter.desk, person_id=counter.owner_id)
    assert (old.text, old.subject) == ("Where do I pay?", Subject.ENQUIRY)
    assert said is not None
    assert (said.before, said.after) == (
        {"subject": "enquiry", "text": "Where do I pay?"},
        {"subject": "complaint", "text": "The lift stank", "by": new_id},
    )
    assert [(line.id, line.corrects_id) for line in shown] == [(new_id, line_id)]
    assert [line.is_corrected for line in await _lines(counter)] == [False, True]


async def test_a_desk_of_one_community_sees_nothing_of_another(counter: Counter) -> None:
    await _answer(counter)
    await _answer(counter, key="k2", person_id=counter.other_owner_id, unit_id=counter.other_unit_id)
    assert [line.place for line in await _lines(counter, limited=True)] == ["云杉苑 · 1 号楼 · 302"]
    async with counter.database.transaction() as session:
        with pytest.raises(NotFound):
            await service.answered(
                session, counter.clock, counter.limited, counter.entry(key="k3", person_id=counter.other_owner_id)
            )
        with pytest.raises(NotFound):
            await service.answered(
                session, counter.clock, counter.limited, counter.entry(key="k4", unit_id=counter.other_unit_id)
            )


async def test_what_is_of_no_community_is_seen_by_who_took_it_down_and_by_who_sees_all(counter: Counter) -> None:
    await _answer(counter, person_id=None, unit_id=None, name="李先生")
    manager_of_one = counter.limited.__class__(
        organisation_id=counter.estate.organisation_id,
        person_id=counter.manager.person_id,
        roles=counter.manager.roles,
        communities=counter.limited.communities,
    )
    async with counter.database.reading() as session:
        others = await service.list_interactions(session, manager_of_one, Ask())
    assert list(others.rows) == []
    assert len(await _lines(counter, limited=True)) == 1


async def test_the_control_room_takes_calls_at_night_and_puts_no_line_right(counter: Counter) -> None:
    work = (counter.clock, counter.estate.principals[Role.OPERATOR])
    async with counter.database.transaction() as session:
        answered = await service.answered(session, *work, counter.entry())
        await service.opened(session, *work, counter.entry(key="k2", subject=Subject.REPAIR), type_code="repair")
        due_at = counter.clock.now() + timedelta(hours=1)
        await callbacks.promise(session, *work, counter.entry(key="k3"), due_at=due_at)
    assert [line.taken_name for line in await _lines(counter)] == [work[1].name] * 3
    async with counter.database.transaction() as session:
        with pytest.raises(Forbidden):
            await service.list_interactions(session, work[1], Ask())
        with pytest.raises(Forbidden):
            await service.correct(
                session, *work, interaction_id=answered, subject=Subject.ENQUIRY, text="", answer="", key="k4"
            )


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.DESK, Role.OPERATOR, Role.ADMINISTRATOR}))
async def test_nobody_else_writes_down_what_came_in(counter: Counter, role: Role) -> None:
    async with counter.database.transaction() as session:
        with pytest.raises(Forbidden):
            await service.answered(session, counter.clock, counter.estate.principals[role], counter.entry())
        assert await session.scalar(select(func.count()).select_from(InteractionRow)) == 0
