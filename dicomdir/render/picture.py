"""One frame of an object as a picture: 8 bits, square pixels, overlays burnt in; JPEG and icon.

imagecodecs' libjpeg-turbo encodes: 0.7 ms for 512 by 512 shades where Pillow takes 0.9 ms, and
Pillow takes 0.1 s to import, which imagecodecs does in 0.01 s.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from struct import error as StructError  # noqa: N812 - it is an exception, and named like one here
from typing import Any, Final

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from dicomdir.elements import element, item
from dicomdir.errors import InstanceError, RenderError
from dicomdir.instance import Instance
from dicomdir.pdi import FileSource
from dicomdir.render import attributes as at
from dicomdir.render.attributes import Header, Value, read_header, with_functional_groups
from dicomdir.render.cells import PALETTE, Form, read_cells, read_form, stored_values
from dicomdir.render.grey import expand_palette, grey, read_padding, read_shading

Array = NDArray[Any]

PICTURE_PX: Final = 1024  # the longer side of a picture, at most
ICON_PX: Final = 64  # what every reader copes with (PDI-80)
_QUALITY: Final = 85
_MAX_RATIO: Final = 20.0
_SQUARE: Final = 0.02  # nearer to 1 than this is square
_ICON_SEQUENCE: Final = 0x00880200

# What numpy and the codecs raise on input that nobody thought of: it is the object's fault, and one
# object without a picture is better than no disc.
_ANY_FAULT: Final = (
    InstanceError, ValueError, TypeError, IndexError, KeyError, OverflowError, ZeroDivisionError,
    RuntimeError, MemoryError, StructError,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Picture:
    """8-bit pixels: rows, columns and, for colours, three samples.

    Attributes:
        colours: "GRAY", "RGB" or "YCBCR".
    """

    pixels: Array
    colours: str

    @property
    def height(self) -> int:
        return int(self.pixels.shape[0])

    @property
    def width(self) -> int:
        return int(self.pixels.shape[1])

    def jpeg(self, quality: int = _QUALITY) -> bytes:
        """A baseline JPEG file of shades, or of colours in YCbCr (PDI-11)."""
        pixels = np.ascontiguousarray(self.pixels)
        if self.colours == "GRAY":
            return bytes(imagecodecs.jpeg8_encode(pixels, level=quality))
        return bytes(
            imagecodecs.jpeg8_encode(
                pixels, level=quality, colorspace=self.colours, outcolorspace="YCBCR"
            )
        )

    def fitted(self, most: int) -> Picture:
        """No side longer than `most` pixels."""
        longest = max(self.height, self.width)
        if longest <= most:
            return self
        height, width = (max(1, side * most // longest) for side in (self.height, self.width))
        return replace(self, pixels=_shrunk(self.pixels, height, width))

    def shades(self) -> Array:
        """Without colours."""
        if self.colours == "GRAY":
            return self.pixels
        if self.colours == "YCBCR":
            return np.asarray(self.pixels[..., 0])
        weights = np.array([77, 150, 29], np.uint16)  # ITU-R BT.601, of 256
        return np.asarray(((self.pixels * weights).sum(axis=2) >> 8).astype(np.uint8))

    def icon(self) -> bytes:
        """Icon Image Sequence of one item, 64 by 64 shades (PS3.3 F.7, PDI-80).

        Returns:
            The element in Explicit VR Little Endian.
        """
        small = self.fitted(ICON_PX).shades()
        square = np.zeros((ICON_PX, ICON_PX), np.uint8)
        top, left = (ICON_PX - small.shape[0]) // 2, (ICON_PX - small.shape[1]) // 2
        square[top : top + small.shape[0], left : left + small.shape[1]] = small
        words = {
            at.ROWS: ICON_PX, at.COLUMNS: ICON_PX, at.BITS_ALLOCATED: 8, at.BITS_STORED: 8,
            at.HIGH_BIT: 7, at.REPRESENTATION: 0,
        }  # fmt: skip
        content = [
            element(at.SAMPLES, "US", (1).to_bytes(2, "little")),
            element(at.PHOTOMETRIC, "CS", b"MONOCHROME2"),
            *(element(tag, "US", number.to_bytes(2, "little")) for tag, number in words.items()),
            element(0x7FE00010, "OB", square.tobytes()),
        ]
        return element(_ICON_SEQUENCE, "SQ", item(b"".join(content)))


class Frames:
    """The frames of one object whose file is open; made by `open_frames`."""

    def __init__(self, descriptor: int, header: Header, form: Form) -> None:
        self._descriptor = descriptor
        self._header = header
        self._form = form

    def __len__(self) -> int:
        return self._form.frames

    def picture(self, frame: int = 0, most: int = PICTURE_PX) -> Picture:
        """One frame, from 0, neither side longer than `most` pixels.

        Raises:
            RenderError: It cannot be shown.
        """
        if not 0 <= frame < len(self):
            raise RenderError("there is no such frame")
        try:
            return self._picture(frame, most)
        except _ANY_FAULT as error:
            raise RenderError(f"no picture can be made: {type(error).__name__}") from error

    def _picture(self, frame: int, most: int) -> Picture:
        header, form = self._header, self._form
        values = header.values
        try:
            values = with_functional_groups(header, self._descriptor, frame)
        except InstanceError:  # then the object's own window or none
            values = header.values
        cells, form = read_cells(self._descriptor, header.pixel_offset, form, frame, most)
        if form.samples == 3:
            made = _coloured(cells, form)
        elif form.photometric == PALETTE:
            made = Picture(_painted(stored_values(cells, form), values), "RGB")
        else:
            padding = read_padding(values, form)
            made = Picture(grey(cells, form, read_shading(values, form), padding), "GRAY")
        made = _with_overlays(made, cells, header, self._form, frame)
        return _with_square_pixels(made, values, most)


@contextmanager
def open_frames(instance: Instance, source: FileSource) -> Iterator[Frames]:
    """The frames of an object as it will stand on the medium.

    Raises:
        RenderError: It has no pixels that can be shown.
        OSError: The file cannot be opened or read.
    """
    # With new meta information before it, `source` begins at the data set already.
    start = source.offset_bytes or instance.data_offset
    with open_data_set(source.path, start, source.offset_bytes + source.size_bytes) as frames:
        yield frames


@contextmanager
def open_data_set(path: str | os.PathLike[str], start: int, end: int) -> Iterator[Frames]:
    """The frames of a data set in Explicit VR Little Endian; as `open_frames`.

    Args:
        start: Where in the file it begins; `end` is behind it.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        try:
            header = read_header(descriptor, start, end)
            form = read_form(header)
        except _ANY_FAULT as error:
            raise RenderError(f"the pixels cannot be read: {type(error).__name__}") from error
        yield Frames(descriptor, header, form)
    finally:
        os.close(descriptor)


