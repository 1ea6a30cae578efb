"""One Modbus TCP connection, shared in turn by all units behind it."""

import asyncio
from dataclasses import dataclass
from typing import NoReturn

from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException
from pymodbus.pdu import DecodePDU, ModbusPDU
from pymodbus.pdu.bit_message import ReadCoilsRequest, ReadDiscreteInputsRequest
from pymodbus.pdu.register_message import ReadHoldingRegistersRequest, ReadInputRegistersRequest

from edge.errors import DeviceError, DeviceRefused, DeviceUnreachable

_SILENCES_BEFORE_RECONNECTING = 3
"""Questions in a row, to whichever units, that nobody answered: the connection may be half open, which nothing
tells and only a new one mends."""

_LIBRARY_TIMEOUT_S = 3_600.0
"""Out of the way: a device has a timeout of its own, and after a few of the library's it would cut the connection,
and with it every other unit behind the gateway."""

_REQUESTS: dict[int, type[ModbusPDU]] = {
    1: ReadCoilsRequest,
    2: ReadDiscreteInputsRequest,
    3: ReadHoldingRegistersRequest,
    4: ReadInputRegistersRequest,
}
_BIT_FUNCTIONS = (1, 2)
_EXCEPTION_BIT = 0x80
_EXCEPTIONS = {
    1: "illegal function",
    2: "illegal data address",
    3: "illegal data value",
    4: "device failure",
    5: "acknowledged, still working",
    6: "device busy",
    8: "memory parity error",
    10: "gateway path unavailable",
    11: "no answer from the unit behind the gateway",
}
_PASSING_EXCEPTIONS = {5, 6, 10, 11}
"""They say "not now": the same question may be answered later."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a unit."""

    unit: int
    function: int
    address: int
    count: int

    def __str__(self) -> str:
        return f"unit {self.unit}, function {self.function}, address {self.address}, count {self.count}"

    @property
    def reads_bits(self) -> bool:
        """Whether the answer holds bits instead of registers."""
        return self.function in _BIT_FUNCTIONS

    @property
    def answer_bytes(self) -> int:
        """How much data the answer must hold."""
        return (self.count + 7) // 8 if self.reads_bits else 2 * self.count


