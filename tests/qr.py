"""Reads a QR code's picture back, as a phone does after it has found and straightened it.

No error correction: a picture of ours has no errors, and one that has is to fail. ISO/IEC 18004.
"""

from __future__ import annotations

from collections.abc import Iterator

from PIL import Image
from qrcode.base import rs_blocks  # which block has how many codewords, by version (table 9)

_LEVELS = {0b01: 1, 0b00: 0, 0b11: 3, 0b10: 2}  # as written in the code: as qrcode numbers them
_MASKS = (
    lambda y, x: (y + x) % 2 == 0,
    lambda y, _x: y % 2 == 0,
    lambda _y, x: x % 3 == 0,
    lambda y, x: (y + x) % 3 == 0,
    lambda y, x: (y // 2 + x // 3) % 2 == 0,
    lambda y, x: y * x % 2 + y * x % 3 == 0,
    lambda y, x: (y * x % 2 + y * x % 3) % 2 == 0,
    lambda y, x: ((y + x) % 2 + y * x % 3) % 2 == 0,
)
_ALIGNED = {1: (), 2: (6, 18), 3: (6, 22), 4: (6, 26), 5: (6, 30), 6: (6, 34),
            7: (6, 22, 38), 8: (6, 24, 42), 9: (6, 26, 46), 10: (6, 28, 50)}  # fmt: skip


def modules(picture: Image.Image) -> list[list[bool]]:
    """The dark ones, without the quiet zone; raises ValueError if there is none of four modules."""
    dark = picture.convert("L").point(lambda value: 255 if value < 128 else 0)
    box = dark.getbbox()
    assert box is not None
    left, top, right, bottom = box
    run = next(x for x in range(left, right) if not dark.getpixel((x, top)))
    step = (run - left) / 7  # a finder pattern is seven modules wide
    size = round((right - left) / step)
    step = (right - left) / size  # the pattern's alone is half a module off at the far edge
    if min(left, top, picture.width - right, picture.height - bottom) < 4 * step:
        raise ValueError("no quiet zone")
    if abs((bottom - top) - (right - left)) > 1:
        raise ValueError("not square")
    return [
        [
            bool(dark.getpixel((int(left + (x + 0.5) * step), int(top + (y + 0.5) * step))))
            for x in range(size)
        ]
        for y in range(size)
    ]


def decode(picture: Image.Image) -> str:
    """The text of a code, versions 1 to 10."""
    cells = modules(picture)
    size = len(cells)
    version = (size - 17) // 4
    form = [cells[8][x] for x in (0, 1, 2, 3, 4, 5, 7, 8)]
    bits = sum(bit << (14 - at) for at, bit in enumerate(form)) ^ 0x5412
    level, mask = _LEVELS[bits >> 13 & 3], _MASKS[bits >> 10 & 7]
    stream = [cells[y][x] ^ mask(y, x) for y, x in _path(size, version)]
    words = [
        sum(bit << (7 - at) for at, bit in enumerate(stream[start : start + 8]))
        for start in range(0, len(stream) - 7, 8)
    ]
    data = _ordered(words, [block.data_count for block in rs_blocks(version, level)])
    flat = "".join(f"{word:08b}" for word in data)
    return "".join(_segments(flat, version))


_ALPHANUMERIC = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"


def _segments(bits: str, version: int) -> Iterator[str]:
    """Numeric, alphanumeric and byte segments (ISO/IEC 18004, 7.4) until the terminator."""
    is_small = version < 10
    at = 0

    def take(count: int) -> int:
        nonlocal at
        at += count
        return int(bits[at - count : at], 2)

    while len(bits) - at >= 4 and (mode := take(4)):
        if mode == 0b0001:
            left = take(10 if is_small else 12)
            while left:
                count = min(3, left)
                yield f"{take(3 * count + 1):0{count}}"
                left -= count
        elif mode == 0b0010:
            left = take(9 if is_small else 11)
            while left >= 2:
                first, second = divmod(take(11), 45)
                yield _ALPHANUMERIC[first] + _ALPHANUMERIC[second]
                left -= 2
            if left:
                yield _ALPHANUMERIC[take(6)]
        elif mode == 0b0100:
            yield bytes(take(8) for _ in range(take(8 if is_small else 16))).decode()
        else:
            raise ValueError(f"a segment of mode {mode}")


def _path(size: int, version: int) -> list[tuple[int, int]]:
    """Cells of data in order: two columns at a time, up and down, from the right."""
    found, up = [], True
    for right in [*range(size - 1, 6, -2), 5, 3, 1]:
        for y in range(size - 1, -1, -1) if up else range(size):
            found += [(y, x) for x in (right, right - 1) if not _is_fixed(y, x, size, version)]
        up = not up
    return found


def _is_fixed(y: int, x: int, size: int, version: int) -> bool:
    if 6 in (y, x):
        return True
    if (y < 9 and (x < 9 or x >= size - 8)) or (y >= size - 8 and x < 9):
        return True
    if version >= 7 and ((y < 6 and x >= size - 11) or (x < 6 and y >= size - 11)):
        return True
    places = _ALIGNED[version]
    corners = {(6, 6), (6, size - 7), (size - 7, 6)}
    return any(
        abs(y - a) <= 2 and abs(x - b) <= 2 for a in places for b in places if (a, b) not in corners
    )


def _ordered(words: list[int], counts: list[int]) -> list[int]:
    blocks: list[list[int]] = [[] for _ in counts]
    source = iter(words)
    for place in range(max(counts)):
        for block, count in zip(blocks, counts, strict=True):
            if place < count:
                block.append(next(source))
    return [word for block in blocks for word in block]