def icon(instance: Instance, source: FileSource) -> bytes:
    """Icon Image Sequence of an object's first frame, as `Picture.icon`.

    Raises:
        RenderError: It has no pixels that can be shown.
        OSError: The file cannot be opened or read.
    """
    with open_frames(instance, source) as frames:
        return frames.picture(0, 4 * ICON_PX).icon()


# --------------------------------------------------------------------------------------------------


def _coloured(cells: Array, form: Form) -> Picture:
    if form.allocated == 16:
        cells = (cells >> max(0, form.stored - 8)).astype(np.uint8)
    if form.photometric == "RGB":
        return Picture(cells, "RGB")
    if form.photometric == "YBR_PARTIAL_422":  # studio range, as ITU-R BT.601 has it
        ramp = np.arange(256.0)
        light = np.clip((ramp - 16) * 255 / 219 + 0.5, 0, 255).astype(np.uint8)
        chroma = np.clip((ramp - 128) * 255 / 224 + 128.5, 0, 255).astype(np.uint8)
        return Picture(
            np.stack([light[cells[..., 0]], chroma[cells[..., 1]], chroma[cells[..., 2]]], -1),
            "YCBCR",
        )
    return Picture(cells, "YCBCR")  # YBR_FULL is what JFIF calls YCbCr


def _painted(stored: Array, values: Mapping[int, Value]) -> Array:
    planes = []
    for number in range(3):
        first, table = expand_palette(values, number)
        index = np.clip(stored.astype(np.int32) - first, 0, len(table) - 1)
        planes.append(table[index])
    return np.stack(planes, axis=-1)


