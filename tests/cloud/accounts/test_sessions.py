from datetime import timedelta

import pytest
from sqlalchemy import func, select

from cloud.accounts import people, service
from cloud.accounts.domain import Denied, SignedIn, Visit
from cloud.accounts.tables import SessionRow, SignInFailureRow
from cloud.core.database import Database
from cloud.core.errors import Forbidden, NotFound, NotSignedIn, Refused, TooMany
from cloud.core.principal import Role
from tests.clocks import FixedClock
from tests.cloud.estate import PASSWORD, Estate

NEW = "seven green pumps"


async def _sign_in(database: Database, clock: FixedClock, login: str, password: str = PASSWORD) -> SignedIn:
    async with database.transaction() as session:
        outcome = await service.sign_in(
            session, clock, login=login, password=password, address="203.0.113.7", agent="Firefox"
        )
    assert isinstance(outcome, SignedIn)
    return outcome


async def _resume(database: Database, clock: FixedClock, token: str) -> Visit:
    async with database.reading() as session:
        return await service.resume(session, clock, token=token)


async def _has_ended(database: Database, clock: FixedClock, token: str) -> bool:
    try:
        await _resume(database, clock, token)
    except NotSignedIn:
        return True
    return False


async def test_a_session_ends_after_twelve_idle_hours(database: Database, clock: FixedClock, estate: Estate) -> None:
    token = (await _sign_in(database, clock, estate.login(Role.DESK))).token
    clock.advance(hours=12, microseconds=-1)
    await _resume(database, clock, token)
    clock.advance(microseconds=1)
    assert await _has_ended(database, clock, token)


