"""Is this image, or disc, an ISO 9660 medium that keeps PS3.12 Annex F and PDI? (recipe R1)

Looks at raw bytes, not at a mounted view: mastering tools rename, drop and accept in silence.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from dicomdir.check.descriptors import (
    check_directories,
    check_primary,
    check_texts,
    check_unowned,
)
from dicomdir.check.medium import check_medium
from dicomdir.check.patient import Telling
from dicomdir.check.tree import Collector, Medium, Tree, tree_of
from dicomdir.check.udf import check_udf
from dicomdir.directory import Directory
from dicomdir.errors import ImageError
from dicomdir.findings import Finding
from dicomdir.instance import Instance
from dicomdir.iso_reader import BLOCK_BYTES, IsoReader, IsoRecord, open_image
from dicomdir.pdi import DICOMDIR, MAX_LEVELS, OBJECTS_FOLDER

_FILE = re.compile(rb"[A-Z0-9_]{1,8}\.[A-Z0-9_]{0,3};1")  # PDI-29
_DICOM_FILE = re.compile(rb"[A-Z0-9_]{1,8}\.;1")
_FOLDER = re.compile(rb"[A-Z0-9_]{1,8}")
_HIDDEN, _RECORD_FORMAT, _PROTECTION, _MULTI_EXTENT = 0x01, 0x08, 0x10, 0x80
_DESCRIPTORS: Final = {0: ("PDI-38", "a boot record"), 2: ("PDI-35", "a Joliet descriptor")}
# Least and greatest of month, day, hour, minute, second (ECMA-119 9.1.5).
_DATE_RANGES: Final = ((1, 12), (1, 31), (0, 23), (0, 59), (0, 59))


def check_image(
    image: Path | IsoReader,
    *,
    on_directory: Callable[[Directory], None] = lambda _directory: None,
    on_instance: Callable[[Instance], None] = lambda _instance: None,
) -> list[Finding]:
    """Every rule that can be told from the image itself.

    Args:
        image: An image file, or a reader over a disc.
        on_directory: Called with the DICOMDIR, if it can be read.
        on_instance: Called with each object as it is read from the image. What these raise ends
            the check.
    Returns:
        Nothing wrong: empty. Never raises for what is on the medium.
    Raises:
        OSError: The file or the disc cannot be read.
    """
    found = Collector()
    try:
        if isinstance(image, IsoReader):
            directory = check_iso(image, None, found, on_instance, is_drive=True)
        else:
            size = image.stat().st_size
            with open_image(image) as reader:
                directory = check_iso(reader, size, found, on_instance)
        if directory is not None:
            on_directory(directory)
    except ImageError as error:
        found.error("PDI-29", "", f"the file system cannot be read: {error}")
    return found.findings


def check_iso(
    reader: IsoReader,
    size_bytes: int | None,
    found: Collector,
    on_instance: Callable[[Instance], None] = lambda _instance: None,
    *,
    profile: str = "",
    is_drive: bool = False,
    on_tree: Callable[[Tree, dict[str, IsoRecord]], None] = lambda _tree, _records: None,
) -> Directory | None:
    """`check_image` for a reader and a Collector.

    Args:
        size_bytes: Of the image or disc; None if nobody knows.
        is_drive: Each place that is looked at costs time.
        on_tree: Called with the files before any of them is read.
    Raises:
        ImageError: The file system cannot be read.
        OSError: The image cannot be read.
    """
    _check_descriptors(reader, size_bytes, found)
    check_primary(reader, found)
    check_udf(reader, found)
    records = list(reader.records())
    for record in records:
        _check_record(record, reader.blocks, found)
    check_directories(reader, records, found)
    _check_extents(records, found)
    _check_path_tables(reader, records, found)
    tree, files = tree_of(records, reader.read, Medium.DISC, "PDI-29", found)
    on_tree(tree, files)
    volume_id = reader.volume_id.decode("latin-1").rstrip(" ")
    telling = Telling()
    directory = check_medium(
        tree, found, on_instance, profile=profile, label=volume_id, telling=telling
    )
    check_texts(reader, telling, found)
    check_unowned(reader, records, size_bytes, telling, found, is_drive=is_drive)
    if directory is not None and volume_id != directory.file_set_id:
        found.error("PDI-30", "", "the volume identifier is not the File-set ID")
    return directory


def _check_descriptors(reader: IsoReader, size_bytes: int | None, found: Collector) -> None:
    if reader.descriptor_types.count(1) != 1:
        found.error("PDI-29", "", "there is more than one primary volume descriptor")
    for kind in sorted(set(reader.descriptor_types) - {1}):
        rule, what = _DESCRIPTORS.get(kind, ("PDI-29", f"a volume descriptor of type {kind}"))
        found.error(rule, "", f"there is {what}")
    if not reader.is_consistent:
        found.error("PDI-29", "", "numbers of the volume descriptor differ in their byte orders")
    if reader.system_id != b" " * 32:
        found.error("PDI-31", "", "the system identifier is not blank")
    if any(reader.system_area()):
        found.error("PDI-38", "", "the first 32 KiB are not all zero")
    if size_bytes is not None and size_bytes < reader.blocks * BLOCK_BYTES:
        found.error("PDI-29", "", "the image is shorter than its volume")


def _check_record(record: IsoRecord, blocks: int, found: Collector) -> None:
    path, identifier = record.path, record.identifier
    if record.is_directory:
        if not _FOLDER.fullmatch(identifier):
            found.error("PDI-27", path, "not a level 1 directory name")
    elif path == DICOMDIR or path.startswith(f"{OBJECTS_FOLDER}/"):
        if not _DICOM_FILE.fullmatch(identifier):
            found.error("PDI-29", path, "a DICOM file is not recorded as NAME.;1")
    elif not _FILE.fullmatch(identifier):
        found.error("PDI-29", path, "not a level 1 file name with dot and version 1")
    if record.level + 1 > MAX_LEVELS + (not record.is_directory):
        found.error("PDI-28", path, "more than 8 directory levels")
    if record.attribute_length:
        found.error("PDI-32", path, "there is an extended attribute record")
    if record.flags & (_HIDDEN | _RECORD_FORMAT | _PROTECTION | _MULTI_EXTENT):
        found.error("PDI-32", path, "a file flag is set that must not be")
    if not all(low <= it <= high for it, (low, high) in
               zip(record.date[1:6], _DATE_RANGES, strict=False)):  # fmt: skip
        found.error("PDI-32", path, "the recording date is none")
    if record.system_use_bytes:
        found.error("PDI-35", path, "there is system-use data behind the name")
    if not record.is_consistent:
        found.error("PDI-29", path, "place and size differ in their byte orders")
    if record.extent + -(-record.size_bytes // BLOCK_BYTES) > blocks:
        found.error("PDI-29", path, "the content lies beyond the end of the volume")


def _check_extents(records: Sequence[IsoRecord], found: Collector) -> None:
    """Two files may share all their blocks (some tools store equal files once), never some."""
    last: IsoRecord | None = None
    for record in sorted(records, key=lambda it: (it.extent, it.size_bytes)):
        if not record.size_bytes or record.is_directory:
            continue
        if last is not None:
            same = (last.extent, last.size_bytes) == (record.extent, record.size_bytes)
            end = last.extent + -(-last.size_bytes // BLOCK_BYTES)
            if record.extent < end and not same:
                found.error("PDI-29", record.path, "its content overlaps that of another file")
        last = record


def _check_path_tables(reader: IsoReader, records: Sequence[IsoRecord], found: Collector) -> None:
    """Some systems find directories by the path tables alone: they must name the same ones."""
    wanted = sorted((it.identifier, it.extent) for it in records if it.is_directory)
    try:
        for entries in reader.path_tables():
            there = sorted((identifier, extent) for identifier, extent, _ in entries[1:])
            if there != wanted:
                found.error("PDI-29", "", "a path table does not list the directories")
    except ImageError as error:
        found.error("PDI-29", "", f"a path table cannot be read: {error}")
