"""Read requests and their answers as they stand on a serial line (Modbus over Serial Line V1.02, section 2.5.1)."""

import struct
from dataclasses import dataclass

from protocols.errors import DictionaryError
from protocols.modbus.declarations import Function

_REQUEST_BYTES = 8
_ENVELOPE_BYTES = 5  # unit, function code, byte count, and two of CRC
_EXCEPTION = 0x80


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadExchange:
    """A read that a unit answered."""

    unit: int
    function: Function
    address: int
    answer: tuple[int, ...]
    """Registers, or bits as 0 and 1."""


def parse_exchange(request: str, response: str) -> ReadExchange:
    """Return what two frames in hexadecimal digits say; blanks between the digits are free.

    Raises:
        DictionaryError: a frame is damaged, is no read, or the answer does not fit the request.
    """
    asked, answered = _frame("request", request), _frame("response", response)
    if len(asked) != _REQUEST_BYTES or asked[1] not in set(Function):
        raise DictionaryError(f"request {request!r} is no read request of 8 bytes with function code 1, 2, 3 or 4")
    unit, code, address, count = struct.unpack(">BBHH", asked[:6])
    if answered[1] == code | _EXCEPTION:
        raise DictionaryError(f"response {response!r} is exception {answered[2]}; put in an answer with values")
    function = Function(code)
    size_bytes = (count + 7) // 8 if function.reads_bits else 2 * count
    if answered[:3] != bytes([unit, code, size_bytes]) or len(answered) != size_bytes + _ENVELOPE_BYTES:
        raise DictionaryError(f"response {response!r} does not answer unit {unit}, function {code}, count {count}")
    data = answered[3:-2]
    return ReadExchange(unit=unit, function=function, address=address, answer=_answer(function, count, data))


def crc16(data: bytes) -> bytes:
    """Return the check sum that follows the data on the line, low byte first."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0xA001 if crc & 1 else crc >> 1
    return crc.to_bytes(2, "little")


def _answer(function: Function, count: int, data: bytes) -> tuple[int, ...]:
    if function.reads_bits:
        return tuple(data[index // 8] >> index % 8 & 1 for index in range(count))
    return struct.unpack(f">{count}H", data)


def _frame(name: str, digits: str) -> bytes:
    try:
        frame = bytes.fromhex(digits)
    except ValueError as error:
        raise DictionaryError(f"{name} {digits!r} must be pairs of hexadecimal digits") from error
    if len(frame) < _ENVELOPE_BYTES:
        raise DictionaryError(f"{name} {digits!r} is too short for a frame")
    if crc16(frame[:-2]) != frame[-2:]:
        wanted = crc16(frame[:-2]).hex(" ").upper()
        raise DictionaryError(f"{name} {digits!r} ends in a wrong check sum; its bytes make {wanted}")
    return frame