async def test_a_session_that_is_used_goes_on_for_two_weeks_at_most(
    database: Database, clock: FixedClock, estate: Estate
) -> None:
    token = (await _sign_in(database, clock, estate.login(Role.DESK))).token
    for _ in range(14 * 24 // 6 - 1):
        clock.advance(hours=6)
        async with database.transaction() as session:
            visit = await service.resume(session, clock, token=token)
            await service.note_visit(session, clock, visit)
    assert (await _resume(database, clock, token)).expires_at == clock.now() + timedelta(hours=6)
    clock.advance(hours=6)
    assert await _has_ended(database, clock, token)


async def test_a_visit_is_noted_every_five_minutes(database: Database, clock: FixedClock, estate: Estate) -> None:
    token = (await _sign_in(database, clock, estate.login(Role.DESK))).token
    clock.advance(minutes=5, microseconds=-1)
    assert not (await _resume(database, clock, token)).is_due
    clock.advance(microseconds=1)
    visit = await _resume(database, clock, token)
    assert visit.is_due
    async with database.transaction() as session:
        await service.note_visit(session, clock, visit)
    again = await _resume(database, clock, token)
    assert not again.is_due
    assert again.expires_at == clock.now() + timedelta(hours=12)


async def test_who_signs_out_is_out(database: Database, clock: FixedClock, estate: Estate) -> None:
    token = (await _sign_in(database, clock, estate.login(Role.DESK))).token
    for _ in range(2):
        async with database.transaction() as session:
            await service.sign_out(session, clock, token=token)
    assert await _has_ended(database, clock, token)


async def test_ones_sessions_are_listed_with_the_own_one_marked(
    database: Database, clock: FixedClock, estate: Estate
) -> None:
    old = await _sign_in(database, clock, estate.login(Role.DESK))
    clock.advance(minutes=1)
    new = await _sign_in(database, clock, estate.login(Role.DESK))
    await _sign_in(database, clock, estate.login(Role.WORKER))
    visit = await _resume(database, clock, old.token)
    async with database.reading() as session:
        listed = await service.list_sessions(session, clock, visit.principal, own_session_id=visit.session_id)
    newest = await _resume(database, clock, new.token)
    assert [(entry.id, entry.is_own) for entry in listed] == [(newest.session_id, False), (visit.session_id, True)]


async def test_one_ends_ones_own_sessions_and_not_a_colleagues(
    database: Database, clock: FixedClock, estate: Estate
) -> None:
    own = await _sign_in(database, clock, estate.login(Role.DESK))
    colleagues = await _sign_in(database, clock, estate.login(Role.WORKER))
    desk = estate.principals[Role.DESK]
    async with database.transaction() as session:
        visit = await service.resume(session, clock, token=own.token)
        await service.end_session(session, clock, desk, session_id=visit.session_id)
    assert await _has_ended(database, clock, own.token)
    with pytest.raises(NotFound):
        async with database.transaction() as session:
            visit = await service.resume(session, clock, token=colleagues.token)
            await service.end_session(session, clock, desk, session_id=visit.session_id)
    assert not await _has_ended(database, clock, colleagues.token)


async def test_an_administrator_ends_anybodys_session_but_not_a_neighbours(
    database: Database, clock: FixedClock, estate: Estate, neighbour: Estate
) -> None:
    token = (await _sign_in(database, clock, estate.login(Role.DESK))).token
    session_id = (await _resume(database, clock, token)).session_id
    with pytest.raises(NotFound):
        async with database.transaction() as session:
            await service.end_session(session, clock, neighbour.administrator, session_id=session_id)
    async with database.transaction() as session:
        await service.end_session(session, clock, estate.administrator, session_id=session_id)
    assert await _has_ended(database, clock, token)


async def test_an_administrator_sees_where_anybody_is_signed_in_but_not_a_neighbour(
    database: Database, clock: FixedClock, estate: Estate, neighbour: Estate
) -> None:
    token = (await _sign_in(database, clock, estate.login(Role.DESK))).token
    session_id = (await _resume(database, clock, token)).session_id
    desk = estate.principals[Role.DESK]
    assert desk.person_id is not None
    async with database.reading() as session:
        listed = await service.list_sessions_of(session, clock, estate.administrator, desk.person_id)
        hidden = await service.list_sessions_of(session, clock, neighbour.administrator, desk.person_id)
        with pytest.raises(Forbidden):
            await service.list_sessions_of(session, clock, estate.principals[Role.MANAGER], desk.person_id)
    assert [(entry.id, entry.address, entry.is_own) for entry in listed] == [(session_id, "203.0.113.7", False)]
    assert hidden == []


async def _change_password(database: Database, clock: FixedClock, token: str, current: str, new: str) -> Denied | None:
    async with database.transaction() as session:
        visit = await service.resume(session, clock, token=token)
        return await service.change_password(
            session, clock, visit.principal, session_id=visit.session_id, current=current, new=new
        )


async def test_a_changed_password_ends_all_other_sessions(
    database: Database, clock: FixedClock, estate: Estate
) -> None:
    here = await _sign_in(database, clock, estate.login(Role.DESK))
    there = await _sign_in(database, clock, estate.login(Role.DESK))
    assert await _change_password(database, clock, here.token, PASSWORD, NEW) is None
    assert not await _has_ended(database, clock, here.token)
    assert await _has_ended(database, clock, there.token)
    await _sign_in(database, clock, estate.login(Role.DESK), NEW)


async def test_guessing_the_present_password_counts_like_signing_in(
    database: Database, clock: FixedClock, estate: Estate
) -> None:
    token = (await _sign_in(database, clock, estate.login(Role.DESK))).token
    for _ in range(5):
        denied = await _change_password(database, clock, token, "not my password", NEW)
        assert denied is not None
        assert isinstance(denied.reason, Refused)
    denied = await _change_password(database, clock, token, PASSWORD, NEW)
    assert denied is not None
    assert isinstance(denied.reason, TooMany)


@pytest.mark.parametrize(
    ("new", "sentence"),
    [
        pytest.param("short", "A password has 10 to 128 characters.", id="short"),
        pytest.param("x" * 129, "A password has 10 to 128 characters.", id="long"),
        pytest.param("abababababab", "Use at least 5 different characters in a password.", id="uniform"),
        pytest.param("My Desk-1 password", "A password may not hold the login.", id="holds the login"),
        pytest.param(PASSWORD, "The new password must differ from the present one.", id="the old one"),
    ],
)
async def test_a_weak_password_is_refused_with_what_to_mend(
    database: Database, clock: FixedClock, estate: Estate, new: str, sentence: str
) -> None:
    token = (await _sign_in(database, clock, estate.login(Role.DESK))).token
    with pytest.raises(Refused) as refused:
        await _change_password(database, clock, token, PASSWORD, new)
    assert (str(refused.value), refused.value.field) == (sentence, "password")


async def test_a_one_time_password_opens_only_the_way_to_a_new_one(
    database: Database, clock: FixedClock, estate: Estate
) -> None:
    async with database.transaction() as session:
        person_id = estate.principals[Role.DESK].person_id
        assert person_id is not None
        invited = await people.reset_password(session, clock, estate.administrator, person_id)
    signed_in = await _sign_in(database, clock, estate.login(Role.DESK), invited.one_time_password)
    visit = await _resume(database, clock, signed_in.token)
    assert visit.must_change_password
    assert visit.principal.roles == frozenset()
    await _change_password(database, clock, signed_in.token, invited.one_time_password, NEW)
    visit = await _resume(database, clock, signed_in.token)
    assert not visit.must_change_password
    assert visit.principal.roles == {Role.DESK}


async def test_a_one_time_password_runs_out_after_three_days(
    database: Database, clock: FixedClock, estate: Estate
) -> None:
    async with database.transaction() as session:
        person_id = estate.principals[Role.DESK].person_id
        assert person_id is not None
        invited = await people.reset_password(session, clock, estate.administrator, person_id)
    clock.advance(hours=72, seconds=1)
    async with database.transaction() as session:
        outcome = await service.sign_in(
            session,
            clock,
            login=estate.login(Role.DESK),
            password=invited.one_time_password,
            address="203.0.113.7",
            agent="",
        )
    assert isinstance(outcome, Denied)
    assert str(outcome.reason) == "This one-time password has run out. Ask an administrator for a new one."


async def test_what_has_ended_is_forgotten(database: Database, clock: FixedClock, estate: Estate) -> None:
    await _sign_in(database, clock, estate.login(Role.DESK))
    async with database.transaction() as session:
        await service.sign_in(session, clock, login="nobody", password="x", address="203.0.113.8", agent="")
    clock.advance(days=1, seconds=1)
    await _sign_in(database, clock, estate.login(Role.WORKER))
    async with database.transaction() as session:
        await service.forget_old(session, clock)
    async with database.reading() as session:
        assert await session.scalar(select(func.count()).select_from(SessionRow)) == 1
        assert await session.scalar(select(func.count()).select_from(SignInFailureRow)) == 0
