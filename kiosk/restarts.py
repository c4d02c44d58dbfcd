"""How soon a program that ended unasked is started again."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from typing import Final

RESTART_S: Final = 1.0
MAX_CRASHES: Final = 3
CRASH_WINDOW_S: Final = 60.0
LONG_PAUSE_S: Final = 30.0  # after so many crashes within the window

logger = logging.getLogger(__name__)


class Restarts:
    """Counts the crashes of the lobby.

    Args:
        now_s: A monotonic clock.
    """

    def __init__(self, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._crashes_s: deque[float] = deque(maxlen=MAX_CRASHES)

    def crashed(self, status: int) -> float:
        """Take note of one more crash, and say so in the log.

        Args:
            status: Its exit code, which `docs/exit-codes.md` explains, or minus a signal.
        Returns:
            How many seconds to wait before the next start.
        """
        pause_s = self._pause_s(self._now_s())
        logger.error("the lobby ended with %d and starts again in %.0f s", status, pause_s)
        return pause_s

    def _pause_s(self, now_s: float) -> float:
        self._crashes_s.append(now_s)
        if len(self._crashes_s) < MAX_CRASHES or now_s - self._crashes_s[0] >= CRASH_WINDOW_S:
            return RESTART_S
        self._crashes_s.clear()
        return LONG_PAUSE_S
