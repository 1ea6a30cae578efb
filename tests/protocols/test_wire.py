"""Every message as version 1 of the wire writes it, against files of its bytes that never change."""

import inspect
from pathlib import Path

import msgspec
import pytest
from msgspec import Struct

from protocols import wire
from protocols.wire import (
    Batch,
    BatchTaken,
    Claim,
    Claimed,
    Configuration,
    Configured,
    DeviceInfo,
    FromBox,
    FromCloud,
    Hello,
    Inventory,
    InventoryTaken,
    Ping,
    PointInfo,
    Pong,
    Problem,
    Rows,
    SetAside,
    Time,
    Welcome,
)

GOLDEN = Path(__file__).parent / "golden" / "wire_v1"
STORE = "0123456789abcdef0123456789abcdef"

OVER_HTTPS: dict[str, Struct] = {
    "time": Time(time_us=1_397_343_600_000_000),
    "claim": Claim(
        v=1,
        code="7K3M-9QXD",
        public_key="11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
        hardware="Raspberry Pi 4 Model B Rev 1.5",
        software="0.1.0",
    ),
    "claimed": Claimed(v=1, box_id="bx_01", name="地下室网关", time_us=1_397_343_600_000_000),
    "inventory": Inventory(
        v=1,
        devices=[
            DeviceInfo(
                key="boiler-meter",
                profile="eastron-sdm120",
                name="锅炉房电表",
                points=[
                    PointInfo(
                        key="boiler-meter/energy_import",
                        unit="kW.h",
                        row_class="register",
                        kind="counter",
                        resolution="0.01",
                        period_s=60.0,
                    )
                ],
            )
        ],
    ),
    "inventory_taken": InventoryTaken(v=1, watched=["office/temperature"]),
    "batch": Batch(
        v=1,
        store=STORE,
        rows=Rows(
            ranges=[(41, 42), (44, 44)],
            points=["office/temperature", "boiler-meter/energy_import"],
            point=[0, 1, 0],
            time_us=[1_397_343_600_000_000, 1_397_343_601_000_000, 1_397_343_602_500_000],
            value=[59.94, 1209.42, -0.5],
            flags=[0, 2, 4],
        ),
        lost=[(1, 40)],
        head=44,
        pending=7,
    ),
    "batch_taken": BatchTaken(
        v=1,
        store=STORE,
        held=[(41, 44)],
        set_aside=[SetAside(seq=44, reason="far_future")],
        time_us=1_397_343_603_000_000,
    ),
    "problem": Problem(
        code="unknown_version", message="version 9 is not spoken here", minimum_version=1, maximum_version=1
    ),
}

ON_THE_CHANNEL: dict[str, Struct] = {
    "hello": Hello(
        v=1,
        minimum_v=1,
        boot="fedcba9876543210fedcba9876543210",
        store=STORE,
        head=44,
        software="0.1.0",
        configuration=3,
    ),
    "configured": Configured(revision=4, error="watched: no point 'office/x' on this box"),
    "ping": Ping(id=12, head=44, pending=7, buffer_hours_left=731.5),
    "welcome": Welcome(v=1, time_us=1_397_343_600_000_000, heartbeat_s=15.0, held={STORE: [(1, 30), (35, 40)]}),
    "configuration": Configuration(revision=4, watched=["office/temperature"]),
    "pong": Pong(id=12, time_us=1_397_343_600_000_000),
}

PARTS = {DeviceInfo, PointInfo, Rows, SetAside}
"""Structs that only stand inside a message."""


@pytest.mark.parametrize("name", OVER_HTTPS)
def test_a_message_over_https_keeps_its_bytes(name: str) -> None:
    message = OVER_HTTPS[name]
    golden = (GOLDEN / f"{name}.msgpack").read_bytes()

    assert msgspec.msgpack.decode(golden, type=type(message)) == message
    assert msgspec.msgpack.encode(message) == golden


