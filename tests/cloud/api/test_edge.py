import asyncio
from collections.abc import AsyncIterator
from io import BytesIO
from math import nan

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from cloud.api import edge
from cloud.core.clock import to_us
from cloud.core.database import Database
from cloud.fleet import boxes, claims
from cloud.fleet.domain import BoxIdentity
from cloud.fleet.intake import Intake
from cloud.fleet.series import SeriesStore, SeriesUnavailable
from cloud.fleet.tables import DeviceRow, SetAsideRow, StoreRow
from protocols import wire
from tests.clocks import FixedClock
from tests.cloud.api.door import Door
from tests.cloud.fleet.boxes import STORE, ClaimedBox, Yard, batch, device, public_key

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

_T = "probe/temperature"
_ALL = {"start_us": 0, "end_us": 2**61}


async def _is_untouched(database: Database, store: SeriesStore, yard: Yard) -> bool:
    async with database.reading() as session:
        written = [(await session.scalars(select(table))).all() for table in (StoreRow, SetAsideRow)]
    return written == [[], []] and await store.read(yard.points[_T], **_ALL) == []


def _batch(clock: FixedClock, *, value: float = 21.5) -> wire.Batch:
    return batch([(1, 1)], [(_T, to_us(clock.now()), value)])


async def test_the_time_is_told_to_anybody(door: Door, clock: FixedClock) -> None:
    answer = await door.send("GET", wire.PATH_TIME)
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/msgpack")
    assert answer.of(wire.Time) == wire.Time(time_us=to_us(clock.now()))


async def test_a_box_claims_itself_lists_its_devices_and_sends(
    door: Door, database: Database, store: SeriesStore, clock: FixedClock, yard: Yard
) -> None:
    async with database.transaction() as session:
        issued = await claims.issue(
            session, clock, yard.administrator, community_id=yard.community_id, box_name="地下室网关"
        )
    key = Ed25519PrivateKey.generate()
    claim = wire.Claim(v=1, code=issued.code, public_key=public_key(key), software="edge 1.0")
    claimed = (await door.send("POST", wire.PATH_CLAIM, claim)).of(wire.Claimed)
    identity = BoxIdentity(
        box_id=int(claimed.box_id), organisation_id=yard.estate.organisation_id, name=claimed.name, key=public_key(key)
    )
    box = ClaimedBox(key=key, identity=identity)
    inventory = wire.Inventory(v=1, devices=[device("probe", "temperature")])
    listed = await door.send("PUT", wire.PATH_INVENTORY, inventory, box=box)
    assert listed.of(wire.InventoryTaken) == wire.InventoryTaken(v=1, watched=[])
    taken = await door.send("POST", wire.PATH_BATCHES, _batch(clock), box=box)
    assert taken.of(wire.BatchTaken) == wire.BatchTaken(v=1, store=STORE, held=[(1, 1)], time_us=to_us(clock.now()))


async def test_a_row_that_cant_be_taken_is_declared_and_the_others_are_taken(
    door: Door, store: SeriesStore, clock: FixedClock, yard: Yard
) -> None:
    now_us = to_us(clock.now())
    rows = [(_T, now_us, 1.0), (_T, now_us, nan), ("x/y", now_us, 1.0), (_T, now_us + 3_600_000_000, 1.0)]
    answer = await door.send("POST", wire.PATH_BATCHES, batch([(1, 4)], rows), box=yard.box)
    taken = answer.of(wire.BatchTaken)
    assert (answer.status, taken.held) == (200, [(1, 4)])
    assert [(one.seq, one.reason) for one in taken.set_aside] == [
        (2, "not_a_number"),
        (3, "unknown_point"),
        (4, "far_future"),
    ]
    assert len(await store.read(yard.points[_T], **_ALL)) == 1


