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
from dicomdir.sequences import skip

_ALLOCATED, _PHOTOMETRIC, _CHARSET = 0x00280100, 0x00280004, 0x00080005
_STORED, _HIGH = 0x00280101, 0x00280102
_LAST: Final = 0x00280103
# Bits Stored and High Bit, US, one behind the other.
_STORED_START: Final = b"\x28\0\1\1US\2\0"
_HIGH_START: Final = b"\x28\0\2\1US\2\0"
# Transforms of a coder: whoever decodes undoes them (PS3.3 C.7.6.3.1.2).
_CODED: Final = frozenset((b"YBR_RCT", b"YBR_ICT", b"YBR_PARTIAL_420"))
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
    if values.get(_PHOTOMETRIC, b"").strip(b" \0") in _CODED:
        reason = "its colours are said to be transformed as in a compressed image"
        found.warn("PDI-50", path, reason)
    allocated = int.from_bytes(values.get(_ALLOCATED, b""), "little")
    if not allocated or _is_plain(head, allocated):
        return
    try:
        stored, high = _walk(source(), data_offset)
    except InstanceError:
        return  # said already: such an object is not whole
    if stored is None or high is None:
        found.warn("PDI-60", path, "Bits Stored or High Bit is missing")
    elif not 0 < stored <= allocated or not stored <= high + 1 <= allocated:
        found.warn("PDI-60", path, "Bits Stored and High Bit do not fit into Bits Allocated")
    elif high + 1 != stored:
        found.warn("PDI-60", path, "High Bit is not one less than Bits Stored")


def _is_plain(head: bytes, allocated: int) -> bool:
    """There is one Bits Stored and one High Bit in the first bytes, and they fit."""
    at = head.find(_STORED_START)
    if at < 0 or head.find(_STORED_START, at + 1) >= 0:
        return False
    stored = int.from_bytes(head[at + 8 : at + 10], "little")
    high = int.from_bytes(head[at + 18 : at + 20], "little")
    return head[at + 10 : at + 18] == _HIGH_START and 0 < stored == high + 1 <= allocated


def _walk(source: Source, at: int) -> tuple[int | None, int | None]:
    """Bits Stored and High Bit at the root of the data set; None if absent or no number.

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
        if tag > _LAST:
            break
        if header == 12:
            length = long
        if tag in (_STORED, _HIGH) and length == 2:
            start = source.load(at + header, 2)
            seen[tag] = int.from_bytes(source.buf[start : start + 2], "little")
        at += header
        at = skip(source, at, EXPLICIT) if length == UNDEFINED else at + length
    return seen.get(_STORED), seen.get(_HIGH)
