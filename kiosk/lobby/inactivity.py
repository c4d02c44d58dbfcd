"""How long nobody has touched anything."""

from __future__ import annotations

from enum import Enum

from kiosk.ports import Clock


class Idle(Enum):
    """What follows from it."""

    NO = "no"
    WARN = "warn"
    OVER = "over"


class Inactivity:
    """Counts from the last touch on the monotonic clock, so that a clock jump ends no visit."""

    def __init__(self, clock: Clock, *, warn_s: float) -> None:
        self._clock, self._warn_s = clock, warn_s
        self._limit_s = 0.0
        self._touched_s = clock.monotonic_s()

    def start(self, limit_s: float) -> None:
        """Begin a new count; 0 never ends."""
        self._limit_s = limit_s
        self.touched()

    def touched(self) -> None:
        self._touched_s = self._clock.monotonic_s()

    @property
    def left_s(self) -> float:
        """Until the visit ends; infinite if it does not."""
        if not self._limit_s:
            return float("inf")
        return max(0.0, self._touched_s + self._limit_s - self._clock.monotonic_s())

    @property
    def state(self) -> Idle:
        left_s = self.left_s
        if left_s <= 0:
            return Idle.OVER
        return Idle.WARN if left_s <= self._warn_s else Idle.NO
