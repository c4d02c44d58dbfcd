"""Rules on the DICOMDIR by itself: its header, its offsets, its tree (PDI-61 to PDI-73, PDI-85).

Needs none of the files it refers to. Recipe R2: each record is reached exactly once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from dicomdir.check.tree import Collector
from dicomdir.directory import Directory, DirectoryRecord
from dicomdir.elements import tag_name
from dicomdir.part10 import META_START
from dicomdir.pdi import DICOMDIR
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

Placed = tuple[DirectoryRecord, DirectoryRecord | None]

_DIRECTORY_SOP_CLASS: Final = "1.2.840.10008.1.3.10"
_FILE_SET_ID = re.compile(r"[A-Z0-9_]{0,16}")
_SHORT_ID: Final = 11  # fits a FAT label
_FILE_ID = re.compile(r"[A-Z0-9_]{1,8}(?:/[A-Z0-9_]{1,8}){0,7}")
_UID = re.compile(r"(?:0|[1-9]\d*)(?:\.(?:0|[1-9]\d*))+")  # PS3.5 9.1
_LEAF_TYPES: Final = frozenset(RECORD_TYPES.values()) - ROOT_TYPES
_UPPER_TYPES: Final = frozenset((PATIENT, STUDY, SERIES))
_ABOVE: Final[Mapping[str, str | None]] = {
    **dict.fromkeys((PATIENT, *ROOT_TYPES, *FOREIGN_ROOT_TYPES)),
    **dict.fromkeys(_LEAF_TYPES, SERIES),
    STUDY: PATIENT,
    SERIES: STUDY,
}
_OFFSETS: Final = (0x00041400, 0x00041420, 0x00041430)
_REFERENCE_TAGS: Final = (0x00041500, 0x00041510, 0x00041511, 0x00041512)
_UIDS: Final = {STUDY: 0x0020000D, SERIES: 0x0020000E, PATIENT: 0x00100020}
_UID_TAGS: Final = (0x0020000D, 0x0020000E, 0x00041511)
_META_UIDS: Final = (0x00020002, 0x00020003, 0x00020010, 0x00020012)


def check_meta(meta: Mapping[int, bytes], data_offset: int, path: str, found: Collector) -> None:
    """File Meta Information of one file (PDI-46)."""
    if meta.get(0x00020000) != (data_offset - META_START - 12).to_bytes(4, "little"):
        found.error("PDI-46", path, "(0002,0000) is not the length of the meta information")
    if meta.get(0x00020001) != b"\0\1":
        found.error("PDI-46", path, "(0002,0001) is not version 1")
    for tag in _META_UIDS:
        if not meta.get(tag, b"").strip(b" \0"):
            found.error("PDI-46", path, f"{tag_name(tag)} is missing or empty")
    if 0x00020100 in meta or 0x00020102 in meta:
        found.warn("PDI-46", path, "private information in the meta information")


def check_header(directory: Directory, found: Collector) -> None:
    """Everything before the first record."""
    check_meta(directory.meta, directory.data_offset, DICOMDIR, found)
    if directory.transfer_syntax_uid != EXPLICIT_LITTLE:
        found.error("PDI-61", DICOMDIR, "not Explicit VR Little Endian")
    if directory.media_sop_class_uid != _DIRECTORY_SOP_CLASS:
        found.error("PDI-61", DICOMDIR, "(0002,0002) is not Media Storage Directory Storage")
    uid = directory.file_set_uid
    if uid and (len(uid) > 64 or _UID.fullmatch(uid) is None):
        found.error("PDI-62", DICOMDIR, "the File-set UID is no UID")
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
    if descriptor and not is_file_id(descriptor.replace("\\", "/")):
        found.error("PDI-63", DICOMDIR, "the File-set Descriptor File ID is no File ID")
    patients = sum(record.type == PATIENT for record in directory.records)
    if not patients:
        found.error("PDI-63", DICOMDIR, "there is no PATIENT record")
    elif patients > 1:
        found.error("PDI-85", DICOMDIR, f"there are {patients} patients on one medium")


def is_file_id(path: str) -> bool:
    """PDI-25, "/" between the components."""
    return _FILE_ID.fullmatch(path) is not None


def check_offsets(directory: Directory, found: Collector) -> list[Placed]:
    """Walk as a reader does, and count (PDI-64).

    Returns:
        Each record that is reached, with its parent; parents before children, the members of one
        chain in a row.
    """
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

    waiting = chain(directory.first_offset, None)[::-1]
    while waiting:
        record = waiting.pop()
        if record.lower_offset:
            waiting.extend(chain(record.lower_offset, record)[::-1])
    lost = len(directory.records) - len(seen)
    if lost:
        found.error("PDI-64", DICOMDIR, f"no offset leads to {lost} of the records")
    if directory.last_offset != last_root:
        found.error("PDI-64", DICOMDIR, "(0004,1202) is not the offset of the last root record")
    return placed


def check_record(
    record: DirectoryRecord,
    parent: DirectoryRecord | None,
    values: Mapping[int, bytes],
    found: Collector,
) -> None:
    """What one record that is reached can break by itself.

    Args:
        values: `record.values`.
    """
    path = record.file_id
    if record.in_use != 0xFFFF:
        found.error("PDI-65", path, f"{where(record)} does not have the in-use flag FFFFH")
    for tag in _OFFSETS:
        if tag not in values:
            found.error("PDI-65", path, f"{where(record)} lacks {tag_name(tag)}")
    for tag in values:
        if tag & 0x10000:
            found.warn("PDI-69", path, f"{where(record)} has private elements")
            break
    _check_place(record, parent, found)
    if record.is_leaf:
        _check_leaf(record, values, found)
    elif record.type not in _UPPER_TYPES:
        found.error("PDI-66", path, f"{where(record)} refers to no file")


def where(record: DirectoryRecord) -> str:
    """A record in words."""
    return f"the {record.type or 'untyped'} record at {record.offset}"


def _check_leaf(record: DirectoryRecord, values: Mapping[int, bytes], found: Collector) -> None:
    path = record.file_id
    if record.type in _UPPER_TYPES:
        found.error("PDI-66", path, f"{where(record)} refers to a file")
    if _FILE_ID.fullmatch(path) is None:
        found.error("PDI-25", path, f"{where(record)} has a Referenced File ID that is none")
    for tag in _REFERENCE_TAGS:
        if not values.get(tag, b"").strip(b" \0"):
            found.error("PDI-66", path, f"{where(record)} lacks {tag_name(tag)}")
    if path.startswith("IHE_PDI/"):
        found.error("PDI-14", path, "the DICOMDIR refers to web content")


def _check_place(record: DirectoryRecord, parent: DirectoryRecord | None, found: Collector) -> None:
    kind, path = record.type, record.file_id
    if kind in _ABOVE:
        if _ABOVE[kind] != (parent.type if parent is not None else None):
            below = "the root" if parent is None else f"a {parent.type} record"
            found.error("PDI-71", path, f"{where(record)} stands below {below}")
    elif kind in RETIRED_TYPES:
        found.error("PDI-73", path, f"{where(record)} is of a retired type")
    elif kind == "PRIVATE":
        found.error("PDI-73", path, f"{where(record)} is private")
    else:
        found.error("PDI-73", path, f"{where(record)} is of an unknown type")


class Uniqueness:
    """What may stand in one record only (PDI-67)."""

    def __init__(self, found: Collector) -> None:
        self._found = found
        self._seen: dict[int, set[bytes]] = {}

    def look(self, record: DirectoryRecord, values: Mapping[int, bytes]) -> None:
        """One record, reached or not."""
        tag = _UIDS.get(record.type)
        if tag is not None and self._is_known(tag, values):
            reason = f"two {record.type} records have one {tag_name(tag)}"
            self._found.error("PDI-67", DICOMDIR, reason)
        if record.is_leaf:
            for tag, what in ((0x00041500, "file"), (0x00041511, "SOP Instance")):
                if self._is_known(tag, values):
                    reason = f"two records refer to one {what}"
                    self._found.error("PDI-67", record.file_id, reason)

    def uids(self) -> set[bytes]:
        """Of studies, series and objects, without padding."""
        return set().union(*(self._seen.get(tag, ()) for tag in _UID_TAGS))

    def _is_known(self, tag: int, values: Mapping[int, bytes]) -> bool:
        seen = self._seen.setdefault(tag, set())
        before = len(seen)
        seen.add(values.get(tag, b"").strip(b" \0"))
        return len(seen) == before
