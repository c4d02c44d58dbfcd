"""The walk over a data set: keep the attributes of `keys`, step over all else by its length.

For hostile input: nothing recurses without a limit, no byte is walked twice, and what is loaded
into memory is limited in sum. What is kept comes out as Explicit VR Little Endian with defined
lengths.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from dicomdir.elements import (
    IMPLICIT,
    MAX_VALUE_BYTES,
    UNDEFINED,
    Codec,
    Source,
    Wanted,
    element,
    swap,
    tag_name,
)
from dicomdir.errors import InstanceError, TruncatedInstanceError
from dicomdir.icons import is_encapsulated
from dicomdir.keys import COMPRESSED_ICON, ICON
from dicomdir.sequences import kept_sequence, skip

# Binary values under a text's VR are read in two ways: no reader agrees on the size of that image.
_NUMBERS: Final = frozenset({"US", "UL"})
_NUMBERS_TOO: Final = _NUMBERS | {"SS", "SL", "UN"}


class PixelElement(NamedTuple):
    """Header of the pixels. `length` may be UNDEFINED, or reach beyond the file."""

    tag: int
    offset: int
    length: int


def scan(source: Source, at: int, codec: Codec, found: dict[int, bytes]) -> PixelElement | None:
    """Walk a data set from file offset `at` to its pixels, or to its end if it has none.

    Args:
        found: Gets tag to whole element in Explicit VR Little Endian, in order of appearance.
    Raises:
        TruncatedInstanceError, HeaderIncompleteError, InstanceError: `found` holds what came
            before.
    """
    if codec.explicit:
        return _scan_explicit(source, at, codec, found)
    return _scan_implicit(source, at, codec, found)


def _scan_explicit(
    source: Source, at: int, codec: Codec, found: dict[int, bytes]
) -> PixelElement | None:
    # The hot loop: a CT object has about 100 elements before its pixels, and 1,000 objects may
    # arrive a second.
    unpack, header_of, wanted = codec.unpack, codec.header_of, codec.wanted
    step_of = codec.steps.get
    verbatim, size = not codec.big, source.size
    buf, base = source.buf, source.base
    pos, last, limit = at - base, len(buf) - 12, size - base
    while True:
        if pos > last:
            if not source.load_header(base + pos):
                return None
            pos += base
            buf, base = source.buf, source.base
            pos -= base
            last, limit = len(buf) - 12, size - base
        step = step_of(buf[pos : pos + 8])
        if step is not None:  # half of the time of what follows
            stop, tag = pos + step[0], step[1]
            if tag is None:
                if stop <= limit:
                    pos = stop
                    continue
            elif stop <= last and tag not in found:
                found[tag] = buf[pos:stop]
                pos = stop
                continue
        raw, vr, short, length = unpack(buf, pos)
        header = header_of.get(vr)
        if header == 8:
            length = short
        elif header is None:
            raise InstanceError(f"{tag_name(codec.tag(raw))} has no known VR")
        stop = pos + header + length
        want = wanted.get(raw)
        if want is None:
            if stop <= limit:
                if header == 8:
                    codec.learn(buf[pos : pos + 8], stop - pos, None)
                pos = stop
                continue
        elif want.vr == vr:
            if header == 8 and stop <= last and verbatim and not length & 1:
                if want.tag in found:
                    raise InstanceError(f"{tag_name(want.tag)} is there twice")
                codec.learn(buf[pos : pos + 8], stop - pos, want.tag)
                found[want.tag] = buf[pos:stop]
                pos = stop
                continue
        elif want.vr == 0:
            return PixelElement(want.tag, base + pos + header, length)
        elif want.name in _NUMBERS and codec.vr_name[vr] not in _NUMBERS_TOO:
            raise InstanceError(f"{tag_name(want.tag)} is of VR {codec.vr_name[vr]}")
        at = base + pos + header
        inner = codec
        if length == UNDEFINED and header == 12:
            if vr not in codec.undefined_ok:
                raise InstanceError(f"{tag_name(codec.tag(raw))} has undefined length")
            if codec.vr_name[vr] == "UN":
                inner = IMPLICIT  # PS3.5 6.2.2 note 2
        elif stop > limit:
            raise TruncatedInstanceError("the data set ends inside an element")
        elif codec.vr_name[vr] == "UN":
            inner = IMPLICIT
        at = _unusual(source, at, length, inner, want, found)
        buf, base = source.buf, source.base
        pos, last, limit = at - base, len(buf) - 12, size - base


def _scan_implicit(
    source: Source, at: int, codec: Codec, found: dict[int, bytes]
) -> PixelElement | None:
    unpack, wanted, size = codec.item, codec.wanted, source.size
    buf, base = source.buf, source.base
    pos, last, limit = at - base, len(buf) - 12, size - base
    while True:
        if pos > last:
            if not source.load_header(base + pos):
                return None
            pos += base
            buf, base = source.buf, source.base
            pos -= base
            last, limit = len(buf) - 12, size - base
        raw, length = unpack(buf, pos)
        stop = pos + 8 + length
        want = wanted.get(raw)
        if want is None:
            if stop <= limit:
                pos = stop
                continue
        elif want.vr == 0:
            return PixelElement(want.tag, base + pos + 8, length)
        if length != UNDEFINED and stop > limit:
            raise TruncatedInstanceError("the data set ends inside an element")
        at = _unusual(source, base + pos + 8, length, codec, want, found)
        buf, base = source.buf, source.base
        pos, last, limit = at - base, len(buf) - 12, size - base


def _unusual(
    source: Source,
    at: int,
    length: int,
    codec: Codec,
    want: Wanted | None,
    found: dict[int, bytes],
) -> int:
    """Keep or step over the value at file offset `at`; returns the offset behind it."""
    end = skip(source, at, codec) if length == UNDEFINED else at + length
    if want is None:
        return end
    if want.tag in found:
        # Readers differ on which of two counts: that would be a way around the identity gates.
        raise InstanceError(f"{tag_name(want.tag)} is there twice")
    if want.vr == -1:
        found[want.tag] = b""
        if want.tag == ICON and is_encapsulated(source, at, end, codec):
            found[COMPRESSED_ICON] = b""
    elif want.name == "SQ":
        found[want.tag] = element(want.tag, "SQ", kept_sequence(source, want.tag, at, end, codec))
    elif length > MAX_VALUE_BYTES:  # UNDEFINED as well
        raise InstanceError(f"{tag_name(want.tag)} is longer than {MAX_VALUE_BYTES} bytes")
    else:
        start = source.load(at, length)
        value = source.buf[start : start + length]
        if codec.big:
            value = swap(value, want.name)
        found[want.tag] = element(want.tag, want.name, value)
    return end
