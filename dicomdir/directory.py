"""Reading any DICOMDIR, foreign and broken ones too, for checks and for gates (PS3.3 F.3).

Bounded as the scanner is. Offsets are reported, not believed: who wants the tree walks it with
`Directory.walk`, which never goes round in circles.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from dicomdir.elements import (
    BIG_ENDIAN,
    EXPLICIT,
    IMPLICIT,
    SHORT_VRS,
    UNDEFINED,
    Codec,
    Source,
    swap,
    tag_name,
)
from dicomdir.errors import DirectoryError, InstanceError
from dicomdir.part10 import MEDIA_SOP_CLASS, MEDIA_SOP_INSTANCE, TRANSFER_SYNTAX, read_meta
from dicomdir.profile import DEFLATED, EXPLICIT_BIG, IMPLICIT_LITTLE
from dicomdir.sequences import rewrite, skip

MAX_DIRECTORY_BYTES: Final = 64 << 20
MAX_RECORDS: Final = 200_000
MAX_RECORD_BYTES: Final = 8 << 20  # a presentation state may refer to 10,000 images
_MAX_HEADER_ELEMENTS: Final = 1000

_CODECS: Final[dict[str, Codec]] = {IMPLICIT_LITTLE: IMPLICIT, EXPLICIT_BIG: BIG_ENDIAN}


def _ascii(value: bytes | None) -> str:
    return (value or b"").decode("ascii", "replace").strip(" \0")


def _number(value: bytes | None) -> int | None:
    return int.from_bytes(value, "little") if value is not None and len(value) in (2, 4) else None


@dataclass(frozen=True, slots=True)
class DirectoryRecord:
    """One directory record.

    Attributes:
        offset: Of its item tag in the file.
        next_offset, lower_offset: As written; None if the element is missing or no number.
        in_use: Record In-use Flag, None if missing.
        file_id: Referenced File ID, "/"-separated; "" if the record refers to no file.
        is_leaf: There is a Referenced File ID, be it empty.
        content: Its elements as in the file.
    """

    offset: int
    type: str
    next_offset: int | None
    lower_offset: int | None
    in_use: int | None
    file_id: str
    is_leaf: bool
    content: bytes
    codec: Codec

    def __repr__(self) -> str:  # the content holds a patient's name
        return f"DirectoryRecord({self.type!r} at {self.offset})"

    @property
    def values(self) -> Mapping[int, bytes]:
        """All its elements by tag, little endian, with padding; sequences as items of Explicit VR
        Little Endian and defined length.

        Taken from the content when asked for, so that 10,000 records cost megabytes; the last
        record that was asked is remembered.
        """
        return _values(self.content, self.codec)

    def text(self, tag: int) -> str:
        """A value as ASCII without padding, "" if absent; other characters become U+FFFD."""
        return _ascii(self.values.get(tag))


_last_values: tuple[bytes, Mapping[int, bytes]] = (b"", {})


def _values(content: bytes, codec: Codec) -> Mapping[int, bytes]:
    """Raises InstanceError if damaged: `read_directory` has asked before anybody else can."""
    global _last_values
    last, values = _last_values
    if last is not content:
        values = rewrite(content, codec)
        _last_values = (content, values)
    return values


@dataclass(frozen=True, slots=True)
class Directory:
    """A DICOMDIR as it stands in the file.

    Attributes:
        meta: File Meta Information by tag, raw.
        data_offset: First byte of the data set.
        header: Elements of the data set but the record sequence, by tag.
        records: In the order of the file.
    """

    meta: Mapping[int, bytes]
    data_offset: int
    size_bytes: int
    header: Mapping[int, bytes]
    records: tuple[DirectoryRecord, ...]
    by_offset: Mapping[int, DirectoryRecord] = field(repr=False)

    @property
    def media_sop_class_uid(self) -> str:
        return _ascii(self.meta.get(MEDIA_SOP_CLASS))

    @property
    def file_set_uid(self) -> str:
        return _ascii(self.meta.get(MEDIA_SOP_INSTANCE))

    @property
    def transfer_syntax_uid(self) -> str:
        return _ascii(self.meta.get(TRANSFER_SYNTAX))

    @property
    def file_set_id(self) -> str:
        return _ascii(self.header.get(0x00041130))

    @property
    def first_offset(self) -> int | None:
        return _number(self.header.get(0x00041200))

    @property
    def last_offset(self) -> int | None:
        return _number(self.header.get(0x00041202))

    @property
    def consistency_flag(self) -> int | None:
        return _number(self.header.get(0x00041212))

    def leaves(self) -> Iterator[DirectoryRecord]:
        """Records that refer to a file, in the order of the file, reachable or not."""
        return (record for record in self.records if record.is_leaf)

    def walk(self) -> Iterator[tuple[DirectoryRecord, DirectoryRecord | None]]:
        """Each record that offsets lead to, once, with its parent; parents before children.

        An offset that leads nowhere ends its chain, as does one that leads back.
        """
        seen: set[int] = set()
        waiting: list[tuple[int | None, DirectoryRecord | None]] = [(self.first_offset, None)]
        while waiting:
            offset, parent = waiting.pop()
            record = self.by_offset.get(offset) if offset else None
            if record is None or record.offset in seen:
                continue
            seen.add(record.offset)
            yield record, parent
            waiting.append((record.next_offset, parent))
            waiting.append((record.lower_offset, record))


def read_directory(data: bytes) -> Directory:
    """Read a whole DICOMDIR.

    Raises:
        DirectoryError: Not a Part 10 file, deflated, damaged in its structure, or beyond the limits
            MAX_DIRECTORY_BYTES, MAX_RECORDS and MAX_RECORD_BYTES. Wrong values and offsets raise
            nothing.
    """
    if len(data) > MAX_DIRECTORY_BYTES:
        raise DirectoryError(f"larger than {MAX_DIRECTORY_BYTES} bytes")
    source = Source(None, len(data), data)
    try:
        meta, at = read_meta(source)
        syntax = _ascii(meta.get(TRANSFER_SYNTAX))
        if syntax == DEFLATED:
            raise DirectoryError("deflated")
        return _read(data, source, at, meta, _CODECS.get(syntax, EXPLICIT))
    except InstanceError as error:
        raise DirectoryError(str(error)) from None


def _read(
    data: bytes, source: Source, at: int, meta: Mapping[int, bytes], codec: Codec
) -> Directory:
    start = at
    header: dict[int, bytes] = {}
    records: list[DirectoryRecord] = []
    while at < len(data):
        tag, vr, at, length = _element(data, at, codec)
        end = skip(source, at, codec) if length == UNDEFINED else at + length
        if end > len(data):
            raise DirectoryError("an element ends behind the file")
        if tag in header:
            raise DirectoryError(f"{tag_name(tag)} is there twice")
        if len(header) >= _MAX_HEADER_ELEMENTS:
            raise DirectoryError("more elements than any honest File-set has")
        if tag == 0x00041220:
            header[tag] = b""
            _read_records(data, source, at, end, codec, records)
        else:
            header[tag] = data[at:end] if not codec.big else swap(data[at:end], vr)
        at = end
    by_offset = {record.offset: record for record in records}
    return Directory(meta, start, len(data), header, tuple(records), by_offset)


def _element(data: bytes, at: int, codec: Codec) -> tuple[int, str, int, int]:
    """Tag, VR, offset of the value, length."""
    if len(data) - at < 8:
        raise DirectoryError("the file ends inside an element header")
    raw, length = codec.item(data, at)
    tag = codec.tag(raw)
    if not codec.explicit:
        return tag, "", at + 8, length
    number, short = codec.unpack(data[at : at + 8] + bytes(4), 0)[1:3]
    vr = codec.vr_name.get(number)
    if vr is None:
        raise DirectoryError(f"{tag_name(tag)} has no known VR")
    if vr in SHORT_VRS:
        return tag, vr, at + 8, short
    if len(data) - at < 12:
        raise DirectoryError("the file ends inside an element header")
    return tag, vr, at + 12, codec.unpack(data, at)[3]


def _read_records(
    data: bytes, source: Source, at: int, end: int, codec: Codec, records: list[DirectoryRecord]
) -> None:
    while at < end:
        if end - at < 8:
            raise DirectoryError("the record sequence ends inside an item header")
        raw, length = codec.item(data, at)
        if raw == codec.sequence_end:
            return
        if raw != codec.item_start:
            raise DirectoryError("something else than an item in the record sequence")
        if len(records) >= MAX_RECORDS:
            raise DirectoryError(f"more than {MAX_RECORDS} records")
        content = at + 8
        if length == UNDEFINED:
            following = skip(source, content, codec, in_item=True)
            stop = following - 8
        else:
            following = stop = content + length
        if following > end:
            raise DirectoryError("a record ends behind its sequence")
        records.append(_record(data, at, content, stop, codec))
        at = following


def _record(data: bytes, offset: int, at: int, end: int, codec: Codec) -> DirectoryRecord:
    if end - at > MAX_RECORD_BYTES:
        raise DirectoryError(f"a record of more than {MAX_RECORD_BYTES} bytes")
    content = data[at:end]
    values = _values(content, codec)
    file_id = _ascii(values.get(0x00041500))
    return DirectoryRecord(
        offset,
        sys.intern(_ascii(values.get(0x00041430))),
        _number(values.get(0x00041400)),
        _number(values.get(0x00041420)),
        _number(values.get(0x00041410)),
        "/".join(part.strip(" ") for part in file_id.split("\\")),
        0x00041500 in values,
        content,
        codec,
    )
