"""How soon a program that ended unasked is started again."""

from __future__ import annotations

from collections import deque
from typing import Final

RESTART_S: Final = 1.0
MAX_CRASHES: Final = 3
CRASH_WINDOW_S: Final = 60.0
LONG_PAUSE_S: Final = 30.0  # after so many crashes within the window


class Restarts:
    """Counts the crashes of one program."""

    def __init__(self) -> None:
        self._crashes_s: deque[float] = deque(maxlen=MAX_CRASHES)

    def crashed(self, now_s: float) -> float:
        """Take note of one more crash.

        Args:
            now_s: Of a monotonic clock.
        Returns:
            How many seconds to wait before the next start.
        """
        self._crashes_s.append(now_s)
        if len(self._crashes_s) < MAX_CRASHES or now_s - self._crashes_s[0] >= CRASH_WINDOW_S:
            return RESTART_S
        self._crashes_s.clear()
        return LONG_PAUSE_S
