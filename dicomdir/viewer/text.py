"""Bytes as text that a script file can hold without an escape: 15 bits a UTF-16 character.

U+3000 to U+AFFF is one block of 32,768 code points without surrogates, quotes, line ends or
backslashes. 15 bytes make 8 characters: two 64-bit lanes, spread with shifts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from isal import isal_zlib

_FIRST: Final = 0x3000
_GROUPS: Final = 4096  # of 15 bytes at a time: all of it stays in the processor's cache
_BOM: Final = b"\xff\xfe"
_CALL: Final = "SENDHOME"
_MAX_CRC_DIGITS: Final = 10

_LOW_60 = np.uint64((1 << 60) - 1)
_LOW_30 = np.uint64((1 << 30) - 1)
_ODD = np.uint64(0x00007FFF_00007FFF)
_OFFSETS = np.uint64(_FIRST * 0x0001_0001_0001_0001)
_ONE, _FOUR, _THIRTY, _THIRTY_TWO = (np.uint64(n) for n in (1, 4, 30, 32))


def characters(size_bytes: int) -> int:
    """How many characters so many bytes become."""
    return -(-size_bytes * 8 // 15)


def encode_text(data: bytes | bytearray | memoryview) -> memoryview:
    """UTF-16LE of the payload, without byte-order mark.

    Bits from the least significant one on; the last character is filled up with zero bits.
    """
    size = len(data)
    groups = -(-size // 15)
    made = np.empty((groups, 2), "<u8")
    block = np.zeros(15 * _GROUPS, np.uint8)
    lanes = np.empty((2, _GROUPS), np.uint64)
    spare = np.empty((2, _GROUPS), np.uint64)
    source = np.frombuffer(data, np.uint8)
    for first in range(0, groups, _GROUPS):
        count = min(_GROUPS, groups - first)
        piece = source[15 * first : 15 * (first + count)]
        if len(piece) == 15 * count:
            buffer = piece
        else:
            block[: len(piece)] = piece
            block[len(piece) :] = 0
            buffer = block
        x, t = lanes[:, :count], spare[:, :count]
        for lane, offset in enumerate((0, 7)):  # bits 0 to 59, and 60 to 119 from bit 56 on
            np.copyto(x[lane], np.ndarray((count,), "<u8", buffer, offset, (15,)))
        np.bitwise_and(x[0], _LOW_60, out=x[0])
        np.right_shift(x[1], _FOUR, out=x[1])
        # 60 bits to two halves of 30, each of them to two characters of 15, 16 bits apart
        np.bitwise_and(x, _LOW_30, out=t)
        np.right_shift(x, _THIRTY, out=x)
        np.left_shift(x, _THIRTY_TWO, out=x)
        np.bitwise_or(x, t, out=x)
        np.bitwise_and(x, _ODD, out=t)
        np.bitwise_xor(x, t, out=x)
        np.left_shift(x, _ONE, out=x)
        np.bitwise_or(x, t, out=x)
        np.add(x, _OFFSETS, out=x)
        made[first : first + count, 0] = x[0]
        made[first : first + count, 1] = x[1]
    return made.reshape(-1).view(np.uint8).data[: 2 * characters(size)]


def data_file(name: str, payload: bytes | bytearray | memoryview, before: str = "") -> bytes:
    """A whole data file: one call that hands its payload over.

    Args:
        name: Such as "S0000001/META".
        before: Script that stands before the call.
    """
    head = f'{before}{_CALL}("{name}",{len(payload)},{isal_zlib.crc32(payload)},"'
    return b"".join(
        (_BOM, head.encode("utf-16-le"), encode_text(payload), '")'.encode("utf-16-le"))
    )


def joined(files: Sequence[bytes]) -> bytes:
    """Several data files as one, whose calls come one after the other."""
    return files[0] + b"".join(";".encode("utf-16-le") + it[len(_BOM) :] for it in files[1:])


def file_bytes(name: str, payload_bytes: int) -> int:
    """How long `data_file` will be, at most: its checksum may have fewer digits."""
    head = len(f'{_CALL}("{name}",{payload_bytes},,"') + _MAX_CRC_DIGITS + len('")')
    return len(_BOM) + 2 * (head + characters(payload_bytes))
