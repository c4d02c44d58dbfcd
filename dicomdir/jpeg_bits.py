"""How many bits a lossless JPEG stream of given samples has: the quick way to see it used up.

Each sample's difference to its prediction has one code only (ITU-T T.81 H.1.2), so the length of
the coded data follows from the picture: two fifths of the time of decoding it once more.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

_PREDICTORS: Final = range(1, 8)
_NO_CODE: Final = 200
_BAND_SAMPLES: Final = 65_536


def coded_bits(samples: Array, precision: int, predictor: int, tables: list[bytes]) -> int | None:
    """Bits of all samples of one scan without restart intervals; None if it cannot be said.

    Args:
        samples: Rows, columns and, if there are several, components.
        tables: For each component, the body of its table: 16 counts, then symbols (B.2.4.2).
    """
    if predictor not in _PREDICTORS or samples.dtype.kind != "u" or samples.ndim not in (2, 3):
        return None
    lengths: list[Any] = [_lengths(table) for table in tables]
    components = len(tables)
    width = samples.shape[1] * components
    if any(each is None for each in lengths) or samples.size != len(samples) * width:
        return None
    rows = max(1, _BAND_SAMPLES // max(1, width))
    is_one_table = all(table == tables[0] for table in tables)
    cells = np.ascontiguousarray(samples).reshape(-1)
    total = 0
    for start in range(0, len(samples), rows):  # in bands, which stay in the processor's cache
        above = max(0, start - 1) * width
        band = cells[above : (start + rows) * width]
        made = _differences(band, width, components, precision, predictor)
        codes = made[start * width - above :].view(np.uint16)
        if is_one_table:
            total += _bits(codes, lengths[0])
        else:
            total += sum(_bits(codes[n::components], each) for n, each in enumerate(lengths))
    return total


def _bits(codes: Array, lengths: Array) -> int:
    return int(lengths.take(codes).sum(dtype=np.uint32))


@lru_cache(maxsize=16)
def _lengths(table: bytes) -> Array | None:
    """Bits of code and value for each difference modulo 65,536."""
    counts, symbols = table[:16], table[16:]
    if len(counts) != 16 or len(symbols) < sum(counts):
        return None
    codes = np.full(17, _NO_CODE, np.uint8)
    at = 0
    for length, count in enumerate(counts, 1):
        for symbol in symbols[at : at + count]:
            if symbol > 16:
                return None
            codes[symbol] = min(codes[symbol], length + (symbol if symbol < 16 else 0))
        at += count
    size = np.abs(np.arange(65_536, dtype=np.uint16).view(np.int16).astype(np.int32))
    return np.asarray(codes[np.frexp(size)[1]])


def _differences(
    cells: Array, width: int, components: int, precision: int, predictor: int
) -> Array:
    """H.1.2.1: the first row is predicted from the left, the first column from above.

    As one row after the other, so that each step is one run over memory; what that makes of the
    first column is put right afterwards. Of a band that is not the first its first row counts for
    nothing: it is there to predict from.
    """
    wide: Any
    if cells.itemsize == 1:
        wide = cells.astype(np.int16)
    elif predictor <= 4:
        wide = cells.view(np.int16)  # modulo 65,536 is as good
    else:
        wide = cells.astype(np.int32)
    made: Any = np.empty_like(wide)
    here, left = wide[width + components :], wide[width:-components]
    above, corner = wide[components:-width], wide[: -width - components]
    rest = made[width + components :]
    if predictor == 1:
        np.subtract(here, left, out=rest)
    elif predictor == 2:
        np.subtract(here, above, out=rest)
    elif predictor == 3:
        np.subtract(here, corner, out=rest)
    elif predictor == 4:
        np.subtract(here, left, out=rest)
        rest -= above
        rest += corner
    elif predictor == 7:
        np.add(left, above, out=rest)
        rest >>= 1
        np.subtract(here, rest, out=rest)
    else:
        near, far = (left, above) if predictor == 5 else (above, left)
        np.subtract(far, corner, out=rest)
        rest >>= 1
        rest += near
        np.subtract(here, rest, out=rest)
    rows, wide_rows = made.reshape(-1, width), wide.reshape(-1, width)
    np.subtract(wide_rows[1:, :components], wide_rows[:-1, :components], out=rows[1:, :components])
    np.subtract(wide[components:width], wide[: width - components], out=made[components:width])
    middle = (1 << precision - 1) - (1 << 16 if precision == 16 else 0)  # the same, modulo 65,536
    made[:components] = wide[:components] - middle
    return np.asarray(made.astype(np.int16, copy=False))
