"""ISO 9660 beyond names and places: the primary volume descriptor, what every directory record says
besides, and bytes that belong to no file (PDI-29, PDI-32, PDI-99, PDI-101).

ECMA-119 numbers its bytes from 1; offsets here count from 0.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from dicomdir.check.patient import Telling
from dicomdir.check.tree import Collector
from dicomdir.errors import ImageError
from dicomdir.iso_reader import BLOCK_BYTES, IsoReader, IsoRecord

_FIRST_BLOCK: Final = 16
_BOTH_ONE: Final = b"\1\0\0\1"  # a number of 16 bits in both byte orders
_STRUCTURE_VERSION: Final = 881
_DATES: Final = (813, 830, 847, 864)  # created, modified, expires, effective (8.4.26 to 8.4.29)
_DATE_BYTES: Final = 17
_DATE = re.compile(
    rb"\d{4}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:[01]\d|2[0-3])[0-5]\d[0-5]\d\d\d"
)
_NO_DATES: Final = (b"0" * 16 + b"\0", bytes(_DATE_BYTES), b" " * 16 + b"\0", b" " * _DATE_BYTES)
_ZONES: Final = range(-48, 53)  # quarters of an hour from Greenwich
_TEXTS: Final = slice(190, 813)  # volume set, publisher, preparer, application, three file names
_APPLICATION_USE: Final = slice(883, 1395)
_FLAGS_UNUSED: Final = 0x60
_ASSOCIATED: Final = 0x04
_MAX_TAIL_BYTES: Final = 16 << 20
_PIECE_BYTES: Final = 1 << 20


def check_primary(reader: IsoReader, found: Collector) -> None:
    """The primary volume descriptor (ECMA-119 8.4)."""
    primary = primary_of(reader)
    if primary[6:7] != b"\1" or primary[_STRUCTURE_VERSION : _STRUCTURE_VERSION + 1] != b"\1":
        found.error("PDI-29", "", "the volume descriptor is of another version than 1")
    if primary[120:124] != _BOTH_ONE or primary[124:128] != _BOTH_ONE:
        found.error("PDI-101", "", "the volume is one of several that belong together")
    for at in _DATES:
        date = primary[at : at + _DATE_BYTES]
        if date in _NO_DATES:
            continue
        if not _DATE.fullmatch(date[:16]) or not _is_zone(date[16]):
            found.error("PDI-29", "", "a date of the volume descriptor is none")


def check_directories(reader: IsoReader, records: Sequence[IsoRecord], found: Collector) -> None:
    """What `IsoRecord` leaves out of each record, and each directory's records of itself and of
    the one above.
    """
    root = primary_of(reader)[156:190]
    places = {"": (root[2:10], root[10:18])}
    folders = [IsoRecord("", b"\0", _number(root, 2), _number(root, 10), 2, root[1], 0, 0)]
    folders += [record for record in records if record.is_directory]
    for folder in folders:
        places[folder.path] = _both(folder.extent), _both(folder.size_bytes)
    for folder in folders:
        try:
            raw = list(_raw_records(reader.read(folder, 0, folder.size_bytes)))
        except ImageError:
            continue  # said already
        above = folder.path.rpartition("/")[0]
        for number, (identifier, path) in enumerate(((b"\0", folder.path), (b"\1", above))):
            record = raw[number] if number < len(raw) else b""
            if record[33:34] != identifier or (record[2:10], record[10:18]) != places.get(path):
                what = "the one above it" if number else "itself"
                found.error("PDI-29", folder.path, f"the directory does not lead to {what}")
        for record in raw:
            _check_raw(record, folder.path, found)


def _check_raw(record: bytes, folder: str, found: Collector) -> None:
    if record[26:28] != b"\0\0":
        found.error("PDI-29", folder, "a file in it is interleaved, which level 1 has not")
    if record[28:32] != _BOTH_ONE:
        found.error("PDI-101", folder, "a file in it is said to lie on another volume")
    if record[25] & (_ASSOCIATED | _FLAGS_UNUSED):
        found.error("PDI-32", folder, "a file in it is marked as belonging to another")
    if not _is_zone(record[24]):
        found.error("PDI-32", folder, "the time zone of a recording date in it is none")


def check_texts(reader: IsoReader, telling: Telling, found: Collector) -> None:
    """Who published and prepared it, and the like, is everybody's to read (PDI-99)."""
    primary = primary_of(reader)
    text = primary[_TEXTS]
    if what := telling.is_in(text) or telling.is_in(primary[_APPLICATION_USE]):
        found.error("PDI-99", "", f"the volume descriptor holds the patient's {what}")
    elif any(telling.names(word) for word in re.split(r"[^A-Z0-9]+", text.decode("latin-1"))):
        found.warn("PDI-99", "", "the volume descriptor tells about the patient")


def check_unowned(
    reader: IsoReader,
    records: Sequence[IsoRecord],
    size_bytes: int | None,
    telling: Telling,
    found: Collector,
    *,
    is_drive: bool,
) -> None:
    """Bytes behind the end of a file in its last block, and behind the volume's end: zero.

    Args:
        size_bytes: Of the image or disc; None if nobody knows.
        is_drive: Only the root's files are looked at: each look may take the drive a tenth of a
            second.
    """
    slack = 0
    for record in records:
        rest = -record.size_bytes % BLOCK_BYTES
        if record.is_directory or not rest or (is_drive and record.level > 1):
            continue
        block = reader.block((record.offset_bytes + record.size_bytes) // BLOCK_BYTES)
        behind = block[BLOCK_BYTES - rest :]
        if behind.strip(b"\0"):
            slack += 1
            if what := telling.is_in(behind):
                reason = f"behind its end stands the patient's {what}"
                found.error("PDI-99", record.path, reason)
    if slack:
        found.warn("PDI-29", "", f"behind {slack} files their last block is not filled with zeros")
    if size_bytes is not None:
        _check_tail(reader, size_bytes, telling, found)


def _check_tail(reader: IsoReader, size_bytes: int, telling: Telling, found: Collector) -> None:
    start = reader.blocks * BLOCK_BYTES
    end = min(size_bytes, start + _MAX_TAIL_BYTES)
    is_filled, told = False, ""
    for at in range(start, end, _PIECE_BYTES):
        blocks = range(at // BLOCK_BYTES, -(-min(end, at + _PIECE_BYTES) // BLOCK_BYTES))
        piece = b"".join(map(reader.block, blocks))
        if piece.strip(b"\0"):
            is_filled = True
            told = told or telling.is_in(piece)
    if told:
        found.error("PDI-99", "", f"behind the volume's end stands the patient's {told}")
    if is_filled:
        found.warn("PDI-29", "", "there is something behind the end of the volume")


def primary_of(reader: IsoReader) -> bytes:
    """The block of the primary volume descriptor, which every reader has found."""
    return reader.block(_FIRST_BLOCK + reader.descriptor_types.index(1))


def _raw_records(data: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(data):
        length = data[at]
        if length == 0:  # ECMA-119 6.8.1.1: no record crosses a block
            at = (at // BLOCK_BYTES + 1) * BLOCK_BYTES
            continue
        if length >= 34:
            yield data[at : at + length]
        at += length


def _is_zone(byte: int) -> bool:
    return (byte if byte < 0x80 else byte - 0x100) in _ZONES


def _number(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 4], "little")


def _both(number: int) -> bytes:
    """32 bits in both byte orders (ECMA-119 7.3.3)."""
    return number.to_bytes(4, "little") + number.to_bytes(4, "big")
