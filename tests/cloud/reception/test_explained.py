"""Calls that an open incident explains."""

from collections.abc import Sequence

import pytest

from cloud.core.errors import Conflict, Forbidden, NotFound
from cloud.core.listing import Ask
from cloud.core.principal import Role
from cloud.reception import card, explained, service
from cloud.reception.domain import Ending, Subject
from cloud.reception.lines import Interaction
from cloud.tickets.incident_reading import Affected, incident
from cloud.tickets.incidents import open_incident, resolve_incident
from cloud.tickets.reading import ticket
from tests.cloud.estate import make_organisation
from tests.cloud.reception.counter import Counter

SCRIPT = "The main is being mended; please store water."


async def begin(
    counter: Counter, *, title: str = "No water", affected: Sequence[Affected] = (), community_id: int | None = None
) -> int:
    async with counter.database.transaction() as session:
        return await open_incident(
            session, counter.clock, counter.desk, type_code="water_burst", title=title, script=SCRIPT, notice="",
            community_id=community_id, affected=affected,
        )  # fmt: skip


async def end(counter: Counter, incident_id: int) -> None:
    async with counter.database.transaction() as session:
        await resolve_incident(
            session,
            counter.clock,
            counter.desk,
            incident_id=incident_id,
            version=1,
            result="Mended",
            with_tickets=False,
        )


async def shown_at(counter: Counter, unit_id: int) -> list[str]:
    async with counter.database.reading() as session:
        shown = await card.card_of_unit(session, counter.clock, counter.desk, unit_id)
    return [each.title for each in shown.incidents]


async def lines(counter: Counter) -> list[Interaction]:
    async with counter.database.reading() as session:
        return list((await service.list_interactions(session, counter.desk, Ask())).rows)


async def test_a_card_shows_the_incidents_of_its_unit_its_building_its_community_and_of_all(counter: Counter) -> None:
    await begin(counter, title="unit", affected=[Affected(unit_id=counter.unit_id, label="302")])
    await begin(counter, title="building", affected=[Affected(place_id=counter.place_id, label="lobby")])
    await begin(counter, title="community", community_id=counter.community_id)
    await begin(counter, title="all")
    over = await begin(counter, title="over")
    await end(counter, over)
    assert await shown_at(counter, counter.unit_id) == ["unit", "building", "community", "all"]
    assert await shown_at(counter, counter.other_unit_id) == ["all"]


async def test_a_call_is_answered_by_an_incidents_script(counter: Counter) -> None:
    incident_id = await begin(counter)
    async with counter.database.transaction() as session:
        work = (session, counter.clock, counter.desk)
        line_id = await explained.answered(*work, counter.entry(text=""), incident_id=incident_id)
        assert await explained.answered(*work, counter.entry(text=""), incident_id=incident_id) == line_id
        assert await explained.count_calls(session, counter.desk, incident_id=incident_id) == 1
    [line] = await lines(counter)
    assert (line.ending, line.text, line.answer, line.incident_id) == (
        Ending.ANSWERED, "No water", SCRIPT, incident_id,
    )  # fmt: skip


async def test_what_was_typed_is_kept(counter: Counter) -> None:
    incident_id = await begin(counter)
    async with counter.database.transaction() as session:
        entry = counter.entry(text="Brown water", answer="Let it run")
        await explained.answered(session, counter.clock, counter.desk, entry, incident_id=incident_id)
    assert [(line.text, line.answer) for line in await lines(counter)] == [("Brown water", "Let it run")]


async def test_a_ticket_for_an_incident_is_of_its_type_and_joins_it_once(counter: Counter) -> None:
    incident_id = await begin(counter)
    async with counter.database.transaction() as session:
        work = (session, counter.clock, counter.desk)
        entry = counter.entry(subject=Subject.REPAIR, text="")
        ticket_id = await explained.opened(*work, entry, incident_id=incident_id)
        assert await explained.opened(*work, entry, incident_id=incident_id) == ticket_id
        found = await ticket(*work, ticket_id=ticket_id)
        explaining = await incident(*work, incident_id=incident_id)
    assert (found.type.code, found.incident_id, found.priority) == ("water_burst", incident_id, explaining.priority)
    assert [(line.ticket_id, line.incident_id) for line in await lines(counter)] == [(ticket_id, incident_id)]


async def test_an_incident_that_is_over_explains_nothing_more(counter: Counter) -> None:
    incident_id = await begin(counter)
    await end(counter, incident_id)
    async with counter.database.transaction() as session:
        work = (session, counter.clock, counter.desk)
        with pytest.raises(Conflict):
            await explained.answered(*work, counter.entry(), incident_id=incident_id)
        with pytest.raises(Conflict):
            await explained.opened(*work, counter.entry(), incident_id=incident_id)
    assert await lines(counter) == []


async def test_the_neighbours_incident_is_not_there_and_a_worker_writes_nothing_down(counter: Counter) -> None:
    incident_id = await begin(counter)
    neighbour = await make_organisation(counter.database, counter.clock, name="隔壁物业")
    async with counter.database.transaction() as session:
        next_door, worker = neighbour.principals[Role.DESK], counter.estate.principals[Role.WORKER]
        with pytest.raises(NotFound):
            await explained.answered(session, counter.clock, next_door, counter.entry(), incident_id=incident_id)
        with pytest.raises(Forbidden):
            await explained.answered(session, counter.clock, worker, counter.entry(), incident_id=incident_id)
