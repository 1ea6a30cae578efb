from datetime import timedelta

import pytest
from argon2 import PasswordHasher, extract_parameters
from sqlalchemy import select, update

from cloud.accounts import people, service
from cloud.accounts.domain import Denied, SignedIn
from cloud.accounts.tables import PersonRow, SessionRow
from cloud.core.audit import AuditEntry
from cloud.core.database import Database
from cloud.core.errors import NotSignedIn, Refused, TooMany
from cloud.core.principal import Role
from tests.clocks import FixedClock
from tests.cloud.estate import PASSWORD, Estate

HERE = "203.0.113.7"
WRONG = "wrong password"
ELSEWHERE = "198.51.100.9"


async def _sign_in(
    database: Database, clock: FixedClock, login: str, password: str = PASSWORD, *, address: str = HERE
) -> SignedIn | Denied:
    async with database.transaction() as session:
        return await service.sign_in(session, clock, login=login, password=password, address=address, agent="Firefox")


async def _signed_in(database: Database, clock: FixedClock, login: str, password: str = PASSWORD) -> SignedIn:
    outcome = await _sign_in(database, clock, login, password)
    assert isinstance(outcome, SignedIn)
    return outcome


async def _denied(
    database: Database, clock: FixedClock, login: str, password: str = WRONG, *, address: str = HERE
) -> Refused | TooMany:
    outcome = await _sign_in(database, clock, login, password, address=address)
    assert isinstance(outcome, Denied)
    assert isinstance(outcome.reason, Refused | TooMany)
    return outcome.reason


async def test_who_has_the_password_is_let_in_as_who_they_are(
    database: Database, clock: FixedClock, estate: Estate
) -> None:
    signed_in = await _signed_in(database, clock, estate.login(Role.DESK))
    async with database.reading() as session:
        visit = await service.resume(session, clock, token=signed_in.token)
    assert visit.principal == estate.principals[Role.DESK] == signed_in.principal
    assert visit.expires_at == clock.now() + timedelta(hours=12)
    assert not visit.must_change_password


async def test_a_login_is_known_in_every_spelling_that_looks_the_same(
    database: Database, clock: FixedClock, estate: Estate
) -> None:
    await _signed_in(database, clock, f" ＤＥＳＫ-{estate.organisation_id} ")


async def test_the_token_itself_is_kept_nowhere(database: Database, clock: FixedClock, estate: Estate) -> None:
    signed_in = await _signed_in(database, clock, estate.login(Role.DESK))
    async with database.reading() as session:
        (row,) = (await session.scalars(select(SessionRow))).all()
    assert signed_in.token not in {str(value) for value in vars(row).values()}
    assert (row.address, row.agent) == (HERE, "Firefox")


async def test_a_wrong_password_and_a_login_of_nobody_are_told_alike(
    database: Database, clock: FixedClock, estate: Estate
) -> None:
    wrong = await _denied(database, clock, estate.login(Role.DESK))
    unknown = await _denied(database, clock, "nobody")
    assert (
        (str(wrong), wrong.code) == (str(unknown), unknown.code) == ("The login or the password is wrong.", "refused")
    )


