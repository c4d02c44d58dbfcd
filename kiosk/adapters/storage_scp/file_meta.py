"""The head of each file that the receiver writes: preamble, prefix and group 2 (PS3.10 7.1)."""

from __future__ import annotations

import struct

from kiosk.adapters.dimse.pdu import IMPLEMENTATION_UID, IMPLEMENTATION_VERSION
from kiosk.adapters.storage_scp.machine import StoreRequest


def file_meta(request: StoreRequest) -> bytes:
    """Preamble of zeros and group 2 (PS3.10 7.1): made by us, so that nothing executable gets
    in.
    """
    body = (
        b"\x02\0\x01\0OB\0\0\x02\0\0\0\0\x01"
        + _ui(0x02, request.sop_class_uid)
        + _ui(0x03, request.sop_instance_uid)
        + _ui(0x10, request.transfer_syntax)
        + _ui(0x12, IMPLEMENTATION_UID)
        + _short(0x13, b"SH", IMPLEMENTATION_VERSION, b" ")
    )
    return bytes(128) + b"DICM" + struct.pack("<HH2sHL", 2, 0, b"UL", 4, len(body)) + body


def _ui(number: int, value: bytes) -> bytes:
    return _short(number, b"UI", value, b"\0")


def _short(number: int, vr: bytes, value: bytes, padding: bytes) -> bytes:
    if len(value) % 2:
        value += padding
    return struct.pack("<HH2sH", 2, number, vr, len(value)) + value
