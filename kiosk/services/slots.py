"""A few places for heavy work, given to whoever matters most among those that wait."""

from __future__ import annotations

import contextlib
import heapq
import itertools
import threading
from collections.abc import Callable, Iterator

from kiosk.errors import StoppedError

_LOOK_S = 0.25


class Slots:
    """`count` places; a waiting job with a lower priority value goes first, then who came first.

    Many jobs may be under way at once, most of them waiting for a person, a drive or the archive.
    """

    def __init__(self, count: int) -> None:
        self._free = count
        self._waiting: list[tuple[int, int]] = []
        self._numbers = itertools.count()
        self._changed = threading.Condition()

    @contextlib.contextmanager
    def hold(self, priority: int, is_cancelled: Callable[[], bool]) -> Iterator[None]:
        """Raises StoppedError if cancelled while waiting."""
        ticket = (priority, next(self._numbers))
        with self._changed:
            heapq.heappush(self._waiting, ticket)
        try:
            while True:
                with self._changed:
                    if self._free and self._waiting[0] == ticket:
                        heapq.heappop(self._waiting)
                        self._free -= 1
                        self._changed.notify_all()
                        break
                    self._changed.wait(_LOOK_S)
                if is_cancelled():
                    raise StoppedError("stopped while waiting for its turn")
        except BaseException:
            with self._changed:
                self._waiting.remove(ticket)
                heapq.heapify(self._waiting)
                self._changed.notify_all()
            raise
        try:
            yield
        finally:
            with self._changed:
                self._free += 1
                self._changed.notify_all()
