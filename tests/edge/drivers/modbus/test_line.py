import asyncio
import socket
from collections.abc import Callable, Sequence

import pytest

from edge.drivers.modbus.line import Line, Question
from edge.errors import DeviceRefused, DeviceUnreachable
from tests.servers.modbus import FaultyAnswer, device, faulty_device, frame, modbus_server

_QUESTION = Question(unit=7, function=3, address=16, count=2)
_GOOD = bytes([3, 4, 0, 1, 0, 2])
_PLENTY_S = 20.0
"""For an answer that comes; a busy machine is slow, not silent."""
_WAITED_OUT_S = 1.0
"""Where something comes that is no answer: long enough for it on a busy machine, and waited out."""


def _always(answer: Callable[[int], Sequence[bytes]]) -> FaultyAnswer:
    """Return a device that answers by the request's transaction id alone."""

    async def say(request: bytes) -> Sequence[bytes]:
        return answer(int.from_bytes(request[:2]))

    return say


async def _refusal(say: FaultyAnswer, kind: type[Exception], *, timeout_s: float = _PLENTY_S) -> str:
    async with faulty_device(say) as port:
        line = Line("127.0.0.1", port)
        try:
            with pytest.raises(kind) as refused:
                await line.ask(_QUESTION, timeout_s=timeout_s)
            return str(refused.value).removeprefix(f"127.0.0.1:{port}: ")
        finally:
            line.close()


@pytest.mark.parametrize(
    ("function", "data"),
    [
        pytest.param(1, bytes([0b00000101, 0b00000010]), id="coils"),
        pytest.param(2, bytes([0b00000101, 0b00000010]), id="discrete inputs"),
        pytest.param(3, b"\x00\x0a\x00\x0b" * 5, id="holding registers"),
        pytest.param(4, b"\x00\x0a\x00\x0b" * 5, id="input registers"),
    ],
)
async def test_each_function_brings_its_data(function: int, data: bytes) -> None:
    bits = [True, False, True, *[False] * 6, True, *[False] * 6]
    async with modbus_server(device(1, [10, 11] * 5, bits=bits)) as (port, _):
        line = Line("127.0.0.1", port)
        assert await line.ask(Question(1, function, 0, 10), timeout_s=_PLENTY_S) == data
        line.close()


async def test_an_exception_code_is_a_refusal_that_shows_the_bytes() -> None:
    sentence = await _refusal(_always(lambda tid: [frame(tid, 7, b"\x83\x02")]), DeviceRefused)
    assert sentence == (
        "unit 7, function 3, address 16, count 2: exception code 2 (illegal data address); "
        "asked 00 01 00 00 00 06 07 03 00 10 00 02, heard 00 01 00 00 00 03 07 83 02"
    )


@pytest.mark.parametrize("code", [5, 6, 10, 11])
async def test_an_exception_that_passes_is_no_refusal(code: int) -> None:
    await _refusal(_always(lambda tid: [frame(tid, 7, bytes([0x83, code]))]), DeviceUnreachable)


@pytest.mark.parametrize(
    ("pdu", "heard"),
    [
        pytest.param(b"\x03\x04\x00\x01", "00 01 00 00 00 05 07 03 04 00 01", id="short"),
        pytest.param(b"\x03\x02\x00\x01", "00 01 00 00 00 05 07 03 02 00 01", id="fewer registers"),
        pytest.param(b"\x03\x06\x00\x01\x00\x02\x00\x03", "00 01 00 00 00 09 07 03 06 00 01 00 02 00 03", id="more"),
        pytest.param(b"\x03", "00 01 00 00 00 02 07 03", id="no byte count"),
        pytest.param(b"\x04\x04\x00\x01\x00\x02", "00 01 00 00 00 07 07 04 04 00 01 00 02", id="other function"),
        pytest.param(b"\x63\x01\x02", "00 01 00 00 00 04 07 63 01 02", id="unknown function"),
        pytest.param(b"\x83", "00 01 00 00 00 02 07 83", id="exception without a code"),
    ],
)
async def test_an_answer_that_does_not_fit_is_a_refusal_that_shows_the_bytes(pdu: bytes, heard: str) -> None:
    sentence = await _refusal(_always(lambda tid: [frame(tid, 7, pdu)]), DeviceRefused)
    assert sentence == (
        "unit 7, function 3, address 16, count 2: the answer must have function 3 and 4 bytes of data; "
        f"asked 00 01 00 00 00 06 07 03 00 10 00 02, heard {heard}"
    )