class Line:
    """A connection that is made when it is needed, and made again for ever."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self._turn = asyncio.Lock()
        self._client: AsyncModbusTcpClient | None = None
        self._deadline: asyncio.Timeout | None = None
        self._quiet_until_s = 0.0
        self._silences = 0
        self._sent = b""
        self._heard = b""
        """What has come since the last question was sent, from the last frame's beginning on."""

    def __str__(self) -> str:
        return f"{self._host}:{self._port}"

    async def ask(self, question: Question, *, timeout_s: float, pause_s: float = 0.0) -> bytes:
        """Return the data of the answer: two bytes a register, or eight bits a byte, the first one lowest.

        Args:
            question: must be within what one request may ask.
            timeout_s: for this question alone; waiting for its turn does not count.
            pause_s: silence that the device wants after its answer.

        Raises:
            DeviceUnreachable: no connection, no answer in time, or an answer that says "not now".
            DeviceRefused: any other exception code, or something that is no answer to the question.
        """
        async with self._turn:
            if self._quiet_until_s:
                await asyncio.sleep(self._quiet_until_s - asyncio.get_running_loop().time())
            try:
                return await self._exchange(question, timeout_s)
            finally:
                self._quiet_until_s = asyncio.get_running_loop().time() + pause_s if pause_s else 0.0

    def close(self) -> None:
        """Let go of the connection; the next question makes a new one."""
        if self._client is not None:
            self._client.close()
        self._client = None
        self._silences = 0
        self._heard = b""

    async def _exchange(self, question: Question, timeout_s: float) -> bytes:
        if not _is_whole(self._heard):
            self.close()  # or the rest of a late answer would be taken for the beginning of the present one
        request = _REQUESTS[question.function](address=question.address, count=question.count, dev_id=question.unit)
        try:
            async with asyncio.timeout(timeout_s) as self._deadline:
                client = await self._connected()
                answer = await client.execute(no_response_expected=False, request=request)
        except TimeoutError:
            self._give_up(question, request.transaction_id, timeout_s)
        except (ModbusException, OSError) as error:
            self.close()
            raise DeviceUnreachable(f"{self}: {question}: {error}") from error
        finally:
            self._deadline = None
        _pass_cancellation_on()
        self._silences = 0
        return self._data(question, request.transaction_id, answer)

    async def _connected(self) -> AsyncModbusTcpClient:
        if self._client is None or not self._client.connected:
            self.close()
            # A client of its own for each connection: what is left of an old one can't touch the new.
            self._client = AsyncModbusTcpClient(
                self._host,
                port=self._port,
                timeout=_LIBRARY_TIMEOUT_S,
                retries=0,
                reconnect_delay=0,
                trace_packet=self._note_bytes,
                trace_connect=self._note_connection,
            )
            self._client.ctx.framer.decoder = _WholeFrames(is_server=False)
            if not await self._client.connect():
                raise DeviceUnreachable(f"{self}: no connection: refused, or no way there")
        return self._client

    def _note_bytes(self, sending: bool, data: bytes) -> bytes:  # noqa: FBT001  the library's signature
        if sending:
            self._sent, self._heard = data, b""
        else:
            self._heard = data
        return data

    def _note_connection(self, connected: bool) -> None:  # noqa: FBT001  the library's signature
        if not connected and self._deadline is not None and not self._deadline.expired():
            self._deadline.reschedule(asyncio.get_running_loop().time())  # no answer can come any more

    def _give_up(self, question: Question, transaction: int, timeout_s: float) -> NoReturn:
        error = self._why_silent(transaction, timeout_s)
        self._silences += 1
        if self._silences >= _SILENCES_BEFORE_RECONNECTING:
            self.close()
        raise type(error)(f"{self}: {question}: {error}")

    def _why_silent(self, transaction: int, timeout_s: float) -> DeviceError:
        if self._client is None or not self._client.connected:
            return DeviceUnreachable(f"the connection was not there, or went, within {timeout_s} s{self._shown()}")
        if not self._heard:
            return DeviceUnreachable(f"no answer within {timeout_s} s; asked {self._sent.hex(' ')}")
        if not _is_whole(self._heard):
            return DeviceRefused(f"what came is no whole Modbus frame{self._shown()}")
        if int.from_bytes(self._heard[:2]) != transaction:
            return DeviceUnreachable(f"only a late answer came within {timeout_s} s{self._shown()}")
        return DeviceRefused(f"unit {self._heard[6]} answered in its place{self._shown()}")

    def _data(self, question: Question, transaction: int, answer: "_Frame") -> bytes:
        """Return what the answer holds, once everything in it fits the question."""
        pdu = answer.pdu
        if answer.transaction_id != transaction or answer.dev_id != question.unit:
            raise DeviceRefused(f"{self}: {question}: the answer is to another question{self._shown()}")
        if pdu[0] == question.function | _EXCEPTION_BIT and len(pdu) > 1:
            kind = DeviceUnreachable if pdu[1] in _PASSING_EXCEPTIONS else DeviceRefused
            reason = _EXCEPTIONS.get(pdu[1], "not in the standard")
            raise kind(f"{self}: {question}: exception code {pdu[1]} ({reason}){self._shown()}")
        data = pdu[2:]
        if pdu[0] != question.function or len(data) != question.answer_bytes or pdu[1] != len(data):
            raise DeviceRefused(
                f"{self}: {question}: the answer must have function {question.function} and "
                f"{question.answer_bytes} bytes of data{self._shown()}"
            )
        return data

    def _shown(self) -> str:
        return f"; asked {self._sent.hex(' ')}, heard {self._heard.hex(' ') or 'nothing'}"


class _Frame(ModbusPDU):
    """What came, from the function code on, not yet looked into."""

    pdu: bytes = b""


class _WholeFrames(DecodePDU):
    """Hands frames over as they came: the library would drop the connection over one that it can't decode."""

    def decode(self, frame: bytes) -> ModbusPDU:
        whole = _Frame()
        whole.pdu = frame
        return whole


def _is_whole(heard: bytes) -> bool:
    """Return whether `heard` is a row of complete frames: transaction, protocol 0, length, then so many bytes."""
    at = 0
    while len(heard) - at >= 8 and heard[at + 2 : at + 4] == b"\0\0":
        at += 6 + int.from_bytes(heard[at + 4 : at + 6])
    return at == len(heard)


def _pass_cancellation_on() -> None:
    """Raise what asyncio.wait_for of Python 3.11 swallows when the answer comes in the same instant."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