@pytest.mark.parametrize("v", [0, 2])
@pytest.mark.parametrize("looks_different", [False, True], ids=["same form", "another form"])
async def test_another_version_is_refused_with_the_pair_that_is_spoken(
    door: Door, database: Database, store: SeriesStore, clock: FixedClock, yard: Yard, v: int, looks_different: bool
) -> None:
    message = msgspec.structs.replace(_batch(clock), v=v)
    body = msgspec.msgpack.encode({"v": v, "rows": "in another form"} if looks_different else message)
    answer = await door.send("POST", wire.PATH_BATCHES, body, box=yard.box)
    problem = answer.of(wire.Problem)
    assert (answer.status, problem.code) == (400, "version")
    assert (problem.minimum_version, problem.maximum_version) == (wire.MINIMUM_VERSION, wire.WIRE_VERSION)
    assert await _is_untouched(database, store, yard)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "This is no Batch"),
        (b"\xc1", "This is no Batch"),
        (b'{"v": 1}', "This is no Batch"),
        (msgspec.msgpack.encode({"v": 1}), "missing required field `store`"),
        (msgspec.msgpack.encode({"v": "1"}), "Expected `int`"),
        (msgspec.msgpack.encode([1, 2, 3]), "Expected `object`"),
    ],
    ids=["nothing", "no messagepack", "json", "fields missing", "wrong type", "an array"],
)
async def test_what_is_no_batch_is_refused_and_changes_nothing(
    door: Door, database: Database, store: SeriesStore, yard: Yard, body: bytes, said: str
) -> None:
    answer = await door.send("POST", wire.PATH_BATCHES, body, box=yard.box)
    assert answer.problem == (422, "malformed")
    assert said in answer.of(wire.Problem).message
    assert await _is_untouched(database, store, yard)


@pytest.mark.parametrize(
    "changes",
    [{"head": 2**62}, {"head": 2**64 - 1}, {"store": "../../etc/passwd"}, {"lost": [(1, 2**62)]}, {"pending": -1}],
    ids=["far head", "farther head", "store", "far loss", "negative pending"],
)
async def test_forged_numbers_are_refused_and_change_nothing(
    door: Door, database: Database, store: SeriesStore, clock: FixedClock, yard: Yard, changes: dict[str, object]
) -> None:
    message = msgspec.structs.replace(_batch(clock), **changes)
    answer = await door.send("POST", wire.PATH_BATCHES, message, box=yard.box)
    assert answer.problem == (422, "malformed")
    assert await _is_untouched(database, store, yard)


async def test_ranges_that_claim_more_rows_than_there_are_are_refused(
    door: Door, database: Database, store: SeriesStore, clock: FixedClock, yard: Yard
) -> None:
    forged = _batch(clock)
    forged = msgspec.structs.replace(forged, rows=msgspec.structs.replace(forged.rows, ranges=[(1, 2**60)]), head=2**60)
    answer = await door.send("POST", wire.PATH_BATCHES, forged, box=yard.box)
    assert answer.problem == (422, "malformed")
    assert await _is_untouched(database, store, yard)


async def test_a_wrong_signature_is_refused_and_changes_nothing(
    door: Door, database: Database, store: SeriesStore, clock: FixedClock, yard: Yard
) -> None:
    forger = ClaimedBox(key=Ed25519PrivateKey.generate(), identity=yard.box.identity)
    for method, path, message in (
        ("POST", wire.PATH_BATCHES, _batch(clock)),
        ("PUT", wire.PATH_INVENTORY, wire.Inventory(v=1, devices=[])),
    ):
        assert (await door.send(method, path, message, box=forger)).problem == (401, "not_signed_in")
    assert await _is_untouched(database, store, yard)
    async with database.reading() as session:
        assert [row.gone_at for row in await session.scalars(select(DeviceRow))] == [None]


@pytest.mark.parametrize("authorisation", [None, "Bearer", "Bearer x.y.z", "Basic dXNlcjpwYXNz"])
async def test_a_request_without_a_token_is_refused(
    door: Door, clock: FixedClock, yard: Yard, authorisation: str | None
) -> None:
    answer = await door.send("POST", wire.PATH_BATCHES, _batch(clock), authorisation=authorisation)
    assert answer.problem == (401, "not_signed_in")


