"""A coarse picture of a large frame: what is seen while the frame itself is on its way.

An optical drive needs seconds for a mammogram and a tenth of one for a picture of a few hundred
pixels. It is made of means of stored values, so that it is shown through the image's own window;
nobody reads values off it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from dicomdir.render.cells import Form
from dicomdir.viewer.encode import EncodedFrame, encode_frame

Array = NDArray[Any]

FRAME_BYTES: Final = 1 << 20  # encoded: nearly half a second of a CD; smaller ones come soon enough
SHARE: Final = 0.02  # of the frame, more or less
_SIDE: Final = 700  # pixels at most along each side: about what a screen gives to an image
_LEAST_STEP: Final = 4
_LEAST_BITS: Final = 8  # shades of what there is, however noisy it is
_BITS_WON: Final = 1.2  # of a pixel, encoded, for each bit that is dropped
_BAND_PIXELS: Final = 256 << 10  # at a time: they stay in the processor's cache
_GREY: Final = ("MONOCHROME1", "MONOCHROME2")


@dataclass(frozen=True, slots=True)
class Preview:
    """One coarse picture as it will stand in a file.

    Attributes:
        frame: Its numbers, encoded as a frame's pixels.
        step: Pixels of the image to one of it, along each side.
        dropped: Lowest bits of the means that are left out.
    """

    frame: EncodedFrame
    step: int
    dropped: int


def make_preview(cells: Array, form: Form, encoded_bytes: int) -> Preview | None:
    """A coarse picture, if the frame is large enough to need one and is grey.

    Args:
        cells: Rows and columns as they are packed, unsigned.
        encoded_bytes: What the frame became.
    """
    if encoded_bytes <= FRAME_BYTES or form.photometric not in _GREY or form.allocated > 16:
        return None
    step = _LEAST_STEP
    while max(cells.shape) > _SIDE * step:
        step *= 2
    if min(cells.shape) < step:
        return None
    means = _means(cells, form, step)
    frame = _encoded(means, form)
    spare = max(0, int(means.max() - means.min()).bit_length() - _LEAST_BITS)
    excess = 8 * (len(frame.data) - SHARE * encoded_bytes) / means.size
    dropped = min(spare, max(0, math.ceil(excess / _BITS_WON)))
    if dropped:
        frame = _encoded(means >> dropped, form)
    return Preview(frame, step, dropped)


def _encoded(numbers: Array, form: Form) -> EncodedFrame:
    kind = np.dtype(f"<i{form.allocated // 8}")
    whole = numbers.astype(kind).view(f"<u{kind.itemsize}")
    return encode_frame(whole, signed=form.is_signed)


def _means(cells: Array, form: Form, step: int) -> Array:
    """Of stored values, rounded down; what is over at the right and below is left out."""
    rows, columns = (size // step for size in cells.shape)
    out = np.empty((rows, columns), np.int32)
    band = max(1, _BAND_PIXELS // (step * cells.shape[1]))
    for at in range(0, rows, band):
        count = min(band, rows - at)
        part = _stored(cells[at * step : (at + count) * step, : columns * step], form)
        high = part.reshape(count, step, columns * step).sum(axis=1, dtype=np.int32)
        made = out[at : at + count]
        made[:] = high[:, ::step]
        for n in range(1, step):
            made += high[:, n::step]
    out >>= 2 * (step.bit_length() - 1)
    return out


def _stored(cells: Array, form: Form) -> Array:
    """Values out of cells, which may hold overlays beside them."""
    above = form.allocated - 1 - form.high_bit
    below = form.allocated - form.stored
    if form.is_signed:
        cells = cells.view(f"<i{cells.dtype.itemsize}")
    return (cells << above) >> below if below else cells
