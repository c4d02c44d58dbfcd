"""Command sets (PS3.7 6.3, annex E) and flat identifiers: Implicit VR Little Endian, element by
element.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from typing import Final

from kiosk.adapters.dimse.pdu import ProtocolError

AFFECTED_SOP_CLASS: Final = 0x0002
COMMAND_FIELD: Final = 0x0100
MESSAGE_ID: Final = 0x0110
MESSAGE_ID_BEING_RESPONDED_TO: Final = 0x0120
MOVE_DESTINATION: Final = 0x0600
PRIORITY: Final = 0x0700
DATA_SET_TYPE: Final = 0x0800
STATUS: Final = 0x0900
AFFECTED_SOP_INSTANCE: Final = 0x1000
REMAINING: Final = 0x1020
COMPLETED: Final = 0x1021
FAILED: Final = 0x1022
WARNING: Final = 0x1023
MOVE_ORIGINATOR_AE: Final = 0x1030
MOVE_ORIGINATOR_MESSAGE_ID: Final = 0x1031

C_STORE_RQ: Final = 0x0001
C_FIND_RQ: Final = 0x0020
C_MOVE_RQ: Final = 0x0021
C_ECHO_RQ: Final = 0x0030
C_CANCEL_RQ: Final = 0x0FFF
IS_RESPONSE: Final = 0x8000
NO_DATA_SET: Final = 0x0101

MAX_COMMAND_BYTES: Final = 4096  # a C-STORE-RQ has about 200; a failed UID list is in the data set
MAX_ELEMENTS: Final = 64

SUCCESS: Final = 0x0000
PENDING: Final = (0xFF00, 0xFF01)

_ELEMENT: Final = struct.Struct("<HHL")
_US: Final = struct.Struct("<H")
_UID: Final = re.compile(rb"(?=.{1,64}\Z)(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*))+")


def encode_elements(elements: Mapping[int, bytes]) -> bytes:
    """Tags (group in the upper 16 bits) and even-length values, in ascending order."""
    return b"".join(
        _ELEMENT.pack(tag >> 16, tag & 0xFFFF, len(elements[tag])) + elements[tag]
        for tag in sorted(elements)
    )


def decode_elements(data: bytes, *, max_elements: int) -> dict[int, bytes]:
    """Flat elements by tag, each value as it stands.

    Raises:
        ProtocolError: Not ascending, cut short, nested with undefined length, or too many.
    """
    found: dict[int, bytes] = {}
    at, end, last = 0, len(data), -1
    while at < end:
        if end - at < 8:
            raise ProtocolError("element.short")
        group, number, length = _ELEMENT.unpack_from(data, at)
        at += 8
        tag = group << 16 | number
        if tag <= last or len(found) == max_elements:
            raise ProtocolError("element.order")
        if length > end - at:
            raise ProtocolError("element.length")
        found[tag] = data[at : at + length]
        at += length
        last = tag
    return found


def encode_command(elements: Mapping[int, bytes]) -> bytes:
    """A command set with its group length (PS3.7 E.1); keys are element numbers of group 0000."""
    rest = encode_elements(elements)
    return encode_elements({0: struct.pack("<L", len(rest))}) + rest


def decode_command(data: bytes) -> dict[int, bytes]:
    """Raises ProtocolError unless it is group 0000 and nothing else."""
    found = decode_elements(data, max_elements=MAX_ELEMENTS)
    if found and max(found) > 0xFFFF:
        raise ProtocolError("command.group")
    return found


def us(value: int) -> bytes:
    return _US.pack(value)


def read_us(command: Mapping[int, bytes], number: int) -> int:
    """Raises ProtocolError if it is missing or not one unsigned short."""
    value = command.get(number, b"")
    if len(value) != 2:
        raise ProtocolError("command.us")
    return int(_US.unpack(value)[0])


def optional_us(command: Mapping[int, bytes], number: int) -> int:
    """0 where the archive leaves a counter out."""
    return read_us(command, number) if command.get(number) else 0


def ui(value: bytes) -> bytes:
    """A UID padded to even length with NUL (PS3.5 9.1)."""
    return value + b"\0" if len(value) % 2 else value


def ae(value: bytes) -> bytes:
    return value + b" " if len(value) % 2 else value


def read_uid(elements: Mapping[int, bytes], tag: int) -> bytes:
    """A UID without padding, b"" if it is missing or is none."""
    value = elements.get(tag, b"").rstrip(b"\0 ")
    return value if _UID.fullmatch(value) else b""
