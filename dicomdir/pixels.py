"""Are all pixels there? Length of native ones, fragments of encapsulated ones, and what follows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from dicomdir.elements import EXPLICIT, UNDEFINED, Codec, Source
from dicomdir.errors import InstanceError, PixelAttributesError, TruncatedInstanceError
from dicomdir.profile import REFERENCED_PIXELS, VIDEO, is_encapsulated
from dicomdir.scanner import PixelElement
from dicomdir.sequences import skip

_TRAILING: Final = frozenset(
    {0xFFFAFFFA, 0xFFFCFFFC}
)  # Digital Signatures, Data Set Trailing Padding
_SAMPLES: Final = frozenset({1, 3, 4})  # grey, colour; four of them are retired (PS3.3 C.7.6.3)
_FRAGMENT_AHEAD_BYTES: Final = 64

DESCRIBING: Final[tuple[int, ...]] = (
    0x00280002, 0x00280004, 0x00280008, 0x00280010, 0x00280011, 0x00280100,
)  # fmt: skip
"""The attributes by which the length of pixels is judged."""

_CODED_ONLY: Final = (b"YBR_RCT", b"YBR_ICT", b"YBR_PARTIAL_420")
PADDED: Final = "pixels.padded"
"""No fault: more bytes than pixels, too few to be pixels. The object is whole and stays so."""


def _unsigned(values: Mapping[int, bytes], tag: int) -> int:
    value = values.get(tag, b"")
    return value[0] | value[1] << 8 if len(value) == 2 else 0


def frame_count(values: Mapping[int, bytes]) -> int:
    """Number of Frames (0028,0008): 1 if absent or empty, 0 if it is no number above 0."""
    text = values.get(0x00280008, b"").strip(b" \0")
    if not text:
        return 1
    return int(text) if text.isdigit() and len(text) <= 10 else 0


def native_length(values: Mapping[int, bytes]) -> int:
    """Bytes that native pixels must have (PS3.5 8.1.1), padded to even; 0 if it cannot be told."""
    rows, columns = _unsigned(values, 0x00280010), _unsigned(values, 0x00280011)
    samples, allocated = _unsigned(values, 0x00280002), _unsigned(values, 0x00280100)
    if samples == 3 and values.get(0x00280004, b"").rstrip(b" \0").endswith(b"_422"):
        samples = 2  # one pair of chroma samples for two pixels (PS3.3 C.7.6.3.1.2)
    bits = rows * columns * frame_count(values) * samples * allocated
    return (bits + 15) // 16 * 2


def is_padding(values: Mapping[int, bytes], surplus_bytes: int) -> bool:
    """Whether so much behind native pixels is padding: less than one row and one column of them.

    Some devices fill up to four bytes or to a disk block. If one of Rows, Columns, Number of
    Frames, Samples per Pixel or Bits Allocated is not the pixels', a row or a column is over.
    """
    samples, allocated = _unsigned(values, 0x00280002), _unsigned(values, 0x00280100)
    shorter = min(_unsigned(values, 0x00280010), _unsigned(values, 0x00280011))
    return surplus_bytes * 8 < shorter * samples * allocated


def require_possible(values: Mapping[int, bytes], transfer_syntax_uid: str) -> None:
    """Raises PixelAttributesError: more bits are stored than there are, the highest is too low or
    not there, or uncompressed pixels are said to be what exists within JPEG 2000 alone.

    Args:
        values: Raw values, little endian; what is missing is no contradiction.
    """
    allocated, stored = _unsigned(values, 0x00280100), _unsigned(values, 0x00280101)
    if not allocated or not stored:
        return
    high_bit = _unsigned(values, 0x00280102) if values.get(0x00280102) else stored - 1
    if not stored <= high_bit + 1 <= allocated:
        raise PixelAttributesError("the bits stored do not fit into the bits allocated")
    photometric = values.get(0x00280004, b"").strip(b" \0")
    if photometric in _CODED_ONLY and not is_encapsulated(transfer_syntax_uid):
        raise PixelAttributesError("uncompressed pixels in a colour model of compressed ones")


def pixel_fault(
    source: Source,
    pixel: PixelElement,
    codec: Codec,
    values: Mapping[int, bytes],
    transfer_syntax_uid: str,
) -> str:
    """Fault code of what begins at the pixel element; "" if all is there and nothing follows.

    PADDED is none: all is there, and a little more.

    Args:
        values: Raw values of those of DESCRIBING that the object has, little endian.
    Raises:
        HeaderIncompleteError: It takes more of the file to tell.
    """
    if transfer_syntax_uid in REFERENCED_PIXELS:
        return "pixels.missing"
    frames = frame_count(values)
    samples = _unsigned(values, 0x00280002) if values.get(0x00280002) else 1
    if frames == 0 or samples not in _SAMPLES:
        return "pixels.attributes"
    remark = ""
    encapsulated = is_encapsulated(transfer_syntax_uid) and pixel.tag == 0x7FE00010
    if encapsulated != (pixel.length == UNDEFINED):
        return "pixels.encoding"
    if encapsulated:
        wanted = 1 if transfer_syntax_uid in VIDEO else frames
        fault, end = _fragments(source, pixel.offset, wanted)
    else:
        expected = native_length(values)
        end = pixel.offset + pixel.length
        if expected == 0:
            fault = "pixels.attributes"
        elif pixel.length < expected or end > source.size:
            fault = "pixels.short"
        elif pixel.length == expected:
            fault = ""
        elif is_padding(values, pixel.length - expected):
            fault, remark = "", PADDED
        else:
            fault = "pixels.long"
    return fault or trailing_fault(source, end, codec) or remark


def _fragments(source: Source, at: int, wanted: int) -> tuple[str, int]:
    """Walk the items of encapsulated pixels (PS3.5 A.4) to their delimiter."""
    count = -1  # the first item is the Basic Offset Table
    try:
        while True:
            start = source.load(at, 8, ahead=_FRAGMENT_AHEAD_BYTES)
            raw, length = EXPLICIT.item(source.buf, start)
            at += 8
            if raw == EXPLICIT.sequence_end:
                return ("" if count >= wanted else "pixels.fragments"), at
            if raw != EXPLICIT.item_start or length == UNDEFINED:
                return "pixels.fragments", at
            if count < 0 or length > 0:
                count += 1
            at += length
    except TruncatedInstanceError:
        return "pixels.fragments", at


def trailing_fault(source: Source, at: int, codec: Codec) -> str:
    """Behind the pixels only padding and signatures may stand, and whole elements end the file."""
    try:
        while at != source.size:
            if not source.load_header(at):
                break
            pos = at - source.base
            raw, length = codec.item(source.buf, pos)
            header = 8
            if codec.explicit:
                raw, vr, short, length = codec.unpack(source.buf, pos)
                found = codec.header_of.get(vr)
                if found is None:
                    return "dataset.trailing"
                header = found
                if header == 8:
                    length = short
            if codec.tag(raw) not in _TRAILING:
                return "dataset.trailing"
            at += header
            at = skip(source, at, codec) if length == UNDEFINED else at + length
    except TruncatedInstanceError:
        return "dataset.truncated"
    except InstanceError as error:
        if error.code != InstanceError.code:
            raise  # more of the file is needed
        return "dataset.trailing"
    return ""
