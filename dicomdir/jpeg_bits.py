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
_BAND_SAMPLES: Final = 32_768


def coded_bits(samples: Array, precision: int, predictor: int, tables: list[bytes]) -> int | None:
    """Bits of all samples of one scan without restart intervals; None if it cannot be said.

    Args:
        samples: Rows, columns and, if there are several, components.
        tables: For each component, the body of its table: 16 counts, then symbols (B.2.4.2).
    """
    if predictor not in _PREDICTORS or samples.dtype.kind != "u" or samples.ndim not in (2, 3):
        return None
    lengths: list[Any] = [_lengths(table) for table in tables]
    cells = samples if samples.ndim == 3 else samples[..., None]
    if any(each is None for each in lengths) or cells.shape[2] != len(tables):
        return None
    rows = max(1, _BAND_SAMPLES // max(1, cells[0].size))
    is_one_table = all(table == tables[0] for table in tables)
    total = 0
    for start in range(0, len(cells), rows):  # in bands, which stay in the processor's cache
        above = max(0, start - 1)
        made = _differences(cells[above : start + rows], precision, predictor)[start - above :]
        codes = made.view(np.uint16)
        if is_one_table:
            total += int(lengths[0].take(codes).sum(dtype=np.uint32))
        else:
            total += sum(
                int(each.take(codes[..., n]).sum(dtype=np.uint32)) for n, each in enumerate(lengths)
            )
    return total


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


def _differences(cells: Array, precision: int, predictor: int) -> Array:
    """H.1.2.1: the first row is predicted from the left, the first column from above.

    Of a band that is not the first its first row counts for nothing: it is there to predict from.
    """
    wide: Any
    if cells.itemsize == 1:
        wide = cells.astype(np.int16)
    elif predictor <= 4:
        wide = cells.view(np.int16)  # modulo 65,536 is as good
    else:
        wide = cells.astype(np.int32)
    made = np.empty(cells.shape, np.int16)
    made[0, 0] = (wide[0, 0].astype(np.int32) - (1 << precision - 1)).astype(np.int16)
    made[0, 1:] = wide[0, 1:] - wide[0, :-1]
    made[1:, 0] = wide[1:, 0] - wide[:-1, 0]
    here, left, above, corner = wide[1:, 1:], wide[1:, :-1], wide[:-1, 1:], wide[:-1, :-1]
    if predictor == 1:
        made[1:, 1:] = here - left
    elif predictor == 2:
        made[1:, 1:] = here - above
    elif predictor == 3:
        made[1:, 1:] = here - corner
    elif predictor == 4:
        made[1:, 1:] = here - left - above + corner
    elif predictor == 5:
        made[1:, 1:] = here - left - (above - corner >> 1)
    elif predictor == 6:
        made[1:, 1:] = here - above - (left - corner >> 1)
    else:
        made[1:, 1:] = here - (left + above >> 1)
    return made
