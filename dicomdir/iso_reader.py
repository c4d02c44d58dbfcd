"""IsoReader: an ISO 9660 image or disc read at random, trusting nothing that is written on it.

Ours and not pycdlib's, because it also reads discs made by others and by accidents: every length
and position is checked against a limit before it is used, and what the rules of PS3.12 Annex F
speak about (raw identifiers, flags, system-use bytes) is shown as it stands there.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from struct import Struct
from typing import Final

from dicomdir.errors import ImageError

BLOCK_BYTES: Final = 2048

_FIRST_DESCRIPTOR_BLOCK: Final = 16  # ECMA-119 6.2.1: the system area is blocks 0 to 15
_MAX_DESCRIPTORS: Final = 32
_MAX_DIRECTORY_BYTES: Final = 32 << 20
_MAX_RECORDS: Final = 250_000
_MAX_ALL_BYTES: Final = 256 << 20  # of all directories together
_MAX_PATHS: Final = 32 << 20  # characters of all paths together
_MAX_DEPTH: Final = 32
_USUAL = re.compile(rb"[A-Za-z0-9_.\-]+")
_DIRECTORY_FLAG: Final = 0x02
_MIN_RECORD_BYTES: Final = 34  # ECMA-119 9.1, with an identifier of one byte


@dataclass(frozen=True, slots=True)
class IsoRecord:
    """One directory record (ECMA-119 9.1).

    Attributes:
        path: Components joined by "/", without version and without a dot at the end; characters
            that are not printable ASCII are shown as backslash escapes.
        identifier: As recorded, such as b"DICOMDIR.;1".
        extent: First block of the content.
        flags: File flags: bit 0 hidden, 1 directory, 3 record format, 4 protection.
        attribute_length: Length of the extended attribute record, in blocks.
        system_use_bytes: Length of what stands behind the identifier.
        level: Directory level that the record itself lies on; the root's entries have 1.
        date: Recording date and time, 7 bytes (ECMA-119 9.1.5).
        is_consistent: Numbers that are recorded in both byte orders agree.
    """

    path: str
    identifier: bytes
    extent: int
    size_bytes: int
    flags: int
    attribute_length: int
    system_use_bytes: int
    level: int
    date: bytes = b""
    is_consistent: bool = True

    @property
    def is_directory(self) -> bool:
        return bool(self.flags & _DIRECTORY_FLAG)

    @property
    def offset_bytes(self) -> int:
        return (self.extent + self.attribute_length) * BLOCK_BYTES


class IsoReader:
    """The primary volume of an ISO 9660 image.

    Args:
        read: Gives `size` bytes at `offset` of the image or medium; fewer only at its end.
    Raises:
        ImageError: There is no primary volume descriptor, or a read came back short.

    Attributes:
        descriptor_types: Type byte of each volume descriptor, in order, without the terminator.
        system_id, volume_id: As recorded, 32 bytes each.
        blocks: Volume space size.
    """

    def __init__(self, read: Callable[[int, int], bytes]) -> None:
        self._read = read
        self.descriptor_types: list[int] = []
        primary = b""
        for number in range(_MAX_DESCRIPTORS):
            block = self._read_exactly(
                (_FIRST_DESCRIPTOR_BLOCK + number) * BLOCK_BYTES, BLOCK_BYTES
            )
            if block[1:6] != b"CD001":
                raise ImageError("no ISO 9660 volume descriptor where one is due")
            if block[0] == 255:  # ECMA-119 8.3: set terminator
                break
            self.descriptor_types.append(block[0])
            if block[0] == 1 and not primary:
                primary = block
        else:
            raise ImageError("the volume descriptors have no end")
        if not primary:
            raise ImageError("no primary volume descriptor")
        self.system_id = primary[8:40]
        self.volume_id = primary[40:72]
        self.blocks = int.from_bytes(primary[80:84], "little")
        self.is_consistent = _agree(primary, 80, 4) and _agree(primary, 132, 4)
        self.block_bytes = int.from_bytes(primary[128:130], "little")
        if self.block_bytes != BLOCK_BYTES:
            raise ImageError("the logical block is not 2048 bytes")
        self._root = primary[156:190]
        self._table_bytes = int.from_bytes(primary[132:136], "little")
        self._tables = (
            (int.from_bytes(primary[140:144], "little"), "little"),
            (int.from_bytes(primary[148:152], "big"), "big"),
        )

    def system_area(self) -> bytes:
        """The 32 KiB before the first volume descriptor."""
        return self._read_exactly(0, _FIRST_DESCRIPTOR_BLOCK * BLOCK_BYTES)

    def block(self, number: int) -> bytes:
        """One block of 2048 bytes, shorter or empty behind the end."""
        return self._read(number * BLOCK_BYTES, BLOCK_BYTES)

    def records(self) -> Iterator[IsoRecord]:
        """Every file and directory, a directory before what is in it; the root itself is left out.

        Raises:
            ImageError: A directory is not one, is entered twice or is too deep or too large.
        """
        seen: set[int] = set()
        root = _parse(self._root, "", 0)
        stack = [root]
        count = size = letters = 0
        while stack:
            folder = stack.pop()
            if folder.extent in seen:
                raise ImageError("a directory is entered twice")
            seen.add(folder.extent)
            if folder.level >= _MAX_DEPTH:
                raise ImageError("directories are nested too deep")
            size += folder.size_bytes
            if size > _MAX_ALL_BYTES:
                raise ImageError("the directories together are too large")
            below = []
            for record in self._children(folder):
                count += 1
                letters += len(record.path)
                if count > _MAX_RECORDS or letters > _MAX_PATHS:
                    raise ImageError("too many directory records")
                yield record
                if record.is_directory:
                    below.append(record)
            stack.extend(reversed(below))

    def files(self) -> Iterator[IsoRecord]:
        """Every file, in directory order."""
        return (record for record in self.records() if not record.is_directory)

    def path_tables(self) -> Iterator[list[tuple[bytes, int, int]]]:
        """Both path tables (ECMA-119 9.4): identifier, extent and number of the parent of each.

        Raises:
            ImageError: One is too large or its entries do not fill it.
        """
        if self._table_bytes > _MAX_DIRECTORY_BYTES:
            raise ImageError("the path table is too large")
        for block, order in self._tables:
            data = self._read_exactly(block * BLOCK_BYTES, self._table_bytes)
            unpack = Struct("<BBIH" if order == "little" else ">BBIH").unpack_from
            entries, at = [], 0
            while at < len(data):
                if at + 9 > len(data):
                    raise ImageError("the path table ends inside an entry")
                length, _, extent, parent = unpack(data, at)
                entries.append((data[at + 8 : at + 8 + length], extent, parent))
                at += 8 + length + length % 2
            yield entries

    def find(self, path: str) -> IsoRecord | None:
        """The file of this path, None if there is none. Walks only the directories on the way."""
        folder = _parse(self._root, "", 0)
        *parents, _ = path.split("/")
        for level in range(len(parents)):
            wanted = "/".join(parents[: level + 1])
            step = next(
                (r for r in self._children(folder) if r.is_directory and r.path == wanted), None
            )
            if step is None:
                return None
            folder = step
        return next(
            (r for r in self._children(folder) if not r.is_directory and r.path == path), None
        )

    def read(self, record: IsoRecord, offset_bytes: int, size_bytes: int) -> bytes:
        """Bytes of a file; fewer than asked for only at the file's end."""
        size_bytes = max(0, min(size_bytes, record.size_bytes - offset_bytes))
        return self._read_exactly(record.offset_bytes + offset_bytes, size_bytes)

    def _children(self, folder: IsoRecord) -> Iterator[IsoRecord]:
        if folder.size_bytes > _MAX_DIRECTORY_BYTES or folder.size_bytes % BLOCK_BYTES:
            raise ImageError("the size of a directory is impossible")
        data = self._read_exactly(folder.offset_bytes, folder.size_bytes)
        at = 0
        number = 0
        while at < len(data):
            length = data[at]
            if length == 0:  # ECMA-119 6.8.1.1: no record crosses a block; go on in the next
                at = (at // BLOCK_BYTES + 1) * BLOCK_BYTES
                continue
            record = data[at : at + length]
            if len(record) < length or at // BLOCK_BYTES != (at + length - 1) // BLOCK_BYTES:
                raise ImageError("a directory record crosses its block")
            at += length
            number += 1
            if number > 2:  # the first two are the directory itself and its parent
                yield _parse(record, folder.path, folder.level + 1)

    def _read_exactly(self, offset: int, size: int) -> bytes:
        data = self._read(offset, size) if size else b""
        if len(data) != size:
            raise ImageError("the image ends before what it points to")
        return data


def _parse(record: bytes, parent: str, level: int) -> IsoRecord:
    if len(record) < _MIN_RECORD_BYTES or len(record) < 33 + record[32]:
        raise ImageError("a directory record is too short")
    identifier = record[33 : 33 + record[32]]
    used = 33 + len(identifier) + (len(identifier) % 2 == 0)
    name = identifier.partition(b";")[0].removesuffix(b".")
    if level == 0:
        shown = ""
    elif _USUAL.fullmatch(name):
        shown = name.decode("ascii")
    else:
        shown = "".join(chr(c) if 0x21 <= c <= 0x7E and c != 0x2F else f"\\x{c:02x}" for c in name)
    return IsoRecord(
        path=f"{parent}/{shown}" if parent else shown,
        identifier=identifier,
        extent=int.from_bytes(record[2:6], "little"),
        size_bytes=int.from_bytes(record[10:14], "little"),
        flags=record[25],
        attribute_length=record[1],
        system_use_bytes=max(0, len(record) - used),
        level=level,
        date=record[18:25],
        is_consistent=record[2:6] == record[9:5:-1] and record[10:14] == record[17:13:-1],
    )


def _agree(data: bytes, at: int, width: int) -> bool:
    """A number in both byte orders (ECMA-119 7.3.3)."""
    return data[at : at + width] == data[at + width : at + 2 * width][::-1]


@contextmanager
def open_image(path: Path) -> Iterator[IsoReader]:
    """An image file as an IsoReader.

    Raises:
        ImageError: It is not an ISO 9660 image.
        OSError: It cannot be read.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield IsoReader(lambda offset, size: os.pread(descriptor, size, offset))
    finally:
        os.close(descriptor)
