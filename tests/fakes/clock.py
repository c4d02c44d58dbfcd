"""A clock that moves only when told to, or by whoever sleeps on it."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

START = datetime(2026, 3, 5, 9, 0, 0, tzinfo=UTC)


class FakeClock:
    """Keeps the `Clock` port. Thread safe; sleeping is instant and is written down."""

    def __init__(self, now: datetime = START) -> None:
        self._lock = threading.Lock()
        self._now, self._monotonic_s = now, 1000.0
        self.slept_s: list[float] = []

    def now(self) -> datetime:
        with self._lock:
            return self._now

    def monotonic_s(self) -> float:
        with self._lock:
            return self._monotonic_s

    def sleep_s(self, seconds: float) -> None:
        self.slept_s.append(seconds)
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        with self._lock:
            self._now += timedelta(seconds=seconds)
            self._monotonic_s += seconds
