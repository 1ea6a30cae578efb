from datetime import time

import pytest
from sqlalchemy import select

from cloud.core.audit import AuditEntry
from cloud.core.database import Database
from cloud.core.errors import NotFound, Refused
from cloud.core.principal import Principal, Role
from cloud.notifications.domain import Channel, Kind, Language, Preferences, QuietHours
from cloud.notifications.preferences import choose, own_preferences, preferences_of
from tests.clocks import FixedClock
from tests.cloud.estate import Estate

WANTED = Preferences(
    mail="li.si@example.com",
    language=Language.EN,
    quiet=QuietHours(time(21, 30), time(7, 15)),
    chosen={Kind.TICKET_ASSIGNED: frozenset({Channel.SMS}), Kind.INCIDENT: frozenset()},
)


async def _own(database: Database, principal: Principal) -> Preferences | None:
    async with database.reading() as session:
        return await own_preferences(session, principal)


async def test_what_somebody_chose_is_kept(database: Database, clock: FixedClock, estate: Estate) -> None:
    worker = estate.principals[Role.WORKER]
    assert await _own(database, worker) is None
    for wanted in (WANTED, Preferences(quiet=None)):
        async with database.transaction() as session:
            await choose(session, clock, worker, wanted)
        assert await _own(database, worker) == wanted


async def test_who_never_chose_is_told_as_by_default(
    database: Database, clock: FixedClock, estate: Estate, neighbour: Estate
) -> None:
    worker, desk = estate.principals[Role.WORKER], estate.principals[Role.DESK]
    async with database.transaction() as session:
        await choose(session, clock, worker, WANTED)
        ids = {worker.person_id, desk.person_id}
        assert await preferences_of(session, worker, ids) == {worker.person_id: WANTED, desk.person_id: Preferences()}
        assert await preferences_of(session, neighbour.administrator, {worker.person_id}) == {
            worker.person_id: Preferences()
        }


async def test_a_channel_that_a_kind_may_not_use_is_not_kept(
    database: Database, clock: FixedClock, estate: Estate
) -> None:
    worker = estate.principals[Role.WORKER]
    async with database.transaction() as session:
        await choose(session, clock, worker, Preferences(chosen={Kind.NOTICE: frozenset(Channel)}))
    kept = await _own(database, worker)
    assert kept is not None
    assert kept.chosen == {Kind.NOTICE: frozenset({Channel.MAIL})}


async def test_a_choice_is_written_down_without_the_address(
    database: Database, clock: FixedClock, estate: Estate
) -> None:
    worker = estate.principals[Role.WORKER]
    for _ in range(2):  # the second time nothing changes
        async with database.transaction() as session:
            await choose(session, clock, worker, WANTED)
    async with database.reading() as session:
        (entry,) = await session.scalars(select(AuditEntry))
    assert (entry.action, entry.subject) == ("notifications.chosen", f"person:{worker.person_id}")
    assert entry.after["mail"] == "l***@example.com"


async def test_an_address_that_is_none_is_refused(database: Database, clock: FixedClock, estate: Estate) -> None:
    async with database.transaction() as session:
        with pytest.raises(Refused, match=r"li\.si is no mail address"):
            await choose(session, clock, estate.administrator, Preferences(mail="li.si"))
    assert await _own(database, estate.administrator) is None


async def test_the_organisation_itself_has_nothing_to_choose(
    database: Database, clock: FixedClock, estate: Estate
) -> None:
    async with database.transaction() as session:
        with pytest.raises(NotFound):
            await choose(session, clock, Principal.system(estate.organisation_id), WANTED)
