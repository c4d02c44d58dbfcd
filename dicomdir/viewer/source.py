"""One object of the medium for the viewer: its header as bytes, its frames one at a time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from dicomdir.decompress import encapsulated_frames
from dicomdir.elements import EXPLICIT, UNDEFINED, Source
from dicomdir.errors import DicomdirError, RenderError, UnpackableError
from dicomdir.render.attributes import read_header
from dicomdir.render.cells import PALETTE, Form, read_cells, read_form
from dicomdir.sequences import skip
from dicomdir.viewer.encode import JPEG, Chooser, EncodedFrame, encode_frame
from dicomdir.viewer.preview import Preview, make_preview

Array = NDArray[Any]

MAX_FRAME_BYTES: Final = 512 << 20
MAX_HEADER_BYTES: Final = 32 << 20
MAX_FRAMES: Final = 100_000  # of one object: more are no frames but a lie or a film
_COLOURS: Final = ("RGB", "YBR_FULL", "YBR_FULL_422")
_PIXEL_DATA: Final = 0x7FE00010
_APP_MARKERS: Final = range(0xE0, 0xF0)


@dataclass(frozen=True, slots=True)
class Described:
    """Pixels as they are packed: what META says of an instance, by its names."""

    rows: int
    columns: int
    samples: int
    allocated: int
    stored: int
    signed: int
    photometric: str


class OpenObject:
    """An object whose file is open; made by `open_object`.

    Attributes:
        described: None of an object without pixels.
        frames: How many it has.
    """

    def __init__(self, descriptor: int, start: int, end: int, *, has_pixels: bool) -> None:
        self._descriptor = descriptor
        self._start = start
        self._form: Form | None = None
        self._offset = 0
        self.frames = 0
        self.described: Described | None = None
        stop = end
        if has_pixels:
            header = read_header(descriptor, start, end)
            self._form = form = read_form(header)
            self._offset, stop = header.pixel_offset, header.pixel_element
            self.frames = form.frames
            self.described = _described(form)
        self.header_bytes = stop - start
        if self.header_bytes > MAX_HEADER_BYTES:
            raise UnpackableError("a header longer than the viewer can hold")

    def header(self) -> bytes:
        """The data set up to the pixels; all of it where there are none."""
        data = os.pread(self._descriptor, self.header_bytes, self._start)
        if len(data) != self.header_bytes:
            raise UnpackableError("the file is shorter than it was")
        return data

    def encoded(
        self, chooser: Chooser, series: str
    ) -> Iterator[tuple[EncodedFrame, Preview | None]]:
        """All frames in their order, one at a time, with what is seen of large ones first."""
        form = self._form
        if form is None:
            return
        for number in range(self.frames):
            cells, _ = read_cells(self._descriptor, self._offset, form, number, 1 << 31)
            if form.photometric.startswith("YBR"):
                cells = _to_rgb(cells)
            cells = cells.view(f"<u{cells.dtype.itemsize}")
            made = encode_frame(cells, signed=form.is_signed, chooser=chooser, series=series)
            yield made, make_preview(cells, form, len(made.data))


@contextmanager
def open_object(path: str, start: int, end: int, *, has_pixels: bool) -> Iterator[OpenObject]:
    """Open a file as it lies on the medium: Explicit VR Little Endian.

    Args:
        start: Of the data set in the file; `end` is behind it.
    Raises:
        UnpackableError, RenderError, InstanceError: Nothing of it can be carried.
        OSError: The file cannot be opened or read.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield OpenObject(descriptor, start, end, has_pixels=has_pixels)
    finally:
        os.close(descriptor)


def _described(form: Form) -> Described:
    if form.kind == "f":
        raise UnpackableError("floating point pixels")
    if form.photometric not in ("MONOCHROME1", "MONOCHROME2", PALETTE, *_COLOURS):
        raise UnpackableError("a photometric interpretation that the viewer does not know")
    if form.photometric.startswith("YBR") and form.allocated != 8:
        raise UnpackableError("luminance and chrominance of more than 8 bits")
    if form.frames > MAX_FRAMES or form.frame_bits // 8 > MAX_FRAME_BYTES:
        raise UnpackableError("more pixels than the viewer can hold")
    is_bit = form.allocated == 1
    return Described(
        rows=form.rows,
        columns=form.columns,
        samples=form.samples,
        allocated=8 if is_bit else form.allocated,
        stored=form.stored,
        signed=int(form.is_signed),
        photometric="RGB" if form.photometric in _COLOURS else form.photometric,
    )


# --- colours --------------------------------------------------------------------------------------

