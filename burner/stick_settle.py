"""How much of a stick's writing may wait in the system's memory."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

FIRST_BYTES: Final = 4 << 20
MOST_BYTES: Final = 128 << 20
SHORT_S, LONG_S = 0.25, 1.0  # of writing out: less doubles what may wait, more halves it


class Settling:
    """Has written out what a stick was given: as much at a time as it does within a moment.

    Otherwise the system takes what a slow stick has for minutes, and nobody can stop that. Of a
    fast one nearly all waits, as it would without this.

    Args:
        write_out: Until the stick has all of it. May raise a BurnerError.
    """

    def __init__(self, write_out: Callable[[], None]) -> None:
        self._write_out = write_out
        self._waiting_bytes, self._most_bytes = 0, FIRST_BYTES

    def given(self, size_bytes: int) -> None:
        """So many bytes more. Raises what `write_out` does."""
        self._waiting_bytes += size_bytes
        if self._waiting_bytes < self._most_bytes:
            return
        self._waiting_bytes = 0
        began_s = time.monotonic()
        self._write_out()
        took_s = time.monotonic() - began_s
        if took_s < SHORT_S:
            self._most_bytes = min(2 * self._most_bytes, MOST_BYTES)
        elif took_s > LONG_S:
            self._most_bytes = max(self._most_bytes // 2, FIRST_BYTES // 4)
