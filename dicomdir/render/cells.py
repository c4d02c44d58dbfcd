"""Pixel cells of one frame out of the file, reduced while they are read.

A mammogram or a scan of 65,535 by 65,535 pixels never stands in memory: it is read in bands, and of
each block of pixels at most four become one.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from dicomdir.errors import RenderError
from dicomdir.render import attributes as at
from dicomdir.render.attributes import Header

Array = NDArray[Any]

_BAND_BYTES: Final = 2 << 20
_WHOLE_BLOCKS: Final = 8  # up to this reduction all rows are read, beyond it only those that count
_MAX_FRAME_BYTES: Final = 1 << 30  # more could not be read in a tolerable time
_MAX_BIT_PIXELS: Final = 64 << 20
_GREY: Final = ("MONOCHROME1", "MONOCHROME2")
PALETTE: Final = "PALETTE COLOR"
_YBR_422: Final = ("YBR_FULL_422", "YBR_PARTIAL_422")
_YBR: Final = ("YBR_FULL", *_YBR_422)


@dataclass(frozen=True, slots=True)
class Form:
    """How the cells of one frame are laid out; checked.

    Attributes:
        kind: "u" for integers, "f" for floating point numbers.
        is_planar: One plane of each colour after the other.
    """

    rows: int
    columns: int
    samples: int
    photometric: str
    is_planar: bool
    frames: int
    allocated: int
    stored: int
    high_bit: int
    is_signed: bool
    kind: str

    @property
    def is_halved(self) -> bool:
        """Two pixels share a pair of chroma samples."""
        return self.photometric in _YBR_422

    @property
    def cells_per_pixel(self) -> int:
        return 2 if self.is_halved else self.samples

    @property
    def frame_bits(self) -> int:
        return self.rows * self.columns * self.cells_per_pixel * self.allocated


def read_form(header: Header) -> Form:
    """Raises RenderError if it is no picture that we can show."""
    kind = "f" if header.pixel_vr else "u"
    allocated = {"OF": 32, "OD": 64}.get(header.pixel_vr) or header.number(at.BITS_ALLOCATED)
    stored = allocated if kind == "f" else header.number(at.BITS_STORED)
    high_bit = header.number(at.HIGH_BIT, stored - 1)
    if not stored - 1 <= high_bit < allocated:
        high_bit = stored - 1
    frames = header.text(at.FRAMES) or "1"
    form = Form(
        rows=header.number(at.ROWS),
        columns=header.number(at.COLUMNS),
        samples=header.number(at.SAMPLES, 1),
        photometric=header.text(at.PHOTOMETRIC).upper(),
        is_planar=header.number(at.PLANAR) == 1,
        frames=int(frames) if len(frames) <= 10 and frames.isascii() and frames.isdigit() else 0,
        allocated=allocated,
        stored=stored,
        high_bit=high_bit,
        is_signed=header.number(at.REPRESENTATION) == 1,
        kind=kind,
    )
    return _checked(form, header.pixel_bytes)


def _checked(form: Form, pixel_bytes: int) -> Form:
    if form.rows < 1 or form.columns < 1 or form.frames < 1:
        raise RenderError("the image has no size")
    if form.samples == 1:
        known = form.photometric in (*_GREY, PALETTE)
        widths = (8, 16) if form.photometric == PALETTE else (1, 8, 16, 32)
        if form.kind == "u" and form.allocated not in widths:
            raise RenderError("cells of another width than 1, 8, 16 or 32 bits")
    else:
        known = form.samples == 3 and (form.photometric == "RGB" or form.photometric in _YBR)
        if form.kind == "f" or form.allocated not in (8, 16) or form.is_signed:
            raise RenderError("colours of another width than 8 or 16 bits")
        if form.is_halved and (form.is_planar or form.columns % 2 or form.allocated != 8):
            raise RenderError("subsampled colours in another form than pairs of pixels")
    if not known:
        raise RenderError("a photometric interpretation that cannot be shown")
    if not 0 < form.stored <= form.allocated:
        raise RenderError("more bits stored than allocated")
    if form.frame_bits > 8 * _MAX_FRAME_BYTES or (
        form.allocated == 1 and form.rows * form.columns > _MAX_BIT_PIXELS
    ):
        raise RenderError("the image is too large to be shown")
    if form.frame_bits * form.frames > 8 * pixel_bytes:
        raise RenderError("fewer pixels than the attributes say")
    return form


def read_cells(
    descriptor: int, offset: int, form: Form, frame: int, most: int
) -> tuple[Array, Form]:
    """One frame, neither side longer than `most` pixels.

    Args:
        offset: Of the pixels in the file.
    Returns:
        An array of rows, columns and, for colours, three samples; and the form that its cells have
        now: reduced integers are stored values of full width.
    Raises:
        RenderError: The file ends before.
    """
    factor = max(1, -(-max(form.rows, form.columns) // most))
    if form.allocated == 1:
        return _read_bits(descriptor, offset, form, frame, factor)
    offset += frame * form.frame_bits // 8
    if form.samples == 3 and form.is_planar:
        plane = replace(form, samples=1, photometric="MONOCHROME2", frames=1)
        planes = [
            _read_plane(descriptor, offset + n * plane.frame_bits // 8, plane, factor)
            for n in range(3)
        ]
        made = np.stack(planes, axis=-1)
    else:
        made = _read_plane(descriptor, offset, form, factor)
    if factor > 1 and form.samples == 1 and form.photometric != PALETTE and form.kind == "u":
        form = replace(form, stored=form.allocated, high_bit=form.allocated - 1)
    return made, form


def _read_plane(descriptor: int, offset: int, form: Form, factor: int) -> Array:
    height, width = max(1, form.rows // factor), max(1, form.columns // factor)
    row_bytes = form.columns * form.cells_per_pixel * form.allocated // 8
    taps = 1 if factor == 1 or form.photometric == PALETTE else 2
    offsets = [(2 * n + 1) * factor // (2 * taps) for n in range(taps)]
    rows_read = factor if factor <= _WHOLE_BLOCKS else taps
    step = max(1, min(height, _BAND_BYTES // (rows_read * row_bytes)))
    out: Array | None = None
    for start in range(0, height, step):
        count = min(step, height - start)
        block = _read_band(descriptor, offset, form, factor, offsets, start, count, row_bytes)
        band = _reduce(_cells(block, form), form, factor, offsets, width)
        if out is None:
            if count == height:
                return band
            out = np.empty((height, *band.shape[1:]), band.dtype)
        out[start : start + count] = band
    if out is None:
        raise RenderError("the image has no size")
    return out


def _read_band(
    descriptor: int,
    offset: int,
    form: Form,
    factor: int,
    offsets: list[int],
    start: int,
    count: int,
    row_bytes: int,
) -> Array:
    """Bytes of the rows that count, for `count` rows of the picture: count, taps, bytes."""
    if factor <= _WHOLE_BLOCKS and form.rows >= factor:
        want = count * factor * row_bytes
        data = os.pread(descriptor, want, offset + start * factor * row_bytes)
        if len(data) != want:
            raise RenderError("the file ends inside the pixels")
        rows = np.frombuffer(data, np.uint8).reshape(count, factor, row_bytes)
        return rows if factor == 1 else rows[:, offsets]
    block = np.empty((count, len(offsets), row_bytes), np.uint8)
    for n in range(count):
        for k, tap in enumerate(offsets):
            row = min((start + n) * factor + tap, form.rows - 1)
            if os.preadv(descriptor, [block[n, k].data], offset + row * row_bytes) != row_bytes:
                raise RenderError("the file ends inside the pixels")
    return block


def _cells(block: Array, form: Form) -> Array:
    """Bytes as cells: count, taps, columns and, for colours, samples."""
    count, taps, _ = block.shape
    if form.is_halved:  # Y Y Cb Cr for two pixels (PS3.3 C.7.6.3.1.2)
        pairs = block.reshape(count, taps, form.columns // 2, 4)
        full = np.empty((count, taps, form.columns // 2, 2, 3), np.uint8)
        full[..., 0] = pairs[..., :2]
        full[..., 1:] = pairs[..., None, 2:]
        return full.reshape(count, taps, form.columns, 3)
    cells = block.view(f"<{form.kind}{form.allocated // 8}")
    return cells if form.samples == 1 else cells.reshape(count, taps, form.columns, form.samples)


def _reduce(cells: Array, form: Form, factor: int, offsets: list[int], width: int) -> Array:
    """Blocks of pixels become one: the mean of up to four, of a palette's indices one of them."""
    if factor == 1:
        return cells[:, 0]
    last = form.columns - 1
    picked = [
        cells[:, :, tap : tap + (width - 1) * factor + 1 : factor]
        if tap <= last
        else cells[:, :, last:]
        for tap in offsets
    ]
    if len(picked) == 1:
        return picked[0][:, 0]
    if form.kind == "f":
        real = [np.nan_to_num(each.astype(np.float64)) for each in picked]
        return np.asarray((real[0] + real[1]).mean(axis=1))
    if form.samples == 1:
        picked = [stored_values(each, form) for each in picked]
    dtype = picked[0].dtype
    total = picked[0].astype(np.int64 if form.allocated == 32 else np.int32) + picked[1]
    return np.asarray((total.sum(axis=1) // 4).astype(dtype))


def stored_values(cells: Array, form: Form) -> Array:
    """Cells without what stands beside their stored bits, signed if they are."""
    width = form.allocated // 8
    above, below = form.allocated - 1 - form.high_bit, form.allocated - form.stored
    if below == 0:
        return cells.view(f"<i{width}") if form.is_signed else cells
    moved = cells << above
    return (moved.view(f"<i{width}") if form.is_signed else moved) >> below


def _read_bits(
    descriptor: int, offset: int, form: Form, frame: int, factor: int
) -> tuple[Array, Form]:
    """One bit a pixel, the first in the lowest (PS3.5 8.1.1); frames follow without a gap."""
    start = frame * form.frame_bits
    end = start + form.frame_bits
    data = os.pread(descriptor, -(-end // 8) - start // 8, offset + start // 8)
    if len(data) * 8 < form.frame_bits:
        raise RenderError("the file ends inside the pixels")
    bits = np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little")
    image = bits[start % 8 : start % 8 + form.frame_bits].reshape(form.rows, form.columns)
    return image[::factor, ::factor], replace(form, allocated=8)
