"""One frame to bytes: predictor chosen for the image, planes of residuals, raw deflate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

from dicomdir.viewer.predict import GRADIENT, LEFT, MEDIAN, NONE, residual_planes

Array = NDArray[Any]

RAW: Final = 0
RESIDUALS: Final = 1
JPEG: Final = 2

# ISA-L's first level takes a third of zlib-ng's run-length time for a twelfth more bytes; its
# higher ones save next to nothing.
_LEVEL: Final = 1
_SAMPLE_ROWS: Final = 8  # at each of three heights
_MAX_KNOWN: Final = 256  # series of which a predictor is remembered
_WORTH: Final = 0.97  # the median takes half as long again: only where it saves this much


@dataclass(frozen=True, slots=True)
class EncodedFrame:
    """One frame as it will stand in a chunk.

    Attributes:
        crc: CRC-32 of the decoded pixels, little endian and colour by pixel; 0 of a JPEG.
    """

    data: bytes
    codec: int
    predictor: int
    crc: int


class Chooser:
    """Remembers which predictor served the last images of a series: neighbours are alike.

    Args:
        renewed_after: Images until a sample is looked at again.
    """

    def __init__(self, renewed_after: int = 8) -> None:
        self._renewed_after = renewed_after
        self._known: dict[str, tuple[int, int]] = {}

    def predictor(self, series: str, parts: list[Array], signed: bool) -> int:
        """For the next image of a series."""
        predictor, left = self._known.get(series, (NONE, 0))
        if not left:
            if len(self._known) >= _MAX_KNOWN:
                self._known.clear()
            predictor, left = _choose(parts, signed), self._renewed_after
        self._known[series] = (predictor, left - 1)
        return predictor


def encode_frame(
    pixels: Array, *, signed: bool, chooser: Chooser | None = None, series: str = ""
) -> EncodedFrame:
    """Encode one frame without loss; never longer than it was.

    Args:
        pixels: Rows, columns and, for colours, three samples; unsigned little endian integers of 8,
            16 or 32 bits, signed ones as two's complement.
        chooser: Of many images of some series; None looks at this one alone.
    """
    pixels = np.ascontiguousarray(pixels)
    crc = isal_zlib.crc32(pixels.data)
    parts = _components(pixels)
    chooser = chooser or Chooser()
    predictor = chooser.predictor(series, parts, signed)
    data = _deflated(parts, predictor, signed)
    if len(data) < pixels.nbytes:
        return EncodedFrame(data, RESIDUALS, predictor, crc)
    return EncodedFrame(pixels.tobytes(), RAW, 0, crc)


def _components(pixels: Array) -> list[Array]:
    """Of colours green, and how far red and blue differ from it; they often do so little."""
    if pixels.ndim == 2:
        return [pixels]
    green = np.ascontiguousarray(pixels[..., 1])
    return [green, pixels[..., 0] - green, pixels[..., 2] - green]


def _choose(parts: list[Array], signed: bool) -> int:
    """The predictor that serves a sample of the rows best."""
    height = parts[0].shape[0]
    bands = []
    if height > 4 * _SAMPLE_ROWS:
        middles = (height // 4, height // 2, 3 * height // 4)
        bands = [(at - _SAMPLE_ROWS // 2, at + _SAMPLE_ROWS // 2) for at in middles]
    predictors = [GRADIENT, MEDIAN, LEFT]
    if parts[0].dtype.itemsize == 1:
        predictors.append(NONE)  # masks and indices are no numbers that lie close to each other
    sizes = {it: len(_deflated(parts, it, signed, bands)) for it in predictors}
    sizes[MEDIAN] = int(sizes[MEDIAN] / _WORTH)
    return min(predictors, key=lambda it: sizes[it])


def _deflated(
    parts: list[Array], predictor: int, signed: bool, bands: Sequence[tuple[int, int]] = ()
) -> bytes:
    packer = isal_zlib.compressobj(level=_LEVEL, wbits=-isal_zlib.MAX_WBITS, memLevel=9)
    pieces = []
    for number, part in enumerate(parts):
        planes = residual_planes(part, predictor, signed=signed or number > 0, bands=bands)
        pieces += [packer.compress(plane.data) for plane in planes]
    pieces.append(packer.flush())
    return b"".join(pieces)
