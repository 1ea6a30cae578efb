from datetime import timedelta
from decimal import Decimal

import pytest

from cloud.core.errors import Forbidden, NotFound
from cloud.core.principal import Role
from cloud.core.words import Words
from cloud.reception import callbacks, card, hints, service
from cloud.reception.domain import Subject
from cloud.reception.planned import Coming
from cloud.repairs import preventive, visits
from cloud.repairs.preventive import Draft
from cloud.repairs.rhythm import Rhythm
from cloud.repairs.visits import Window
from tests.cloud.reception.counter import Counter


async def _find(counter: Counter, words: str, *, limited: bool = False) -> tuple[list[str], list[str], list[str]]:
    async with counter.database.reading() as session:
        principal = counter.limited if limited else counter.desk
        found = await card.find(session, counter.clock, principal, words)
    return (
        [person.name for person in found.people],
        [spot.label for spot in found.spots],
        [ticket.number for ticket in found.tickets],
    )


@pytest.mark.parametrize(
    ("words", "people"),
    [
        ("13800000001", ["陈十二"]),
        ("138 0000 0001", ["陈十二"]),
        ("+86 138-0000-0001", ["陈十二"]),
        ("0001", ["陈十二"]),
        ("2222", ["张十三"]),
        ("０００１", ["陈十二"]),
        ("00-0001", []),
        ("十二", ["陈十二"]),
        ("13800009999", []),
        ("9999", []),
        ("王", []),
    ],
)
async def test_somebody_is_found_by_name_number_or_its_last_four(
    counter: Counter, words: str, people: list[str]
) -> None:
    assert await _find(counter, words) == (people, [], [])


@pytest.mark.parametrize(
    "words", ["1-302", "1号楼302", "1 号楼 302", "1栋302室", "１－３０２", "云杉苑1-302", "云杉苑 · 1 号楼 · 302"]
)
async def test_a_unit_is_found_as_people_say_it(counter: Counter, words: str) -> None:
    assert await _find(counter, words, limited=True) == ([], ["云杉苑 · 1 号楼 · 302"], [])


async def test_a_unit_of_which_there_are_two_is_found_twice(counter: Counter) -> None:
    both = ["云杉苑 · 1 号楼 · 302", "银杏苑 · 1 号楼 · 302"]
    assert await _find(counter, "1-302") == ([], both, [])
    assert await _find(counter, "302") == ([], both, [])


async def test_a_ticket_is_found_by_its_number_with_or_without_zeros(counter: Counter) -> None:
    async with counter.database.transaction() as session:
        await service.opened(
            session, counter.clock, counter.desk, counter.entry(subject=Subject.REPAIR), type_code="repair"
        )
    assert await _find(counter, "2026-000001") == ([], [], ["2026-000001"])
    assert await _find(counter, "2026-1") == ([], [], ["2026-000001"])


@pytest.mark.parametrize("words", ["张十三", "13800002222", "2222", "银杏苑1-302"])
async def test_a_desk_of_one_community_finds_nobody_of_another(counter: Counter, words: str) -> None:
    assert await _find(counter, words) != ([], [], [])
    assert await _find(counter, words, limited=True) == ([], [], [])


async def test_the_card_shows_units_open_matters_contacts_promises_and_hints(counter: Counter) -> None:
    async with counter.database.transaction() as session:
        work = (session, counter.clock, counter.desk)
        ticket_id = await service.opened(*work, counter.entry(subject=Subject.REPAIR), type_code="repair")
        due_at = counter.clock.now() + timedelta(hours=1)
        promised = await callbacks.promise(*work, counter.entry(key="k2"), due_at=due_at)
        today = counter.clock.now().date()
        await hints.add_hint(*work, unit_id=counter.unit_id, text="Dog bites", until=today)
        shown = await card.card_of_person(*work, counter.owner_id)
        of_unit = await card.card_of_unit(*work, counter.unit_id)
    assert (shown.person and shown.person.name, shown.spot and shown.spot.label) == ("陈十二", "云杉苑 · 1 号楼 · 302")
    assert [unit.label for unit in shown.units] == ["云杉苑 · 1 号楼 · 302"]
    assert [ticket.id for ticket in shown.open_tickets] == [ticket_id]
    assert [promise.id for promise in shown.promises] == [promised]
    assert len(shown.contacts) == 2
    assert [hint.text for hint in shown.hints] == ["Dog bites"]
    assert ([each.name for each in of_unit.occupants], [ticket.id for ticket in of_unit.open_tickets]) == (
        ["陈十二"],
        [ticket_id],
    )


