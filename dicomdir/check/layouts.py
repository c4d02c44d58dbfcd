"""Taking elements apart at the speed of C: thousands of records and headers are laid out alike.

A layout is the headers (tag, VR, length) of a run of elements. Where all headers are those of a
layout that was walked before, the values are cut out by one `struct` call; else they are walked.
"""

from __future__ import annotations

from collections.abc import Mapping
from struct import Struct
from typing import Final, NamedTuple

from dicomdir.directory import DirectoryRecord
from dicomdir.elements import EXPLICIT, split

_MAX_BYTES: Final = 16 << 10
_MAX_LENGTHS: Final = 512
_MAX_PER_LENGTH: Final = 4
_UNDEFINED: Final = b"\xff\xff\xff\xff"


class _Layout(NamedTuple):
    cut: Struct
    headers: tuple[bytes, ...]
    tags: tuple[int, ...]


class Layouts:
    """`elements.split` with a memory; it is of no use to share it among threads."""

    def __init__(self) -> None:
        self._known: dict[int, list[_Layout]] = {}

    def split(self, data: bytes) -> dict[int, bytes]:
        """Raises InstanceError as `elements.split`."""
        known = self._known.get(len(data), ())
        for cut, headers, tags in known:
            parts = cut.unpack(data)
            if parts[::2] == headers:
                return dict(zip(tags, parts[1::2], strict=True))
        values = split(data)
        if len(known) < _MAX_PER_LENGTH and len(data) <= _MAX_BYTES:
            self._learn(data, values)
        return values

    def values_of(self, record: DirectoryRecord) -> Mapping[int, bytes]:
        """`record.values`."""
        if record.codec is EXPLICIT and _UNDEFINED not in record.content:
            return self.split(record.content)
        return record.values

    def _learn(self, data: bytes, values: Mapping[int, bytes]) -> None:
        if len(self._known) >= _MAX_LENGTHS:
            self._known.clear()
        form, headers, at = "<", [], 0
        for value in values.values():
            vr = int.from_bytes(data[at + 4 : at + 6], "little")
            size = EXPLICIT.header_of[vr]
            headers.append(data[at : at + size])
            form += f"{size}s{len(value)}s"
            at += size + len(value)
        layout = _Layout(Struct(form), tuple(headers), tuple(values))
        self._known.setdefault(len(data), []).append(layout)
