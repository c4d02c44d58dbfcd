"""What the headers of a JPEG stream say, read as bytes (ISO/IEC 10918-1 Annex B)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

MAX_HEADER_BYTES: Final = 64 << 10  # tables and frame header of an honest stream, metadata included
_MAX_SEGMENTS: Final = 200
_DHT, _SOS, _DQT, _APP14 = 0xC4, 0xDA, 0xDB, 0xEE
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {_DHT, 0xC8, 0xCC}
_SEQUENTIAL: Final = frozenset((0xC0, 0xC1))
LOSSLESS: Final = 0xC3
_END: Final = b"\xff\xd9"
TAIL_BYTES: Final = 64  # some makers pad


def segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Marker and payload of each segment up to the first scan, which comes last, or to the end."""
    at = 2
    for _ in range(_MAX_SEGMENTS):
        while data[at : at + 1] == b"\xff" and data[at + 1 : at + 2] == b"\xff":
            at += 1  # fill bytes (B.1.1.2)
        if data[at : at + 1] != b"\xff" or at + 4 > len(data):
            return
        marker = data[at + 1]
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        yield marker, data[at + 4 : at + 2 + length]
        if marker == _SOS or length < 2:
            return
        at += 2 + length


def jpeg_fault(head: bytes, tail: bytes) -> str:
    """Why nobody can show a picture, as far as its frame tells; "" if nothing is wrong.

    Args:
        head: Its first MAX_HEADER_BYTES.
        tail: Its last bytes.
    """
    if not head.startswith(b"\xff\xd8\xff"):
        return "not a JPEG file"
    found = list(segments(head))
    frames = [payload for marker, payload in found if marker in _FRAMES]
    if not frames or len(frames[0]) < 6 or not any(frames[0][3:5]):
        return "a JPEG file without a frame"
    if len(head) < MAX_HEADER_BYTES and found[-1][0] != _SOS:
        return "a JPEG file without a picture"
    return "" if _END in tail else "a JPEG file that is cut"


def jpeg_oddity(data: bytes) -> str:
    """Why a page's picture is not baseline, 8 bits, grey or colour (PDI-11); "" if it is."""
    for marker, payload in segments(data):
        if marker in _FRAMES:
            if marker not in _SEQUENTIAL:
                return "not sequential"
            if payload[:1] != b"\x08":
                return "not of 8 bits"
            return "" if payload[5:6] in (b"\1", b"\3") else "neither grey nor of three colours"
    return "no frame header"


def lacks_tables(data: bytes) -> str:
    """Which tables a stream inside an object lacks before its first scan (PDI-53); "" if none."""
    if not data.startswith(b"\xff\xd8"):
        return "its beginning"
    seen: set[int] = set()
    for marker, _ in segments(data):
        if marker == _SOS:
            if _DHT not in seen:
                return "Huffman tables"
            return "" if LOSSLESS in seen or _DQT in seen else "quantization tables"
        seen.add(marker)
    return "a scan"
