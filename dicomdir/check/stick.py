"""Is this a FAT medium that keeps PS3.12 Annex R and PDI? (recipe R4; PDI-43, PDI-44)

Looks at raw directory entries, not at a mounted view.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from dicomdir.check.medium import check_medium
from dicomdir.check.tree import Collector, Medium, Tree, tree_of
from dicomdir.directory import Directory
from dicomdir.errors import ImageError
from dicomdir.fat_reader import FAT_TYPES, SECTOR_BYTES, FatEntry, FatReader, partitions
from dicomdir.instance import Instance
from dicomdir.pdi import DICOMDIR, FILE_SET_ID_PREFIX, OBJECTS_FOLDER

_LITTLE_LEFT = frozenset(("SYSTEM~1", "$RECYCLE.BIN", "RECYCLER", "TRASH-~1", "FOUND.000"))
_OLD_FAT16: Final = 0x04  # FAT16 below 32 MiB: PDI-43 names 06, 0B, 0C and 0E alone


def check_fat(
    read: Callable[[int, int], bytes],
    size_bytes: int,
    found: Collector,
    on_instance: Callable[[Instance], None] = lambda _instance: None,
    *,
    profile: str = "",
    on_tree: Callable[[Tree, dict[str, FatEntry]], None] = lambda _tree, _entries: None,
) -> Directory | None:
    """Every rule that can be told from the bytes of a stick or of its image.

    Args:
        read: Gives `size` bytes at `offset` of the medium; fewer only at its end.
        size_bytes: Of the medium.
        on_tree: Called with the files before any of them is read.
    Returns:
        The DICOMDIR, None if there is none that can be read.
    Raises:
        ImageError: The file system cannot be read.
        OSError: The medium cannot be read.
    """
    reader = FatReader(read, _volume_offset(read, found), size_bytes)
    if reader.bits == 12:
        found.error("PDI-43", "", "the file system is FAT12")
    if reader.is_cut:
        found.error("PDI-43", "", "the medium is shorter than its volume")
    elif not reader.are_tables_equal():
        found.error("PDI-43", "", "the copies of the allocation table differ")
    entries = list(reader.entries())
    for entry in entries:
        _check_entry(entry, found)
    tree, files = tree_of(entries, reader.read, Medium.STICK, "PDI-43", found)
    on_tree(tree, files)
    label = reader.label.decode("latin-1")
    directory = check_medium(tree, found, on_instance, profile=profile, label=label)
    # What its owner calls a stick is his; a label of ours is wrong once it names another File-set.
    is_ours = label.startswith(FILE_SET_ID_PREFIX)
    if directory is not None and is_ours and label != directory.file_set_id:
        found.warn("PDI-44", "", "the volume label is the ID of another File-set")
    return directory


def _volume_offset(read: Callable[[int, int], bytes], found: Collector) -> int:
    """Where the volume begins: in the first partition, or at 0 (PDI-43)."""
    table = partitions(read)
    if not table:
        return 0
    first = table[0]
    if first.kind not in FAT_TYPES or first.kind == _OLD_FAT16:
        found.error("PDI-43", "", f"the first partition is of type {first.kind:02X}")
    if len(table) > 1:
        found.warn("PDI-43", "", "there is more than one partition")
    if first.is_bootable:
        found.warn("PDI-43", "", "the partition is marked as bootable")
    if first.start < SECTOR_BYTES:
        raise ImageError("the first partition begins nowhere")
    return first.start


def _check_entry(entry: FatEntry, found: Collector) -> None:
    path = entry.path
    if entry.fault:
        found.error("PDI-43", path, entry.fault)
    if path.split("/")[0] in _LITTLE_LEFT:
        found.warn("PDI-18", path, "left behind by an operating system")
    is_dicom = path == DICOMDIR or path.split("/")[0] == OBJECTS_FOLDER
    report = found.error if is_dicom else found.warn
    if entry.has_long_name:
        report("PDI-44", path, "there is a long name beside the short one")
    elif entry.case_flags:
        report("PDI-44", path, "the name is marked to be shown in lower case")
    if entry.is_hidden and is_dicom:
        found.warn("PDI-44", path, "it is hidden, or marked as the system's")
