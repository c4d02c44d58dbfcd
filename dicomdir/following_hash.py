"""SHA-256 of a file while it grows, by a thread of its own.

The file is mapped, and all that is there is hashed by one call, which lets every other thread run:
who reads it piece by piece has to ask for the interpreter again after each, and gets it late where
another thread is busy. A file that is cut meanwhile ends the process (SIGBUS): it is for files that
nobody else writes to.
"""

from __future__ import annotations

import hashlib
import mmap
import threading
from typing import Final

_MOST_BYTES: Final = 64 << 20  # at once: a thread that is told to stop does so soon


class FollowingHash:
    """Begin it with the file's final size reserved, tell it how far the file is, ask it at the end.

    Args:
        descriptor: Of a file that has `size_bytes` (more than 0) already; not needed afterwards.
    Raises:
        OSError: The file cannot be mapped.
    """

    def __init__(self, descriptor: int, size_bytes: int) -> None:
        self._map = mmap.mmap(descriptor, size_bytes, prot=mmap.PROT_READ)
        self._size_bytes = size_bytes
        self._changed = threading.Condition()
        self._available = 0
        self._is_abandoned = False
        self._sha256 = hashlib.sha256()
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
        """
        self._thread.join()
        if self._is_abandoned:
            raise ValueError("the hash was abandoned")
        return self._sha256.hexdigest()

    def _run(self) -> None:
        with self._map as mapped, memoryview(mapped) as view:
            done = 0
            while done < self._size_bytes:
                available = self._wait_for_more(done)
                if self._is_abandoned:
                    return
                end = min(available, done + _MOST_BYTES)
                with view[done:end] as piece:
                    self._sha256.update(piece)
                done = end

    def _wait_for_more(self, than: int) -> int:
        with self._changed:
            self._changed.wait_for(lambda: self._available > than or self._is_abandoned)
            return self._available
