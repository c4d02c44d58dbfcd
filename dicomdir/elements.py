"""DICOM elements as bytes: layout of their headers, a bounded window over a file, writing them.

No pydicom: the storage receiver reads headers with this while they arrive (PS3.5 7).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from struct import Struct
from typing import Final, NamedTuple

from dicomdir.errors import HeaderIncompleteError, InstanceError, TruncatedInstanceError
from dicomdir.keys import KEY_VR, PIXEL_TAGS, PRESENCE

UNDEFINED: Final = 0xFFFFFFFF
MAX_LOADED_BYTES: Final = (
    32 << 20
)  # all windows of one header together; also bounds the number of elements
MAX_VALUE_BYTES: Final = 64 << 10  # of one kept value
MAX_SEQUENCE_BYTES: Final = (
    4 << 20
)  # of one kept sequence: a presentation state may refer to 10,000 images
MAX_CONTENT_ITEMS: Final = 200_000  # at the root of a structured report
MAX_DEPTH: Final = 64  # of sequences that are stepped over
MAX_KEPT_DEPTH: Final = 12  # of sequences that are kept: these are walked by recursion
MAX_STEPS: Final = 4096  # a series has some hundred different element headers
JUMP_BYTES: Final = 4 << 10  # loaded after stepping over something large
AHEAD_BYTES: Final = 64 << 10  # loaded when reading on

# PS3.5 7.1.2: length in 16 bits, and in 32 bits behind two reserved bytes
SHORT_VRS: Final = frozenset({
    "AE", "AS", "AT", "CS", "DA", "DS", "DT", "FL", "FD", "IS", "LO", "LT", "PN", "SH", "SL", "SS",
    "ST", "TM", "UI", "UL", "US",
})  # fmt: skip
LONG_VRS: Final = frozenset({
    "OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV",
})  # fmt: skip
_SWAP: Final = {
    "US": 2, "SS": 2, "OW": 2, "AT": 2, "UL": 4, "SL": 4, "FL": 4, "OF": 4, "OL": 4,
    "FD": 8, "OD": 8, "SV": 8, "UV": 8, "OV": 8,
}  # fmt: skip

_SHORT = Struct("<HH2sH").pack
_LONG = Struct("<HH2sHL").pack
_ITEM = Struct("<HHL").pack


class Wanted(NamedTuple):
    """What to do with a tag. `vr` is as the codec reads it; 0 marks pixels, -1 mere presence."""

    tag: int
    vr: int
    name: str


class Codec:
    """How headers are laid out in one transfer syntax. Tags are compared as raw integers.

    Attributes:
        steps: What was found out about 8 bytes of header that were met before, for the objects of
            a series have the same ones: bytes to the next header, and the tag under which these
            bytes are kept as they stand, or None. `learn` adds to it.
    """

    __slots__ = (
        "big", "explicit", "header_of", "item", "item_end", "item_start", "sequence_end", "steps",
        "undefined_ok", "unpack",
        "vr_name", "wanted",
    )  # fmt: skip

    def __init__(self, *, explicit: bool, big: bool) -> None:
        order = ">" if big else "<"
        self.explicit = explicit
        self.big = big
        self.unpack = Struct(order + "IHHI").unpack_from  # tag, VR, short length, long length
        self.item = Struct(order + "II").unpack_from  # tag, length
        self.steps: dict[bytes, tuple[int, int | None]] = {}
        self.header_of: dict[int, int] = {}
        self.vr_name: dict[int, str] = {}
        for header, names in ((8, SHORT_VRS), (12, LONG_VRS)):
            for name in names:
                number = self._vr(name)
                self.header_of[number] = header
                self.vr_name[number] = name
        self.undefined_ok = frozenset(self._vr(name) for name in ("SQ", "UN", "OB", "OW"))
        self.item_start = self.tag(0xFFFEE000)
        self.item_end = self.tag(0xFFFEE00D)
        self.sequence_end = self.tag(0xFFFEE0DD)
        self.wanted = {self.tag(t): Wanted(t, self._vr(vr), vr) for t, vr in KEY_VR.items()}
        self.wanted |= {self.tag(t): Wanted(t, -1, "") for t in PRESENCE}
        self.wanted |= {self.tag(t): Wanted(t, 0, "") for t in PIXEL_TAGS}

    def learn(self, header: bytes, step: int, tag: int | None) -> None:
        """Only what these 8 bytes alone decide, whichever object they stand in."""
        if len(self.steps) >= MAX_STEPS:
            self.steps.clear()  # somebody makes headers up
        self.steps[header] = step, tag

    def _vr(self, name: str) -> int:
        return int.from_bytes(name.encode(), "big" if self.big else "little")

    def tag(self, tag: int) -> int:
        """group << 16 | element to the raw integer of this codec, and back: the same swap."""
        return tag if self.big else (tag >> 16 | tag << 16) & 0xFFFFFFFF


EXPLICIT: Final = Codec(explicit=True, big=False)
IMPLICIT: Final = Codec(explicit=False, big=False)
BIG_ENDIAN: Final = Codec(explicit=True, big=True)


class Source:
    """A window over a random-access file.

    Attributes:
        buf: What is in memory; begins at file offset `base`.
        size: Of the file, in bytes.
    """

    __slots__ = ("_left", "_read", "base", "buf", "size")

    def __init__(
        self, read: Callable[[int, int], bytes] | None, size: int, buf: bytes, base: int = 0
    ) -> None:
        self.buf = buf
        self.base = base
        self.size = size
        self._read = read  # None: nothing but `buf` can be had
        self._left = MAX_LOADED_BYTES

    def load(self, offset: int, want: int, *, ahead: int = JUMP_BYTES) -> int:
        """Have `want` bytes from `offset` in the window; returns where in `buf` they begin.

        Args:
            ahead: Bytes to load when `offset` is not where the window ends.

        Raises:
            TruncatedInstanceError: The file ends before.
            HeaderIncompleteError: There is no file behind the first bytes.
            InstanceError: More header than any honest object has.
        """
        if offset + want > self.size:
            raise TruncatedInstanceError("the data set ends inside an element")
        start = offset - self.base
        if start >= 0 and start + want <= len(self.buf):
            return start
        if self._read is None:
            raise HeaderIncompleteError("more of the file is needed")
        room = AHEAD_BYTES if 0 <= start <= len(self.buf) else ahead
        room = min(max(want, room), self.size - offset)
        self._left -= room
        if self._left < 0:
            raise InstanceError(f"header larger than {MAX_LOADED_BYTES} bytes")
        self.buf = self._read(offset, room)
        self.base = offset
        if len(self.buf) < want:
            raise TruncatedInstanceError("the file is shorter than its size says")
        return 0

    def load_header(self, offset: int) -> bool:
        """Have the next element header in the window; False at the very end of the file.

        Raises:
            TruncatedInstanceError, HeaderIncompleteError, InstanceError: As `load`.
        """
        left = self.size - offset
        if left == 0:
            return False
        if left < 8:
            raise TruncatedInstanceError("the data set ends inside an element header")
        start = self.load(offset, min(12, left))
        if len(self.buf) - start < 12:
            self.buf += bytes(4)  # 8 to 11 bytes are left: one small element
        return True


def element(tag: int, vr: str, value: bytes) -> bytes:
    """One element in Explicit VR Little Endian, padded to even length (PS3.5 6.2).

    Raises:
        InstanceError: Longer than the VR's length field can say.
    """
    if len(value) & 1:
        value += b"\0" if vr in ("UI", "OB", "UN") else b" "
    if vr in LONG_VRS:
        return _LONG(tag >> 16, tag & 0xFFFF, vr.encode(), 0, len(value)) + value
    if len(value) > 0xFFFE:
        raise InstanceError(f"{tag_name(tag)} is too long for {vr}")
    return _SHORT(tag >> 16, tag & 0xFFFF, vr.encode(), len(value)) + value


def item(content: bytes) -> bytes:
    """An item of defined length."""
    return _ITEM(0xFFFE, 0xE000, len(content)) + content


def swap(value: bytes, vr: str) -> bytes:
    """Big endian to little endian; text stays."""
    unit = _SWAP.get(vr, 1)
    if unit == 1:
        return value
    whole = bytearray(value[: len(value) - len(value) % unit])
    for low in range(unit // 2):
        high = unit - 1 - low
        whole[low::unit], whole[high::unit] = whole[high::unit], whole[low::unit]
    return bytes(whole)


def tag_name(tag: int) -> str:
    """(GGGG,EEEE)"""
    return f"({tag >> 16:04X},{tag & 0xFFFF:04X})"


def elements(data: bytes) -> Iterator[tuple[int, str, bytes]]:
    """Tag, VR and value of what `split` would read.

    Raises:
        InstanceError: Damaged.
    """
    padded = data + bytes(4)
    pos, end = 0, len(data)
    while pos < end:
        if end - pos < 8:
            raise InstanceError("data ends inside an element header")
        raw, vr, length, long = EXPLICIT.unpack(padded, pos)
        header = EXPLICIT.header_of.get(vr, 0)
        if header == 12:
            length = long
        stop = pos + header + length
        if header == 0 or stop > end:
            raise InstanceError("an element has no known VR or ends behind the data")
        yield EXPLICIT.tag(raw), EXPLICIT.vr_name[vr], data[pos + header : stop]
        pos = stop


def split(data: bytes) -> dict[int, bytes]:
    """Elements in Explicit VR Little Endian of defined length, as this package writes them, by tag.

    Raises:
        InstanceError: Not that, or a tag twice.
    """
    found: dict[int, bytes] = {}
    header_of, end = _short_headers.get, len(data)
    pos = 0
    while pos < end:
        known = header_of(data[pos : pos + 8])
        tag, header, length = _header(data, pos) if known is None else known
        pos += header
        stop = pos + length
        if stop > end or tag in found:
            raise InstanceError("an element is there twice or ends behind the data")
        found[tag] = data[pos:stop]
        pos = stop
    return found


_short_headers: dict[bytes, tuple[int, int, int]] = {}


def _header(data: bytes, pos: int) -> tuple[int, int, int]:
    """Tag, bytes of the header and length of the element at `pos`. Raises InstanceError."""
    short = data[pos : pos + 8]
    if len(short) < 8:
        raise InstanceError("data ends inside an element header")
    raw, vr, length, long = EXPLICIT.unpack(data[pos : pos + 12].ljust(12, b"\0"))
    header = EXPLICIT.header_of.get(vr)
    if header is None:
        raise InstanceError("an element has no known VR")
    if header == 12:
        return EXPLICIT.tag(raw), header, long
    if len(_short_headers) >= MAX_STEPS:
        _short_headers.clear()  # somebody makes headers up
    found = _short_headers[short] = EXPLICIT.tag(raw), header, length
    return found