async def test_a_token_of_a_box_with_a_wrong_clock_is_refused_and_the_time_is_there_to_ask_for(
    door: Door, clock: FixedClock, yard: Yard
) -> None:
    authorisation = yard.box.authorisation(clock)
    clock.advance(days=1)
    answer = await door.send("POST", wire.PATH_BATCHES, _batch(clock), authorisation=authorisation)
    assert answer.problem == (401, "not_signed_in")
    assert (await door.send("GET", wire.PATH_TIME)).of(wire.Time).time_us == to_us(clock.now())


async def test_a_box_that_was_shown_out_is_refused_though_its_token_was_good_a_moment_ago(
    door: Door, database: Database, clock: FixedClock, yard: Yard
) -> None:
    authorisation = yard.box.authorisation(clock)
    assert (await door.send("POST", wire.PATH_BATCHES, _batch(clock), authorisation=authorisation)).status == 200
    async with database.transaction() as session:
        await boxes.revoke(session, clock, yard.administrator, box_id=yard.box.identity.box_id)
    answer = await door.send("POST", wire.PATH_BATCHES, _batch(clock), authorisation=authorisation)
    assert answer.problem == (401, "not_signed_in")


@pytest.mark.parametrize("is_told", [True, False], ids=["by its length", "in pieces"])
async def test_a_body_that_is_too_large_is_refused_and_changes_nothing(
    door: Door, database: Database, store: SeriesStore, yard: Yard, is_told: bool
) -> None:
    size = wire.MAXIMUM_BODY_BYTES + 1

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, size, 65_536):
            yield bytes(min(65_536, size - start))

    answer = await door.send("POST", wire.PATH_BATCHES, BytesIO(bytes(size)) if is_told else pieces(), box=yard.box)
    assert answer.problem == (413, "too_large")
    assert await _is_untouched(database, store, yard)


async def test_more_rows_than_a_batch_may_carry_are_refused_as_too_large(
    door: Door, database: Database, store: SeriesStore, clock: FixedClock, yard: Yard
) -> None:
    rows = [(_T, to_us(clock.now()) - step, 1.0) for step in range(wire.MAXIMUM_ROWS + 1)]
    answer = await door.send("POST", wire.PATH_BATCHES, batch([(1, len(rows))], rows), box=yard.box)
    assert answer.problem == (413, "too_large")
    assert await _is_untouched(database, store, yard)


async def test_the_largest_batch_that_is_allowed_fits_into_a_body(door: Door, clock: FixedClock, yard: Yard) -> None:
    rows = [(_T, to_us(clock.now()) - step, step / 7) for step in range(wire.MAXIMUM_ROWS)]
    answer = await door.send("POST", wire.PATH_BATCHES, batch([(1, len(rows))], rows), box=yard.box)
    assert answer.of(wire.BatchTaken).held == [(1, wire.MAXIMUM_ROWS)]


async def test_a_compressed_body_is_refused(door: Door, clock: FixedClock, yard: Yard) -> None:
    headers = {"Content-Encoding": "gzip"}
    answer = await door.send("POST", wire.PATH_BATCHES, _batch(clock), box=yard.box, headers=headers)
    assert answer.problem == (422, "malformed")


