"""Icons inside objects (0088,0200): whether their pixels are encapsulated, and where they stand.

An encapsulated icon belongs into an encapsulated transfer syntax alone (PS3.5 A.4): elsewhere it is
an element of undefined length that some readers take for a sequence and others for an end.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from dicomdir.elements import EXPLICIT, UNDEFINED, Codec, Source, tag_name
from dicomdir.errors import HeaderIncompleteError, InstanceError
from dicomdir.keys import ICON
from dicomdir.sequences import skip

COMPRESSED: Final = "icon.compressed"
"""Remark on a whole object in a native transfer syntax; the icon does not go onto the medium."""

_PIXEL_DATA: Final = 0x7FE00010
_ITEM_END: Final = 0xFFFEE00D
_GROUP_LENGTH: Final = ICON & 0xFFFF0000


def is_encapsulated(source: Source, at: int, end: int, codec: Codec) -> bool:
    """Whether pixels in a sequence stand in fragments.

    Args:
        at: File offset of the first item; `end` is behind the last one.
    Returns:
        False too for a damaged one: it harms nobody if it is stepped over by its length.
    Raises:
        HeaderIncompleteError: It takes more of the file to tell.
    """
    try:
        while at < end:
            pos = source.load(at, 8)
            raw, length = codec.item(source.buf, pos)
            at += 8
            if raw != codec.item_start:
                break
            at, found = _item(source, at, end if length == UNDEFINED else at + length, codec)
            if found:
                return True
    except HeaderIncompleteError:
        raise
    except InstanceError:
        pass
    return False


def _item(source: Source, at: int, end: int, codec: Codec) -> tuple[int, bool]:
    """The offset behind an item, and whether its pixels stand in fragments."""
    while at < end:
        tag, length, at = _header(source, at, codec)
        if tag == _ITEM_END:
            return at, False
        if length == UNDEFINED:
            if tag == _PIXEL_DATA:
                return at, True
            at = skip(source, at, codec)
        else:
            at += length
    return at, False


def _header(source: Source, at: int, codec: Codec) -> tuple[int, int, int]:
    """Tag, length and the offset of the value."""
    pos = source.load(at, 8)
    raw, length = codec.item(source.buf, pos)
    tag = codec.tag(raw)
    if not codec.explicit or tag == _ITEM_END:
        return tag, length, at + 8
    vr, short = codec.unpack(source.buf[pos : pos + 8] + bytes(4), 0)[1:3]
    header = codec.header_of.get(vr)
    if header is None:
        raise InstanceError("an element has no known VR")
    if header == 8:
        return tag, short, at + 8
    pos = source.load(at, 12)
    return tag, codec.unpack(source.buf, pos)[3], at + 12


def places(source: Source, at: int) -> list[tuple[int, int]]:
    """Where the icon stands in a data set in Explicit VR Little Endian: starts and ends.

    Its group's length (retired), which would be another one without it, stands with it.

    Args:
        at: Where the data set begins.
    Raises:
        InstanceError: The data set is damaged.
    """
    found = []
    while source.size - at >= 8:
        start = at
        tag, length, at = _header(source, at, EXPLICIT)
        if tag > ICON:
            break
        at = skip(source, at, EXPLICIT) if length == UNDEFINED else at + length
        if tag in (_GROUP_LENGTH, ICON):
            found.append((start, at))
    return found


def lost_texts(sop_instance_uids: Sequence[str]) -> list[str]:
    """What a job's log says of objects whose icons were left out."""
    if not sop_instance_uids:
        return []
    first, count = sop_instance_uids[0], len(sop_instance_uids)
    more = f" ({count} objects)" if count > 1 else ""
    return [f"{tag_name(ICON)} of {first}: an icon that nobody can read was left out{more}"]
