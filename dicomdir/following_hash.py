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

_MOST_BYTES: Final = 64 << 20  # at once: a thread that is told to stop does so soon


class FollowingHash:
    """Begin it with the file's final size reserved, tell it how far the file is, ask it at the end.

    Args:
        descriptor: Of a file that has `size_bytes` already; not needed afterwards.
    """

    def __init__(self, descriptor: int, size_bytes: int) -> None:
        self._descriptor = os.dup(descriptor)
        self._size_bytes = size_bytes
        self._changed = threading.Condition()
        self._available = 0
        self._is_abandoned = False
        self._sha256 = hashlib.sha256()
        self._failure: OSError | None = None
        self._thread = threading.Thread(target=self._run, name="image-hash", daemon=True)
        self._thread.start()

    def reached(self, size_bytes: int) -> None:
        """So much of the file is as it will stay."""
        with self._changed:
            self._available = size_bytes
            self._changed.notify_all()

    def abandon(self) -> None:
        """The file will not be finished. Returns when the thread has ended."""
        with self._changed:
            self._is_abandoned = True
            self._changed.notify_all()
        self._thread.join()

    def hexdigest(self) -> str:
        """Of the whole file; waits for it.

        Raises:
            ValueError: It was abandoned.
            OSError: The file cannot be mapped.
        """
        self._thread.join()
        if self._failure is not None:
            raise self._failure
        if self._is_abandoned:
            raise ValueError("the hash was abandoned")
        return self._sha256.hexdigest()

    def _run(self) -> None:
        done = 0
        try:
            while done < self._size_bytes:
                available = self._wait_for_more(done)
                if self._is_abandoned:
                    return
                end = min(available, done + _MOST_BYTES)
                self._take(done, end)
                done = end
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

    def _wait_for_more(self, than: int) -> int:
        with self._changed:
            self._changed.wait_for(lambda: self._available > than or self._is_abandoned)
            return self._available
