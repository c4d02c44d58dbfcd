"""A FAT16 or FAT32 file system, read without the kernel: somebody's stick is hostile input.

Reads only; writing is mtools' work, and reading back what it wrote with other code is the point.
Sizes, counts and chains are bounded before they are used. Layout by Microsoft's FAT specification
1.03 ("fatgen103"); sections named so.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from burner.errors import UnsuitableStickError, VerificationError
from burner.messages import clean

SECTOR_BYTES = 512
MAX_DIRECTORY_ENTRIES = 65_536  # 2 MiB of entries, the specification's limit for FAT32 directories
MAX_CLUSTERS = 0x0FFFFFF5
_FAT_WINDOW_BYTES = 65_536
_COUNT_CHUNK_BYTES = 1 << 20

Read = Callable[[int, int], bytes]


@dataclass(frozen=True, slots=True)
class Geometry:
    """Where things are, in bytes from the start of the medium (fatgen103, "Boot Sector and BPB").

    Attributes:
        bits: 16 or 32.
        root_bytes: Size of FAT16's fixed root directory, 0 for FAT32.
        root_cluster: First cluster of FAT32's root directory, 0 for FAT16.
        clusters: Number of data clusters; the first has number 2.
        is_clean: Neither the volume-dirty nor the hard-error mark is set.
        serial: Volume serial number, hexadecimal; drawn when the volume was formatted.
    """

    bits: int
    offset: int
    cluster_bytes: int
    fat_offset: int
    fat_bytes: int
    fat_count: int
    root_offset: int
    root_bytes: int
    root_cluster: int
    data_offset: int
    clusters: int
    is_clean: bool
    serial: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One directory entry.

    Attributes:
        name: Short name with a dot before the extension, upper case as recorded.
        long_name: "" if there is none.
    """

    name: str
    long_name: str
    is_directory: bool
    first_cluster: int
    size_bytes: int


def find_volume(read: Read, medium_bytes: int) -> int:
    """Offset of the FAT volume: 0 if the medium is one, else of the first partition (PS3.12 Annex
    R).

    Raises:
        UnsuitableStickError: other_file_system (or partition table) or no_file_system.
    """
    if medium_bytes < 64 * SECTOR_BYTES:
        raise UnsuitableStickError(
            "the medium is too small for a file system", reason="no_file_system"
        )
    sector = read(0, SECTOR_BYTES)
    if _other_system(sector):
        raise UnsuitableStickError(
            f"the stick is {_other_system(sector)}", reason="other_file_system"
        )
    if sector[510:512] != b"\x55\xaa":
        raise UnsuitableStickError("no file system or partition table", reason="no_file_system")
    if sector[0] in (0xEB, 0xE9) and sector[11:13] == b"\x00\x02" and 1 <= sector[16] <= 2:
        return 0
    entry = sector[446:462]
    kind = entry[4]
    start = int.from_bytes(entry[8:12], "little") * SECTOR_BYTES
    if kind == 0xEE:
        raise UnsuitableStickError(
            "the stick has a GPT partition table", reason="other_file_system"
        )
    if kind == 0 or not SECTOR_BYTES <= start <= medium_bytes - 64 * SECTOR_BYTES:
        raise UnsuitableStickError(
            "the first partition is missing or damaged", reason="no_file_system"
        )
    if _other_system(read(start, SECTOR_BYTES)):
        raise UnsuitableStickError(
            f"the stick is {_other_system(read(start, SECTOR_BYTES))}", reason="other_file_system"
        )
    return start


def _other_system(sector: bytes) -> str:
    return {b"EXFAT   ": "exFAT", b"NTFS    ": "NTFS"}.get(sector[3:11], "")


