"""Whether an object says its pixels as they are (PDI-50) and its text readably (PDI-60).

Warnings: whoever wrote the medium may have received it so, which the medium does not tell.

What describes the pixels stands at the root of the data set, and may stand in sequences before it
as well: it is looked for by bytes first, as thousands of objects have it at one place, and by a
walk where that does not settle it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from dicomdir.check.tree import Collector
from dicomdir.elements import EXPLICIT, UNDEFINED, Source
from dicomdir.errors import InstanceError
from dicomdir.keys import PIXEL_TAGS
from dicomdir.sequences import skip

_ALLOCATED, _PHOTOMETRIC, _CHARSET = 0x00280100, 0x00280004, 0x00080005
_SAMPLES, _STORED, _HIGH, _SIGNED = 0x00280002, 0x00280101, 0x00280102, 0x00280103
_BITS: Final = frozenset((_STORED, _HIGH, _SIGNED))
_FLOATS: Final = frozenset((0x7FE00008, 0x7FE00009))  # Float and Double Float Pixel Data
# Bits Stored, High Bit and Pixel Representation, US, one behind the other.
_STORED_START: Final = b"\x28\0\1\1US\2\0"
_HIGH_START: Final = b"\x28\0\2\1US\2\0"
_SIGNED_START: Final = b"\x28\0\3\1US\2\0"
# Transforms of a coder: whoever decodes undoes them (PS3.3 C.7.6.3.1.2).
_CODED: Final = frozenset((b"YBR_RCT", b"YBR_ICT", b"YBR_PARTIAL_420"))
# Three values a pixel (PS3.3 C.7.6.3.1.2); retired ones had four.
_COLOURS: Final = frozenset((b"RGB", b"YBR_FULL", b"YBR_FULL_422"))
_ONE_VALUED: Final = frozenset((b"MONOCHROME1", b"MONOCHROME2", b"PALETTE COLOR"))
# PS3.3 C.12.1.1.2: numbers of single-byte sets, with and without code extensions.
_SINGLE: Final = (6, 100, 101, 109, 110, 144, 127, 126, 138, 148, 203, 13, 166)
_TERMS: Final = frozenset((
    b"", b"ISO_IR 192", b"GB18030", b"GBK",
    *(f"ISO_IR {number}".encode() for number in _SINGLE),
    *(f"ISO 2022 IR {number}".encode() for number in (*_SINGLE, 87, 159, 149, 58)),
))  # fmt: skip

Read = Callable[[int, int], bytes]


def check_described(
    path: str,
    values: Mapping[int, bytes],
    head: bytes,
    source: Callable[[], Source],
    data_offset: int,
    found: Collector,
) -> None:
    """One whole object in Explicit VR Little Endian.

    Args:
        values: Its keys.
        head: Its first bytes.
        source: Gives the file, for a walk.
    """
    terms = values.get(_CHARSET, b"").split(b"\\")
    if any(term.strip(b" \0") not in _TERMS for term in terms):
        found.warn("PDI-60", path, "its Specific Character Set is none")
    photometric = values.get(_PHOTOMETRIC, b"").strip(b" \0")
    if photometric in _CODED:
        reason = "its colours are said to be transformed as in a compressed image"
        found.warn("PDI-50", path, reason)
    samples = int.from_bytes(values.get(_SAMPLES, b""), "little") or 1
    if (photometric in _COLOURS and samples != 3) or (photometric in _ONE_VALUED and samples != 1):
        reason = "Samples per Pixel is not that of the Photometric Interpretation"
        found.warn("PDI-60", path, reason)
    allocated = int.from_bytes(values.get(_ALLOCATED, b""), "little")
    if not allocated or _is_plain(head, allocated):
        return
    try:
        seen, pixels = _walk(source(), data_offset)
    except InstanceError:
        return  # said already: such an object is not whole
    if pixels not in _FLOATS:  # which have none of these (PS3.3 C.7.6.24)
        _check_bits(path, seen, allocated, found)


def _check_bits(path: str, seen: Mapping[int, int], allocated: int, found: Collector) -> None:
    stored, high = seen.get(_STORED), seen.get(_HIGH)
    if stored is None or high is None:
        found.warn("PDI-60", path, "Bits Stored or High Bit is missing")
    elif not 0 < stored <= allocated or not stored <= high + 1 <= allocated:
        found.warn("PDI-60", path, "Bits Stored and High Bit do not fit into Bits Allocated")
    elif high + 1 != stored:
        found.warn("PDI-60", path, "High Bit is not one less than Bits Stored")
    if seen.get(_SIGNED) not in (0, 1):
        found.warn("PDI-60", path, "Pixel Representation is neither 0 nor 1")


def _is_plain(head: bytes, allocated: int) -> bool:
    """All three stand once in the first bytes, and fit."""
    at = head.find(_STORED_START)
    if at < 0 or head.find(_STORED_START, at + 1) >= 0:
        return False
    stored = int.from_bytes(head[at + 8 : at + 10], "little")
    high = int.from_bytes(head[at + 18 : at + 20], "little")
    return (
        head[at + 10 : at + 18] == _HIGH_START
        and head[at + 20 : at + 28] == _SIGNED_START
        and head[at + 28 : at + 30] in (b"\0\0", b"\1\0")
        and 0 < stored == high + 1 <= allocated
    )


def _walk(source: Source, at: int) -> tuple[dict[int, int], int]:
    """Bits Stored, High Bit and Pixel Representation at the root of the data set, those that are
    there and numbers; and the tag of its pixels, 0 if nobody needs to know.

    Raises:
        InstanceError: The data set is damaged.
    """
    seen: dict[int, int] = {}
    while source.load_header(at):
        pos = at - source.base
        raw, vr, length, long = EXPLICIT.unpack(source.buf, pos)
        tag, header = EXPLICIT.tag(raw), EXPLICIT.header_of.get(vr)
        if header is None:
            raise InstanceError("an element has no known VR")
        if tag in PIXEL_TAGS:
            return seen, tag
        if tag > _SIGNED and len(seen) == len(_BITS):
            break
        if header == 12:
            length = long
        if tag in _BITS and length == 2:
            start = source.load(at + header, 2)
            seen[tag] = int.from_bytes(source.buf[start : start + 2], "little")
        at += header
        at = skip(source, at, EXPLICIT) if length == UNDEFINED else at + length
    return seen, 0
