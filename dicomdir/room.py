"""How much room files take on a medium: exactly as `dicomdir.iso` lays them out, or on FAT.

A disc counts in blocks of 2048 bytes, a stick in clusters: both are called units here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from dicomdir.iso_reader import BLOCK_BYTES

_DESCRIPTOR_BLOCKS: Final = 16 + 3  # system area; primary, terminator and pycdlib's version block
_DOTS_BYTES: Final = 34 + 34  # a directory's records of itself and of its parent
_RECORD_BYTES: Final = 33  # ECMA-119 9.1, without the identifier
_VERSION_BYTES: Final = 3  # ".;1" behind a name without extension, ";1" behind others
_ROOT_TABLE_BYTES: Final = 10  # its path table record
_TABLE_STEP_BYTES: Final = 4096  # pycdlib gives each path table pairs of blocks
_FAT_ENTRY_BYTES: Final = 32
_FAT_SPARE_PERCENT: Final = 5  # as writing demands: tables of long chains, a damaged cluster


@dataclass(frozen=True, slots=True)
class Disc:
    """An optical medium.

    Attributes:
        capacity_blocks: What an image may take, of 2048 bytes.
    """

    capacity_blocks: int

    max_file_bytes = (1 << 32) - BLOCK_BYTES  # PS3.12 F: one extent a file at level 1
    unit_bytes = BLOCK_BYTES

    @classmethod
    def reported(cls, free_blocks: int, reserve_blocks: int) -> Disc:
        """What a drive says is free, without padding and rounding when it is written."""
        return cls(max(0, free_blocks - reserve_blocks))

    @property
    def limit(self) -> int:
        return self.capacity_blocks

    def file_units(self, size_bytes: int) -> int:
        return -(-size_bytes // BLOCK_BYTES)

    def folder_units(self, entries: int, name_length: int, *, are_files: bool = True) -> int:
        """A folder of so many entries with names of one length, dot and extension included."""
        identifier = name_length + (_VERSION_BYTES if are_files else 0)
        record = _RECORD_BYTES + identifier + (identifier % 2 == 0)
        first = (BLOCK_BYTES - _DOTS_BYTES) // record
        return 1 + -(-max(0, entries - first) // (BLOCK_BYTES // record))

    def base_units(self, folders: int) -> int:
        """What there is beside files and folders; `folders` have names of 8 characters."""
        tables = -(-(_ROOT_TABLE_BYTES + 16 * folders) // _TABLE_STEP_BYTES)
        return _DESCRIPTOR_BLOCKS + 4 * tables


@dataclass(frozen=True, slots=True)
class Stick:
    """A FAT16 or FAT32 file system.

    Attributes:
        free_bytes: What it has left.
    """

    free_bytes: int
    cluster_bytes: int

    max_file_bytes = (1 << 32) - 1

    @property
    def unit_bytes(self) -> int:
        return self.cluster_bytes

    @property
    def limit(self) -> int:
        """Clusters that may be used so that `SPARE_PERCENT` of them and one more stay free."""
        return (self.free_bytes // self.cluster_bytes - 1) * 100 // (100 + _FAT_SPARE_PERCENT)

    def file_units(self, size_bytes: int) -> int:
        return -(-size_bytes // self.cluster_bytes)

    def folder_units(self, entries: int, name_length: int, *, are_files: bool = True) -> int:
        del name_length, are_files  # 8.3 names take one entry each
        return -(-(entries + 2) * _FAT_ENTRY_BYTES // self.cluster_bytes)

    def base_units(self, folders: int) -> int:
        del folders
        return 0


Capacity = Disc | Stick


def endless(capacity: Capacity) -> Capacity:
    """A medium of the same kind that takes everything."""
    if isinstance(capacity, Disc):
        return Disc(1 << 60)
    return Stick(1 << 70, capacity.cluster_bytes)


def iso_blocks(files: Iterable[tuple[str, int]]) -> int:
    """Blocks of the image that `dicomdir.iso.author` makes of files of these paths and sizes."""
    below: dict[str, list[bytes]] = {"": []}
    data = 0
    for path, size in files:
        data += -(-size // BLOCK_BYTES)
        *parents, name = path.split("/")
        folder = ""
        for parent in parents:
            inside = f"{folder}/{parent}"
            if inside not in below:
                below[inside] = []
                below[folder].append(parent.encode("ascii"))
            folder = inside
        below[folder].append(f"{name}{'' if '.' in name else '.'};1".encode("ascii"))
    tables = _ROOT_TABLE_BYTES + sum(
        8 + len(name) + len(name) % 2 for folder in below if (name := folder.rpartition("/")[2])
    )
    folders = sum(_directory_blocks(names) for names in below.values())
    return _DESCRIPTOR_BLOCKS + 4 * -(-tables // _TABLE_STEP_BYTES) + folders + data


def _directory_blocks(names: list[bytes]) -> int:
    """Records in their order, none across the end of a block (ECMA-119 6.8.1.1)."""
    blocks, used = 1, _DOTS_BYTES
    for name in sorted(names):
        record = _RECORD_BYTES + len(name) + (len(name) % 2 == 0)
        if used + record > BLOCK_BYTES:
            blocks, used = blocks + 1, 0
        used += record
    return blocks


def fat_bytes(files: Iterable[tuple[str, int]], cluster_bytes: int) -> int:
    """Bytes that must be free on a stick for files of these paths and sizes."""
    entries: dict[str, set[str]] = {}
    clusters = 0
    for path, size in files:
        clusters += -(-size // cluster_bytes)
        while path:
            folder, _, name = path.rpartition("/")
            entries.setdefault(folder, set()).add(name)
            path = folder
    clusters += sum(
        -(-(len(names) + 2) * _FAT_ENTRY_BYTES // cluster_bytes) for names in entries.values()
    )
    return (clusters + clusters * _FAT_SPARE_PERCENT // 100 + 1) * cluster_bytes