async def test_half_a_body_changes_nothing(
    door: Door, database: Database, store: SeriesStore, clock: FixedClock, yard: Yard
) -> None:
    body = msgspec.msgpack.encode(_batch(clock))
    _, writer = await asyncio.open_connection("127.0.0.1", door.port)
    head = (
        f"POST {wire.PATH_BATCHES} HTTP/1.1\r\nHost: cloud\r\nContent-Length: {len(body)}\r\n"
        f"Authorization: {yard.box.authorisation(clock)}\r\n\r\n"
    )
    writer.write(head.encode() + body[: len(body) // 2])
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    assert (await door.send("GET", wire.PATH_TIME)).status == 200
    assert await _is_untouched(database, store, yard)


async def test_a_body_that_does_not_come_is_not_waited_for_for_ever(
    door: Door, clock: FixedClock, yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edge, "_BODY_S", 0.05)

    async def stuck() -> AsyncIterator[bytes]:
        yield b"x"
        await asyncio.sleep(100)

    answer = await door.send("POST", wire.PATH_BATCHES, stuck(), box=yard.box)
    assert answer.problem == (503, "too_slow")
    assert "Retry-After" in answer.headers


async def test_more_batches_at_once_than_are_worked_on_are_asked_to_wait(
    door: Door, database: Database, clock: FixedClock, yard: Yard
) -> None:
    sending = [door.send("POST", wire.PATH_BATCHES, _batch(clock), box=yard.box) for _ in range(3)]
    async with database.transaction():  # nothing is committed meanwhile
        tasks = [asyncio.create_task(one) for one in sending]
        refused, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        (answer,) = [task.result() for task in refused]
        assert answer.problem == (429, "too_many")
        assert int(answer.headers["Retry-After"]) >= 1
    assert sorted([(await task).status for task in tasks]) == [200, 200, 429]


@pytest.mark.parametrize(
    ("failure", "status", "code"),
    [
        (SeriesUnavailable("InfluxDB did not answer"), 503, "unavailable"),
        (OperationalError("INSERT", {}, Exception("database or disk is full")), 503, "unavailable"),
        (ZeroDivisionError("a mistake of ours"), 500, "internal"),
    ],
    ids=["series", "disk full", "mistake"],
)
async def test_a_failure_of_the_clouds_own_is_to_be_tried_again(
    door: Door,
    clock: FixedClock,
    yard: Yard,
    monkeypatch: pytest.MonkeyPatch,
    failure: Exception,
    status: int,
    code: str,
) -> None:
    async def fail(*_arguments: object) -> None:
        raise failure

    with monkeypatch.context() as patched:
        patched.setattr(Intake, "take", fail)
        answer = await door.send("POST", wire.PATH_BATCHES, _batch(clock), box=yard.box)
    assert answer.problem == (status, code)
    assert ("Retry-After" in answer.headers) is (status == 503)
    assert "INSERT" not in answer.of(wire.Problem).message
    assert (await door.send("POST", wire.PATH_BATCHES, _batch(clock), box=yard.box)).status == 200


async def test_a_claim_says_what_is_wrong_with_its_code(door: Door, yard: Yard) -> None:
    key = public_key(Ed25519PrivateKey.generate())
    answer = await door.send("POST", wire.PATH_CLAIM, wire.Claim(v=1, code="01AB-CDEF-GHJS", public_key=key))
    assert answer.problem == (404, "claim_unknown")
    answer = await door.send("POST", wire.PATH_CLAIM, wire.Claim(v=1, code="01AB-CDEF-GHJT", public_key=key))
    assert answer.problem == (422, "malformed")


async def test_who_guesses_codes_has_to_wait(door: Door, clock: FixedClock, yard: Yard) -> None:
    claim = wire.Claim(v=1, code="01AB-CDEF-GHJS", public_key=public_key(Ed25519PrivateKey.generate()))
    for _ in range(10):
        assert (await door.send("POST", wire.PATH_CLAIM, claim)).problem == (404, "claim_unknown")
    answer = await door.send("POST", wire.PATH_CLAIM, claim)
    assert answer.problem == (429, "too_many")
    clock.advance(seconds=int(answer.headers["Retry-After"]))
    assert (await door.send("POST", wire.PATH_CLAIM, claim)).problem == (404, "claim_unknown")


async def test_a_changed_unit_is_refused_with_the_mend(door: Door, clock: FixedClock, yard: Yard) -> None:
    await door.send("POST", wire.PATH_BATCHES, _batch(clock), box=yard.box)
    inventory = wire.Inventory(v=1, devices=[device("probe", "temperature", unit="[degF]")])
    answer = await door.send("PUT", wire.PATH_INVENTORY, inventory, box=yard.box)
    assert answer.problem == (409, "unit_changed")
    assert "give the point or its device another key" in answer.of(wire.Problem).message
