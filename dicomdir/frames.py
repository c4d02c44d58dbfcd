"""One compressed frame in, the same frame uncompressed out (PS3.5 8.2, A.4), with imagecodecs.

numpy and imagecodecs are imported when a frame comes: most studies have none.
What the stream says of itself is compared with the attributes before anything is decoded, so that a
lying stream costs neither memory nor a scrambled picture.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from dicomdir.errors import TranscodeError
from dicomdir.j2k_check import check_jpeg_2000, has_colour_transform, is_irreversible
from dicomdir.jpeg_check import check_jpeg, check_jpeg_ls, is_near_lossless

RLE: Final = "1.2.840.10008.1.2.5"
JPEG_BASELINE: Final = "1.2.840.10008.1.2.4.50"
JPEG_EXTENDED: Final = "1.2.840.10008.1.2.4.51"
_JPEG_SPECTRAL: Final = "1.2.840.10008.1.2.4.53"  # retired, like the next
_JPEG_PROGRESSIVE: Final = "1.2.840.10008.1.2.4.55"
JPEG_LOSSLESS: Final = "1.2.840.10008.1.2.4.57"
JPEG_LOSSLESS_SV1: Final = "1.2.840.10008.1.2.4.70"
_JPEG_LS: Final = ("1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81")
_JPEG_2000: Final = ("1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.91")
_HTJ2K_LOSSLESS: Final = ("1.2.840.10008.1.2.4.201", "1.2.840.10008.1.2.4.202")
_HTJ2K: Final = "1.2.840.10008.1.2.4.203"
_JPEG_LOSSY: Final = (JPEG_BASELINE, JPEG_EXTENDED, _JPEG_SPECTRAL, _JPEG_PROGRESSIVE)

MAX_FRAME_BYTES: Final = 512 << 20

_CODEC_ERRORS: Final = (RuntimeError, ValueError, TypeError, OverflowError)


@dataclass(frozen=True, slots=True)
class PixelFormat:
    """The Image Pixel attributes of an object or an icon (PS3.3 C.7.6.3).

    Attributes:
        bits_allocated: 8, 16 or 32 where compressed.
        photometric: Photometric Interpretation of the compressed frames.
        is_lossy: What was lost may have led to values beyond the stored bits.
    """

    rows: int
    columns: int
    samples: int
    bits_allocated: int
    bits_stored: int
    is_signed: bool
    photometric: str
    frames: int
    is_lossy: bool = False

    @property
    def frame_bytes(self) -> int:
        return self.rows * self.columns * self.samples * self.bits_allocated // 8

    def check(self) -> None:
        """Raises TranscodeError unless frames of this form can be held and decoded."""
        if not (self.rows and self.columns and self.frames > 0 and self.samples in (1, 3, 4)):
            raise TranscodeError("the image has no usable size")
        if self.bits_allocated not in (8, 16, 32):
            raise TranscodeError(f"{self.bits_allocated} bits allocated cannot be decompressed")
        if not 0 < self.bits_stored <= self.bits_allocated:
            raise TranscodeError("more bits stored than allocated")
        if self.frame_bytes > MAX_FRAME_BYTES:
            raise TranscodeError("a frame is too large to decompress")


@dataclass(frozen=True, slots=True)
class _Stream:
    """What a codestream says of itself; `transform` is Adobe's colour transform, None if absent."""

    rows: int
    columns: int
    samples: int
    precision: int
    is_signed: bool = False
    transform: int | None = None


def is_decodable(transfer_syntax_uid: str) -> bool:
    return transfer_syntax_uid in _DECODERS


def may_lose(transfer_syntax_uid: str) -> bool:
    """Used with loss or without it: the object says which (0028,2110)."""
    return transfer_syntax_uid in (*_JPEG_LOSSY, _JPEG_LS[1], _JPEG_2000[1], _HTJ2K)


def tells_of_loss(transfer_syntax_uid: str, data: bytes) -> bool:
    """Whether nothing in a frame can be what it was before, by its syntax or by its stream.

    A reversible stream that was cut says nothing of it, and is not found.

    Args:
        data: A frame, or its first bytes.
    """
    if is_always_lossy(transfer_syntax_uid):
        return True
    if transfer_syntax_uid in _JPEG_LS:
        return is_near_lossless(data)
    if transfer_syntax_uid in (*_JPEG_2000, *_HTJ2K_LOSSLESS, _HTJ2K):
        return is_irreversible(data)
    return False


def is_always_lossy(transfer_syntax_uid: str) -> bool:
    """Nothing in this syntax is what it was before; others may be used in either way."""
    return transfer_syntax_uid in _JPEG_LOSSY