_RAMP = np.arange(256) - 128
_RED = np.floor(1.402 * _RAMP + 0.5).astype(np.int16)  # by Cr; PS3.3 C.7.6.3.1.2
_BLUE = np.floor(1.772 * _RAMP + 0.5).astype(np.int16)  # by Cb
_GREEN = np.floor(
    -(0.114 * 1.772 / 0.587) * _RAMP[:, None] - (0.299 * 1.402 / 0.587) * _RAMP[None, :] + 0.5
).astype(np.int16)  # by Cb and Cr


def _to_rgb(cells: Array) -> Array:
    light, blue, red = (cells[..., n] for n in range(3))
    made = np.empty(cells.shape, np.uint8)
    for number, shift in enumerate((_RED[red], _GREEN[blue, red], _BLUE[blue])):
        shift += light
        made[..., number] = np.clip(shift, 0, 255, out=shift)
    return made


# --- JPEG as it came ------------------------------------------------------------------------------


def jpeg_frames(path: str, offset: int, described: Described, frames: int) -> list[EncodedFrame]:
    """The frames of a JPEG baseline original, if every browser shows them as we decode them.

    Args:
        path: The file as it was received, `offset` where its data set begins.
        described: What was decoded of it.
    Returns:
        None at all if one of them is in doubt: then the decoded pixels are carried.
    """
    if described.allocated != 8 or described.signed or described.samples not in (1, 3):
        return []
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        at, photometric = _find_fragments(descriptor, offset)
        found = []
        for data in encapsulated_frames(descriptor, at, frames):
            if not _is_plain_jpeg(data, described, photometric):
                return []
            found.append(EncodedFrame(data, JPEG, 0, 0))
        return found
    except DicomdirError:
        return []
    finally:
        os.close(descriptor)


def _find_fragments(descriptor: int, start: int) -> tuple[int, str]:
    """File offset of the first item of the pixels, and Photometric Interpretation."""
    end = os.fstat(descriptor).st_size
    source = Source(
        lambda at, count: os.pread(descriptor, count, at), end, os.pread(descriptor, 8192, start),
        start,
    )  # fmt: skip
    at, photometric = start, ""
    while source.load_header(at):
        raw, vr, length, long = EXPLICIT.unpack(source.buf, at - source.base)
        header = EXPLICIT.header_of.get(vr)
        if header is None:
            break
        length = long if header == 12 else length
        tag = EXPLICIT.tag(raw)
        at += header
        if tag == _PIXEL_DATA and length == UNDEFINED:
            return at, photometric
        if tag == 0x00280004 and length <= 64:
            photometric = os.pread(descriptor, length, at).decode("ascii", "replace").strip(" \0")
        at = skip(source, at, EXPLICIT) if length == UNDEFINED else at + length
    raise RenderError("the original has no fragments")


def _is_plain_jpeg(data: bytes, described: Described, photometric: str) -> bool:
    """Baseline, of the size that is said, and of colours that nobody can take for others.

    Browsers heed what stands in APPn segments: JFIF and Adobe markers for the colours, EXIF for the
    orientation, profiles. Anything but the first two is a doubt.
    """
    if data[:2] != b"\xff\xd8":
        return False
    at, jfif, adobe = 2, False, -1
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        body = data[at + 4 : at + 2 + length]
        if length < 2:
            return False
        if marker == 0xE0 and body[:5] in (b"JFIF\0", b"JFXX\0"):
            jfif = True
        elif marker == 0xEE and body[:5] == b"Adobe" and len(body) >= 12:
            adobe = body[11]
        elif marker in _APP_MARKERS:
            return False
        elif marker == 0xC0:
            if (
                len(body) < 6 + 3 * described.samples
                or body[0] != 8
                or body[5] != described.samples
            ):
                return False
            size = (int.from_bytes(body[1:3], "big"), int.from_bytes(body[3:5], "big"))
            if size != (described.rows, described.columns):
                return False
            return described.samples == 1 or _same_colours(body, jfif, adobe, photometric)
        elif 0xC1 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return False
        at += 2 + length
    return False


def _same_colours(frame: bytes, jfif: bool, adobe: int, photometric: str) -> bool:
    """Whether a browser (libjpeg's rules) sees the colours that `dicomdir.frames` decodes."""
    ours = adobe == 1 if adobe >= 0 else photometric.startswith("YBR")
    identifiers = bytes(frame[6 + 3 * n] for n in range(3))
    if jfif:
        theirs = True
    elif adobe >= 0:
        theirs = adobe != 0
    else:
        theirs = identifiers != b"RGB"
    return ours == theirs
