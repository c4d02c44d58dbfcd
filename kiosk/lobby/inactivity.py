"""How long nobody has touched anything, and how long the visit has lasted."""

from __future__ import annotations

from enum import Enum
from typing import Final

from kiosk.ports import Clock

VISIT_WARN_S: Final = 60.0  # the end of a long visit is announced so long before


class Idle(Enum):
    """What follows from it."""

    NO = "no"
    WARN = "warn"
    OVER = "over"


class Inactivity:
    """Counts from the last touch, and from the beginning of the visit, on the monotonic clock, so
    that a clock jump ends no visit.

    Args:
        warn_s: The end for want of a touch is announced so long before.
        visit_s: No visit lasts longer, touched or not; 0 for no limit.
    """

    def __init__(self, clock: Clock, *, warn_s: float, visit_s: float = 0.0) -> None:
        self._clock, self._warn_s, self._visit_limit_s = clock, warn_s, visit_s
        self._limit_s = 0.0
        self._touched_s = clock.monotonic_s()
        self._began_s: float | None = None
        self._is_making = False

    def start(self, limit_s: float, *, is_making: bool = False) -> None:
        """Begin a new count; 0 never ends.

        Args:
            is_making: A medium is being made: the longest time begins anew, the first time in a
                visit. Touches do not: whose they are nobody knows, while its owner sits.
        """
        self._limit_s = limit_s
        if is_making and not self._is_making:
            self._is_making, self._began_s = True, self._clock.monotonic_s()
        self.touched()

    @property
    def has_limit(self) -> bool:
        """Whether want of a touch ends anything."""
        return self._limit_s > 0

    def begin_visit(self) -> None:
        """If none has begun yet."""
        if self._began_s is None:
            self._began_s = self._clock.monotonic_s()

    def end_visit(self) -> None:
        self._began_s, self._is_making = None, False

    @property
    def is_making(self) -> bool:
        """Whether this visit has come to where its medium is made."""
        return self._is_making

    def grant(self, seconds: float) -> None:
        """The visit has so long in any case. For what the machine did, never for a touch."""
        if self._began_s is not None:
            left_s = seconds + VISIT_WARN_S  # the end is not announced at once
            begun_s = self._clock.monotonic_s() + left_s - self._visit_limit_s
            self._began_s = max(self._began_s, begun_s)

    def touched(self) -> None:
        self._touched_s = self._clock.monotonic_s()

    @property
    def left_s(self) -> float:
        """Until the visit ends for want of a touch; infinite if it does not."""
        if not self._limit_s:
            return float("inf")
        return max(0.0, self._touched_s + self._limit_s - self._clock.monotonic_s())

    @property
    def visit_left_s(self) -> float:
        """Until the visit ends however often the screen is touched; infinite if it does not."""
        if self._began_s is None or not self._visit_limit_s:
            return float("inf")
        return max(0.0, self._began_s + self._visit_limit_s - self._clock.monotonic_s())

    @property
    def is_visit_ending(self) -> bool:
        """Whether the end of the visit is near, which no touch puts off."""
        return self.visit_left_s <= min(VISIT_WARN_S, self._visit_limit_s / 2)

    @property
    def state(self) -> Idle:
        left_s = self.left_s
        if min(left_s, self.visit_left_s) <= 0:
            return Idle.OVER
        return Idle.WARN if left_s <= self._warn_s else Idle.NO
