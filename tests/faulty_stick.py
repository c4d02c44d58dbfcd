"""Sticks that are sound only up to their real end, as files of a FUSE file system of our own."""

from __future__ import annotations

import errno
import os
import struct
from typing import ClassVar

from tests.crash.volatile_fs import Gone, Server, VolatileFs

REAL_BYTES = 32 * 1024 * 1024


def _extent(body: bytes) -> tuple[int, int]:
    _, offset, size = struct.unpack_from("<QQI", body)
    return offset, size


class _Folding(Server):
    """The upper bits of an address mean nothing: the end lies upon the beginning."""

    def _read(self, node: int, body: bytes) -> bytes:
        offset, size = _extent(body)
        start = offset % REAL_BYTES
        return bytes(self._file_of(node).data[start : start + size]).ljust(size, b"\0")

    def _write(self, node: int, body: bytes) -> bytes:
        offset, size = _extent(body)
        self._file_of(node).write(offset % REAL_BYTES, body[40 : 40 + size])
        return struct.pack("<II", size, 0)


class _Forgetful(Server):
    """Takes everything, keeps nothing behind the end."""

    def _write(self, node: int, body: bytes) -> bytes:
        offset, size = _extent(body)
        if offset < REAL_BYTES:
            self._file_of(node).write(offset, body[40 : 40 + size])
        return struct.pack("<II", size, 0)


class _Unwritable(Server):
    def _write(self, node: int, body: bytes) -> bytes:
        if _extent(body)[0] >= REAL_BYTES:
            raise Gone(errno.EIO, os.strerror(errno.EIO))
        return super()._write(node, body)


class _Unreadable(Server):
    def _read(self, node: int, body: bytes) -> bytes:
        if _extent(body)[0] >= REAL_BYTES:
            raise Gone(errno.EIO, os.strerror(errno.EIO))
        return super()._read(node, body)


class FaultyStick(VolatileFs):
    """One of those below. A power cut is not what they are for."""

    REAL_BYTES: ClassVar = REAL_BYTES


class FoldingStick(FaultyStick):
    server = _Folding


class ForgetfulStick(FaultyStick):
    server = _Forgetful


class UnwritableStick(FaultyStick):
    server = _Unwritable


class UnreadableStick(FaultyStick):
    server = _Unreadable