def _shrunk(pixels: Array, height: int, width: int) -> Array:
    """Means over blocks of nearly equal size."""
    for axis, size in ((0, height), (1, width)):
        if pixels.shape[axis] > size:
            edges = np.arange(size) * pixels.shape[axis] // size
            counts = np.diff(np.append(edges, pixels.shape[axis]))
            shape = [1] * pixels.ndim
            shape[axis] = size
            sums = np.add.reduceat(pixels, edges, axis=axis, dtype=np.uint32)
            pixels = (sums // counts.astype(np.uint32).reshape(shape)).astype(np.uint8)
    return pixels


def _stretched(pixels: Array, size: int, axis: int) -> Array:
    """`size` rows or columns, each between two of before."""
    before = pixels.shape[axis]
    place = (np.arange(size) + 0.5) * before / size - 0.5
    place = np.clip(place, 0, before - 1)
    low = place.astype(np.int64)
    part = ((place - low) * 256).astype(np.uint32)
    shape = [1] * pixels.ndim
    shape[axis] = size
    part = part.reshape(shape)
    first = pixels.take(low, axis=axis).astype(np.uint32)
    second = pixels.take(np.minimum(low + 1, before - 1), axis=axis)
    return np.asarray(((first * (256 - part) + second * part + 128) >> 8).astype(np.uint8))


def _with_square_pixels(picture: Picture, values: Mapping[int, Value], most: int) -> Picture:
    ratio = _pixel_ratio(values)
    if abs(ratio - 1) < _SQUARE or not 1 / _MAX_RATIO <= ratio <= _MAX_RATIO:
        return picture
    height, width = picture.height * max(1.0, ratio), picture.width * max(1.0, 1 / ratio)
    shrink = min(1.0, most / max(height, width))
    pixels = picture.pixels
    for axis, size in enumerate((max(1, round(height * shrink)), max(1, round(width * shrink)))):
        if size > pixels.shape[axis]:
            pixels = _stretched(pixels, size, axis)
        elif size < pixels.shape[axis]:
            sides = [*pixels.shape[:2]]
            sides[axis] = size
            pixels = _shrunk(pixels, sides[0], sides[1])
    return replace(picture, pixels=pixels)


def _pixel_ratio(values: Mapping[int, Value]) -> float:
    """Height of a pixel by its width (PS3.3 C.7.6.3.1.7, 10.7.1.3); 1 if nothing is said of it."""
    for tag in (at.PIXEL_SPACING, at.IMAGER_SPACING, at.ASPECT_RATIO):
        pair = at.decimals(values, tag)
        if len(pair) == 2 and pair[0] > 0 and pair[1] > 0:
            return pair[0] / pair[1]
    return 1.0


def _with_overlays(
    picture: Picture, cells: Array, header: Header, form: Form, frame: int
) -> Picture:
    """Overlay planes burnt in white (PS3.3 C.9.2), as far as they lie on the image."""
    if (picture.height, picture.width) != (form.rows, form.columns):
        return picture  # reduced: lines of one pixel would be lost
    pixels = picture.pixels
    for group in at.OVERLAY_GROUPS:
        if group << 16 | at.OVERLAY_DATA in header.values:
            mask = _overlay(header, group << 16, form, frame)
        else:
            mask = _overlay_in_cells(cells, header, group << 16, form)
        if mask is None:
            continue
        if pixels is picture.pixels:
            pixels = pixels.copy()
        pixels[mask] = (255, 128, 128) if picture.colours == "YCBCR" else 255
    return picture if pixels is picture.pixels else replace(picture, pixels=pixels)


def _overlay(header: Header, group: int, form: Form, frame: int) -> Array | None:
    """A plane of its own, of any size, laid at its origin: its first pixel is row 1, column 1."""
    data = header.values[group | at.OVERLAY_DATA].data
    rows, columns = (
        header.number(group | at.OVERLAY_ROWS),
        header.number(group | at.OVERLAY_COLUMNS),
    )
    count = rows * columns
    start = frame * count if len(data) * 8 >= form.frames * count else 0
    if not count or start + count > 8 * len(data):
        return None
    packed = np.frombuffer(data, np.uint8)[start // 8 : -(-(start + count) // 8)]
    bits = np.unpackbits(packed, bitorder="little")[start % 8 :]
    plane = bits[:count].reshape(rows, columns).astype(bool)
    origin = header.values.get(group | at.OVERLAY_ORIGIN)
    top = left = 0
    if origin is not None and len(origin.data) >= 4:
        top, left = (
            int.from_bytes(origin.data[n : n + 2], "little", signed=True) - 1 for n in (0, 2)
        )
    mask = np.zeros((form.rows, form.columns), bool)
    seen = mask[max(0, top) : max(0, top + rows), max(0, left) : max(0, left + columns)]
    seen |= plane[max(0, -top) :, max(0, -left) :][: seen.shape[0], : seen.shape[1]]
    return mask


def _overlay_in_cells(cells: Array, header: Header, group: int, form: Form) -> Array | None:
    """A plane in a bit of the pixel cells beside the stored ones (retired, PS3.5 8.1.2)."""
    position = header.number(group | at.OVERLAY_BIT_POSITION, -1)
    if form.samples != 1 or form.kind != "u" or form.allocated not in (8, 16):
        return None
    is_beside = form.high_bit < position < form.allocated or (
        0 <= position <= form.high_bit - form.stored
    )
    if not is_beside or header.number(group | at.OVERLAY_BITS_ALLOCATED) != form.allocated:
        return None
    return np.asarray((cells >> position & 1).astype(bool))
