"""How far a job is and how long it will take, from nothing but what was seen.

The time left in a step follows from its own pace. Steps still to come are only counted when this
kiosk has seen them take their time before; otherwise no minutes are promised at all.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from statistics import median
from typing import Final

from kiosk.domain.model import Progress, Step

STEPS: Final = tuple(Step)
# Shares of the bar until real times are known: writing and reading back are most of it.
_SHARES: Final[dict[Step, float]] = {
    Step.RELEASE: 1,
    Step.RETRIEVE: 25,
    Step.COMPOSE: 10,
    Step.CHECK: 4,
    Step.WRITE: 40,
    Step.VERIFY: 19,
    Step.HAND_OVER: 1,
}
_REMEMBERED: Final = 9
_SHORTEST_S: Final = 2.0  # of watching, before a pace means anything


@dataclass(frozen=True, slots=True)
class Estimate:
    """Attributes:
    fraction: Of the whole way, 0 to 1.
    left_s: None if it cannot be said.
    """

    fraction: float
    left_s: float | None


class StepTimes:
    """How long each step took at this kiosk lately; holds no patient data, outlives visits."""

    def __init__(self) -> None:
        self._seen_s: dict[Step, deque[float]] = {}

    def add(self, step: Step, seconds: float) -> None:
        self._seen_s.setdefault(step, deque(maxlen=_REMEMBERED)).append(seconds)

    def usual_s(self, step: Step) -> float | None:
        seen_s = self._seen_s.get(step)
        return median(seen_s) if seen_s else None


class Estimator:
    """Watches one job. Feed it every progress row with the monotonic time in seconds."""

    def __init__(self, times: StepTimes) -> None:
        self._times = times
        self._step: Step | None = None
        self._began_s = self._first_done = self._last_done = 0.0
        self._shares = _shares(times)
        self._saw_beginning = False
        self._waiting_since_s: float | None = None

    def wait(self, now_s: float) -> None:
        """The job waits for a person: that time belongs to no step."""
        if self._waiting_since_s is None:
            self._waiting_since_s = now_s

    def see(self, progress: Progress, now_s: float) -> Estimate:
        if self._waiting_since_s is not None:
            self._began_s += now_s - self._waiting_since_s
            self._waiting_since_s = None
        if progress.step is not self._step:
            self._enter(progress, now_s)
        elapsed_s = now_s - self._began_s
        if progress.done < self._last_done:  # a new attempt at the same step
            self._began_s, self._first_done, elapsed_s = now_s, progress.done, 0.0
        self._last_done = progress.done
        done = progress.done - self._first_done
        part = min(1.0, progress.done / progress.total) if progress.total > 0 else 0.0
        left_s: float | None = None
        if progress.total > 0 and done > 0 and elapsed_s >= _SHORTEST_S:
            left_s = (progress.total - progress.done) * elapsed_s / done
        elif (usual_s := self._times.usual_s(progress.step)) is not None:
            left_s = max(0.0, usual_s - elapsed_s)
        for later in STEPS[STEPS.index(progress.step) + 1 :]:
            usual_s = self._times.usual_s(later)
            left_s = None if left_s is None or usual_s is None else left_s + usual_s
        return Estimate(self._fraction(progress.step, part), left_s)

    def finish(self, now_s: float) -> None:
        """The job is done: the last step's time counts too."""
        self._leave(now_s)
        self._step = None

    def _enter(self, progress: Progress, now_s: float) -> None:
        is_first = self._step is None
        self._leave(now_s)
        self._step, self._began_s = progress.step, now_s
        self._first_done = self._last_done = progress.done
        # Whoever comes back in the middle of a step does not know how long it has been going on.
        self._saw_beginning = not is_first or progress.step is Step.RELEASE

    def _leave(self, now_s: float) -> None:
        if self._step is not None and self._saw_beginning:
            self._times.add(self._step, now_s - self._began_s)

    def _fraction(self, step: Step, part: float) -> float:
        before = sum(self._shares[it] for it in STEPS[: STEPS.index(step)])
        return min(1.0, (before + self._shares[step] * part) / sum(self._shares.values()))


def _shares(times: StepTimes) -> dict[Step, float]:
    """Of each step in the bar; fixed for the length of a job, so that the bar does not jump."""
    usual_s = {it: times.usual_s(it) for it in STEPS}
    if any(seconds is None for seconds in usual_s.values()):
        return _SHARES
    return {it: (seconds or 0.0) + 0.5 for it, seconds in usual_s.items()}
