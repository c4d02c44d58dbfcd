"""How far a file that grows has come, for the threads that follow it."""

from __future__ import annotations

import threading


class Growth:
    """One writer tells it, any number of followers wait for more."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._available = 0
        self._has_ended = False

    def reached(self, size_bytes: int) -> None:
        """So much of the file is as it will stay."""
        with self._changed:
            self._available = size_bytes
            self._changed.notify_all()

    def end(self) -> None:
        """No more will come, whether the file is whole or not."""
        with self._changed:
            self._has_ended = True
            self._changed.notify_all()

    def wait_for(self, least_bytes: int) -> tuple[int, bool]:
        """Until there is so much, or no more will come.

        Returns:
            How many bytes there are, and whether it has ended.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._available >= least_bytes or self._has_ended)
            return self._available, self._has_ended
