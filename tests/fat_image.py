"""A FAT image in memory, made by other code than reads it: enough of fatgen103 for checks.

mkfs.vfat makes the real ones (tests/integration/test_check_stick.py); this one is quick to break.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field

SECTOR = 512
_TIMES = bytes(12)


@dataclass
class FatImage:
    """Files on a FAT volume of one sector a cluster, all entries plain 8.3.

    Attributes:
        entry_at: Where the directory entry of each file and folder stands in `data`.
        cluster_of: First cluster of each.
        base: Where the volume begins, behind a partition table if that is not 0.
    """

    data: bytearray
    base: int
    bits: int
    fat_at: int
    data_at: int
    fat_bytes: int
    entry_at: dict[str, int] = field(default_factory=dict)
    cluster_of: dict[str, int] = field(default_factory=dict)

    def set_next(self, cluster: int, value: int) -> None:
        """In both tables."""
        width = self.bits // 8
        for table in (0, 1):
            at = self.fat_at + table * self.fat_bytes + cluster * width
            self.data[at : at + width] = value.to_bytes(width, "little")

    def next_of(self, cluster: int) -> int:
        width = self.bits // 8
        at = self.fat_at + cluster * width
        return int.from_bytes(self.data[at : at + width], "little")


def fat_image(
    files: Mapping[str, bytes], *, label: str, bits: int = 16, partitioned: bool = True
) -> FatImage:
    """Args: bits: 16 or 32; the smallest volume of that kind."""
    clusters = 5000 if bits == 16 else 66000
    needed = sum(-(-len(data) // SECTOR) + 40 for data in files.values())
    clusters = max(clusters, needed)
    base = 2048 * SECTOR if partitioned else 0
    fat_sectors = -(-(clusters + 2) * bits // 8 // SECTOR) + 1
    root_entries = 512 if bits == 16 else 0
    reserved = 32 if bits == 32 else 1
    root_sectors = root_entries * 32 // SECTOR
    total = reserved + 2 * fat_sectors + root_sectors + clusters
    boot = bytearray(SECTOR)
    boot[0:3] = b"\xeb\x58\x90"
    small, large = (0, total) if total > 0xFFFF else (total, 0)
    per_fat = fat_sectors if bits == 16 else 0
    struct.pack_into(
        "<HBHBHHBHHHII",
        *(boot, 11, SECTOR, 1, reserved, 2, root_entries, small, 0xF8, per_fat, 63, 255, 0, large),
    )
    if bits == 32:
        struct.pack_into("<IHHI", boot, 36, fat_sectors, 0, 0, 2)
    boot[510:512] = b"\x55\xaa"
    data = bytearray(base + total * SECTOR)
    data[base : base + SECTOR] = boot
    if partitioned:
        kind = 0x0C if bits == 32 else 0x0E
        entry = struct.pack("<B3sB3sII", 0, bytes(3), kind, bytes(3), base // SECTOR, total)
        data[446:462] = entry
        data[510:512] = b"\x55\xaa"
    fat_at = base + reserved * SECTOR
    data_at = base + (reserved + 2 * fat_sectors + root_sectors) * SECTOR
    image = FatImage(data, base, bits, fat_at, data_at, fat_sectors * SECTOR)
    image.set_next(0, 0x0FFFFFF8 if bits == 32 else 0xFFF8)
    image.set_next(1, 0x0FFFFFFF if bits == 32 else 0xFFFF)
    _Filler(image, dict(files), label, data_at - root_sectors * SECTOR).fill()
    return image


class _Filler:
    def __init__(self, image: FatImage, files: dict[str, bytes], label: str, root_at: int) -> None:
        self.image = image
        self.files = files
        self.label = label
        self.root_at = root_at
        self.free = 3 if image.bits == 32 else 2

    def fill(self) -> None:
        if self.image.bits == 32:
            self.image.set_next(2, 0x0FFFFFFF)
        own = struct.pack("<11sB20x", self.label.encode().ljust(11), 0x08)
        entries = self._folder("", [own])
        assert len(entries) <= (512 if self.image.bits == 32 else 512 * 32)
        at = self.image.data_at if self.image.bits == 32 else self.root_at
        self.image.data[at : at + len(entries)] = entries
        self._place("", at, 1)

    def _names(self, parent: str) -> list[str]:
        start = f"{parent}/" if parent else ""
        return list(dict.fromkeys(p[len(start):].split("/")[0] for p in self.files
                                  if p.startswith(start)))  # fmt: skip

    def _folder(self, parent: str, entries: list[bytes]) -> bytes:
        for name in self._names(parent):
            path = f"{parent}/{name}" if parent else name
            is_folder = path not in self.files
            if is_folder:
                dots = [struct.pack("<11sB20x", dot.ljust(11), 0x10) for dot in (b".", b"..")]
                content = self._folder(path, dots)
            else:
                content = self.files[path]
            first = self._store(content)
            self.image.cluster_of[path] = first
            if is_folder:
                at = self.image.data_at + (first - 2) * SECTOR
                self._place(path, at, 2)
            stem, _, extension = name.partition(".")
            short = stem.encode().ljust(8) + extension.encode().ljust(3)
            size = 0 if is_folder else len(content)
            entries.append(
                struct.pack("<11sBB7xHHHHI", short, 0x10 if is_folder else 0x20, 0,
                            first >> 16, 0, 0, first & 0xFFFF, size)
            )  # fmt: skip
        return b"".join(entries)

    def _place(self, parent: str, at: int, before: int) -> None:
        for number, name in enumerate(self._names(parent), before):
            self.image.entry_at[f"{parent}/{name}" if parent else name] = at + 32 * number

    def _store(self, content: bytes) -> int:
        if not content:
            return 0
        count = -(-len(content) // SECTOR)
        first, end = self.free, 0x0FFFFFFF if self.image.bits == 32 else 0xFFFF
        self.free += count
        for number in range(first, first + count):
            self.image.set_next(number, number + 1 if number + 1 < first + count else end)
        at = self.image.data_at + (first - 2) * SECTOR
        self.image.data[at : at + len(content)] = content
        return first