async def test_another_units_answer_is_a_refusal() -> None:
    sentence = await _refusal(_always(lambda tid: [frame(tid, 9, _GOOD)]), DeviceRefused, timeout_s=_WAITED_OUT_S)
    assert "unit 9 answered in its place" in sentence
    assert sentence.endswith("heard 00 01 00 00 00 07 09 03 04 00 01 00 02")


async def test_an_answer_that_does_not_say_to_which_question_is_a_refusal() -> None:
    sentence = await _refusal(_always(lambda _: [frame(0, 7, _GOOD)]), DeviceRefused)
    assert "the answer is to another question" in sentence


@pytest.mark.parametrize(
    "bytes_sent",
    [
        pytest.param(b"HTTP/1.1 400 Bad Request\r\n\r\n", id="another protocol"),
        pytest.param(b"\x00\x01\x00\x00\x00\x07\x07\x03\x04\x00", id="half a frame"),
        pytest.param(b"\x00", id="one byte"),
    ],
)
async def test_what_is_no_frame_is_a_refusal_that_shows_the_bytes(bytes_sent: bytes) -> None:
    sentence = await _refusal(_always(lambda _: [bytes_sent]), DeviceRefused, timeout_s=_WAITED_OUT_S)
    assert "what came is no whole Modbus frame" in sentence
    assert sentence.endswith(f"heard {bytes_sent.hex(' ')}")


async def test_silence_is_unreachable_after_the_devices_own_timeout() -> None:
    started = asyncio.get_running_loop().time()
    sentence = await _refusal(_always(lambda _: []), DeviceUnreachable, timeout_s=0.5)
    assert "no answer within 0.5 s; asked 00 01 00 00 00 06 07 03 00 10 00 02" in sentence
    assert asyncio.get_running_loop().time() - started >= 0.5


async def test_a_connection_that_closes_is_unreachable_at_once() -> None:
    async def hang_up(_request: bytes) -> Sequence[bytes]:
        raise EOFError

    async with faulty_device(hang_up) as port:
        line = Line("127.0.0.1", port)
        started = asyncio.get_running_loop().time()
        with pytest.raises(DeviceUnreachable, match="the connection was not there, or went"):
            await line.ask(_QUESTION, timeout_s=300)
        assert asyncio.get_running_loop().time() - started < 100
        line.close()


async def test_nobody_listening_is_unreachable() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # and does not listen
        with pytest.raises(DeviceUnreachable, match="no connection: refused, or no way there"):
            await Line("127.0.0.1", held.getsockname()[1]).ask(_QUESTION, timeout_s=_PLENTY_S)


async def test_a_late_answer_is_never_taken_for_the_present_one() -> None:
    earlier: list[bytes] = []

    async def one_behind(request: bytes) -> Sequence[bytes]:
        earlier.append(frame(int.from_bytes(request[:2]), 7, bytes([3, 4, 0, len(earlier), 0, len(earlier)])))
        return earlier[-2:-1] if len(earlier) < 3 else earlier[-2:]

    async with faulty_device(one_behind) as port:
        line = Line("127.0.0.1", port)
        with pytest.raises(DeviceUnreachable, match="no answer within"):
            await line.ask(_QUESTION, timeout_s=_WAITED_OUT_S)
        with pytest.raises(DeviceUnreachable, match="only a late answer came"):
            await line.ask(_QUESTION, timeout_s=_WAITED_OUT_S)
        assert await line.ask(_QUESTION, timeout_s=_PLENTY_S) == b"\x00\x02\x00\x02"
        line.close()