async def test_a_login_of_nobody_costs_the_same_reckoning_as_one_of_somebody(
    database: Database, clock: FixedClock, estate: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    reckoned = []
    verify = PasswordHasher.verify

    def noting(hasher: PasswordHasher, known_hash: str, password: str) -> bool:
        reckoned.append(extract_parameters(known_hash))
        return verify(hasher, known_hash, password)

    monkeypatch.setattr(PasswordHasher, "verify", noting)
    await _denied(database, clock, estate.login(Role.DESK))
    await _denied(database, clock, "nobody")
    somebody, nobody = reckoned
    assert nobody == somebody


async def test_who_was_deactivated_is_not_let_in_and_not_told_why(
    database: Database, clock: FixedClock, estate: Estate
) -> None:
    async with database.transaction() as session:
        desk = estate.principals[Role.DESK].person_id
        assert desk is not None
        await people.deactivate_person(session, clock, estate.administrator, desk)
    reason = await _denied(database, clock, estate.login(Role.DESK), PASSWORD)
    assert str(reason) == "The login or the password is wrong."


async def test_after_five_failures_a_login_waits_even_with_the_right_password(
    database: Database, clock: FixedClock, estate: Estate
) -> None:
    login = estate.login(Role.DESK)
    for number in range(5):
        assert isinstance(await _denied(database, clock, login, address=f"203.0.113.{number}"), Refused)
    clock.advance(seconds=1)
    reason = await _denied(database, clock, login, PASSWORD, address=ELSEWHERE)
    assert isinstance(reason, TooMany)
    assert (str(reason), reason.retry_after_s) == ("Too many tries: wait 1 min, then try again.", 59)
    clock.advance(seconds=59)
    assert isinstance(await _sign_in(database, clock, login), SignedIn)


async def test_each_further_failure_doubles_the_wait_up_to_a_quarter_of_an_hour(
    database: Database, clock: FixedClock, estate: Estate
) -> None:
    login = estate.login(Role.DESK)
    waits = []
    for number in range(11):
        await _denied(database, clock, login, address=f"203.0.113.{number}")
        reason = await _denied(database, clock, login, address=f"203.0.113.{number}")
        waits.append(reason.retry_after_s if isinstance(reason, TooMany) else 0)
        clock.advance(seconds=waits[-1])
    # Two tries a round until the fifth failure, then one is let through and the next one is told to wait.
    assert waits == [0, 0, 60, 120, 240, 480, 900, 900, 900, 900, 900]


async def test_twenty_failures_from_one_address_make_it_wait_whatever_the_login(
    database: Database, clock: FixedClock, estate: Estate
) -> None:
    for number in range(20):
        assert isinstance(await _denied(database, clock, f"nobody-{number}"), Refused)
    assert isinstance(await _denied(database, clock, estate.login(Role.DESK), PASSWORD), TooMany)
    assert isinstance(await _sign_in(database, clock, estate.login(Role.DESK), address=ELSEWHERE), SignedIn)


async def test_one_ipv6_network_is_one_address(database: Database, clock: FixedClock, estate: Estate) -> None:
    for number in range(20):
        await _denied(database, clock, f"nobody-{number}", address=f"2001:db8:1:2::{number:x}")
    reason = await _denied(database, clock, estate.login(Role.DESK), PASSWORD, address="2001:db8:1:2:ffff::1")
    assert isinstance(reason, TooMany)
    outcome = await _sign_in(database, clock, estate.login(Role.DESK), address="2001:db8:1:3::1")
    assert isinstance(outcome, SignedIn)


async def test_a_day_without_failures_starts_anew(database: Database, clock: FixedClock, estate: Estate) -> None:
    login = estate.login(Role.DESK)
    for _ in range(5):
        await _denied(database, clock, login)
    clock.advance(days=1, seconds=1)
    assert isinstance(await _denied(database, clock, login), Refused)
    assert isinstance(await _sign_in(database, clock, login), SignedIn)


async def test_signing_in_forgives_the_login_its_failures(
    database: Database, clock: FixedClock, estate: Estate
) -> None:
    login = estate.login(Role.DESK)
    for _ in range(2):
        for _ in range(4):
            await _denied(database, clock, login)
        await _signed_in(database, clock, login)


async def test_a_hash_of_old_parameters_is_renewed(database: Database, clock: FixedClock, estate: Estate) -> None:
    old = PasswordHasher(time_cost=1, memory_cost=8 * 1024, parallelism=1).hash(PASSWORD)
    async with database.transaction() as session:
        await session.execute(update(PersonRow).values(password_hash=old))
    login = estate.login(Role.DESK)
    await _signed_in(database, clock, login)
    async with database.reading() as session:
        renewed = await session.scalar(select(PersonRow.password_hash).where(PersonRow.login == login))
    assert renewed is not None
    assert renewed.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    await _signed_in(database, clock, login)


async def test_signing_in_and_failing_to_are_audited_without_the_password(
    database: Database, clock: FixedClock, estate: Estate
) -> None:
    await _denied(database, clock, estate.login(Role.DESK))
    await _denied(database, clock, "nobody")
    await _signed_in(database, clock, estate.login(Role.DESK))
    async with database.reading() as session:
        entries = (await session.scalars(select(AuditEntry).order_by(AuditEntry.id))).all()
    assert [(entry.action, entry.actor, entry.after) for entry in entries] == [
        ("accounts.sign_in_failed", "?", {"address": HERE}),
        ("accounts.signed_in", "孙三", {"address": HERE}),
    ]


@pytest.mark.parametrize("token", ["", "x", "é" * 300], ids=["empty", "unknown", "long and not ASCII"])
async def test_a_token_of_nobody_is_no_visit(database: Database, clock: FixedClock, token: str) -> None:
    async with database.reading() as session:
        with pytest.raises(NotSignedIn, match="Your session has ended"):
            await service.resume(session, clock, token=token)
