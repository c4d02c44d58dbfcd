"""All frames of one encapsulated image (PS3.5 A.4), decoded on all processors, in order.

The decoders let go of Python's lock, so threads are enough. What waits is bounded: memory stays at
a few frames, and frames too large for that are decoded one at a time.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

from pydicom.encaps import generate_frames

from dicomdir.errors import TranscodeError
from dicomdir.frames import PixelFormat, decode

_MAX_WAITING_BYTES: Final = 32 << 20  # decoded frames that were not yet taken
_MAX_THREADS: Final = 8


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


def _threads(form: PixelFormat) -> int:
    room = _MAX_WAITING_BYTES // form.frame_bytes - 1
    return min(len(os.sched_getaffinity(0)), _MAX_THREADS, form.frames, room)


def encapsulated_frames(descriptor: int, at: int, wanted: int) -> Iterator[bytes]:
    """Fragments put together to frames, read one frame at a time, not decoded.

    Args:
        at: File offset of the first item, the offset table.
    Raises:
        TranscodeError: There are not as many frames as wanted.
    """
    count = 0
    with open(descriptor, "rb", closefd=False) as file:
        file.seek(at)
        try:
            for data in generate_frames(file, number_of_frames=wanted):
                count += 1
                if count > wanted:
                    raise TranscodeError("there are more frames than Number of Frames says")
                yield data
        except (ValueError, OSError, EOFError) as error:
            raise TranscodeError("the fragments cannot be put together to frames") from error
    if count != wanted:
        raise TranscodeError("there are fewer frames than Number of Frames says")