@pytest.mark.parametrize("name", ON_THE_CHANNEL)
def test_a_message_on_the_channel_keeps_its_bytes(name: str) -> None:
    message = ON_THE_CHANNEL[name]
    golden = (GOLDEN / f"{name}.json").read_bytes()

    assert msgspec.json.decode(golden, type=FromBox | FromCloud) == message
    assert msgspec.json.encode(message) == golden


def test_every_message_has_its_golden_file() -> None:
    structs = {each for _, each in inspect.getmembers(wire, inspect.isclass) if issubclass(each, Struct)}
    files = {f"{name}.msgpack" for name in OVER_HTTPS} | {f"{name}.json" for name in ON_THE_CHANNEL}

    assert {type(message) for message in [*OVER_HTTPS.values(), *ON_THE_CHANNEL.values()]} == structs - PARTS
    assert {path.name for path in GOLDEN.iterdir()} == files


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            b'{"v":1,"code":"7K3M-9QXD","public_key":"11qY"}',
            Claim(v=1, code="7K3M-9QXD", public_key="11qY", hardware="", software=""),
            id="claim without hardware and software",
        ),
        pytest.param(
            b'{"key":"a/b","unit":"1","row_class":"sample","kind":"gauge","period_s":1}',
            PointInfo(key="a/b", unit="1", row_class="sample", kind="gauge", resolution=None, period_s=1.0),
            id="point without resolution",
        ),
        pytest.param(
            b'{"v":1,"store":"00","rows":{"ranges":[],"points":[],"point":[],"time_us":[],"value":[]},'
            b'"head":0,"pending":0}',
            Batch(
                v=1,
                store="00",
                rows=Rows(ranges=[], points=[], point=[], time_us=[], value=[], flags=[]),
                lost=[],
                head=0,
                pending=0,
            ),
            id="batch without flags and losses",
        ),
        pytest.param(
            b'{"v":1,"store":"00","held":[],"time_us":5}',
            BatchTaken(v=1, store="00", held=[], set_aside=[], time_us=5),
            id="batch taken with nothing set aside",
        ),
        pytest.param(b'{"code":"x","message":"y"}', Problem(code="x", message="y"), id="problem without versions"),
        pytest.param(b'{"type":"configured","revision":4}', Configured(revision=4, error=None), id="configured"),
        pytest.param(
            b'{"type":"ping","id":1,"head":2,"pending":3}',
            Ping(id=1, head=2, pending=3, buffer_hours_left=None),
            id="ping of a box whose buffer is not filling",
        ),
    ],
)
def test_an_older_message_without_the_optional_fields_decodes(text: bytes, expected: Struct) -> None:
    assert msgspec.json.decode(text, type=type(expected)) == expected


@pytest.mark.parametrize("name", OVER_HTTPS)
def test_a_newer_message_s_unknown_field_is_ignored(name: str) -> None:
    message = OVER_HTTPS[name]
    newer = msgspec.msgpack.encode({**msgspec.to_builtins(message), "added_later": [1, {"a": None}]})

    assert msgspec.msgpack.decode(newer, type=type(message)) == message


@pytest.mark.parametrize("name", ON_THE_CHANNEL)
def test_a_newer_message_s_unknown_field_is_ignored_on_the_channel(name: str) -> None:
    message = ON_THE_CHANNEL[name]
    newer = msgspec.json.encode({**msgspec.to_builtins(message), "added_later": [1, {"a": None}]})

    assert msgspec.json.decode(newer, type=FromBox | FromCloud) == message


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(b'{"type":"pong","id":1,"time_us":5}', id="a message of the other side"),
        pytest.param(b'{"type":"shutdown"}', id="an unknown kind"),
        pytest.param(b'{"id":1,"head":2,"pending":3}', id="no kind"),
        pytest.param(b'{"type":"ping","id":"1","head":2,"pending":3}', id="a text for a number"),
        pytest.param(b'{"type":"ping","id":1,"head":2}', id="a compulsory field missing"),
        pytest.param(b"[]", id="another shape"),
        pytest.param(b'{"type":"ping",', id="half a message"),
    ],
)
def test_what_a_box_can_t_have_said_is_refused(text: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        msgspec.json.decode(text, type=FromBox)
