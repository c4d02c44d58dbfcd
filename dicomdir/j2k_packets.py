"""The packets of one tile: how long each says it is, which has to add up (ITU-T T.800 annex B)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from dicomdir.errors import TranscodeError

_BYPASS, _TERMINATE_ALL, _HIGH_THROUGHPUT = 0x01, 0x04, 0x40  # table A.19, T.814 A.4
# The arithmetic coder stuffs a bit after FF (C.2.5). Zeros in such a number do not come out of it
# either, but out of a disk or a network that lost a block.
_ZEROS: Final = 24
_NOT_CODED: Final = re.compile(rb"\xff[\x90-\xff]|\0{%d}" % _ZEROS)
_NOT_RAW: Final = re.compile(rb"\xff[\x90-\xff]")
_MAX_PLANES: Final = 80
_MAX_VISITS: Final = 5_000_000
_LEFT_OVER: Final = "a frame has more coded data than code-blocks"
_ENDS_EARLY: Final = "a frame's coded data end early"


@dataclass(frozen=True, slots=True)
class Rectangle:
    """Behind `x1` and `y1` it ends."""

    x0: int
    y0: int
    x1: int
    y1: int

    def scaled(self, across: int, down: int, left: int = 0, above: int = 0) -> Rectangle:
        """Divided and rounded up, after `left` and `above` were taken off (B-15)."""
        return Rectangle(
            -((left - self.x0) // across), -((above - self.y0) // down),
            -((left - self.x1) // across), -((above - self.y1) // down),
        )  # fmt: skip

    def within(self, other: Rectangle) -> Rectangle:
        return Rectangle(
            max(self.x0, other.x0), max(self.y0, other.y0),
            min(self.x1, other.x1), min(self.y1, other.y1),
        )  # fmt: skip

    def cells(self, across: int, down: int) -> tuple[int, int]:
        """How many cells of a grid it touches; sizes are powers of two, given as exponents."""
        if self.x0 >= self.x1 or self.y0 >= self.y1:
            return 0, 0
        return (
            -(-self.x1 >> across) - (self.x0 >> across),
            -(-self.y1 >> down) - (self.y0 >> down),
        )


@dataclass(frozen=True, slots=True)
class Coding:
    """Coding style; sizes of code-blocks and precincts, (across, down), are exponents of two."""

    has_sop: bool
    has_eph: bool
    progression: int
    layers: int
    levels: int = 0
    block: tuple[int, int] = (6, 6)
    style: int = 0
    precincts: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class TileComponent:
    """`tile` on the reference grid; the component has a sample each `step` of it."""

    tile: Rectangle
    step: tuple[int, int]
    coding: Coding


class _Bits:
    """Packet header bits: seven in a byte after FF (B.10.1)."""

    def __init__(self, data: bytes, at: int) -> None:
        self._data = data
        self._at = at
        self._byte = self._left = 0

    def bit(self) -> int:
        if not self._left:
            if self._at >= len(self._data):
                raise TranscodeError(_ENDS_EARLY)
            self._left = 7 if self._byte == 0xFF else 8
            self._byte = self._data[self._at]
            self._at += 1
        self._left -= 1
        return self._byte >> self._left & 1

    def number(self, bits: int) -> int:
        value = 0
        for _ in range(bits):
            value = value << 1 | self.bit()
        return value

    def end(self) -> int:
        return self._at + (self._byte == 0xFF)


class _TagTree:
    """B.10.2. Nodes are made when they are met: most of a hostile tree never is."""

    def __init__(self, across: int, down: int) -> None:
        self._top = max(across - 1, down - 1).bit_length()
        self._nodes: dict[tuple[int, int, int], list[int]] = {}

    def reaches(self, bits: _Bits, x: int, y: int, limit: int) -> bool:
        """Whether the value of a leaf is below `limit`."""
        low, is_known = 0, 0
        for level in range(self._top, -1, -1):
            node = self._nodes.setdefault((level, x >> level, y >> level), [0, 0])
            low = max(low, node[0])
            is_known = node[1]
            while not is_known and low < limit:
                if bits.bit():
                    is_known = 1
                else:
                    low += 1
            node[0], node[1] = low, is_known
        return bool(is_known) and low < limit

    def value(self, bits: _Bits, x: int, y: int) -> None:
        """Read all of a leaf: the same bits as `reaches` with one limit after the other."""
        low = 0
        for level in range(self._top, -1, -1):
            node = self._nodes.setdefault((level, x >> level, y >> level), [0, 0])
            if node[0] > low:
                low = node[0]
            if not node[1]:
                while not bits.bit():
                    low += 1
                    if low > _MAX_PLANES:
                        raise TranscodeError("a code-block of a frame is damaged")
                node[0], node[1] = low, 1


@dataclass(slots=True)
class _Block:
    passes: int = 0
    length_bits: int = 3


@dataclass(slots=True)
class _Precinct:
    """A precinct's code-blocks in each of its subbands."""

    grids: list[tuple[int, int]]
    blocks: dict[tuple[int, int, int], _Block] = field(default_factory=dict)
    trees: list[tuple[_TagTree, _TagTree]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.trees = [(_TagTree(*grid), _TagTree(*grid)) for grid in self.grids]


def walk_packets(data: bytes, components: Sequence[TileComponent]) -> None:
    """Raise TranscodeError unless the packets of a tile use up its data."""
    if any(part.coding.style & _HIGH_THROUGHPUT and part.coding.layers > 1 for part in components):
        return  # sets of passes with placeholders between them (T.814 B.3)
    coding = components[0].coding
    has_suspects = bytes(_ZEROS) in data or _NOT_RAW.search(data) is not None
    at = visits = 0
    for layer, style, precinct in _packets(components, len(data)):
        if coding.has_sop and data[at : at + 4] == b"\xff\x91\x00\x04":
            at += 6
        bits = _Bits(data, at)
        bodies: list[tuple[int, int]] = []
        if bits.bit():
            visits += sum(across * down for across, down in precinct.grids)
            if visits > _MAX_VISITS:
                raise TranscodeError("a frame has too many code-blocks")
            bodies = list(_bodies(bits, precinct, layer, style))
        at = bits.end()
        if coding.has_eph and data[at : at + 2] == b"\xff\x92":
            at += 2
        for length, rules in bodies:
            pattern = _NOT_CODED if not rules else _NOT_RAW if rules == _BYPASS else None
            if has_suspects and pattern is not None and pattern.search(data, at, at + length):
                raise TranscodeError("a code-block of a frame is damaged")
            at += length
        if at > len(data):
            raise TranscodeError(_ENDS_EARLY)
    if at != len(data):
        raise TranscodeError(_LEFT_OVER)


def _bodies(bits: _Bits, precinct: _Precinct, layer: int, style: int) -> Iterator[tuple[int, int]]:
    """Length of each code-block's contribution, and which of the coder's modes it is in."""
    for band, (across, down) in enumerate(precinct.grids):
        inclusion, planes = precinct.trees[band]
        for y in range(down):
            for x in range(across):
                block = precinct.blocks.get((band, x, y))
                if block is None:
                    if not inclusion.reaches(bits, x, y, layer + 1):
                        continue
                    planes.value(bits, x, y)
                    block = precinct.blocks[band, x, y] = _Block()
                elif not bits.bit():
                    continue
                passes = _passes(bits)
                while bits.bit():
                    block.length_bits += 1
                    if block.length_bits > 32:
                        raise TranscodeError("a code-block of a frame is damaged")
                length = 0
                for part in _segments(block.passes, passes, style):
                    length += bits.number(block.length_bits + part.bit_length() - 1)
                block.passes += passes
                yield length, style & (_BYPASS | _HIGH_THROUGHPUT)


def _passes(bits: _Bits) -> int:
    """Number of coding passes (table B.4)."""
    if not bits.bit():
        return 1
    if not bits.bit():
        return 2
    if (more := bits.number(2)) < 3:
        return 3 + more
    if (more := bits.number(5)) < 31:
        return 6 + more
    return 37 + bits.number(7)


def _segments(before: int, passes: int, style: int) -> Iterator[int]:
    """New passes of each codeword segment they belong to (B.10.7, table D.9, T.814 B.3)."""
    at, end = before, before + passes
    while at < end:
        room = end - at
        if style & _TERMINATE_ALL or (style & _HIGH_THROUGHPUT and not at):
            room = 1
        elif style & _BYPASS:
            room = 10 - at if at < 10 else 1 if (at - 10) % 3 == 2 else 2 - (at - 10) % 3
        yield min(room, end - at)
        at += min(room, end - at)


def _packets(
    components: Sequence[TileComponent], available: int
) -> Iterator[tuple[int, int, _Precinct]]:
    """Layer, code-block style and precinct of each packet in the order of the tile (B.12)."""
    found: list[tuple[int, int, int, int, int, _Precinct]] = []
    for number, component in enumerate(components):
        for resolution in range(component.coding.levels + 1):
            for y, x, precinct in _precincts(component, resolution):
                found.append((resolution, number, y, x, len(found), precinct))
                if len(found) > available:  # a packet has a byte at least
                    raise TranscodeError(_ENDS_EARLY)
    coding = components[0].coding
    for order in _ordered(coding, found):
        layer, number, precinct = order
        yield layer, components[number].coding.style, precinct


def _ordered(
    coding: Coding, found: list[tuple[int, int, int, int, int, _Precinct]]
) -> Iterator[tuple[int, int, _Precinct]]:
    keys = {
        1: lambda p: (p[0],),
        2: lambda p: (p[0], p[2], p[3], p[1], p[4]),
        3: lambda p: (p[2], p[3], p[1], p[0], p[4]),
        4: lambda p: (p[1], p[2], p[3], p[0], p[4]),
    }
    by_resolution = sorted(found, key=lambda p: (p[0], p[1], p[4]))
    if coding.progression == 0:
        for layer in range(coding.layers):
            for part in by_resolution:
                yield layer, part[1], part[5]
    elif coding.progression == 1:
        for resolution in sorted({part[0] for part in found}):
            for layer in range(coding.layers):
                for part in by_resolution:
                    if part[0] == resolution:
                        yield layer, part[1], part[5]
    elif coding.progression in keys:
        for part in sorted(found, key=keys[coding.progression]):
            for layer in range(coding.layers):
                yield layer, part[1], part[5]
    else:
        raise TranscodeError("a frame's JPEG 2000 header cannot be read")


def _precincts(component: TileComponent, resolution: int) -> Iterator[tuple[int, int, _Precinct]]:
    """Precincts of a resolution level with their places on the reference grid (B.6, B.7)."""
    coding, tile = component.coding, component.tile
    samples = tile.scaled(*component.step)
    below = coding.levels - resolution
    area = samples.scaled(1 << below, 1 << below)
    wide, high = coding.precincts[resolution]
    across, down = area.cells(wide, high)
    half = int(resolution > 0)
    if half and (not wide or not high):
        raise TranscodeError("a frame's JPEG 2000 header cannot be read")
    block = min(coding.block[0], wide - half), min(coding.block[1], high - half)
    bands = [area]
    if half:
        size, part = 1 << below + 1, 1 << below
        bands = [
            samples.scaled(size, size, left * part, above * part)
            for left, above in ((1, 0), (0, 1), (1, 1))
        ]
    for row in range(area.y0 >> high, (area.y0 >> high) + down):
        for column in range(area.x0 >> wide, (area.x0 >> wide) + across):
            x, y = wide - half, high - half
            own = Rectangle(column << x, row << y, column + 1 << x, row + 1 << y)
            grids = [band.within(own).cells(*block) for band in bands]
            yield (
                max(tile.y0, (row << high + below) * component.step[1]),
                max(tile.x0, (column << wide + below) * component.step[0]),
                _Precinct(grids),
            )
