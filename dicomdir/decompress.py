"""All frames of one encapsulated image (PS3.5 A.4), decoded on all processors, in order.

The decoders let go of Python's lock, so threads are enough. What waits is bounded: memory stays at
a few frames, and frames too large for that are decoded one at a time.
"""

from __future__ import annotations

import os
import struct
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import pairwise
from typing import BinaryIO, Final

from dicomdir.errors import TranscodeError
from dicomdir.frames import PixelFormat, decode

_MAX_WAITING_BYTES: Final = 32 << 20  # decoded frames that were not yet taken
_MAX_THREADS: Final = 8
_ITEM, _DELIMITER = b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0"
_MAX_FRAGMENTS: Final = 1 << 20
_ITEM_BYTES: Final = 8  # tag and length
_HEADERS_BYTES: Final = 64 << 10


def decoded_frames(
    descriptor: int, at: int, transfer_syntax_uid: str, form: PixelFormat
) -> Iterator[memoryview]:
    """The frames of the pixel data whose first item (the offset table) begins at file offset `at`.

    Args:
        descriptor: Of the file; its position is changed.
        form: Checked.
    Raises:
        TranscodeError: A frame is damaged, or there are more or fewer than `form.frames`.
    """
    frames = encapsulated_frames(descriptor, at, form.frames)
    threads = _threads(form)
    if threads < 2:
        for data in frames:
            yield decode(transfer_syntax_uid, data, form)
        return
    waiting: deque[Future[memoryview]] = deque()
    with ThreadPoolExecutor(threads, "frames") as pool:
        try:
            for data in frames:
                waiting.append(pool.submit(decode, transfer_syntax_uid, data, form))
                if len(waiting) > threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def first_bytes(descriptor: int, at: int) -> bytes:
    """The beginning of the first frame, as much as its headers take; b"" if there is none.

    Args:
        at: As for `decoded_frames`.
    """
    table = os.pread(descriptor, _ITEM_BYTES, at)
    at += _ITEM_BYTES + int.from_bytes(table[4:], "little")
    item = os.pread(descriptor, _ITEM_BYTES, at)
    if table[:4] != _ITEM or item[:4] != _ITEM:
        return b""
    size = min(int.from_bytes(item[4:], "little"), _HEADERS_BYTES)
    return os.pread(descriptor, size, at + _ITEM_BYTES)


def _threads(form: PixelFormat) -> int:
    room = _MAX_WAITING_BYTES // form.frame_bytes - 1
    return min(len(os.sched_getaffinity(0)), _MAX_THREADS, form.frames, room)


def encapsulated_frames(descriptor: int, at: int, wanted: int) -> Iterator[bytes]:
    """Fragments put together to frames, read one frame at a time, not decoded.

    Args:
        at: File offset of the first item, the offset table.
    Raises:
        TranscodeError: There are not as many frames as wanted, or the offset table leads elsewhere
            than to fragments where it is needed.
    """
    count = 0
    with open(descriptor, "rb", closefd=False) as file:
        try:
            for data in _frames(file, at, wanted):
                count += 1
                if count > wanted:
                    raise TranscodeError("there are more frames than Number of Frames says")
                yield data
        except (ValueError, OSError, EOFError) as error:
            raise TranscodeError("the fragments cannot be put together to frames") from error
    if count != wanted:
        raise TranscodeError("there are fewer frames than Number of Frames says")


def _frames(file: BinaryIO, at: int, wanted: int) -> Iterator[bytes]:
    """As many fragments as frames need no offset table, so a wrong one does no harm. Otherwise it
    says where frames begin (PS3.5 A.4), and what is not so is not guessed.
    """
    (table, length), *fragments = _items(file, at)
    if len(fragments) == wanted:
        for start, size in fragments:
            file.seek(start)
            yield file.read(size)
        return
    file.seek(table)
    offsets = [it[0] for it in struct.iter_unpack("<L", file.read(length // 4 * 4))]
    if offsets:
        begins = {start - _ITEM_BYTES - table - length for start, _ in fragments}
        rises = all(one < other for one, other in pairwise(offsets))
        if len(offsets) != wanted or offsets[0] != 0 or not rises or not begins.issuperset(offsets):
            raise TranscodeError("the Basic Offset Table does not say where frames begin")
    file.seek(at)
    from pydicom.encaps import generate_frames  # a fifth of a second: most studies need none

    yield from generate_frames(file, number_of_frames=wanted)


def _items(file: BinaryIO, at: int) -> list[tuple[int, int]]:
    """Where the value of each item begins and its bytes; the offset table is the first."""
    found: list[tuple[int, int]] = []
    file.seek(at)
    while len(head := file.read(_ITEM_BYTES)) == _ITEM_BYTES and head[:4] != _DELIMITER:
        if head[:4] != _ITEM:
            raise ValueError("no item")
        if len(found) > _MAX_FRAGMENTS:
            raise ValueError("more fragments than any image has")
        length = int.from_bytes(head[4:], "little")
        found.append((file.tell(), length))
        file.seek(length, os.SEEK_CUR)
    if not found:
        raise ValueError("no offset table")
    return found