async def test_the_card_shows_what_is_to_be_done_and_to_come_where_they_live_and_in_the_building(
    counter: Counter,
) -> None:
    work = (counter.clock, counter.desk)
    async with counter.database.transaction() as session:
        mine = await service.opened(session, *work, counter.entry(subject=Subject.REPAIR), type_code="repair")
        lobby = counter.entry(key="k2", person_id=None, unit_id=None, place_id=counter.place_id, text="Lift stands")
        shared = await service.opened(session, *work, lobby, type_code="repair")
        today = counter.clock.now().date()
        await hints.add_hint(session, *work, place_id=counter.place_id, text="Ladder in the lobby", until=today)
        starts_at = counter.clock.now() + timedelta(hours=2)
        window = Window(starts_at=starts_at, ends_at=starts_at + timedelta(hours=1))
        later = Window(starts_at=window.ends_at, ends_at=window.ends_at + timedelta(hours=1))
        visit_id = await visits.offer(session, *work, ticket_id=mine, windows=[window, later])
        await preventive.create_plan(session, counter.clock, counter.manager, _monthly(counter, days=3))
        await preventive.create_plan(session, counter.clock, counter.manager, _monthly(counter, days=20))
        offered = await card.card_of_unit(session, *work, counter.unit_id)
        await visits.choose(session, *work, ticket_id=mine, visit_id=visit_id, starts_at=starts_at)
        shown = await card.card_of_person(session, *work, counter.owner_id)
        elsewhere = await card.card_of_unit(session, *work, counter.other_unit_id)
    assert ([ticket.id for ticket in shown.open_tickets], [ticket.id for ticket in shown.nearby]) == ([mine], [shared])
    assert [hint.text for hint in shown.hints] == ["Ladder in the lobby"]
    assert [each.coming for each in offered.planned] == [Coming.OFFERED, Coming.PREVENTIVE]
    assert [(each.coming, each.ticket_id) for each in shown.planned] == [
        (Coming.AGREED, mine),
        (Coming.PREVENTIVE, None),
    ]
    assert (shown.planned[0].begins_at, shown.planned[0].ends_at) == (window.starts_at, window.ends_at)
    assert (elsewhere.nearby, elsewhere.planned, elsewhere.hints) == ([], [], [])


def _monthly(counter: Counter, *, days: int) -> Draft:
    return Draft(
        name=Words(zh="大堂巡检", en="Lobby inspection"),
        place_id=counter.place_id,
        checklist=(Words(zh="灯", en="Lamps"),),
        rhythm=Rhythm.MONTHS,
        every=Decimal(1),
        first_on=counter.clock.now().date() + timedelta(days=days),
    )


async def test_a_hint_is_shown_until_its_day_or_until_it_is_taken_off(counter: Counter) -> None:
    async with counter.database.transaction() as session:
        work = (session, counter.clock, counter.desk)
        today = counter.clock.now().date()
        await hints.add_hint(*work, unit_id=counter.unit_id, text="Lift is out", until=today + timedelta(days=1))
        gone = await hints.add_hint(*work, unit_id=counter.unit_id, text="Dog bites", until=today + timedelta(days=9))
        await hints.remove_hint(*work, gone)
        shown = await hints.hints_for(*work, unit_ids=[counter.unit_id])
    assert [hint.text for hint in shown] == ["Lift is out"]
    counter.clock.advance(days=2)
    async with counter.database.reading() as session:
        assert await hints.hints_for(session, counter.clock, counter.desk, unit_ids=[counter.unit_id]) == []


async def test_a_card_of_another_community_does_not_open(counter: Counter) -> None:
    async with counter.database.reading() as session:
        with pytest.raises(NotFound):
            await card.card_of_person(session, counter.clock, counter.limited, counter.other_owner_id)
        with pytest.raises(NotFound):
            await card.card_of_unit(session, counter.clock, counter.limited, counter.other_unit_id)
        with pytest.raises(Forbidden):
            await card.find(session, counter.clock, counter.estate.principals[Role.WORKER], "0001")
