from collections.abc import AsyncIterator
from functools import partial

import pytest

from cloud.core.database import Database, Routes
from cloud.core.wiring import Wiring, hears
from cloud.notifications.domain import Channel, MessagesWritten
from cloud.notifications.service import prepare
from provisioning.practice.ports import free_port
from provisioning.practice.sms import PracticeGateway
from tests.clocks import FixedClock
from tests.cloud.estate import Estate, make_organisation
from tests.cloud.notifications.post import TOKEN, Post, make_post


@pytest.fixture
def wiring() -> Wiring:
    return Wiring(hears(MessagesWritten, {"notifications": partial(prepare, channels=frozenset(Channel))}))


@pytest.fixture
def routes(wiring: Wiring) -> Routes:
    return wiring.routes


@pytest.fixture
async def estate(database: Database, clock: FixedClock) -> Estate:
    return await make_organisation(database, clock)


@pytest.fixture
async def neighbour(database: Database, clock: FixedClock) -> Estate:
    return await make_organisation(database, clock, name="银杏物业")


@pytest.fixture
async def gateway(clock: FixedClock) -> AsyncIterator[PracticeGateway]:
    async with PracticeGateway.opened(clock, token=TOKEN) as gateway:
        yield gateway


@pytest.fixture
async def post(database: Database, clock: FixedClock, wiring: Wiring, estate: Estate, gateway: PracticeGateway) -> Post:
    return await make_post(database, clock, wiring, estate, gateway)


@pytest.fixture
def unused_url() -> str:
    """Where nobody listens."""
    return f"http://127.0.0.1:{free_port()}"
