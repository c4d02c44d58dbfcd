"""An independent reader of the viewer's data: what the page does, in plain Python.

Written from docs/viewer-format.md, not from the encoder; slow, and of no use but for tests.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

_CALL = re.compile(
    r'SENDHOME\("([A-Z0-9/]{1,20})",(0|[1-9][0-9]{0,9}),(0|[1-9][0-9]{0,9}),"([\u3000-\uafff]*)"\)'
)


def unpack_text(text: str, size: int) -> bytes:
    """15 bits a character, least significant first."""
    number, shift = 0, 0
    out = bytearray()
    for character in text:
        number |= (ord(character) - 0x3000) << shift
        shift += 15
        while shift >= 8:
            out.append(number & 0xFF)
            number >>= 8
            shift -= 8
    assert number == 0, "the last character is not filled up with zero bits"
    assert size <= len(out) <= size + 2, "another length than was said"
    assert not any(out[size:])
    return bytes(out[:size])


def unpack_text_fast(text: str, size: int) -> bytes:
    """The same for large payloads, by bits."""
    units = np.frombuffer(text.encode("utf-16-le"), "<u2") - 0x3000
    bits = np.unpackbits(units.view(np.uint8).reshape(-1, 2), axis=1, bitorder="little")[:, :15]
    made = np.packbits(bits.reshape(-1), bitorder="little").tobytes()
    assert len(made) - size in (0, 1, 2)
    assert not any(made[size:])
    return made[:size]


FIRST = re.compile(
    r'SENDHOME\.first&&SENDHOME\.first\((?P<names>\[("S\d{7}/(META|C\d{7})",?){1,2}\])\);'
    r'(SENDHOME\.glimpse&&SENDHOME\.glimpse\("(?P<glimpse>[A-Za-z0-9+/=]+)"\);)?'
)


def read_data_file(data: bytes, before: str = "") -> tuple[str, bytes]:
    """Name and payload of a data file; checks its form and its checksum."""
    (found,) = read_calls(data, before)
    return found


def read_calls(data: bytes, before: str = "") -> list[tuple[str, bytes]]:
    """The same of a data file that brings others along."""
    assert data[:2] == b"\xff\xfe"
    text = data[2:].decode("utf-16-le")
    assert text.startswith(before)
    hint = FIRST.match(text)  # MANIFEST's
    start = hint.end() if hint else len(before)
    return [_read_call(call) for call in text[start:].split(";")]


def _read_call(call: str) -> tuple[str, bytes]:
    found = _CALL.fullmatch(call)
    assert found is not None, "no data file"
    name, size, crc, packed = found.groups()
    payload = (unpack_text if len(packed) < 4000 else unpack_text_fast)(packed, int(size))
    assert zlib.crc32(payload) == int(crc), "the checksum is wrong"
    return name, payload


def inflate(payload: bytes) -> bytes:
    """All of a raw deflate stream, and nothing behind it."""
    inflater = zlib.decompressobj(-15)
    made = inflater.decompress(payload) + inflater.flush()
    assert inflater.eof
    assert not inflater.unused_data
    return made


def decode_frame(
    data: bytes,
    *,
    codec: int,
    predictor: int,
    rows: int,
    columns: int,
    samples: int,
    allocated: int,
    signed: bool,
) -> bytes:
    """Pixels, little endian and colour by pixel."""
    if codec == 0:
        return data
    assert codec == 1
    planes = inflate(data)
    width = allocated // 8
    count = rows * columns
    assert len(planes) == count * width * samples
    parts = []
    for number in range(samples):
        own = planes[number * count * width : (number + 1) * count * width]
        values = [0] * count
        for plane in range(width):
            for at in range(count):
                values[at] |= own[plane * count + at] << 8 * plane
        parts.append(_undo(values, predictor, rows, columns, allocated, signed or number > 0))
    top = (1 << allocated) - 1
    if samples == 3:
        green, red, blue = parts
        together = []
        for g, r, b in zip(green, red, blue, strict=True):
            together += [(r + g) & top, g, (b + g) & top]
    else:
        together = parts[0]
    return b"".join(value.to_bytes(width, "little") for value in together)


def _undo(
    folded: list[int], predictor: int, rows: int, columns: int, bits: int, signed: bool
) -> list[int]:
    top = (1 << bits) - 1
    half = 1 << bits - 1

    def number(value: int) -> int:
        return value - (1 << bits) if signed and value >= half else value

    out = [0] * (rows * columns)
    for at, fold in enumerate(folded):
        residual = fold >> 1 if fold % 2 == 0 else -(fold + 1 >> 1)
        row, column = divmod(at, columns)
        if predictor == 0 or at == 0:
            guess = 0
        elif row == 0:
            guess = out[at - 1]
        elif column == 0:
            guess = out[at - columns]
        else:
            a, b, c = out[at - 1], out[at - columns], out[at - columns - 1]
            if predictor == 1:
                guess = a + b - c
            elif predictor == 2:
                a, b, c = number(a), number(b), number(c)
                guess = sorted((a, b, a + b - c))[1]
            else:
                assert predictor == 3
                guess = a
        out[at] = (guess + residual) & top
    return out


def decode_quickly(data: bytes, shape: dict[str, int], *, codec: int, predictor: int) -> bytes:
    """As `decode_frame`, for images of any size: by anti-diagonals, along which nothing hangs on
    anything else.

    Args:
        shape: rows, columns, samples, allocated and signed, as an instance in META has them.
    """
    rows, columns, samples, allocated = (
        shape[name] for name in ("rows", "columns", "samples", "allocated")
    )
    if codec == 0:
        return data
    assert codec == 1
    kind = np.dtype(f"<u{allocated // 8}")
    planes = np.frombuffer(inflate(data), np.uint8).reshape(samples, kind.itemsize, -1)
    parts = []
    for number, own in enumerate(planes):
        folded = np.ascontiguousarray(own.T).view(kind).reshape(rows, columns)
        residuals = (folded >> 1) ^ (-(folded & 1).astype(kind)).astype(kind)
        parts.append(
            _undo_quickly(residuals, predictor, signed=bool(shape["signed"]) or number > 0)
        )
    if samples == 3:
        green, red, blue = parts
        return np.stack([red + green, green, blue + green], axis=-1).tobytes()
    return bytes(parts[0].tobytes())


def _undo_quickly(residuals: Any, predictor: int, *, signed: bool) -> Any:
    kind = residuals.dtype
    if predictor == 0:
        return residuals
    if predictor == 1:
        return residuals.cumsum(axis=0, dtype=kind).cumsum(axis=1, dtype=kind)
    out = residuals.copy()
    out[:, 0] = residuals[:, 0].cumsum(dtype=kind)
    if predictor == 3:
        return out.cumsum(axis=1, dtype=kind)
    assert predictor == 2
    out[0] = residuals[0].cumsum(dtype=kind)
    rows, columns = out.shape
    flat = out.reshape(-1)
    wide = np.dtype("<i8")
    for diagonal in range(2, rows + columns - 1):
        first, last = max(1, diagonal - columns + 1), min(rows - 1, diagonal - 1)
        if first > last:
            continue
        at = diagonal + np.arange(first, last + 1) * (columns - 1)
        a, b, c = (flat[at - n] for n in (1, columns, columns + 1))
        if signed:
            a, b, c = (it.view(f"<i{kind.itemsize}") for it in (a, b, c))
        a, b, c = (it.astype(wide) for it in (a, b, c))
        guess = np.sort(np.stack([a, b, a + b - c]), axis=0)[1]
        flat[at] += guess.astype(kind)
    return out


class Viewer:
    """VIEWER/ as a page finds it.

    Args:
        read: Content of a file by its path below VIEWER/, such as "MANIFEST.JS".
    """

    def __init__(self, read: Callable[[str], bytes]) -> None:
        self._read = read
        self.manifest = json.loads(inflate(self.payload("MANIFEST")))

    def payload(self, name: str) -> bytes:
        if name == "MANIFEST":
            found, payload = read_data_file(self._read(f"{name}.JS"))
            assert found == name
            return payload
        folder, kind = name.split("/")
        file = "META" if kind in ("H0000001", "P0000001") else kind
        calls = read_calls(self._read(f"D/{folder}/{file}.JS"))
        assert calls[0][0] == f"{folder}/{file}"
        assert len(calls) == 1 or file == "META"
        return dict(calls)[name]

    def series(self) -> Iterator[dict[str, Any]]:
        for patient in self.manifest["patients"]:
            for study in patient["studies"]:
                yield from study["series"]

    def meta(self, number: int) -> dict[str, Any]:
        return json.loads(inflate(self.payload(f"S{number:07d}/META")))

    def header(self, number: int, instance: dict[str, Any]) -> bytes:
        file, offset, length = instance["header"]
        whole = inflate(self.payload(f"S{number:07d}/H{file:07d}"))
        return whole[offset : offset + length]

    def frames(self, number: int) -> Iterator[tuple[dict[str, Any], int, int, bytes]]:
        """Instance, frame, codec and pixels (or the JPEG), in order of display."""
        meta = self.meta(number)
        held = (0, b"")
        for (at, frame), row in zip(meta["order"], meta["frames"], strict=True):
            chunk, offset, length, codec, predictor, crc = row
            if held[0] != chunk:
                held = (chunk, self.payload(f"S{number:07d}/C{chunk:07d}"))
                assert len(held[1]) == meta["chunks"][chunk - 1][0]
            data = held[1][offset : offset + length]
            instance = meta["instances"][at]
            if codec != 2:
                data = decode_quickly(data, instance, codec=codec, predictor=predictor)
                assert zlib.crc32(data) == crc
            yield instance, frame, codec, data

    def previews(self, number: int) -> Iterator[tuple[int, int, Any]]:
        """Place in the order of display, step and stored values of each coarse picture."""
        meta = self.meta(number)
        for at, file, offset, length, codec, predictor, crc, step, dropped in meta["previews"]:
            instance = meta["instances"][meta["order"][at][0]]
            small = {
                **instance, "rows": instance["rows"] // step, "columns": instance["columns"] // step
            }  # fmt: skip
            data = self.payload(f"S{number:07d}/P{file:07d}")[offset : offset + length]
            data = decode_quickly(data, small, codec=codec, predictor=predictor)
            assert zlib.crc32(data) == crc
            yield at, step, as_array(data, small).astype(np.int32) << dropped


def as_array(data: bytes, instance: dict[str, Any]) -> Any:
    """Decoded pixels as numpy shapes them."""
    kind = "i" if instance["signed"] else "u"
    pixels = np.frombuffer(data, f"<{kind}{instance['allocated'] // 8}")
    shape = (instance["rows"], instance["columns"])
    return pixels.reshape(*shape, 3) if instance["samples"] == 3 else pixels.reshape(shape)
