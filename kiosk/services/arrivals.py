"""The index of what arrived: one record a whole object, appended as it comes, read by the builder.

    folder/objects/00000001 …   the objects, named by a counter
    folder/arrivals             magic, boot id and CRC-32 of both, then for each object: length,
                                payload, CRC-32 of the payload

The index is the word on what is whole. It is not synced while it grows (an object would cost 4 ms):
after a power cut its tail may be gone, which ends the reading there, and objects may hold other
bytes than their digest says, which whoever reads them again finds out. That is why it names the
boot that it was begun in: by that, not by clocks, the builder knows whether a power cut may have
come since. That all of a Study is there is not the index's to say: the retrieval's result, which is
kept elsewhere, has the inventory.
"""

from __future__ import annotations

import hashlib
import os
import struct
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final

from kiosk.digest import DIGEST_BYTES
from kiosk.domain.model import Uid
from kiosk.errors import InvalidValueError
from kiosk.ports import StoredInstance

OBJECTS: Final = "objects"
ARRIVALS: Final = "arrivals"

_MAGIC: Final = b"ARRIVAL3"  # another one is no index: what it names is retrieved anew
_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")  # random(4): a UUID, new at every boot
_BOOT_BYTES: Final = 36
_UNKNOWN: Final = "-" * _BOOT_BYTES
_LENGTH: Final = struct.Struct("<L")
_CRC: Final = struct.Struct("<L")
_FIXED: Final = struct.Struct(f"<Q{DIGEST_BYTES}sBB")  # size, digest, lengths of UID and file name
_MAX_RECORD_BYTES: Final = 1024 * 1024
_HEAD_BYTES: Final = len(_MAGIC) + _BOOT_BYTES + _CRC.size


def objects_folder(folder: Path) -> Path:
    return folder / OBJECTS


def arrivals_path(folder: Path) -> Path:
    return folder / ARRIVALS


def boot_id() -> str:
    """This boot's name; "" if the kernel does not tell (no /proc, or one of processes only)."""
    try:
        return _BOOT_ID.read_text("ascii").strip()
    except OSError:
        return ""


def is_of_this_boot(path: Path) -> bool:
    """Whether an index was begun since the machine started. Not known is no.

    Raises:
        OSError: It cannot be read.
    """
    with path.open("rb") as file:
        begun_in = _read_head(file)
    return begun_in is not None and begun_in != _UNKNOWN and begun_in == boot_id()


class ArrivalsWriter:
    """Appends records; what is torn at the end of an existing index is cut off first."""

    def __init__(self, path: Path) -> None:
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        with open(self._fd, "rb", closefd=False) as file:
            end = _intact_bytes(file)
        os.ftruncate(self._fd, end)
        os.lseek(self._fd, end, os.SEEK_SET)
        if not end:
            self._write(_head())

    def append(self, stored: StoredInstance) -> None:
        """One write a record, so that only a full disk or a power cut can tear it. Raises
        OSError.
        """
        payload = _encode(stored)
        self._write(_LENGTH.pack(len(payload)) + payload + _CRC.pack(zlib.crc32(payload)))

    def _write(self, data: bytes) -> None:
        while data:
            data = data[os.write(self._fd, data) :]

    def sync(self) -> None:
        """Once all is in: a power cut that took the end of the index would look like a whole one.

        Raises OSError.
        """
        os.fsync(self._fd)

    def close(self) -> None:
        os.close(self._fd)

    def __enter__(self) -> ArrivalsWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def read_arrivals(path: Path) -> Iterator[StoredInstance]:
    """In order of arrival, one at a time; ends at the first torn or damaged record.

    A file that is not there, or is no index, has no records.
    """
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return
    with file:
        for payload in _payloads(file):
            yield _decode(payload)


def inventory_of(sop_instance_uids: Iterable[str]) -> str:
    """Hex; one name for a set of objects, to know later whether all of them are there."""
    listing = "\n".join(sorted(sop_instance_uids))
    return hashlib.sha256(listing.encode("ascii")).hexdigest()


def count_arrivals(path: Path) -> int:
    """How many `read_arrivals` would give."""
    try:
        with path.open("rb") as file:
            return sum(1 for _ in _payloads(file))
    except FileNotFoundError:
        return 0


def follow_arrivals(path: Path, is_complete: Callable[[], bool]) -> Iterator[StoredInstance]:
    """As `read_arrivals`, of an index that still grows.

    Args:
        is_complete: Asked when nothing more is there, and may wait a little. Once it says yes,
            what the index holds then is read to its end, and that is all.
    """
    end, is_last = 0, False
    while True:
        if path.exists():
            with path.open("rb") as file:
                if end:
                    file.seek(end)
                for payload in _records(file) if end else _payloads(file):
                    end = (end or _HEAD_BYTES) + _LENGTH.size + len(payload) + _CRC.size
                    yield _decode(payload)
        if is_last:
            return
        is_last = is_complete()


def _head() -> bytes:
    named = boot_id().encode("ascii", "replace")
    head = _MAGIC + (named if len(named) == _BOOT_BYTES else _UNKNOWN.encode())
    return head + _CRC.pack(zlib.crc32(head))


def _read_head(file: BinaryIO) -> str | None:
    """The boot that it was begun in; None if it is no index."""
    head = file.read(_HEAD_BYTES)
    named, crc = head[: -_CRC.size], head[-_CRC.size :]
    if len(head) != _HEAD_BYTES or not head.startswith(_MAGIC):
        return None
    if _CRC.unpack(crc)[0] != zlib.crc32(named):
        return None
    return named[len(_MAGIC) :].decode("ascii", "replace")


def _payloads(file: BinaryIO) -> Iterator[bytes]:
    if _read_head(file) is not None:
        yield from _records(file)


def _records(file: BinaryIO) -> Iterator[bytes]:
    while len(head := file.read(_LENGTH.size)) == _LENGTH.size:
        (length,) = _LENGTH.unpack(head)
        if not _FIXED.size <= length <= _MAX_RECORD_BYTES:
            return
        payload, crc = file.read(length), file.read(_CRC.size)
        if len(crc) != _CRC.size or _CRC.unpack(crc)[0] != zlib.crc32(payload):
            return
        yield payload


def _intact_bytes(file: BinaryIO) -> int:
    end = 0
    for payload in _payloads(file):
        end = (end or _HEAD_BYTES) + _LENGTH.size + len(payload) + _CRC.size
    return end


def _encode(stored: StoredInstance) -> bytes:
    uid, name = stored.sop_instance_uid.encode(), stored.file_name.encode()
    fixed = _FIXED.pack(stored.size_bytes, stored.digest, len(uid), len(name))
    return fixed + uid + name + stored.header


def _decode(payload: bytes) -> StoredInstance:
    size_bytes, digest, uid_bytes, name_bytes = _FIXED.unpack_from(payload)
    at = _FIXED.size + uid_bytes
    name = payload[at : at + name_bytes].decode("ascii")
    if not name.isdigit():  # whoever joins it to a path relies on this
        raise InvalidValueError("an arrival's file name is not a counter")
    return StoredInstance(
        sop_instance_uid=Uid(payload[_FIXED.size : at].decode("ascii")),
        file_name=name,
        size_bytes=size_bytes,
        digest=digest,
        header=payload[at + name_bytes :],
    )