def decoded_photometric(transfer_syntax_uid: str, photometric: str) -> str:
    """Photometric Interpretation of what `decode` returns (PS3.3 C.7.6.3.1.2).

    Lossy JPEG and JPEG 2000's own transforms are undone, to RGB; what was merely stored as
    luminance and chrominance by a lossless coder stays so, value for value.
    """
    if transfer_syntax_uid in _JPEG_LOSSY and photometric.startswith("YBR"):
        return "RGB"
    return "RGB" if photometric in ("YBR_RCT", "YBR_ICT") else photometric


def decode(transfer_syntax_uid: str, data: bytes, form: PixelFormat) -> memoryview:
    """One frame: samples of a pixel together (planar configuration 0), little endian.

    Raises:
        TranscodeError: The stream is damaged or not what the attributes say.
    """
    try:
        frame = _DECODERS[transfer_syntax_uid](data, form)
    except _CODEC_ERRORS as error:
        raise TranscodeError(f"a frame cannot be decoded: {type(error).__name__}") from error
    if len(frame) != form.frame_bytes:
        raise TranscodeError("a decoded frame has another size than the image")
    return frame


# --------------------------------------------------------------------------------------------------


def _decode_rle(data: bytes, form: PixelFormat) -> memoryview:
    """Segment by segment (PS3.5 G.5): each has to give one byte of each pixel, and no more."""
    import imagecodecs
    import numpy as np

    word = form.bits_allocated // 8
    count, pixels = word * form.samples, form.rows * form.columns
    if len(data) < 64 or int.from_bytes(data[:4], "little") != count or count > 15:
        raise TranscodeError("an RLE frame has another number of segments than the image")
    bounds = [int.from_bytes(data[n : n + 4], "little") for n in range(4, 4 + 4 * count, 4)]
    bounds.append(len(data))
    if bounds[0] < 64 or any(start >= end for start, end in pairwise(bounds)):
        raise TranscodeError("an RLE frame's segments are out of order")
    made = np.empty((pixels, form.samples, word), np.uint8)
    for number, (start, end) in enumerate(pairwise(bounds)):
        segment = data[start:end]
        plane = np.frombuffer(imagecodecs.packbits_decode(segment), np.uint8)
        padding = int(segment.endswith(b"\0\0"))  # the byte that makes it even, for a literal
        if not pixels <= plane.size <= pixels + padding:
            raise TranscodeError("an RLE frame has another number of pixels than the image")
        made[:, number // word, word - 1 - number % word] = plane[:pixels]
    return _memory(made)


def _decode_jpeg(data: bytes, form: PixelFormat) -> memoryview:
    import imagecodecs

    stream = _jpeg_header(data)
    _compare(stream, form)
    colours: dict[str, Any] = {}
    if form.samples == 3:
        coded = "YCBCR" if form.photometric.startswith("YBR") else "RGB"
        if stream.transform is not None:  # an Adobe marker knows better than the attribute
            coded = "YCBCR" if stream.transform == 1 else "RGB"
        colours = {"colorspace": coded, "outcolorspace": "RGB"}
    pixels = imagecodecs.jpeg8_decode(data, **colours)
    check_jpeg(data, pixels, _first_component)
    return _fit(pixels, stream, form)


def _first_component(data: bytes, components: int) -> Any:
    """As it is coded. Taken for luminance, the first of three is given as it is."""
    import imagecodecs

    colours: dict[str, Any] = {}
    if components == 3:
        colours = {"colorspace": "YCBCR", "outcolorspace": "GRAYSCALE"}
    return imagecodecs.jpeg8_decode(data, **colours)


def _decode_lossless_jpeg(data: bytes, form: PixelFormat) -> memoryview:
    stream = _jpeg_header(data)
    _compare(stream, form)
    pixels = _lossless_samples(data, form.samples)
    check_jpeg(data, pixels, _lossless_samples)
    return _fit(pixels, stream, form)


def _lossless_samples(data: bytes, components: int) -> Any:
    """Values as they were coded."""
    import imagecodecs

    colours: dict[str, Any] = {}
    if components == 3:  # colours named alike on both sides keep libjpeg from converting
        colours = {"colorspace": "RGB", "outcolorspace": "RGB"}
    try:
        return imagecodecs.jpeg8_decode(data, **colours)
    except RuntimeError:
        if components != 1:
            raise
        return imagecodecs.ljpeg_decode(data)


def _decode_jpeg_ls(data: bytes, form: PixelFormat) -> memoryview:
    import imagecodecs

    stream = _jpeg_header(data)
    _compare(stream, form)
    check_jpeg_ls(data)
    return _fit(imagecodecs.jpegls_decode(data), stream, form)


def _decode_jpeg_2000(data: bytes, form: PixelFormat) -> memoryview:
    import imagecodecs

    stream = _jpeg_2000_header(data)
    _compare(stream, form)
    check_jpeg_2000(data)
    if form.photometric.startswith(("YBR_FULL", "YBR_PARTIAL")) and has_colour_transform(data):
        # Undone by the decoder it would be RGB or, if it was used on top, not: nobody can tell.
        raise TranscodeError("a frame's colour transform is not the one that the attributes say")
    return _fit(imagecodecs.jpeg2k_decode(data, planar=False, numthreads=1), stream, form)


_DECODERS: Final[dict[str, Callable[[bytes, PixelFormat], memoryview]]] = {
    RLE: _decode_rle,
    **dict.fromkeys(_JPEG_LOSSY, _decode_jpeg),
    JPEG_LOSSLESS: _decode_lossless_jpeg,
    JPEG_LOSSLESS_SV1: _decode_lossless_jpeg,
    **dict.fromkeys(_JPEG_LS, _decode_jpeg_ls),
    **dict.fromkeys(_JPEG_2000, _decode_jpeg_2000),
    # OpenJPEG, not OpenJPH, though that takes half the time: imagecodecs 2026.3.6 swallows its
    # refusal of a damaged stream and gives zeros, and where irreversible coding overshoots its
    # values wrap around from white to black.
    **dict.fromkeys((*_HTJ2K_LOSSLESS, _HTJ2K), _decode_jpeg_2000),
}


def _compare(stream: _Stream, form: PixelFormat) -> None:
    said = (stream.rows, stream.columns, stream.samples)
    if said != (form.rows, form.columns, form.samples):
        raise TranscodeError("a frame is not of the size that the attributes say")
    if stream.precision > form.bits_allocated:
        raise TranscodeError("a frame has more bits than are allocated")


def _fit(pixels: Any, stream: _Stream, form: PixelFormat) -> memoryview:
    """Decoded samples as cells of the allocated width.

    Where the coder kept only the stored bits of signed values, the sign is drawn out to the cell's
    top: many readers look at whole cells.
    """
    import numpy as np

    array = np.asarray(pixels)
    array = array.astype(f"<i{form.bits_allocated // 8}", copy=False)
    spare = form.bits_allocated - stream.precision
    if spare and form.is_signed and not stream.is_signed and stream.precision == form.bits_stored:
        array = (array << spare) >> spare
    if spare and stream.is_signed and not form.is_signed:
        array = array & ((1 << stream.precision) - 1)
    if form.is_lossy and stream.precision > form.bits_stored:
        # 4099 in 12 stored bits: whoever masks them sees black where it is whitest.
        half = 1 << form.bits_stored - 1
        low, high = (-half, half - 1) if form.is_signed else (0, 2 * half - 1)
        kind = "i" if form.is_signed else "u"
        array = np.clip(array.view(f"<{kind}{form.bits_allocated // 8}"), low, high)
    return _memory(array.astype(f"<i{form.bits_allocated // 8}", copy=False))


def _memory(array: Any) -> memoryview:
    """An array's own bytes, not copied once more: a mammogram has 50 MB."""
    import numpy as np

    return np.ascontiguousarray(array).reshape(-1).view(np.uint8).data


def _jpeg_header(data: bytes) -> _Stream:
    """Frame header of a JPEG or JPEG-LS stream (ITU-T T.81 B.2.2, T.87 C.2.2)."""
    if data[:2] != b"\xff\xd8":
        raise TranscodeError("a frame is no JPEG stream")
    at = 2
    transform: int | None = None
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            break
        marker = data[at + 1]
        if marker == 0xFF:  # fill byte
            at += 1
            continue
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        body = data[at + 4 : at + 2 + length]
        if marker == 0xEE and body[:5] == b"Adobe" and len(body) >= 12:
            transform = body[11]
        if marker == 0xF7 or (0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC)):
            if len(body) < 6:
                break
            return _Stream(
                rows=int.from_bytes(body[1:3], "big"),
                columns=int.from_bytes(body[3:5], "big"),
                samples=body[5],
                precision=body[0],
                transform=transform,
            )
        if marker == 0xDA or length < 2:
            break
        at += 2 + length
    raise TranscodeError("a frame's JPEG header cannot be read")


def _jpeg_2000_header(data: bytes) -> _Stream:
    """Image and tile size marker segment of a JPEG 2000 codestream (ITU-T T.800 A.5.1)."""
    at = data.find(b"\xff\x4f\xff\x51", 0, 4096)  # some writers wrap it into a JP2 file
    if at < 0 or len(data) < at + 45:
        raise TranscodeError("a frame is no JPEG 2000 codestream")

    def number(offset: int) -> int:
        return int.from_bytes(data[at + offset : at + offset + 4], "big")

    samples = int.from_bytes(data[at + 40 : at + 42], "big")
    depth = data[at + 42]
    return _Stream(
        rows=number(12) - number(20),
        columns=number(8) - number(16),
        samples=samples,
        precision=(depth & 0x7F) + 1,
        is_signed=bool(depth & 0x80),
    )
