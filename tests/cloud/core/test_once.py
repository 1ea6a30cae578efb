import asyncio

import pytest

from cloud.core import once
from cloud.core.database import Database
from cloud.core.errors import Conflict, Malformed
from cloud.core.principal import Role
from tests.clocks import FixedClock
from tests.cloud.estate import make_organisation

KEY = "a-key-of-16-signs"


async def test_the_same_key_is_known_and_another_persons_is_another(database: Database, clock: FixedClock) -> None:
    estate = await make_organisation(database, clock)
    worker, desk = estate.principals[Role.WORKER], estate.principals[Role.DESK]
    async with database.transaction() as session:
        tries = [await once.is_first(session, clock, who, key=KEY, act="survey") for who in (worker, worker, desk)]
    assert tries == [True, False, True]


async def test_what_was_undone_may_be_tried_again(database: Database, clock: FixedClock) -> None:
    worker = (await make_organisation(database, clock)).principals[Role.WORKER]
    with pytest.raises(ZeroDivisionError):
        async with database.transaction() as session:
            assert await once.is_first(session, clock, worker, key=KEY, act="survey")
            raise ZeroDivisionError
    async with database.transaction() as session:
        assert await once.is_first(session, clock, worker, key=KEY, act="survey")


async def test_of_many_who_come_at_once_one_is_first(database: Database, clock: FixedClock) -> None:
    worker = (await make_organisation(database, clock)).principals[Role.WORKER]

    async def come() -> bool:
        async with database.transaction() as session:
            return await once.is_first(session, clock, worker, key=KEY, act="survey")

    assert sorted(await asyncio.gather(*(come() for _ in range(5)))) == [False] * 4 + [True]


async def test_a_key_serves_one_act_and_must_be_one(database: Database, clock: FixedClock) -> None:
    worker = (await make_organisation(database, clock)).principals[Role.WORKER]
    async with database.transaction() as session:
        await once.is_first(session, clock, worker, key=KEY, act="survey")
        with pytest.raises(Conflict):
            await once.is_first(session, clock, worker, key=KEY, act="finish")
        for key in ("", "short", "with a space in it.", "x" * 65):
            with pytest.raises(Malformed):
                await once.is_first(session, clock, worker, key=key, act="survey")


async def test_old_keys_are_forgotten(database: Database, clock: FixedClock) -> None:
    worker = (await make_organisation(database, clock)).principals[Role.WORKER]
    async with database.transaction() as session:
        await once.is_first(session, clock, worker, key=KEY, act="survey")
        await once.forget_old(session, clock)
        assert not await once.is_first(session, clock, worker, key=KEY, act="survey")
        clock.advance(days=91)
        await once.forget_old(session, clock)
        assert await once.is_first(session, clock, worker, key=KEY, act="survey")
    assert once.new_key() != once.new_key()
