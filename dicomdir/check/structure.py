"""Rules on the DICOMDIR by itself: its header, its offsets, its tree (PDI-61 to PDI-73, PDI-85).

Needs none of the files it refers to. Recipe R2: each record is reached exactly once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from dicomdir.check.tree import Collector
from dicomdir.directory import Directory, DirectoryRecord
from dicomdir.elements import tag_name
from dicomdir.part10 import META_START
from dicomdir.profile import (
    EXPLICIT_LITTLE,
    FOREIGN_ROOT_TYPES,
    PATIENT,
    RECORD_TYPES,
    RETIRED_TYPES,
    ROOT_TYPES,
    SERIES,
    STUDY,
)

DICOMDIR: Final = "DICOMDIR"
Placed = tuple[DirectoryRecord, DirectoryRecord | None]

_DIRECTORY_SOP_CLASS: Final = "1.2.840.10008.1.3.10"
_FILE_SET_ID = re.compile(r"[A-Z0-9_]{0,16}")
_SHORT_ID: Final = 11  # fits a FAT label
_COMPONENT = re.compile(r"[A-Z0-9_]{1,8}")
_MAX_COMPONENTS: Final = 8
_LEAF_TYPES: Final = frozenset(RECORD_TYPES.values()) - ROOT_TYPES
_REFERENCE_TAGS: Final = (0x00041500, 0x00041510, 0x00041511, 0x00041512)
_UIDS: Final = ((STUDY, 0x0020000D), (SERIES, 0x0020000E), (PATIENT, 0x00100020))


def check_structure(directory: Directory, found: Collector) -> list[Placed]:
    """All rules that the DICOMDIR alone can break.

    Returns:
        Each record that is reached, with its parent; parents before children.
    """
    check_meta(directory.meta, directory.data_offset, DICOMDIR, found)
    _check_header(directory, found)
    placed = _check_offsets(directory, found)
    for record, parent in placed:
        _check_record(record, parent, found)
    _check_unique(directory.records, found)
    return placed


def check_meta(meta: Mapping[int, bytes], data_offset: int, path: str, found: Collector) -> None:
    """File Meta Information of one file (PDI-46)."""
    if meta.get(0x00020000) != (data_offset - META_START - 12).to_bytes(4, "little"):
        found.error("PDI-46", path, "(0002,0000) is not the length of the meta information")
    if meta.get(0x00020001) != b"\0\1":
        found.error("PDI-46", path, "(0002,0001) is not version 1")
    for tag in (0x00020002, 0x00020003, 0x00020010, 0x00020012):
        if not meta.get(tag, b"").strip(b" \0"):
            found.error("PDI-46", path, f"{tag_name(tag)} is missing or empty")
    for tag in meta:
        if tag in (0x00020100, 0x00020102):
            found.warn("PDI-46", path, "private information in the meta information")


def _check_header(directory: Directory, found: Collector) -> None:
    if directory.transfer_syntax_uid != EXPLICIT_LITTLE:
        found.error("PDI-61", DICOMDIR, "not Explicit VR Little Endian")
    if directory.media_sop_class_uid != _DIRECTORY_SOP_CLASS:
        found.error("PDI-61", DICOMDIR, "(0002,0002) is not Media Storage Directory Storage")
    header = directory.header
    for tag in (0x00041130, 0x00041200, 0x00041202, 0x00041212, 0x00041220):
        if tag not in header:
            found.error("PDI-63", DICOMDIR, f"{tag_name(tag)} is missing")
    if _FILE_SET_ID.fullmatch(directory.file_set_id) is None:
        found.error("PDI-63", DICOMDIR, "the File-set ID is not of A-Z, 0-9 and _, or too long")
    elif not 0 < len(directory.file_set_id) <= _SHORT_ID:
        found.warn("PDI-63", DICOMDIR, "the File-set ID is empty or does not fit a FAT label")
    if directory.consistency_flag not in (0, None):
        found.error("PDI-63", DICOMDIR, "the File-set Consistency Flag is not 0000H")
    descriptor = header.get(0x00041141, b"").decode("ascii", "replace").strip(" \0")
    if descriptor and not _is_file_id(descriptor.replace("\\", "/")):
        found.error("PDI-63", DICOMDIR, "the File-set Descriptor File ID is no File ID")
    patients = [record for record in directory.records if record.type == PATIENT]
    if not patients:
        found.error("PDI-63", DICOMDIR, "there is no PATIENT record")
    elif len(patients) > 1:
        found.error("PDI-85", DICOMDIR, f"there are {len(patients)} patients on one medium")


def _is_file_id(path: str) -> bool:
    components = path.split("/")
    return len(components) <= _MAX_COMPONENTS and all(map(_COMPONENT.fullmatch, components))


def _check_offsets(directory: Directory, found: Collector) -> list[Placed]:
    """Walk as a reader does, and count (PDI-64)."""
    placed: list[Placed] = []
    seen: set[int] = set()
    last_root = 0

    def chain(offset: int | None, parent: DirectoryRecord | None) -> list[DirectoryRecord]:
        nonlocal last_root
        members = []
        while offset:
            record = directory.by_offset.get(offset)
            if record is None:
                found.error("PDI-64", DICOMDIR, f"an offset leads to {offset}: no record is there")
                break
            if offset in seen:
                found.error("PDI-64", DICOMDIR, f"the record at {offset} is reached twice")
                break
            seen.add(offset)
            members.append(record)
            placed.append((record, parent))
            offset = record.next_offset
        if parent is None and members:
            last_root = members[-1].offset
        return members

    waiting = chain(directory.first_offset, None)
    while waiting:
        record = waiting.pop()
        waiting.extend(chain(record.lower_offset, record))
    lost = len(directory.records) - len(seen)
    if lost:
        found.error("PDI-64", DICOMDIR, f"no offset leads to {lost} of the records")
    if directory.last_offset != last_root:
        found.error("PDI-64", DICOMDIR, "(0004,1202) is not the offset of the last root record")
    return placed


def _check_record(
    record: DirectoryRecord, parent: DirectoryRecord | None, found: Collector
) -> None:
    where = f"the {record.type or 'untyped'} record at {record.offset}"
    path = record.file_id
    if record.in_use != 0xFFFF:
        found.error("PDI-65", path, f"{where} does not have the in-use flag FFFFH")
    for tag in (0x00041400, 0x00041420, 0x00041430):
        if tag not in record.values:
            found.error("PDI-65", path, f"{where} lacks {tag_name(tag)}")
    if any(tag >> 16 & 1 for tag in record.values):
        found.warn("PDI-69", path, f"{where} has private elements")
    _check_place(record, parent, where, found)
    if record.is_leaf:
        _check_leaf(record, where, found)
    elif record.type not in (PATIENT, STUDY, SERIES):
        found.error("PDI-66", path, f"{where} refers to no file")


def _check_leaf(record: DirectoryRecord, where: str, found: Collector) -> None:
    path = record.file_id
    if record.type in (PATIENT, STUDY, SERIES):
        found.error("PDI-66", path, f"{where} refers to a file")
    if not _is_file_id(path):
        found.error("PDI-25", path, f"{where} has a Referenced File ID that is none")
    for tag in _REFERENCE_TAGS:
        if not record.text(tag):
            found.error("PDI-66", path, f"{where} lacks {tag_name(tag)}")
    if path.startswith("IHE_PDI/"):
        found.error("PDI-14", path, "the DICOMDIR refers to web content")


def _check_place(
    record: DirectoryRecord, parent: DirectoryRecord | None, where: str, found: Collector
) -> None:
    kind, path = record.type, record.file_id
    if kind in RETIRED_TYPES:
        found.error("PDI-73", path, f"{where} is of a retired type")
        return
    if kind == "PRIVATE":
        found.error("PDI-73", path, f"{where} is private")
        return
    wanted: str | None
    if kind in (PATIENT, *ROOT_TYPES, *FOREIGN_ROOT_TYPES):
        wanted = None
    elif kind in (STUDY, SERIES):
        wanted = PATIENT if kind == STUDY else STUDY
    elif kind in _LEAF_TYPES:
        wanted = SERIES
    else:
        found.error("PDI-73", path, f"{where} is of an unknown type")
        return
    if wanted != (parent.type if parent is not None else None):
        below = "the root" if parent is None else f"a {parent.type} record"
        found.error("PDI-71", path, f"{where} stands below {below}")


def _check_unique(records: Sequence[DirectoryRecord], found: Collector) -> None:
    for kind, tag in _UIDS:
        values = [
            record.values.get(tag, b"").strip(b" \0") for record in records if record.type == kind
        ]
        if len(set(values)) != len(values):
            found.error("PDI-67", DICOMDIR, f"two {kind} records have one {tag_name(tag)}")
    leaves = [record for record in records if record.is_leaf]
    for tag, what in ((0x00041500, "file"), (0x00041511, "SOP Instance")):
        seen: set[str] = set()
        for record in leaves:
            value = record.text(tag)
            if value in seen:
                found.error("PDI-67", record.file_id, f"two records refer to one {what}")
            seen.add(value)
