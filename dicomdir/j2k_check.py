"""Whether a JPEG 2000 or HTJ2K codestream is whole (ITU-T T.800, T.814).

Decoders forgive: what is missing is taken for zero, what is left over is skipped. Tile-parts have
to be as long as they say, end in EOC and hold a part of each tile; `j2k_packets` walks the packets
of a tile, which have to use up its bytes. What stands in a code-block has no checksum: damage there
is noticed where it breaks a rule of the coder, and by nobody otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from dicomdir.errors import TranscodeError
from dicomdir.j2k_packets import Coding, Rectangle, TileComponent, walk_packets

_SOT, _SOD, _EOC = 0xFF90, 0xFF93, 0xFFD9  # T.800 table A.2
_SIZ, _COD, _COC, _POC = 0xFF51, 0xFF52, 0xFF53, 0xFF5F
_PACKED_HEADERS: Final = (0xFF60, 0xFF61)
_MAX_TILES: Final = 65_535
_ENDS_EARLY: Final = "a frame ends before its end marker"
_UNREADABLE: Final = "a frame's JPEG 2000 header cannot be read"


@dataclass(frozen=True, slots=True)
class _Image:
    area: Rectangle
    tile: tuple[int, int]
    tile_origin: tuple[int, int]
    steps: tuple[tuple[int, int], ...]

    @property
    def tiles(self) -> tuple[int, int]:
        across = -(-(self.area.x1 - self.tile_origin[0]) // self.tile[0])
        return across, -(-(self.area.y1 - self.tile_origin[1]) // self.tile[1])


def has_colour_transform(data: bytes) -> bool:
    """Whether the main header of a checked codestream says that components were transformed
    (multiple component transformation, T.800 table A.17; PS3.5 8.2.4).
    """
    return _coding_style(data)[4:5] == b"\1"


def is_irreversible(data: bytes) -> bool:
    """Whether the main header says 9-7 wavelets (T.800 table A.20), which lose; False for what
    cannot be read.

    Args:
        data: At least the main header.
    """
    try:
        return _coding_style(data)[9:10] == b"\0"
    except TranscodeError:
        return False


def _coding_style(data: bytes) -> bytes:
    """Parameters of the first COD of the main header; b"" if there is none."""
    at = data.find(b"\xff\x4f\xff\x51", 0, 4096) + 2
    while (marker := _number(data, at, 2)) != _SOT:
        body, at = _segment(data, at)
        if marker == _COD and len(body) > 4:
            return body
    return b""


def check_jpeg_2000(data: bytes) -> None:
    """Raise TranscodeError unless all bytes of a codestream are there and none is left over."""
    start = data.find(b"\xff\x4f\xff\x51", 0, 4096)
    if start < 0:
        raise TranscodeError("a frame is no JPEG 2000 codestream")
    image: _Image | None = None
    coding: dict[int, Coding] = {}
    is_plain = True  # packets as the main header says, with their headers before them
    at = start + 2
    while (marker := _number(data, at, 2)) != _SOT:
        body, after = _segment(data, at)
        if marker == _SIZ:
            image = _image(body)
        elif marker == _COD and image is not None:
            coding.update(_default_coding(body, len(image.steps)))
        elif marker == _COC and image is not None and coding:
            coding.update(_own_coding(body, coding, len(image.steps)))
        elif marker == _POC or marker in _PACKED_HEADERS:
            is_plain = False
        at = after
    if image is None or not coding:
        raise TranscodeError(_UNREADABLE)
    tiles, all_plain = _tile_parts(data, at)
    across, down = image.tiles
    if not across * down <= _MAX_TILES or sorted(tiles) != list(range(across * down)):
        raise TranscodeError("a frame has not all of its tiles")
    if is_plain and all_plain:
        for number, parts in tiles.items():
            walk_packets(b"".join(parts), _components(image, number, coding))


def _tile_parts(data: bytes, at: int) -> tuple[dict[int, list[bytes]], bool]:
    tiles: dict[int, list[bytes]] = {}
    is_plain = True
    while (marker := _number(data, at, 2)) != _EOC:
        body, header = _segment(data, at)
        if marker != _SOT or len(body) != 8:
            raise TranscodeError("a frame's tile-parts are not as long as they say")
        length = _number(body, 2, 4)
        end = at + length
        if not length:  # up to the end of the codestream (A.4.2)
            end = data.rfind(b"\xff\xd9")
        while (marker := _number(data, header, 2)) != _SOD:
            is_plain = is_plain and marker not in (_COD, _COC, _POC, *_PACKED_HEADERS)
            _, header = _segment(data, header)
        header += 2
        if not header <= end <= len(data):
            raise TranscodeError(_ENDS_EARLY)
        parts = tiles.setdefault(_number(body, 0, 2), [])
        if body[6] != len(parts):
            raise TranscodeError("a frame's tile-parts are out of order")
        parts.append(data[header:end])
        at = end
    return tiles, is_plain


def _number(data: bytes, at: int, size: int) -> int:
    part = data[at : at + size]
    if len(part) != size:
        raise TranscodeError(_ENDS_EARLY)
    return int.from_bytes(part, "big")


def _segment(data: bytes, at: int) -> tuple[bytes, int]:
    """Parameters of the marker segment at a place, and the place behind it."""
    marker, length = _number(data, at, 2), _number(data, at + 2, 2)
    after = at + 2 + length
    if marker < 0xFF00 or length < 2 or after > len(data):
        raise TranscodeError(_UNREADABLE)
    return data[at + 4 : after], after


def _image(body: bytes) -> _Image:
    count = _number(body, 34, 2)
    steps = tuple(
        (_number(body, 37 + 3 * n, 1), _number(body, 38 + 3 * n, 1)) for n in range(count)
    )
    x1, y1, x0, y0, width, height, tile_x, tile_y = (_number(body, 2 + 4 * n, 4) for n in range(8))
    is_sound = x0 < x1 and y0 < y1 and width and height and tile_x <= x0 and tile_y <= y0
    if not is_sound or not steps or any(not (across and down) for across, down in steps):
        raise TranscodeError(_UNREADABLE)
    return _Image(Rectangle(x0, y0, x1, y1), (width, height), (tile_x, tile_y), steps)


def _default_coding(body: bytes, components: int) -> dict[int, Coding]:
    style = _number(body, 0, 1)
    base = Coding(
        has_sop=bool(style & 2),
        has_eph=bool(style & 4),
        progression=_number(body, 1, 1),
        layers=_number(body, 2, 2),
    )
    made = _with_blocks(base, body[5:], has_precincts=bool(style & 1))
    return dict.fromkeys(range(components), made)


def _own_coding(body: bytes, coding: dict[int, Coding], components: int) -> dict[int, Coding]:
    size = 1 if components < 257 else 2
    number, style = _number(body, 0, size), _number(body, size, 1)
    if number >= components:
        raise TranscodeError(_UNREADABLE)
    return {number: _with_blocks(coding[0], body[size + 1 :], has_precincts=bool(style & 1))}


def _with_blocks(base: Coding, body: bytes, *, has_precincts: bool) -> Coding:
    """The parameters that COD and COC share (table A.20)."""
    levels = _number(body, 0, 1)
    block = _number(body, 1, 1) + 2, _number(body, 2, 1) + 2
    precincts = body[5 : 6 + levels] if has_precincts else b"\xff" * (levels + 1)
    if levels > 32 or len(precincts) != levels + 1 or max(block) > 10 or sum(block) > 12:
        raise TranscodeError(_UNREADABLE)
    return replace(
        base,
        levels=levels,
        block=block,
        style=_number(body, 3, 1),
        precincts=tuple((size & 15, size >> 4) for size in precincts),
    )


def _components(image: _Image, number: int, coding: dict[int, Coding]) -> list[TileComponent]:
    down, across = divmod(number, image.tiles[0])
    x0 = max(image.tile_origin[0] + across * image.tile[0], image.area.x0)
    y0 = max(image.tile_origin[1] + down * image.tile[1], image.area.y0)
    x1 = min(image.tile_origin[0] + (across + 1) * image.tile[0], image.area.x1)
    y1 = min(image.tile_origin[1] + (down + 1) * image.tile[1], image.area.y1)
    return [
        TileComponent(Rectangle(x0, y0, x1, y1), step, coding[component])
        for component, step in enumerate(image.steps)
    ]
