"""A window over a file that is walked from front to back, with jumps over what is large."""

from __future__ import annotations

import os
from typing import Final

from dicomdir.errors import TranscodeError

_WINDOW_BYTES: Final = 64 << 10
_JUMP_BYTES: Final = 4 << 10  # read after stepping over something large


class Window:
    """Bytes of an open file; `data` is what is in memory now."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.data = b""
        self._base = 0

    def load(self, at: int, want: int) -> int:
        """Have `want` bytes from file offset `at` in `data`; where in it they begin.

        Raises:
            TranscodeError: The file ends before.
        """
        pos = at - self._base
        if pos >= 0 and pos + want <= len(self.data):
            return pos
        room = _WINDOW_BYTES if 0 <= pos <= len(self.data) else _JUMP_BYTES
        self.data = os.pread(self._descriptor, max(want, room), at)
        self._base = at
        if len(self.data) < want:
            raise TranscodeError("the data set ends inside an element")
        return 0

    def bytes(self, at: int, count: int) -> bytes:
        """A value. Raises TranscodeError if the file ends before."""
        pos = at - self._base
        if pos >= 0 and pos + count <= len(self.data):
            return self.data[pos : pos + count]
        data = os.pread(self._descriptor, count, at)
        if len(data) != count:
            raise TranscodeError("the data set ends inside a value")
        return data
