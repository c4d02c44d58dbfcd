"""FatReader: a FAT12, FAT16 or FAT32 volume read at random, trusting nothing that is written on it.

For checks of sticks and of their images, with a partition table or without. Every number is checked
before it is used; no cluster is walked twice, so chains that bite their tails or each other end,
and time and memory are bounded by the size of the medium. Layout by Microsoft's FAT specification
1.03 ("fatgen103"); sections named so.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from dicomdir.errors import ImageError

SECTOR_BYTES: Final = 512
FAT_TYPES: Final = frozenset((0x04, 0x06, 0x0B, 0x0C, 0x0E))  # partition types that mean FAT
_BOOTABLE: Final = 0x80
_GPT: Final = 0xEE
_MAX_ENTRIES: Final = 250_000  # of the whole tree
_MAX_FOLDER_BYTES: Final = 2 << 20  # "FAT Directory Structure": 65,536 entries
_MAX_PATHS: Final = 32 << 20  # characters of all paths together
_MAX_DEPTH: Final = 32
_WINDOW_BYTES: Final = 48 << 10  # of the table; a multiple of 3, 2 and 4
_LABEL, _FOLDER, _HIDDEN, _SYSTEM, _LONG = 0x08, 0x10, 0x02, 0x04, 0x0F
_END = {12: 0xFF8, 16: 0xFFF8, 32: 0x0FFFFFF8}

Read = Callable[[int, int], bytes]


@dataclass(frozen=True, slots=True)
class Partition:
    """One entry of a partition table.

    Attributes:
        start: In bytes.
    """

    kind: int
    start: int
    is_bootable: bool


@dataclass(slots=True)
class FatEntry:
    """One directory entry.

    Attributes:
        path: Short names joined by "/", as recorded; what is not printable ASCII is shown as
            backslash escapes.
        shown: The name that people see: the long one, or the short one with its case flags.
        has_long_name: There are long-name entries (attribute 0x0F).
        case_flags: Byte 12: 0x08 the stem and 0x10 the extension are shown in lower case.
        runs: First byte on the medium and length of each piece of a file, in order.
        fault: What is wrong with its clusters, "" if nothing.
    """

    path: str
    shown: str
    has_long_name: bool
    case_flags: int
    attributes: int
    size_bytes: int
    first_cluster: int
    runs: list[tuple[int, int]] = field(default_factory=list)
    fault: str = ""

    @property
    def is_directory(self) -> bool:
        return bool(self.attributes & _FOLDER)

    @property
    def is_hidden(self) -> bool:
        return bool(self.attributes & (_HIDDEN | _SYSTEM))


def partitions(read: Read) -> list[Partition]:
    """The partition table in the first sector; none if that is a FAT volume or no table.

    Raises:
        ImageError: A GUID partition table.
    """
    sector = read(0, SECTOR_BYTES)
    if sector[510:512] != b"\x55\xaa" or _is_boot_sector(sector):
        return []
    found = []
    for at in range(446, 510, 16):
        kind = sector[at + 4]
        if kind == _GPT:
            raise ImageError("a GUID partition table")
        if kind:
            start = int.from_bytes(sector[at + 8 : at + 12], "little") * SECTOR_BYTES
            found.append(Partition(kind, start, bool(sector[at] & _BOOTABLE)))
    return found


def _is_boot_sector(sector: bytes) -> bool:
    """A BIOS parameter block stands where one would ("Boot Sector and BPB")."""
    per_sector, per_cluster, reserved, fats = struct.unpack_from("<HBHB", sector, 11)
    return (
        sector[0] in (0xEB, 0xE9)
        and per_sector in (512, 1024, 2048, 4096)
        and per_cluster & (per_cluster - 1) == 0 < per_cluster
        and reserved > 0
        and fats in (1, 2)
    )


def other_system(sector: bytes) -> str:
    """What a first sector says it is, if it is not FAT; "" otherwise."""
    return {b"EXFAT   ": "exFAT", b"NTFS    ": "NTFS"}.get(sector[3:11], "")


class FatReader:
    """One volume.

    Args:
        read: Gives `size` bytes at `offset` of the medium; fewer only at its end.
        offset: Where the volume begins.
        size_bytes: Of the medium.
    Raises:
        ImageError: Not a FAT volume, or one whose numbers are impossible.

    Attributes:
        bits: 12, 16 or 32.
        label: In the root directory, else in the boot sector; raw, without padding.
    """

    def __init__(self, read: Read, offset: int, size_bytes: int) -> None:
        self._read = read
        sector = self._read_exactly(offset, SECTOR_BYTES)
        if (what := other_system(sector)) or not _is_boot_sector(sector):
            raise ImageError(f"the file system is {what}" if what else "no FAT boot sector")
        per_sector, per_cluster, reserved, fats, root_entries, total = struct.unpack_from(
            "<HBHBHH", sector, 11
        )
        (fat_sectors,) = struct.unpack_from("<H", sector, 22)
        total_32, fat_sectors_32 = struct.unpack_from("<II", sector, 32)
        fat_sectors, total = fat_sectors or fat_sectors_32, total or total_32
        root_sectors = -(-root_entries * 32 // per_sector)
        first_data = reserved + fats * fat_sectors + root_sectors
        if not fat_sectors or not first_data < total:
            raise ImageError("the numbers of the boot sector are impossible")
        self.is_cut = offset + total * per_sector > size_bytes
        self.clusters = (total - first_data) // per_cluster
        # "FAT Type Determination"; a FAT16 boot sector has a fixed root directory
        self.bits = 12 if self.clusters < 4085 else 16 if self.clusters < 65525 else 32
        if (self.bits == 32) != (root_entries == 0):
            raise ImageError("the root directory is of another kind of FAT")
        if (self.clusters + 2) * self.bits > fat_sectors * per_sector * 8:
            raise ImageError("the allocation table is too short")
        self.cluster_bytes = per_cluster * per_sector
        self._fat_offset = offset + reserved * per_sector
        self._fat_bytes = fat_sectors * per_sector
        self._fats = fats
        self._root_offset = offset + (reserved + fats * fat_sectors) * per_sector
        self._root_bytes = root_entries * 32
        self._root_cluster = int.from_bytes(sector[44:48], "little") if self.bits == 32 else 0
        self._data_offset = offset + first_data * per_sector
        if self.clusters > size_bytes // SECTOR_BYTES:
            raise ImageError("the volume is larger than the medium")
        self._used = bytearray(-(-(self.clusters + 2) // 8))
        self._window: tuple[int, bytes] = (-1, b"")
        boot_label = sector[71:82] if self.bits == 32 else sector[43:54]
        self.label = b"" if boot_label.startswith(b"NO NAME") else boot_label.rstrip(b" ")

    def entries(self) -> Iterator[FatEntry]:
        """Every file and folder, a folder before what is in it; labels and deleted ones left out.

        Call it once: clusters are marked as used on the way. A folder whose clusters make no sense
        has a `fault` and what can be read of it.

        Raises:
            ImageError: More, deeper or with longer names than any honest medium has.
        """
        waiting: list[tuple[str, int, list[tuple[int, int]]]] = []
        if self.bits == 32:
            runs, fault = self._walk(self._root_cluster, _MAX_FOLDER_BYTES, is_exact=False)
            if fault:
                raise ImageError(f"the root directory: {fault}")
            waiting.append(("", 1, runs))
        else:
            waiting.append(("", 1, [(self._root_offset, self._root_bytes)]))
        count = letters = 0
        while waiting:
            parent, level, runs = waiting.pop()
            if level > _MAX_DEPTH:
                raise ImageError("directories are nested too deep")
            below = []
            for entry in self._entries_of(parent, runs):
                count += 1
                letters += len(entry.path) + len(entry.shown)
                if count > _MAX_ENTRIES or letters > _MAX_PATHS:
                    raise ImageError("too many directory entries")
                self._follow(entry)
                yield entry
                if entry.is_directory:
                    below.append((entry.path, level + 1, entry.runs))
            waiting.extend(reversed(below))

    def read(self, entry: FatEntry, offset: int, size: int) -> bytes:
        """Bytes of a file; fewer than asked for only at the file's end.

        Raises:
            ImageError: Its clusters do not lead there.
        """
        size = max(0, min(size, entry.size_bytes - offset))
        parts = []
        for start, length in entry.runs:
            if offset < length and size:
                take = min(size, length - offset)
                parts.append(self._read_exactly(start + offset, take))
                size -= take
                offset = 0
            else:
                offset = max(0, offset - length)
            if not size:
                break
        if size:
            raise ImageError(entry.fault or "the cluster chain is too short")
        return b"".join(parts)

    def are_tables_equal(self) -> bool:
        """Whether the copies of the table agree; not so after a stick was pulled out midway."""
        if self._fats == 1:
            return True
        used = -(-(self.clusters + 2) * self.bits // 8)
        for at in range(0, used, _WINDOW_BYTES):
            size = min(_WINDOW_BYTES, used - at)
            first = self._read_exactly(self._fat_offset + at, size)
            if first != self._read_exactly(self._fat_offset + self._fat_bytes + at, size):
                return False
        return True

    def _follow(self, entry: FatEntry) -> None:
        if entry.is_directory:
            entry.runs, entry.fault = self._walk(
                entry.first_cluster, _MAX_FOLDER_BYTES, is_exact=False
            )
        elif entry.size_bytes:
            entry.runs, entry.fault = self._walk(
                entry.first_cluster, entry.size_bytes, is_exact=True
            )
        elif entry.first_cluster:
            entry.fault = "an empty file has clusters"

    def _walk(
        self, cluster: int, size: int, *, is_exact: bool
    ) -> tuple[list[tuple[int, int]], str]:
        """Runs of a chain, cut to `size`, and what is wrong with it.

        Args:
            is_exact: The chain has to end where `size` does.
        """
        runs: list[tuple[int, int]] = []
        left, end = size, _END[self.bits]
        used, last = self._used, -2
        while True:
            if not 2 <= cluster < self.clusters + 2:
                return runs, "its cluster chain leaves the volume"
            if used[cluster >> 3] & 1 << (cluster & 7):
                return runs, "its clusters belong to another file too, or go round in a circle"
            used[cluster >> 3] |= 1 << (cluster & 7)
            piece = min(left, self.cluster_bytes)
            if cluster == last + 1:
                runs[-1] = (runs[-1][0], runs[-1][1] + piece)
            else:
                runs.append((self._data_offset + (cluster - 2) * self.cluster_bytes, piece))
            last, left = cluster, left - piece
            cluster = self._next(cluster)
            if cluster >= end:
                return runs, "its cluster chain is too short" if is_exact and left else ""
            if not left:
                return runs, "its cluster chain is too long"

    def _next(self, cluster: int) -> int:
        at = cluster * self.bits // 8
        number = at // _WINDOW_BYTES
        if self._window[0] != number:
            start = number * _WINDOW_BYTES
            size = min(_WINDOW_BYTES + 1, self._fat_bytes - start)  # one of 12 bits may cross
            self._window = (number, self._read_exactly(self._fat_offset + start, size))
        at -= number * _WINDOW_BYTES
        window = self._window[1]
        if self.bits == 32:
            return int.from_bytes(window[at : at + 4], "little") & 0x0FFFFFFF
        value = int.from_bytes(window[at : at + 2], "little")
        if self.bits == 16:
            return value
        return value >> 4 if cluster & 1 else value & 0xFFF

    def _entries_of(self, parent: str, runs: list[tuple[int, int]]) -> Iterator[FatEntry]:
        """By "FAT Directory Structure" and "FAT Long Directory Entries"."""
        long_parts: dict[int, bytes] = {}
        for start, size in runs:
            data = self._read_exactly(start, size)
            for at in range(0, len(data) - 31, 32):
                raw = data[at : at + 32]
                if raw[0] == 0:
                    return
                if raw[0] == 0xE5:
                    long_parts.clear()
                elif raw[11] & 0x3F == _LONG:
                    long_parts[raw[0] & 0x3F] = raw[1:11] + raw[14:26] + raw[28:32]
                elif raw[11] & _LABEL:
                    if not parent:
                        self.label = raw[:11].rstrip(b" ")
                    long_parts.clear()
                else:
                    if raw[:11] not in (b".          ", b"..         "):
                        yield _entry(parent, raw, long_parts)
                    long_parts.clear()

    def _read_exactly(self, offset: int, size: int) -> bytes:
        data = self._read(offset, size) if size else b""
        if len(data) != size:
            raise ImageError("the medium ends before what it points to")
        return data


def _entry(parent: str, raw: bytes, long_parts: dict[int, bytes]) -> FatEntry:
    stem = (b"\xe5" + raw[1:8] if raw[0] == 5 else raw[:8]).rstrip(b" ")  # 5 stands for a kanji
    extension = raw[8:11].rstrip(b" ")
    name = _printable(stem + b"." + extension if extension else stem)
    units = b"".join(long_parts[number] for number in sorted(long_parts))
    text = units.decode("utf-16-le", "replace").split("\0")[0]
    lowered = stem.lower() if raw[12] & 0x08 else stem
    ending = extension.lower() if raw[12] & 0x10 else extension
    shown = text or _printable(lowered + b"." + ending if ending else lowered)
    return FatEntry(
        path=f"{parent}/{name}" if parent else name,
        shown=shown,
        has_long_name=bool(long_parts),
        case_flags=raw[12] & 0x18,
        attributes=raw[11],
        size_bytes=int.from_bytes(raw[28:32], "little"),
        first_cluster=int.from_bytes(raw[20:22], "little") << 16
        | int.from_bytes(raw[26:28], "little"),
    )


def _printable(name: bytes) -> str:
    return "".join(chr(c) if 0x20 <= c <= 0x7E and c != 0x2F else f"\\x{c:02x}" for c in name)
