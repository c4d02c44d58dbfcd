"""Pixels to planes of residuals, in strips that stay in the processor's cache.

After a good prediction nothing is left for deflate to match but runs: of a slice of CT a quarter
remains, at a speed that plain deflate does not come near.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

NONE: Final = 0
GRADIENT: Final = 1
MEDIAN: Final = 2
LEFT: Final = 3

_STRIP_PIXELS: Final = 64 << 10  # 128 rows of 512


def residual_planes(
    pixels: Array, predictor: int, *, signed: bool, bands: Sequence[tuple[int, int]] = ()
) -> Array:
    """One component as byte planes of its zig-zag residuals, the lowest bytes first.

    Args:
        pixels: Rows and columns of little endian unsigned integers.
        signed: Whether the median compares them as two's complement; nothing else depends on it.
        bands: First row and the one behind the last, of those wanted; all if there are none.
    Returns:
        Planes by pixels, of bytes.
    """
    height, width = pixels.shape
    step = max(1, min(height, _STRIP_PIXELS // width))
    strips = bands or [(at, min(height, at + step)) for at in range(0, height, step)]
    rows = sum(stop - start for start, stop in strips)
    planes = np.empty((pixels.dtype.itemsize, rows * width), np.uint8)
    spare = _Spare(pixels, max(stop - start for start, stop in strips))
    at = 0
    for start, stop in strips:
        above = pixels[start - 1 : start] if start else None
        folded = spare.residuals(pixels[start:stop], above, predictor, signed)
        spare.zig_zag(folded)
        flat = folded.reshape(-1)
        place = slice(at, at + len(flat))
        at += len(flat)
        np.copyto(planes[0, place], flat, casting="unsafe")
        for plane in planes[1:]:
            np.right_shift(flat, 8, out=flat)
            np.copyto(plane[place], flat, casting="unsafe")
    return planes


class _Spare:
    """Room for the steps of a strip: every pass writes where the last one was, in the cache.

    Args:
        rows: Of the highest strip.
    """

    def __init__(self, pixels: Array, rows: int) -> None:
        kind, width = pixels.dtype, pixels.shape[1]
        self._signed = np.dtype(f"<i{kind.itemsize}")
        self._across = np.empty((rows + 1, width), kind)
        self._residuals = np.empty((rows, width), kind)
        self._signs = np.empty((rows, width), self._signed)
        self._other = np.empty((rows, width), kind)

    def residuals(self, strip: Array, above: Array | None, predictor: int, signed: bool) -> Array:
        """Of some rows; `above` is the row before them, None at the top of the image."""
        residuals = self._residuals[: len(strip)]
        if predictor == NONE:
            np.copyto(residuals, strip)
        elif predictor == LEFT:
            self._left(strip, above, residuals)
        elif predictor == GRADIENT:
            # x - (a + b - c) is the difference across, less that of the row above
            across = self._across[: len(strip) + 1]
            across[0] = 0  # the top row is predicted from the left alone
            if above is not None:
                _differences(above, across[:1])
            _differences(strip, across[1:])
            np.subtract(across[1:], across[:-1], out=residuals)
        else:
            self._median(strip, above, residuals, signed)
        return residuals

    def zig_zag(self, residuals: Array) -> None:
        """Small numbers of either sign to small numbers: 0, -1, 1, -2 become 0, 1, 2, 3."""
        signs = self._signs[: len(residuals)]
        bits = 8 * residuals.dtype.itemsize
        np.right_shift(residuals.view(self._signed), bits - 1, out=signs)
        np.add(residuals, residuals, out=residuals)
        np.bitwise_xor(residuals, signs.view(residuals.dtype), out=residuals)

    @staticmethod
    def _left(strip: Array, above: Array | None, residuals: Array) -> None:
        _differences(strip, residuals)
        residuals[1:, 0] -= strip[:-1, 0]
        if above is not None:
            residuals[:1, 0] -= above[:, 0]

    def _median(self, strip: Array, above: Array | None, residuals: Array, signed: bool) -> None:
        """The median of a, b and a + b - c is a + b - (c clipped between a and b): no overflow."""
        self._left(strip, above, residuals)
        if above is not None:
            self._less_median(strip[:1], above, residuals[:1], signed)
        self._less_median(strip[1:], strip[:-1], residuals[1:], signed)

    def _less_median(self, rows: Array, upper: Array, residuals: Array, signed: bool) -> None:
        """From the differences x - a to x - a - b + clipped c, but in the first column."""
        kind = self._signed if signed else rows.dtype
        left, over, corner = (it.view(kind) for it in (rows[:, :-1], upper[:, 1:], upper[:, :-1]))
        low = self._signs[: len(rows), 1:].view(kind)
        high = self._other[: len(rows), 1:].view(kind)
        np.minimum(left, over, out=low)
        np.maximum(left, over, out=high)
        np.maximum(corner, low, out=low)
        np.minimum(low, high, out=low)
        low -= over
        inner = residuals[:, 1:]
        inner += low.view(rows.dtype)


def _differences(rows: Array, out: Array) -> None:
    """Of each pixel from the one to its left; the first of a row stays as it is."""
    out[:, 0] = rows[:, 0]
    np.subtract(rows[:, 1:], rows[:, :-1], out=out[:, 1:])
