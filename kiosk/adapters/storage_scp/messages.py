"""What the engine and the receiver's process say to each other.

Two kinds of AF_UNIX SOCK_SEQPACKET channels, so that each packet is one message:

- the control channel, one a process: JSON either way; the engine opens retrievals (a packet with
  two descriptors: the retrieval's channel and its folder), the receiver reports alerts;
- a retrieval's channel, one a retrieval: binary records from the receiver. A retrieval is open as
  long as both ends are: an engine that dies takes all its retrievals with it.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from kiosk.digest import DIGEST_BYTES

MAX_CONTROL_BYTES: Final = 64 * 1024
MAX_HEADER_BYTES: Final = 64 * 1024
MAX_RECORD_BYTES: Final = MAX_HEADER_BYTES + 256

_STORED: Final = struct.Struct(f"<BIQ{DIGEST_BYTES}sB")
_PROGRESS: Final = struct.Struct("<BQ")

_KIND_STORED: Final = 1
_KIND_PROGRESS: Final = 2
_KIND_OPENED: Final = 3
_KIND_CONNECTED: Final = 4
_KIND_FULL: Final = 5


@dataclass(frozen=True, slots=True)
class Stored:
    """One object that is whole and on disk; sent before its C-STORE is answered."""

    number: int
    size_bytes: int
    digest: bytes
    sop_instance_uid: bytes
    header: bytes

    @property
    def file_name(self) -> str:
        return file_name(self.number)


@dataclass(frozen=True, slots=True)
class Progressing:
    """A large object is still arriving; sent about once a second."""

    size_bytes: int


@dataclass(frozen=True, slots=True)
class Opened:
    """The retrieval is open: objects are accepted from now on."""


@dataclass(frozen=True, slots=True)
class Connected:
    """A peer made an association while the retrieval was open."""


@dataclass(frozen=True, slots=True)
class SpaceShort:
    """Free space fell below the reserve: objects are refused with 0xA700."""


Record = Stored | Progressing | Opened | Connected | SpaceShort

OPENED: Final = bytes([_KIND_OPENED])
CONNECTED: Final = bytes([_KIND_CONNECTED])
SPACE_SHORT: Final = bytes([_KIND_FULL])


def file_name(number: int) -> str:
    """Of the object with this number: a counter, never made of DICOM text."""
    return f"{number:08d}"


def encode_stored(record: Stored) -> bytes:
    return (
        _STORED.pack(
            _KIND_STORED,
            record.number,
            record.size_bytes,
            record.digest,
            len(record.sop_instance_uid),
        )
        + record.sop_instance_uid
        + record.header
    )


def encode_progress(size_bytes: int) -> bytes:
    return _PROGRESS.pack(_KIND_PROGRESS, size_bytes)


def decode_record(data: bytes) -> Record:
    """Raises ValueError on anything that the receiver does not send: it parses what is hostile."""
    kind = data[0] if data else 0
    if kind == _KIND_STORED and len(data) >= _STORED.size:
        _, number, size_bytes, digest, uid_bytes = _STORED.unpack_from(data)
        uid = data[_STORED.size : _STORED.size + uid_bytes]
        if not uid or len(uid) != uid_bytes:
            raise ValueError("stored record")
        return Stored(number, size_bytes, digest, uid, data[_STORED.size + uid_bytes :])
    if kind == _KIND_PROGRESS and len(data) == _PROGRESS.size:
        return Progressing(_PROGRESS.unpack(data)[1])
    simple: dict[bytes, Record] = {
        OPENED: Opened(),
        CONNECTED: Connected(),
        SPACE_SHORT: SpaceShort(),
    }
    if data not in simple:
        raise ValueError("unknown record")
    return simple[data]
