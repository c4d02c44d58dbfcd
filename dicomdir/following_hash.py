"""SHA-256 of a file while it grows, by a thread of its own.

What is there is mapped, window by window (a whole DVD would not fit into a builder's memory limit),
and hashed by one call, which lets every other thread run: who reads it piece by piece has to ask
for the interpreter again after each, and gets it late where another thread is busy. A file that is
cut meanwhile, or that the disk cannot read back, ends the process (SIGBUS): it is for files that
nobody else writes to, in a process that may be begun again.
"""

from __future__ import annotations

import hashlib
import mmap
import os
import threading
from typing import Final

from dicomdir.growth import Growth

_MOST_BYTES: Final = 64 << 20  # at once: a thread that is told to stop does so soon


class FollowingHash:
    """Begin it with the file's final size reserved and its growth, ask it at the end.

    A growth that ends before the size was reached means a file that will not be finished.

    Args:
        descriptor: Of a file that has `size_bytes` already; not needed afterwards.
    """

    def __init__(self, descriptor: int, size_bytes: int, growth: Growth) -> None:
        self._descriptor = os.dup(descriptor)
        self._size_bytes = size_bytes
        self._growth = growth
        self._sha256 = hashlib.sha256()
        self._done_bytes = 0
        self._failure: OSError | None = None
        self._thread = threading.Thread(target=self._run, name="image-hash", daemon=True)
        self._thread.start()

    def join(self) -> None:
        """Until the thread has ended: the file is hashed, or its growth ended before."""
        self._thread.join()

    def hexdigest(self) -> str:
        """Of the whole file; waits for it.

        Raises:
            ValueError: The file was not finished.
            OSError: It cannot be mapped.
        """
        self.join()
        if self._failure is not None:
            raise self._failure
        if self._done_bytes < self._size_bytes:
            raise ValueError("the file was not finished")
        return self._sha256.hexdigest()

    def _run(self) -> None:
        try:
            while self._done_bytes < self._size_bytes:
                available, has_ended = self._growth.wait_for(self._done_bytes + 1)
                if has_ended and available < self._size_bytes:
                    return
                end = min(available, self._done_bytes + _MOST_BYTES)
                self._take(self._done_bytes, end)
                self._done_bytes = end
        except OSError as error:
            self._failure = error
        finally:
            os.close(self._descriptor)

    def _take(self, start: int, end: int) -> None:
        window = start - start % mmap.ALLOCATIONGRANULARITY
        with (
            mmap.mmap(self._descriptor, end - window, prot=mmap.PROT_READ, offset=window) as mapped,
            memoryview(mapped) as view,
            view[start - window :] as piece,
        ):
            self._sha256.update(piece)
