"""From stored values to shades: Modality LUT, VOI LUT or window, and their inverse (PS3.3 C.11)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from dicomdir.errors import InstanceError
from dicomdir.render import attributes as at
from dicomdir.render.attributes import Value
from dicomdir.render.cells import Form, stored_values

Array = NDArray[Any]

_SAMPLED: Final = 32_768  # cells that percentiles are taken of
_PERCENTILES: Final = (0.5, 99.5)
_FUNCTIONS: Final = ("LINEAR", "LINEAR_EXACT", "SIGMOID")


@dataclass(frozen=True, slots=True)
class Table:
    """A Modality or VOI LUT (PS3.3 C.11.1, C.11.2): entries from the input value `first` on."""

    first: int
    bits: int
    entries: bytes  # 16 bits each, little endian

    def __call__(self, values: Array) -> Array:
        table = np.frombuffer(self.entries, "<u2")
        index = np.clip(np.nan_to_num(values) - self.first, 0, len(table) - 1).astype(np.int64)
        return np.asarray(table[index].astype(np.float64))


@dataclass(frozen=True, slots=True)
class Shading:
    """All that says which shade a stored value gets; equal ones make equal pictures.

    Attributes:
        window: Center, width and function; None if the values themselves are to tell.
        is_inverse: The lowest value is white.
    """

    slope: float
    intercept: float
    modality: Table | None
    voi: Table | None
    window: tuple[float, float, str] | None
    is_inverse: bool

    def rescaled(self, stored: Array) -> Array:
        """Output of the Modality LUT."""
        if self.modality is not None:
            return self.modality(stored)
        return stored * self.slope + self.intercept

    def shades(self, stored: Array) -> Array:
        """8-bit shades; there is a window or a VOI LUT."""
        values = self.rescaled(stored)
        if self.voi is not None:
            made = self.voi(values) * (255.0 / ((1 << self.voi.bits) - 1))
        else:
            made = _windowed(values, *(self.window or (127.5, 256.0, "LINEAR_EXACT")))
        made = np.clip(np.nan_to_num(made), 0.0, 255.0)
        if self.is_inverse:
            made = 255.0 - made
        return (made + 0.5).astype(np.uint8)


def read_shading(values: Mapping[int, Value], form: Form) -> Shading:
    """What an object says; a VOI LUT before a window (PS3.3 C.11.2.1.1 leaves the choice)."""
    slope = at.decimals(values, at.SLOPE)
    intercept = at.decimals(values, at.INTERCEPT)
    modality = _first_table(values, at.MODALITY_LUTS, is_signed=form.is_signed)
    output_signed = form.is_signed if modality is None else False
    if intercept and intercept[0] < 0:
        output_signed = True
    return Shading(
        slope=slope[0] if slope and slope[0] else 1.0,
        intercept=intercept[0] if intercept else 0.0,
        modality=modality,
        voi=_first_table(values, at.VOI_LUTS, is_signed=output_signed),
        window=_window(values),
        # MONOCHROME1 says INVERSE too where it says anything (PS3.3 C.8.11.3.1.2): once, not twice.
        is_inverse=form.photometric == "MONOCHROME1" or _has_inverse_shape(values),
    )


def _has_inverse_shape(values: Mapping[int, Value]) -> bool:
    """Presentation LUT Shape (2050,0020), PS3.3 C.11.6.1.2."""
    return at.LUT_SHAPE in values and at.plain(values[at.LUT_SHAPE]) == "INVERSE"


def read_padding(values: Mapping[int, Value], form: Form) -> tuple[int, int] | None:
    """Lowest and highest stored value that is no pixel (PS3.3 C.7.5.1.1.2); None if all are."""
    found = [
        int.from_bytes(values[tag].data[:2], "little", signed=form.is_signed)
        for tag in (at.PADDING_VALUE, at.PADDING_LIMIT)
        if tag in values and len(values[tag].data) >= 2
    ]
    return (min(found), max(found)) if at.PADDING_VALUE in values and found else None


def grey(cells: Array, form: Form, shading: Shading, padding: tuple[int, int] | None) -> Array:
    """8-bit shades of a frame's cells.

    Args:
        padding: Values that no window is made from.
    """
    with np.errstate(all="ignore"):
        if form.kind == "f" or form.allocated == 32:
            stored = cells if form.kind == "f" else stored_values(cells, form)
            stored = stored.astype(np.float64)
            if shading.voi is None and shading.window is None:
                shading = _spread(stored, shading, padding)
            return shading.shades(stored)
        if shading.voi is None and shading.window is None:
            if form.stored <= 8:
                shading = _whole_range(form, shading)
            else:
                shading = _spread(stored_values(cells, form), shading, padding)
        below = form.high_bit + 1 - form.stored
        table = _shades_of_all(form.stored, form.is_signed, shading)
        if below:
            cells = cells >> below
        if len(table) < 1 << form.allocated:
            cells = cells & (len(table) - 1)
        if cells.dtype.kind == "i":
            cells = cells.view(f"<u{cells.dtype.itemsize}")
        return table.take(cells, mode="clip")


def expand_palette(values: Mapping[int, Value], number: int) -> tuple[int, Array]:
    """First mapped value and 8-bit entries of one of the three palettes, 0 for red.

    Raises:
        InstanceError: It is missing or damaged.
    """
    descriptor = values.get(at.PALETTE_DESCRIPTORS[number])
    data = values.get(at.PALETTE_DATA[number])
    segments = values.get(at.PALETTE_SEGMENTS[number])
    if descriptor is None or len(descriptor.data) < 6:
        raise InstanceError("a palette has no descriptor")
    count, first, bits = _descriptor(descriptor, is_signed=descriptor.vr == "SS")
    if data is not None and data.data:
        entries = _entries(data, count)
    elif segments is not None:
        entries = _segmented(np.frombuffer(_even(segments.data), "<u2"), count)
    else:
        raise InstanceError("a palette has no entries")
    if bits > 8 and int(entries.max(initial=0)) > 255:
        entries = entries >> 8  # 8-bit colours in 16-bit entries stand in either half
    return first, np.asarray(np.minimum(entries, 255).astype(np.uint8))


# --------------------------------------------------------------------------------------------------


def _windowed(values: Array, center: float, width: float, function: str) -> Array:
    """PS3.3 C.11.2.1.2 and C.11.2.1.3, to 0 to 255 and beyond."""
    if function == "SIGMOID":
        return np.asarray(255.0 / (1.0 + np.exp(-4.0 * (values - center) / width)))
    if function == "LINEAR":
        center, width = center - 0.5, width - 1.0
    if width <= 0.0:  # LINEAR with a width of 1 is a threshold
        return np.where(values > center, 255.0, 0.0)
    return np.asarray(((values - center) / width + 0.5) * 255.0)


@lru_cache(maxsize=4)
def _shades_of_all(stored_bits: int, is_signed: bool, shading: Shading) -> Array:
    """The shade of each pattern of stored bits: slices of a series share it."""
    values = np.arange(1 << stored_bits, dtype=np.int32)
    if is_signed:
        values[len(values) // 2 :] -= len(values)
    with np.errstate(all="ignore"):
        return shading.shades(values.astype(np.float64))


def _window(values: Mapping[int, Value]) -> tuple[float, float, str] | None:
    """The first window that is one."""
    function = at.plain(values[at.VOI_FUNCTION]).upper() if at.VOI_FUNCTION in values else ""
    if function not in _FUNCTIONS:
        function = "LINEAR"
    centers, widths = at.decimals(values, at.CENTER), at.decimals(values, at.WIDTH)
    least = 1.0 if function == "LINEAR" else 1e-9
    for center, width in zip(centers, widths, strict=False):
        if width >= least:
            return center, width, function
    return None


def _spread(stored: Array, shading: Shading, padding: tuple[int, int] | None) -> Shading:
    """A window over nearly all values that occur."""
    sample = stored.reshape(-1)
    sample = sample[:: max(1, sample.size // _SAMPLED)]
    if padding is not None:
        kept = sample[(sample < padding[0]) | (sample > padding[1])]
        sample = kept if kept.size else sample
    values = shading.rescaled(np.nan_to_num(sample.astype(np.float64)))
    low, high = (float(each) for each in np.percentile(values, _PERCENTILES))
    return _with_window(shading, low, high)


def _whole_range(form: Form, shading: Shading) -> Shading:
    ends = np.array([0.0, (1 << form.stored) - 1.0])
    if form.is_signed:
        ends -= 1 << (form.stored - 1)
    low, high = sorted(float(each) for each in shading.rescaled(ends))
    return _with_window(shading, low, high)


def _with_window(shading: Shading, low: float, high: float) -> Shading:
    width = high - low
    window = ((low + high) / 2, width if 0.0 < width < 1e30 else 1.0, "LINEAR_EXACT")
    return Shading(
        shading.slope, shading.intercept, shading.modality, None, window, shading.is_inverse
    )


def _first_table(values: Mapping[int, Value], tag: int, *, is_signed: bool) -> Table | None:
    """The first usable LUT of a sequence; a damaged one counts as none: there may be a window."""
    sequence = values.get(tag)
    if sequence is None:
        return None
    for content in at.items(sequence.data):
        try:
            found = at.item_values(content)
        except InstanceError:
            continue
        descriptor, data = found.get(at.LUT_DESCRIPTOR), found.get(at.LUT_DATA)
        if descriptor is None or data is None or len(descriptor.data) < 6:
            continue
        count, first, bits = _descriptor(descriptor, is_signed=descriptor.vr == "SS" or is_signed)
        if len(data.data) < count or not 0 < bits <= 16:
            continue
        return Table(first, bits, _entries(data, count).astype("<u2").tobytes())
    return None


def _descriptor(value: Value, *, is_signed: bool) -> tuple[int, int, int]:
    """Number of entries, first mapped value, bits of an entry (PS3.3 C.11.1.1)."""
    data = value.data
    first = int.from_bytes(data[2:4], "little", signed=is_signed)
    return int.from_bytes(data[:2], "little") or 65_536, first, int.from_bytes(data[4:6], "little")


def _entries(value: Value, count: int) -> Array:
    """Entries as 16-bit numbers; those of 8 bits stand two to a word or one."""
    if len(value.data) >= 2 * count:
        return np.frombuffer(value.data, "<u2", count)
    if len(value.data) < count:
        raise InstanceError("a lookup table is shorter than its descriptor says")
    return np.frombuffer(value.data, np.uint8, count).astype(np.uint16)


def _even(data: bytes) -> bytes:
    return data[: len(data) // 2 * 2]


def _segmented(words: Array, count: int) -> Array:
    """Discrete and linear segments of a palette (PS3.3 C.7.9.2)."""
    out: list[Array] = []
    total = pos = 0
    last = 0
    while pos + 2 <= len(words) and total < count:
        kind, length = int(words[pos]), int(words[pos + 1])
        pos += 2
        if kind == 0 and pos + length <= len(words):
            part = words[pos : pos + length]
            pos += length
        elif kind == 1 and pos < len(words):
            part = np.linspace(last, int(words[pos]), length + 1)[1:].round().astype(np.uint16)
            pos += 1
        else:
            raise InstanceError("a palette has segments that cannot be read")
        if len(part):
            out.append(part)
            last = int(part[-1])
            total += len(part)
    if total < count:
        raise InstanceError("a palette has too few segments")
    return np.concatenate(out)[:count]
