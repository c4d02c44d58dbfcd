"""Nested attributes of one object, read within bounds: what the pages need and nothing else.

`scanner` keeps no content trees; this does, as long as they stay below the limits of a page
(PS3.5 7.1, 7.5). Meant for objects as they lie on the medium; numbers in values are not turned
around, so of big endian ones only text is of use.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from dicomdir.elements import BIG_ENDIAN, EXPLICIT, IMPLICIT, UNDEFINED, Codec, Source, tag_name
from dicomdir.errors import InstanceError
from dicomdir.instance import Instance
from dicomdir.pdi import FileSource
from dicomdir.profile import EXPLICIT_BIG, IMPLICIT_LITTLE
from dicomdir.sequences import skip

MAX_ITEMS: Final = 25_000  # of all sequences of one object; about 1 KB of memory each
MAX_NESTED: Final = 48  # sequences inside each other that are read; deeper ones are left out
MAX_TEXT_BYTES: Final = 100_000  # of one value; longer ones are cut
MAX_TEXTS_BYTES: Final = 4 << 20  # of all values of one object
_HEAD_BYTES: Final = 8 << 10

Node: TypeAlias = "dict[int, bytes | list[Node]]"

# Tag to VR class of what is read: "SQ" or "" for bytes. Names are in PS3.6.
SEQUENCES: Final = frozenset({
    0x00081199,  # Referenced SOP Sequence
    0x00081115,  # Referenced Series Sequence
    0x004008EA,  # Measurement Units Code Sequence
    0x0040A043,  # Concept Name Code Sequence
    0x0040A073,  # Verifying Observer Sequence
    0x0040A078,  # Author Observer Sequence
    0x0040A168,  # Concept Code Sequence
    0x0040A300,  # Measured Value Sequence
    0x0040A301,  # Numeric Value Qualifier Code Sequence
    0x0040A360,  # Predecessor Documents Sequence
    0x0040A730,  # Content Sequence
})  # fmt: skip
VALUES: Final = frozenset({
    0x00080005, 0x00080016, 0x00080018, 0x00080020, 0x00080023, 0x00080030, 0x00080033, 0x00080050,
    0x00080060, 0x00080070, 0x00080080, 0x00080090, 0x00080100, 0x00080102, 0x00080104, 0x00080119,
    0x00080120, 0x00081030, 0x0008103E, 0x00081090, 0x00081150, 0x00081155, 0x00081160, 0x00100010,
    0x00100020, 0x00100021, 0x00100030, 0x00100040, 0x00181000, 0x00200010, 0x00200011, 0x00200013,
    0x0040A010,
    0x0040A027, 0x0040A030, 0x0040A032, 0x0040A040, 0x0040A050, 0x0040A075, 0x0040A0B0, 0x0040A120,
    0x0040A121, 0x0040A122, 0x0040A123, 0x0040A124, 0x0040A130, 0x0040A132, 0x0040A138, 0x0040A13A,
    0x0040A160, 0x0040A30A, 0x0040A491, 0x0040A492, 0x0040A493, 0x0040A496, 0x0040DB73, 0x00420010,
    0x00420012, 0x00420015, 0x0062000B, 0x00700022, 0x00700023,
})  # fmt: skip
_UN: Final = "UN"
_CODECS: Final = {IMPLICIT_LITTLE: IMPLICIT, EXPLICIT_BIG: BIG_ENDIAN}


@dataclass(slots=True)
class _Budget:
    items: int = MAX_ITEMS
    text_bytes: int = MAX_TEXTS_BYTES
    is_cut: bool = False


@dataclass(slots=True)
class Content:
    """What was read.

    Attributes:
        root: Values raw, with padding; sequences as lists of items.
        is_cut: There was more than the limits take.
        body: Where a searched element stands in the file, and its length; None if it is not there.
    """

    root: Node
    is_cut: bool = False
    body: tuple[int, int] | None = None


@contextmanager
def opened(source: FileSource, data_offset: int) -> Iterator[tuple[Source, int]]:
    """A window over an object of the medium, and its end in the file."""
    descriptor = os.open(source.path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        end = source.offset_bytes + source.size_bytes
        head = os.pread(descriptor, max(0, min(_HEAD_BYTES, end - data_offset)), data_offset)
        yield Source(lambda at, count: os.pread(descriptor, count, at), end, head, data_offset), end
    finally:
        os.close(descriptor)


def read_content(
    instance: Instance, source: FileSource, *, body_tag: int = 0, until: int = 0xFFFFFFFF
) -> Content:
    """The attributes of `SEQUENCES` and `VALUES`, however deep, within the limits.

    Args:
        source: Where the object lies; its data set begins at `instance.data_offset` of the file.
        body_tag: An element of the top level that is only located.
        until: The first tag of the top level that is of no interest any more.
    Raises:
        InstanceError: Damaged, or larger than a header may be.
        OSError: The file cannot be read.
    """
    with opened(source, instance.data_offset) as (window, end):
        codec = _CODECS.get(instance.transfer_syntax_uid, EXPLICIT)
        return _Reader(window, body_tag, until).run(instance.data_offset, end, codec)


@dataclass(slots=True)
class _Reader:
    source: Source
    body_tag: int
    until: int
    budget: _Budget = field(default_factory=_Budget)
    body: tuple[int, int] | None = None

    def run(self, at: int, end: int, codec: Codec) -> Content:
        root: Node = {}
        self._fill(root, at, end, codec, 0)
        return Content(root, self.budget.is_cut, self.body)

    def _fill(self, node: Node, at: int, end: int | None, codec: Codec, depth: int) -> int:
        """Elements of one item from `at` to `end`, or to the item's delimiter if `end` is None."""
        source = self.source
        while end is None or at < end:
            if not source.load_header(at):
                raise InstanceError("the data set ends inside an item")
            pos = at - source.base
            raw, length = codec.item(source.buf, pos)
            tag, vr, header = codec.tag(raw), "", 8
            if tag == 0xFFFEE00D and end is None:
                return at + 8
            if tag >= self.until and depth == 0:
                return at
            if codec.explicit:
                raw, number, short, long = codec.unpack(source.buf, pos)
                header = codec.header_of.get(number, 0)
                if not header:
                    raise InstanceError(f"{tag_name(tag)} has no known VR")
                vr = codec.vr_name[number]
                length = short if header == 8 else long
            at += header
            if length != UNDEFINED and at + length > (source.size if end is None else end):
                raise InstanceError("an element ends behind its item")
            at = self._value(node, tag, vr, at, length, codec, depth)
        return at

    def _value(
        self, node: Node, tag: int, vr: str, at: int, length: int, codec: Codec, depth: int
    ) -> int:
        """One value; returns the offset behind it."""
        is_un = vr == _UN
        inner = IMPLICIT if is_un else codec  # PS3.5 6.2.2 note 2
        if tag == self.body_tag and depth == 0 and length != UNDEFINED:
            self.body = (at, length)
        elif tag in SEQUENCES and vr in ("SQ", _UN, ""):
            if depth < MAX_NESTED:
                items: list[Node] = []
                node[tag] = items
                return self._items(items, at, length, inner, depth + 1)
            self.budget.is_cut = True
        elif tag in VALUES and length != UNDEFINED and tag not in node:
            self._keep(node, tag, at, length)
        return skip(self.source, at, inner) if length == UNDEFINED else at + length

    def _items(self, items: list[Node], at: int, length: int, codec: Codec, depth: int) -> int:
        end = None if length == UNDEFINED else at + length
        source, budget = self.source, self.budget
        while end is None or at < end:
            if budget.items == 0:
                budget.is_cut = True
                return skip(source, at, codec) if end is None else end
            start = source.load(at, 8)
            raw, size = codec.item(source.buf, start)
            at += 8
            if raw == codec.sequence_end and end is None:
                return at
            if raw != codec.item_start:
                raise InstanceError("something that is no item in a sequence")
            if size != UNDEFINED and at + size > (source.size if end is None else end):
                raise InstanceError("an item ends behind its sequence")
            budget.items -= 1
            node: Node = {}
            items.append(node)
            at = self._fill(node, at, None if size == UNDEFINED else at + size, codec, depth)
        return at

    def _keep(self, node: Node, tag: int, at: int, length: int) -> None:
        budget = self.budget
        kept = min(length, MAX_TEXT_BYTES, budget.text_bytes)
        if kept < length:
            budget.is_cut = True
        budget.text_bytes -= kept
        start = self.source.load(at, kept)
        node[tag] = self.source.buf[start : start + kept]