def read_geometry(read: Read, offset: int, medium_bytes: int) -> Geometry:
    """Raises UnsuitableStickError: other_file_system, no_file_system or damaged."""

    def refuse(what: str, reason: str = "damaged") -> UnsuitableStickError:
        return UnsuitableStickError(f"FAT boot sector: {what}", reason=reason)

    sector = read(offset, SECTOR_BYTES)
    if sector[510:512] != b"\x55\xaa":
        raise refuse("no signature", "no_file_system")
    bytes_per_sector, per_cluster, reserved, fats, root_entries, total_16 = struct.unpack_from(
        "<HBHBHH", sector, 11
    )
    (fat_sectors,) = struct.unpack_from("<H", sector, 22)
    total_32, fat_sectors_32 = struct.unpack_from("<II", sector, 32)
    if bytes_per_sector != SECTOR_BYTES:
        raise refuse("other sector size than 512", "other_file_system")
    if per_cluster == 0 or per_cluster & (per_cluster - 1) or fats not in (1, 2) or not reserved:
        raise refuse("impossible values")
    fat_sectors = fat_sectors or fat_sectors_32
    total = total_16 or total_32
    root_bytes = root_entries * 32
    root_sectors = -(-root_bytes // SECTOR_BYTES)
    first_data = reserved + fats * fat_sectors + root_sectors
    if not fat_sectors or not first_data < total <= (medium_bytes - offset) // SECTOR_BYTES:
        raise refuse("larger than the medium")
    clusters = (total - first_data) // per_cluster
    if clusters < 4085:  # "FAT Type Determination"
        raise refuse("FAT12", "other_file_system")
    bits = 16 if clusters < 65525 else 32
    if fat_sectors * SECTOR_BYTES < (clusters + 2) * bits // 8 or clusters > MAX_CLUSTERS:
        raise refuse("the table is too short")
    if (bits == 32) != (root_entries == 0):
        raise refuse("root directory of another FAT type")
    root_cluster = struct.unpack_from("<I", sector, 44)[0] if bits == 32 else 0
    fat_offset = offset + reserved * SECTOR_BYTES
    marks = read(fat_offset, 8)
    serial = sector[67:71] if bits == 32 else sector[39:43]
    if bits == 32:
        clean_bits = 0x0C000000
        is_clean = struct.unpack_from("<I", marks, 4)[0] & clean_bits == clean_bits
        is_clean = is_clean and not sector[0x41] & 1
    else:
        clean_bits = 0xC000
        is_clean = struct.unpack_from("<H", marks, 2)[0] & clean_bits == clean_bits
        is_clean = is_clean and not sector[0x25] & 1
    return Geometry(
        bits=bits,
        offset=offset,
        cluster_bytes=per_cluster * SECTOR_BYTES,
        fat_offset=fat_offset,
        fat_bytes=fat_sectors * SECTOR_BYTES,
        fat_count=fats,
        root_offset=offset + (reserved + fats * fat_sectors) * SECTOR_BYTES,
        root_bytes=root_bytes,
        root_cluster=root_cluster,
        data_offset=offset + first_data * SECTOR_BYTES,
        clusters=clusters,
        is_clean=is_clean,
        serial=serial.hex(),
    )


class FatReader:
    """Directories and files of one volume. A damaged one raises VerificationError."""

    def __init__(self, read: Read, geometry: Geometry) -> None:
        self.geometry = geometry
        self._read = read
        self._window: tuple[int, bytes] = (-1, b"")

    def free_bytes(self) -> int:
        """By the table itself; FSInfo's count is only a hint."""
        free = 0
        g = self.geometry
        width = g.bits // 8
        end = (g.clusters + 2) * width
        for start in range(0, end, _COUNT_CHUNK_BYTES):
            chunk = self._read(g.fat_offset + start, min(_COUNT_CHUNK_BYTES, end - start))
            values = np.frombuffer(chunk, "<u4" if width == 4 else "<u2")
            if width == 4:
                values = values & 0x0FFFFFFF  # the upper four bits are reserved
            free += int(np.count_nonzero(values == 0))
        return free * g.cluster_bytes

    def are_tables_equal(self) -> bool:
        """Whether both copies of the table agree; not so after a stick was pulled out midway."""
        g = self.geometry
        if g.fat_count == 1:
            return True
        used = (g.clusters + 2) * g.bits // 8
        for start in range(0, used, _COUNT_CHUNK_BYTES):
            size = min(_COUNT_CHUNK_BYTES, used - start)
            first = self._read(g.fat_offset + start, size)
            if first != self._read(g.fat_offset + g.fat_bytes + start, size):
                return False
        return True

    def root_clusters(self) -> int:
        """How many clusters the root directory itself takes up; 0 for FAT16, where it has none."""
        g = self.geometry
        if g.bits == 16:
            return 0
        return sum(1 for _ in self._chain(g.root_cluster, self._directory_limit()))

    def list_root(self) -> list[Entry]:
        g = self.geometry
        if g.bits == 16:
            return list(_parse_entries(iter([self._read(g.root_offset, g.root_bytes)])))
        return self._list_cluster(g.root_cluster)

    def list_directory(self, entry: Entry) -> list[Entry]:
        if not entry.is_directory:
            raise VerificationError("not a directory")
        return self._list_cluster(entry.first_cluster)

    def extents(self, entry: Entry) -> Iterator[tuple[int, int]]:
        """Offset and size on the medium of the file's pieces, in order, as long as can be."""
        left = entry.size_bytes
        start = size = 0
        if left == 0:
            return
        for cluster in self._chain(entry.first_cluster, -(-left // self.geometry.cluster_bytes)):
            offset = self._cluster_offset(cluster)
            piece = min(left, self.geometry.cluster_bytes)
            if size and offset == start + size:
                size += piece
            else:
                if size:
                    yield start, size
                start, size = offset, piece
            left -= piece
        if left:
            raise VerificationError("a file's cluster chain is too short")
        yield start, size

    def _list_cluster(self, first_cluster: int) -> list[Entry]:
        chunks = (
            self._read(self._cluster_offset(cluster), self.geometry.cluster_bytes)
            for cluster in self._chain(first_cluster, self._directory_limit())
        )
        return list(_parse_entries(chunks))

    def _directory_limit(self) -> int:
        """In clusters."""
        return -(-MAX_DIRECTORY_ENTRIES * 32 // self.geometry.cluster_bytes)

    def _chain(self, first_cluster: int, limit: int) -> Iterator[int]:
        """At most `limit` clusters: a chain that bites its tail ends there."""
        cluster = first_cluster
        end_mark = 0x0FFFFFF8 if self.geometry.bits == 32 else 0xFFF8
        for _ in range(limit):
            if not 2 <= cluster < self.geometry.clusters + 2:
                raise VerificationError("a cluster chain leaves the volume")
            yield cluster
            cluster = self._next(cluster)
            if cluster >= end_mark:
                return

    def _next(self, cluster: int) -> int:
        width = self.geometry.bits // 8
        position = cluster * width
        window = position // _FAT_WINDOW_BYTES
        if self._window[0] != window:
            start = window * _FAT_WINDOW_BYTES
            size = min(_FAT_WINDOW_BYTES, self.geometry.fat_bytes - start)
            self._window = (window, self._read(self.geometry.fat_offset + start, size))
        at = position % _FAT_WINDOW_BYTES
        value = int.from_bytes(self._window[1][at : at + width], "little")
        return value & 0x0FFFFFFF if width == 4 else value

    def _cluster_offset(self, cluster: int) -> int:
        if not 2 <= cluster < self.geometry.clusters + 2:
            raise VerificationError("a cluster number is outside of the volume")
        return self.geometry.data_offset + (cluster - 2) * self.geometry.cluster_bytes


def _parse_entries(chunks: Iterator[bytes]) -> Iterator[Entry]:
    """By "FAT Directory Structure"; without labels, "." and "..", and deleted ones."""
    long_parts: dict[int, str] = {}
    for chunk in chunks:
        for at in range(0, len(chunk), 32):
            raw = chunk[at : at + 32]
            if raw[0] == 0:
                return
            attributes = raw[11]
            if raw[0] == 0xE5:
                long_parts.clear()
                continue
            if attributes & 0x3F == 0x0F:
                text = raw[1:11] + raw[14:26] + raw[28:32]
                long_parts[raw[0] & 0x3F] = text.decode("utf-16-le", "replace")
                continue
            long_name = "".join(long_parts[n] for n in sorted(long_parts)).split("\0")[0]
            long_parts.clear()
            if attributes & 0x08 or raw[0] == 0x2E:
                continue
            stem = raw[:8].decode("ascii", "replace").rstrip(" ")
            extension = raw[8:11].decode("ascii", "replace").rstrip(" ")
            yield Entry(
                name=clean(f"{stem}.{extension}" if extension else stem),
                long_name=clean(long_name),
                is_directory=bool(attributes & 0x10),
                first_cluster=int.from_bytes(raw[20:22], "little") << 16
                | int.from_bytes(raw[26:28], "little"),
                size_bytes=int.from_bytes(raw[28:32], "little"),
            )
