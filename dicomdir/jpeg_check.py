"""Whether a Huffman-coded JPEG stream is whole: its decoder goes on over damage in silence.

libjpeg fills what is missing with grey and skips what is left over, and imagecodecs drops its
warnings. A stream is sound where the decoder stands exactly at the end of the coded data once all
samples are out. To see that, the image is made one row of data units taller and decoded with
different bytes behind its coded data: the first data unit that differs has to be the first one of
the added row. Earlier, data are missing; later, data are left over.

There is no checksum in JPEG. Damage after which as many data units come out as before is not
noticed, neither here nor by anybody else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from dicomdir.errors import TranscodeError

_SOF_BASELINE, _SOF_EXTENDED, _SOF_PROGRESSIVE, _SOF_LOSSLESS = 0xC0, 0xC1, 0xC2, 0xC3
_DHT, _EOI, _SOS, _DQT, _DRI = 0xC4, 0xD9, 0xDA, 0xDB, 0xDD  # ITU-T T.81 table B.1
_TAILS: Final = tuple(bytes([value]) * 12 for value in (0x55, 0x00, 0xFE, 0x33, 0xAA))
_RESTARTS: Final = range(0xD0, 0xD8)
_PADDING_BITS: Final = 7
# In coded data FF is followed by a stuffed byte, in JPEG-LS by a stuffed bit; FF FF is filling.
_MARKERS: Final = re.compile(rb"\xff[^\x00\xff]")
_JPEG_LS_MARKERS: Final = re.compile(rb"\xff[\x80-\xfe]")

Decoder = Callable[[bytes, int], Any]


@dataclass(frozen=True, slots=True)
class _Scan:
    """One scan: tables in force, components as in the frame header, coded data by interval."""

    tables: bytes
    components: tuple[bytes, ...]
    header: bytes
    intervals: tuple[bytes, ...]
    restart_every: int


@dataclass(frozen=True, slots=True)
class _Frame:
    process: int
    precision: int
    rows: int
    columns: int
    components: tuple[bytes, ...]
    scans: tuple[_Scan, ...]


def check_jpeg(data: bytes, samples: Any, decode: Decoder) -> None:
    """Raise TranscodeError unless all coded data of a frame make all samples, and no more.

    Args:
        samples: What the decoder made of the frame, unconverted if it is a lossless one.
        decode: Gives the samples of a stream of as many components as its second argument says,
            as an array of which only the first component is looked at, unconverted.
    """
    frame = _parse(data)
    if frame.process == _SOF_PROGRESSIVE:
        _check_progressive(data, decode, len(frame.components))
        return
    if frame.process == _SOF_LOSSLESS and _is_accounted_for(frame, samples):
        return
    for scan in frame.scans:
        if len(scan.components) != len(frame.components) and len(scan.components) != 1:
            raise TranscodeError("a frame interleaves some of its components only")
        _check_scan(frame, scan, decode)


def check_jpeg_ls(data: bytes) -> None:
    """Raise TranscodeError unless a JPEG-LS stream has its end marker.

    Without one CharLS 2.4.3 searches for ever, in machine code that nothing interrupts. With it,
    CharLS itself demands that the coded data make all samples and no more.
    """
    ends = list(_scan_ends(data, _JPEG_LS_MARKERS))
    if not ends or data[ends[-1] + 1] != _EOI:
        raise TranscodeError("a frame ends before its end marker")


def is_near_lossless(data: bytes) -> bool:
    """Whether the first scan of a JPEG-LS stream may differ from what was coded: NEAR is not 0
    (ITU-T T.87 C.2.3). False for what cannot be read.

    Args:
        data: At least its headers.
    """
    at = 2
    while data[at : at + 1] == b"\xff":
        marker, length = data[at + 1 : at + 2], int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == b"\xff":  # fill byte
            at += 1
            continue
        body = data[at + 4 : at + 2 + length]
        if marker == bytes((_SOS,)):
            return bool(body) and any(body[1 + 2 * body[0] :][:1])
        if length < 2:
            break
        at += 2 + length
    return False


# --- the structure --------------------------------------------------------------------------------


def _parse(data: bytes) -> _Frame:
    if data[:2] != b"\xff\xd8":
        raise TranscodeError("a frame is no JPEG stream")
    at, restart_every = 2, 0
    tables, frame_header, process = b"", b"", 0
    scans: list[_Scan] = []
    while True:
        while data[at + 1 : at + 2] == b"\xff":  # fill bytes (T.81 B.1.1.2)
            at += 1
        marker = data[at + 1] if at + 2 <= len(data) and data[at] == 0xFF else 0
        if marker == _EOI:
            break
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        body = data[at + 4 : at + 2 + length]
        if marker < 0xC0 or length < 2 or len(body) != length - 2:
            raise TranscodeError("a frame ends before its end marker")
        segment = data[at : at + 2 + length]
        at += 2 + length
        if marker in (_DHT, _DQT):
            tables += segment
        elif marker == _DRI:
            restart_every = int.from_bytes(body[:2], "big")
        elif 0xC0 <= marker <= 0xCF and marker != 0xC8:
            if frame_header or marker > _SOF_LOSSLESS or len(body) != 6 + 3 * body[5]:
                raise TranscodeError("a frame has a JPEG process that is not known")
            frame_header, process = body, marker
        elif marker == _SOS:
            end, restarts = _end_of_scan(data, at)
            if end < 0 or not frame_header:
                raise TranscodeError("a frame ends before its end marker")
            scan = _scan(tables, frame_header, body, restart_every)
            scans.append(replace(scan, intervals=tuple(_intervals(data, at, end, restarts))))
            at = end
    if not scans:
        raise TranscodeError("a frame has no coded data")
    return _Frame(
        process=process,
        precision=frame_header[0],
        rows=int.from_bytes(frame_header[1:3], "big"),
        columns=int.from_bytes(frame_header[3:5], "big"),
        components=_components(frame_header),
        scans=tuple(scans),
    )


def _components(frame_header: bytes) -> tuple[bytes, ...]:
    return tuple(frame_header[at : at + 3] for at in range(6, len(frame_header), 3))


def _scan(tables: bytes, frame_header: bytes, body: bytes, restart_every: int) -> _Scan:
    names = body[1 : 1 + 2 * body[0] : 2] if body else b""
    own = tuple(part for part in _components(frame_header) if part[0] in names)
    if not names or len(own) != len(names) or len(body) != 4 + 2 * len(names):
        raise TranscodeError("a scan of a frame cannot be read")
    return _Scan(tables, own, body, (), restart_every)


def _end_of_scan(
    data: bytes, at: int, markers: re.Pattern[bytes] = _MARKERS
) -> tuple[int, list[int]]:
    """Place of the marker behind coded data, -1 if there is none; and of restart markers in it."""
    restarts: list[int] = []
    for marker in markers.finditer(data, at):
        if data[marker.end() - 1] not in _RESTARTS:
            return marker.start(), restarts
        restarts.append(marker.start())
    return -1, restarts


def _intervals(data: bytes, start: int, end: int, restarts: list[int]) -> Iterator[bytes]:
    for number, restart in enumerate(restarts):
        if data[restart + 1] & 7 != number % 8:
            raise TranscodeError("a frame's restart markers are out of order")
        yield data[start:restart].rstrip(b"\xff")
        start = restart + 2
    yield data[start:end].rstrip(b"\xff")


# --- the quick way, lossless only -----------------------------------------------------------------


def _is_accounted_for(frame: _Frame, samples: Any) -> bool:
    """Whether the coded data are as long as the samples make them; False if that cannot be said."""
    from dicomdir.jpeg_bits import coded_bits  # brings numpy

    scan, head = frame.scans[0], frame.scans[0].header
    tables = dict(_huffman_tables(scan.tables))
    names = [part[0] for part in frame.components]
    wanted = [tables.get(head[n] >> 4, b"") for n in range(2, 2 + 2 * len(names), 2)]
    is_plain = (
        len(frame.scans) == 1
        and len(scan.intervals) == 1
        and not scan.restart_every
        and list(head[1 : 1 + 2 * head[0] : 2]) == names
        and not head[-1] & 15  # point transform
        and samples.shape[:2] == (frame.rows, frame.columns)
        and all(part[1] == frame.components[0][1] for part in frame.components)
    )
    if not is_plain:
        return False
    bits = coded_bits(samples, frame.precision, head[-3], wanted)
    coded = scan.intervals[0]
    there = 8 * (len(coded) - coded.count(b"\xff"))  # each brings one byte that is none
    return bits is not None and 0 <= there - bits <= _PADDING_BITS


def _huffman_tables(tables: bytes) -> Iterator[tuple[int, bytes]]:
    """Number, counts and symbols of each table of class 0; the last of a number counts."""
    at = 0
    while at < len(tables):
        end = at + 2 + int.from_bytes(tables[at + 2 : at + 4], "big")
        part = at + 4
        while tables[at + 1] == _DHT and part + 17 <= end:
            size = 17 + sum(tables[part + 1 : part + 17])
            yield tables[part], tables[part + 1 : part + size]
            part += size
        at = end


# --- where the decoder stands at the end ----------------------------------------------------------


def _check_scan(frame: _Frame, scan: _Scan, decode: Decoder) -> None:
    unit = 1 if frame.process == _SOF_LOSSLESS else 8
    across, down = _sampling(frame.components)
    rows, columns = frame.rows, frame.columns
    if len(scan.components) == 1:
        # Data units of a lone component come row by row, whatever its factors are (T.81 A.2.2).
        (own,) = scan.components
        rows = -(-rows * (own[1] & 15) // down)
        columns = -(-columns * (own[1] >> 4) // across)
        across = down = 1
    wide = -(-columns // (unit * across))
    total = wide * -(-rows // (unit * down))
    each = scan.restart_every or total
    if len(scan.intervals) != -(-total // each):
        raise TranscodeError("a frame has not as many restart intervals as it should")
    for number, coded in enumerate(scan.intervals):
        count = min(each, total - number * each)
        stream = _Stretched(frame, scan, coded, count, wide, (unit * across, unit * down))
        _check_interval(stream, decode)


def _sampling(components: tuple[bytes, ...]) -> tuple[int, int]:
    across = max(part[1] >> 4 for part in components)
    down = max(part[1] & 15 for part in components)
    if not (across and down and all(part[1] >> 4 and part[1] & 15 for part in components)):
        raise TranscodeError("a frame's sampling factors cannot be read")
    return across, down


@dataclass(frozen=True, slots=True)
class _Stretched:
    """One interval as a stream of its own, one row of data units taller."""

    frame: _Frame
    scan: _Scan
    coded: bytes
    count: int
    wide: int
    unit: tuple[int, int]

    def stream(self, tail: bytes) -> bytes:
        lone = len(self.scan.components) == 1
        parts = b"".join(
            part[:1] + (b"\x11" if lone else part[1:2]) + part[2:] for part in self.scan.components
        )
        rows = (-(-self.count // self.wide) + 1) * self.unit[1]
        size = rows.to_bytes(4, "big") + (self.wide * self.unit[0]).to_bytes(4, "big")
        if max(size[0], size[1], size[4], size[5]):
            raise TranscodeError("a frame is too large to decompress")
        header = bytes([self.frame.precision]) + size[2:4] + size[6:8] + bytes([len(parts) // 3])
        return b"".join((
            b"\xff\xd8", _widened(self.scan.tables),
            _segment(self.frame.process, header + parts), _segment(_SOS, self.scan.header),
            self.coded, tail, b"\xff\xd9",
        ))  # fmt: skip

    def first_difference(self, one: Any, other: Any) -> int:
        """Number of the first data unit that differs, counted from the first added one."""
        import numpy as np

        across, down = self.unit
        rows = np.flatnonzero((one != other).any(axis=1))
        if not len(rows):
            return 1 << 62
        row = int(rows[0]) // down
        band = slice(row * down, (row + 1) * down)
        column = int(np.flatnonzero((one[band] != other[band]).any(axis=0))[0]) // across
        return row * self.wide + column - self.count


def _segment(marker: int, body: bytes) -> bytes:
    return bytes([0xFF, marker]) + (len(body) + 2).to_bytes(2, "big") + body


def _check_interval(stretched: _Stretched, decode: Decoder) -> None:
    if _ends_at_the_end(stretched, decode):
        return
    # The last byte may be filled up with zeros, not ones (T.81 F.1.2.3), which pass for codes.
    last = stretched.coded[-1] if stretched.coded else 1
    for bits in range(1, _PADDING_BITS + 1):
        if last & (1 << bits) - 1:
            break
        filled = stretched.coded[:-1] + bytes([last | (1 << bits) - 1])
        if _ends_at_the_end(replace(stretched, coded=filled), decode):
            return
    raise TranscodeError("a frame has more coded data than samples")


def _ends_at_the_end(stretched: _Stretched, decode: Decoder) -> bool:
    """False if there are more data. Raises TranscodeError if they end early."""
    plain = _decoded(stretched, b"", decode)
    for tail in _TAILS:
        nearest = stretched.first_difference(plain, _decoded(stretched, tail, decode))
        if nearest < 0:
            raise TranscodeError("a frame's coded data end early")
        if nearest == 0:
            return True
    return False


def _decoded(stretched: _Stretched, tail: bytes, decode: Decoder) -> Any:
    samples = decode(stretched.stream(tail), len(stretched.scan.components))
    return samples[..., 0] if samples.ndim == 3 else samples


def _widened(tables: bytes) -> bytes:
    """Huffman tables with the codes that they leave out, which libjpeg takes for no difference."""
    made, at = b"", 0
    while at < len(tables):
        end = at + 2 + int.from_bytes(tables[at + 2 : at + 4], "big")
        segment = tables[at:end]
        made += segment if segment[1] == _DQT else _segment(_DHT, _with_more_codes(segment[4:]))
        at = end
    return made


def _with_more_codes(body: bytes) -> bytes:
    made, at = b"", 0
    while at + 17 <= len(body):
        counts = bytearray(body[at + 1 : at + 17])
        symbols = body[at + 17 : at + 17 + sum(counts)]
        longest = max((length for length in range(16) if counts[length]), default=0)
        for length in range(longest + 1, 16 if sum(counts) < 240 else 0):
            counts[length] += 1
            symbols += b"\x05"  # a difference, or a coefficient, of five bits
        made += body[at : at + 1] + counts + symbols
        at += 17 + sum(body[at + 1 : at + 17])
    return made


def _check_progressive(data: bytes, decode: Decoder, components: int) -> None:
    """Coarser: bytes added to each scan may change nothing. What is left over is not noticed."""
    import numpy as np

    made, at = b"", 0
    for start in _scan_ends(data):
        made += data[at:start].rstrip(b"\xff") + _TAILS[0]  # without fill bytes
        at = start
    if not np.array_equal(decode(data, components), decode(made + data[at:], components)):
        raise TranscodeError("a frame's coded data end early")


def _scan_ends(data: bytes, markers: re.Pattern[bytes] = _MARKERS) -> Iterator[int]:
    """Places of the markers that end scans; none more after what cannot be read."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        if marker == _EOI:
            return
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == _SOS:
            at, _ = _end_of_scan(data, at, markers)
            if at < 0:
                return
            yield at
