"""What objects refer to (PDI-58), and JPEG streams inside them (PDI-53)."""

from __future__ import annotations

from collections.abc import Callable, Set
from typing import Final

from dicomdir.check.jpeg import MAX_HEADER_BYTES, lacks_tables
from dicomdir.check.tree import Collector
from dicomdir.elements import EXPLICIT, UNDEFINED, Source
from dicomdir.errors import InstanceError
from dicomdir.instance import Instance
from dicomdir.profile import (
    JPEG_BASELINE,
    JPEG_EXTENDED,
    JPEG_LOSSLESS_SV1,
    KEY_OBJECT_DOC,
    PRESENTATION,
    RECORD_TYPES,
    SR_DOCUMENT,
)
from dicomdir.references import MAX_DOCUMENT_BYTES, references_of
from dicomdir.scanner import scan

_KINDS: Final = frozenset((KEY_OBJECT_DOC, PRESENTATION, SR_DOCUMENT))
_MAX_REFERENCES: Final = 100_000
_JPEG: Final = frozenset((JPEG_BASELINE, JPEG_EXTENDED, JPEG_LOSSLESS_SV1))
_MAX_STREAMS: Final = 32  # of an object that are looked at

Read = Callable[[int, int], bytes]


class References:
    """Who refers to whom, of key objects, presentation states and reports."""

    def __init__(self) -> None:
        self._wanted: dict[bytes, str] = {}

    def look(self, path: str, read: Read, size: int, instance: Instance) -> None:
        """One object in Explicit VR Little Endian."""
        if RECORD_TYPES.get(instance.sop_class_uid) not in _KINDS:
            return
        start = instance.data_offset
        data = read(start, max(0, min(MAX_DOCUMENT_BYTES, size - start)))
        for uid in references_of(data):
            if len(self._wanted) >= _MAX_REFERENCES:
                return
            self._wanted.setdefault(uid, path)

    def finish(self, there: Set[str], found: Collector) -> None:
        """What is referred to and not on the medium.

        Args:
            there: SOP Instance UIDs of all objects.
        """
        missing: dict[str, int] = {}
        for uid, path in self._wanted.items():
            if uid.decode("ascii") not in there:
                missing[path] = missing.get(path, 0) + 1
        for path, count in missing.items():
            found.warn("PDI-58", path, f"{count} of what it refers to is not on the medium")


def check_streams(path: str, read: Read, size: int, instance: Instance, found: Collector) -> None:
    """Whether the first JPEG streams of an object have their own tables."""
    if instance.transfer_syntax_uid not in _JPEG or instance.fault:
        return
    source = Source(read, size, b"")
    try:
        pixel = scan(source, instance.data_offset, EXPLICIT, {})
    except InstanceError:
        return  # said already: such an object is not whole
    if pixel is None or pixel.length != UNDEFINED:
        return
    at = pixel.offset
    for number in range(_MAX_STREAMS + 1):  # the first is the Basic Offset Table
        raw, length = EXPLICIT.item(read(at, 8), 0)
        if raw != EXPLICIT.item_start:
            return
        head = read(at + 8, min(length, MAX_HEADER_BYTES))
        # A fragment that goes on with a stream does not begin as one; the first has to.
        if (
            number
            and (number == 1 or head.startswith(b"\xff\xd8"))
            and (what := lacks_tables(head))
        ):
            found.error("PDI-53", path, f"JPEG stream {number} lacks {what}")
            return
        at += 8 + length