async def test_half_of_a_late_answer_does_not_garble_the_present_one() -> None:
    connections: list[int] = []

    async def halved(request: bytes) -> Sequence[bytes]:
        connections.append(int.from_bytes(request[:2]))
        whole = frame(connections[-1], 7, bytes([3, 4, 0, len(connections), 0, 0]))
        return [whole[:9]] if len(connections) == 1 else [whole]

    async with faulty_device(halved) as port:
        line = Line("127.0.0.1", port)
        with pytest.raises(DeviceRefused):
            await line.ask(_QUESTION, timeout_s=_WAITED_OUT_S)
        assert await line.ask(_QUESTION, timeout_s=_PLENTY_S) == b"\x00\x02\x00\x00"
        assert connections == [1, 1], "the second question went over a new connection"
        line.close()


async def test_a_dead_unit_does_not_cut_off_its_neighbours() -> None:
    async with modbus_server(device(1, [1]), device(2, [2]), silent=[2]) as (port, _):
        line = Line("127.0.0.1", port)
        for _ in range(8):  # the library itself would close the connection after the fourth
            with pytest.raises(DeviceUnreachable):
                await line.ask(Question(2, 3, 0, 1), timeout_s=0.02)
            assert await line.ask(Question(1, 3, 0, 1), timeout_s=_PLENTY_S) == b"\x00\x01"
        line.close()


async def test_a_half_open_connection_is_made_anew_after_three_silences() -> None:
    transactions: list[int] = []

    async def dead(request: bytes) -> Sequence[bytes]:
        transactions.append(int.from_bytes(request[:2]))
        return []

    async with faulty_device(dead) as port:
        line = Line("127.0.0.1", port)
        for _ in range(4):
            with pytest.raises(DeviceUnreachable):
                await line.ask(_QUESTION, timeout_s=_WAITED_OUT_S)
        assert transactions == [1, 2, 3, 1], "transactions count from 1 on each connection"
        line.close()


async def test_a_server_that_comes_back_is_found_again() -> None:
    async with modbus_server(device(7, [0] * 16 + [1, 2])) as (port, _):
        line = Line("127.0.0.1", port)
        assert await line.ask(_QUESTION, timeout_s=_PLENTY_S) == b"\x00\x01\x00\x02"
    with pytest.raises(DeviceUnreachable):
        await line.ask(_QUESTION, timeout_s=0.2)
    async with modbus_server(device(7, [0] * 16 + [3, 4]), port=port):
        assert await line.ask(_QUESTION, timeout_s=_PLENTY_S) == b"\x00\x03\x00\x04"
        line.close()


async def test_questions_wait_for_their_turn_and_their_timeout_with_them() -> None:
    async def slow(request: bytes) -> Sequence[bytes]:
        await asyncio.sleep(0.3)
        return [frame(int.from_bytes(request[:2]), 7, _GOOD)]

    async with faulty_device(slow) as port:
        line = Line("127.0.0.1", port)
        answers = await asyncio.gather(*(line.ask(_QUESTION, timeout_s=2.0) for _ in range(8)))
        assert answers == [b"\x00\x01\x00\x02"] * 8
        line.close()


async def test_a_device_that_wants_silence_after_its_answer_gets_it() -> None:
    async with modbus_server(device(1, [1])) as (port, _):
        line = Line("127.0.0.1", port)
        started = asyncio.get_running_loop().time()
        await line.ask(Question(1, 3, 0, 1), timeout_s=_PLENTY_S, pause_s=0.5)
        await line.ask(Question(1, 3, 0, 1), timeout_s=_PLENTY_S)
        assert asyncio.get_running_loop().time() - started >= 0.5
        line.close()


async def test_a_stop_in_the_instant_of_an_answer_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    async with modbus_server(device(1, [1])) as (port, _):
        line = Line("127.0.0.1", port)
        await line.ask(Question(1, 3, 0, 1), timeout_s=_PLENTY_S)
        task = asyncio.create_task(line.ask(Question(1, 3, 0, 1), timeout_s=_PLENTY_S))
        note = line._note_bytes

        def stop_and_note(sending: bool, data: bytes) -> bytes:
            if not sending:
                asyncio.get_running_loop().call_soon(task.cancel)
            return note(sending, data)

        monkeypatch.setattr(line._client.ctx, "trace_packet", stop_and_note)
        with pytest.raises(asyncio.CancelledError):
            await task
        line.close()
