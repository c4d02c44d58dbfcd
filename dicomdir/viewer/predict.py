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

_STRIP_PIXELS: Final = 32 << 10  # 64 rows of 512


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
    step = max(1, _STRIP_PIXELS // width)
    strips = bands or [(at, min(height, at + step)) for at in range(0, height, step)]
    rows = sum(stop - start for start, stop in strips)
    planes = np.empty((pixels.dtype.itemsize, rows * width), np.uint8)
    at = 0
    for start, stop in strips:
        above = pixels[start - 1] if start else None
        folded = _zig_zag(_residuals(pixels[start:stop], above, predictor, signed))
        place = slice(at, at + len(folded))
        at += len(folded)
        np.copyto(planes[0, place], folded, casting="unsafe")
        for number in range(1, len(planes)):
            np.copyto(planes[number, place], folded >> 8 * number, casting="unsafe")
    return planes


def _residuals(strip: Array, above: Array | None, predictor: int, signed: bool) -> Array:
    """Of some rows; `above` is the row before them, None at the top of the image."""
    if predictor == NONE:
        return strip
    across = np.empty_like(strip)
    across[:, 0] = strip[:, 0]
    np.subtract(strip[:, 1:], strip[:, :-1], out=across[:, 1:])
    first = 1 if above is None else 0  # the top row is predicted from the left alone
    upper = strip[:-1] if above is None else np.concatenate((above[None], strip[:-1]))
    rows = strip[first:]
    across[first:, 0] = rows[:, 0] - upper[:, 0]
    if predictor == LEFT:
        return across
    if predictor == GRADIENT:
        # (x - a) - (b - c); the first column is done
        across[first:, 1:] -= upper[:, 1:]
        across[first:, 1:] += upper[:, :-1]
        return across
    kind = f"<i{strip.dtype.itemsize}" if signed else strip.dtype
    left, over, corner = (part.view(kind) for part in (rows[:, :-1], upper[:, 1:], upper[:, :-1]))
    # The median of a, b and a + b - c is a + b - (c clipped between a and b): it cannot overflow.
    low = np.minimum(left, over)
    clipped = np.maximum(corner, low, out=low)
    clipped = np.minimum(clipped, np.maximum(left, over), out=clipped).view(strip.dtype)
    clipped -= upper[:, 1:]
    across[first:, 1:] += clipped
    return across


def _zig_zag(residuals: Array) -> Array:
    """Small numbers of either sign to small numbers: 0, -1, 1, -2 become 0, 1, 2, 3."""
    bits = 8 * residuals.dtype.itemsize
    signs = residuals.view(f"<i{residuals.dtype.itemsize}") >> (bits - 1)
    return ((residuals << 1) ^ signs.view(residuals.dtype)).reshape(-1)
