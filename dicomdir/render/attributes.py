"""What a picture needs of an object's header: image pixels, lookup tables, windows, overlays.

Read anew from the file, for few objects of a study: `Instance.keys` holds what all of them need.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from dicomdir.elements import EXPLICIT, IMPLICIT, UNDEFINED, Source, elements
from dicomdir.errors import InstanceError, RenderError
from dicomdir.keys import PIXEL_TAGS
from dicomdir.sequences import rewrite, skip

_FIRST_READ_BYTES: Final = 8 << 10
_MAX_VALUE_BYTES: Final = 256 << 10  # a palette has 128 KiB
_MAX_OVERLAY_BYTES: Final = 4 << 20
_MAX_SEQUENCE_BYTES: Final = 1 << 20

SAMPLES: Final = 0x00280002
PHOTOMETRIC: Final = 0x00280004
PLANAR: Final = 0x00280006
FRAMES: Final = 0x00280008
ROWS: Final = 0x00280010
COLUMNS: Final = 0x00280011
PIXEL_SPACING: Final = 0x00280030
ASPECT_RATIO: Final = 0x00280034
BITS_ALLOCATED: Final = 0x00280100
BITS_STORED: Final = 0x00280101
HIGH_BIT: Final = 0x00280102
REPRESENTATION: Final = 0x00280103
PADDING_VALUE: Final = 0x00280120
PADDING_LIMIT: Final = 0x00280121
CENTER: Final = 0x00281050
WIDTH: Final = 0x00281051
INTERCEPT: Final = 0x00281052
SLOPE: Final = 0x00281053
VOI_FUNCTION: Final = 0x00281056
LUT_SHAPE: Final = 0x20500020
IMAGER_SPACING: Final = 0x00181164
PALETTE_DESCRIPTORS: Final = (0x00281101, 0x00281102, 0x00281103)
PALETTE_DATA: Final = (0x00281201, 0x00281202, 0x00281203)
PALETTE_SEGMENTS: Final = (0x00281221, 0x00281222, 0x00281223)
MODALITY_LUTS: Final = 0x00283000
VOI_LUTS: Final = 0x00283010
LUT_DESCRIPTOR: Final = 0x00283002
LUT_DATA: Final = 0x00283006
OVERLAY_GROUPS: Final = range(0x6000, 0x6020, 2)  # PS3.5 7.6
OVERLAY_ROWS: Final = 0x0010
OVERLAY_COLUMNS: Final = 0x0011
OVERLAY_ORIGIN: Final = 0x0050
OVERLAY_BITS_ALLOCATED: Final = 0x0100
OVERLAY_BIT_POSITION: Final = 0x0102
OVERLAY_DATA: Final = 0x3000
_SHARED_GROUPS: Final = 0x52009229
_FRAME_GROUPS: Final = 0x52009230
_FIRST_OVERLAY: Final = 0x60000000
_PIXEL_DATA: Final = 0x7FE00010

_WANTED: Final = frozenset({
    SAMPLES, PHOTOMETRIC, PLANAR, FRAMES, ROWS, COLUMNS, PIXEL_SPACING, ASPECT_RATIO,
    BITS_ALLOCATED, BITS_STORED, HIGH_BIT, REPRESENTATION, PADDING_VALUE, PADDING_LIMIT, CENTER,
    WIDTH, INTERCEPT, SLOPE, LUT_SHAPE, VOI_FUNCTION, IMAGER_SPACING, *PALETTE_DESCRIPTORS,
    *PALETTE_DATA, *PALETTE_SEGMENTS, LUT_DESCRIPTOR, LUT_DATA,
})  # fmt: skip
_SEQUENCES: Final = frozenset({MODALITY_LUTS, VOI_LUTS, _SHARED_GROUPS})
_OF_A_FRAME: Final = frozenset({
    PIXEL_SPACING, IMAGER_SPACING, CENTER, WIDTH, INTERCEPT, SLOPE, VOI_FUNCTION, VOI_LUTS,
})  # fmt: skip
_OVERLAY: Final = frozenset({
    OVERLAY_ROWS, OVERLAY_COLUMNS, OVERLAY_ORIGIN, OVERLAY_BITS_ALLOCATED, OVERLAY_BIT_POSITION,
    OVERLAY_DATA,
})  # fmt: skip


class Value(NamedTuple):
    """Raw value; of a sequence its items, all of defined length."""

    vr: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Header:
    """Attributes by tag, and where the pixels lie in the file.

    Attributes:
        frame_groups: File offset and end of the Per-frame Functional Groups' items, 0 if absent.
        pixel_element: File offset of the pixel element itself, where everything else ends.
    """

    values: Mapping[int, Value]
    pixel_vr: str
    pixel_offset: int
    pixel_bytes: int
    frame_groups: tuple[int, int]
    pixel_element: int = 0

    def number(self, tag: int, default: int = 0) -> int:
        """A value of VR US or SS, the first if there are several."""
        value = self.values.get(tag)
        if value is None or len(value.data) < 2:
            return default
        return int.from_bytes(value.data[:2], "little", signed=value.vr == "SS")

    def text(self, tag: int) -> str:
        value = self.values.get(tag)
        return "" if value is None else plain(value)

    def decimals(self, tag: int) -> list[float]:
        return decimals(self.values, tag)


def plain(value: Value) -> str:
    return value.data.decode("ascii", "replace").strip(" \0")


def decimals(values: Mapping[int, Value], tag: int) -> list[float]:
    """Values of VR DS or IS; those that are no finite decimal numbers are left out."""
    value = values.get(tag)
    if value is None:
        return []
    return [
        number for part in plain(value).split("\\")[:16] if (number := _decimal(part)) is not None
    ]


def _decimal(text: str) -> float | None:
    text = text.strip(" \0")
    if not 0 < len(text) <= 32 or not set(text) <= set("0123456789+-.eE"):
        return None
    try:
        number = float(text)
    except ValueError:
        return None
    return number if abs(number) < 1e30 else None


def read_header(descriptor: int, start: int, end: int) -> Header:
    """Walk a data set up to its pixels.

    Args:
        start: First byte of the data set in the file; `end` is behind its last.
    Raises:
        RenderError: No pixels, or compressed ones.
        InstanceError: Damaged, or a larger header than any honest object has.
    """
    if end <= start:
        raise RenderError("the file ends before its data set")
    source = _source(descriptor, start, end)
    values: dict[int, Value] = {}
    frame_groups = (0, 0)
    unpack, header_of = EXPLICIT.unpack, EXPLICIT.header_of  # a hundred rounds an object
    buf, base = source.buf, source.base
    at = start
    while True:
        pos = at - base
        if not 0 <= pos <= len(buf) - 12:
            if not source.load_header(at):
                break
            buf, base = source.buf, source.base
            pos = at - base
        raw, number, length, long = unpack(buf, pos)
        header = header_of.get(number)
        if header is None:
            raise InstanceError("an element has no known VR")
        if header == 12:
            length = long
        tag = (raw >> 16 | raw << 16) & 0xFFFFFFFF
        head, at = at, at + header
        if tag in PIXEL_TAGS:
            if length == UNDEFINED:
                raise RenderError("the pixels are compressed")
            kind = "" if tag == _PIXEL_DATA else ("OF" if tag == 0x7FE00008 else "OD")
            return Header(values, kind, at, min(length, end - at), frame_groups, head)
        stop = at + length
        vr = EXPLICIT.vr_name[number]
        if length == UNDEFINED:
            stop = skip(source, at, IMPLICIT if vr == "UN" else EXPLICIT)
            buf, base = source.buf, source.base
        if tag == _FRAME_GROUPS:
            frame_groups = (at, stop)
        elif tag in _SEQUENCES:
            if stop - head <= _MAX_SEQUENCE_BYTES:
                found = source.load(head, stop - head)
                buf, base = source.buf, source.base
                content = rewrite(buf[found : found + stop - head], EXPLICIT)[tag]
                values[tag] = Value("SQ", content)
        elif length != UNDEFINED and _is_wanted(tag, length):
            found = source.load(at, length)
            buf, base = source.buf, source.base
            values[tag] = Value(vr, bytes(buf[found : found + length]))
        at = stop
    raise RenderError("the object has no pixels")


def with_functional_groups(header: Header, descriptor: int, frame: int) -> Mapping[int, Value]:
    """The header's attributes, with those that the functional groups say of one frame.

    Raises:
        InstanceError: The groups are damaged.
    """
    shared = header.values.get(_SHARED_GROUPS)
    start, end = header.frame_groups
    if shared is None and not end:
        return header.values
    merged = dict(header.values)
    if shared is not None:
        for group in items(shared.data):
            _merge(merged, group)
            break
    if end:
        _merge(merged, _frame_item(descriptor, start, end, frame))
    return merged


def items(sequence: bytes) -> Iterator[bytes]:
    """Contents of the items of a sequence in which all lengths are defined."""
    at = 0
    while at + 8 <= len(sequence):
        length = int.from_bytes(sequence[at + 4 : at + 8], "little")
        yield sequence[at + 8 : at + 8 + length]
        at += 8 + length


def item_values(content: bytes) -> dict[int, Value]:
    """Attributes of an item by tag. Raises InstanceError if it is damaged."""
    return {tag: Value(vr, data) for tag, vr, data in elements(content)}


# --------------------------------------------------------------------------------------------------


def _source(descriptor: int, start: int, end: int) -> Source:
    head = os.pread(descriptor, min(_FIRST_READ_BYTES, end - start), start)
    return Source(lambda at, count: os.pread(descriptor, count, at), end, head, start)


def _is_wanted(tag: int, length: int) -> bool:
    if tag in _WANTED:
        return length <= _MAX_VALUE_BYTES
    if tag < _FIRST_OVERLAY:
        return False
    number = tag & 0xFFFF
    if tag >> 16 not in OVERLAY_GROUPS or number not in _OVERLAY:
        return False
    return length <= (_MAX_OVERLAY_BYTES if number == OVERLAY_DATA else _MAX_VALUE_BYTES)


def _merge(merged: dict[int, Value], group_item: bytes) -> None:
    """What stands in the first item of each functional group (PS3.3 C.7.6.16)."""
    for group in item_values(group_item).values():
        if group.vr != "SQ":
            continue
        for content in items(group.data):
            found = item_values(content)
            merged.update((tag, found[tag]) for tag in found if tag in _OF_A_FRAME)
            break


def _frame_item(descriptor: int, start: int, end: int, frame: int) -> bytes:
    source = _source(descriptor, start, end)
    at = start
    for number in range(frame + 1):
        found = source.load(at, 8, ahead=64)
        raw, length = EXPLICIT.item(source.buf, found)
        if raw != EXPLICIT.item_start:
            break
        head, at = at, at + 8
        at = skip(source, at, EXPLICIT, in_item=True) if length == UNDEFINED else at + length
        if at > end:
            break
        if number == frame:
            if at - head > _MAX_SEQUENCE_BYTES:
                raise InstanceError("a frame's functional groups are too long")
            found = source.load(head, at - head)
            return _defined(source.buf[found + 8 : found + at - head], length == UNDEFINED)
    raise InstanceError("fewer functional groups than frames")


def _defined(content: bytes, is_delimited: bool) -> bytes:
    """An item's content with lengths that are defined all through."""
    if is_delimited:
        content = content[:-8]
    if b"\xff\xff\xff\xff" not in content:
        return bytes(content)
    head = b"\x00\x52\x30\x92SQ\0\0"  # as if it were a sequence of one item, which `rewrite` reads
    whole = b"\xfe\xff\x00\xe0" + len(content).to_bytes(4, "little") + content
    made = rewrite(head + len(whole).to_bytes(4, "little") + whole, EXPLICIT)
    return next(items(made[_FRAME_GROUPS]))
