"""How far a job is and how long it will take: from its own pace, and from what was measured here.

The time left in a step follows from its own pace as soon as it has one. Until then, and for the
steps still to come, it is what the engine measured of earlier jobs (`domain.rates`); where that
says nothing, no minutes are promised at all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from kiosk.domain.model import Job, Progress, Step
from kiosk.domain.rates import Rates, kind_of
from kiosk.lobby.attempt import attempt
from kiosk.ports import Clock

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
_RATES_S: Final = 60.0  # between two looks at what the engine has measured
_SHORTEST_S: Final = 2.0  # of watching, before a pace means anything


@dataclass(frozen=True, slots=True)
class Estimate:
    """Attributes:
    fraction: Of the whole way, 0 to 1.
    left_s: None if it cannot be said.
    """

    fraction: float
    left_s: float | None


class MeasuredRates:
    """What the engine has measured, read again from time to time; asked in workers only."""

    def __init__(self, read: Callable[[], Rates], clock: Clock) -> None:
        self._read, self._clock = read, clock
        self._due_s = float("-inf")

    def news(self) -> Rates | None:
        """None if there is no need to look yet, or the journal does not answer."""
        now_s = self._clock.monotonic_s()
        if now_s < self._due_s:
            return None
        self._due_s = now_s + _RATES_S
        return attempt(self._read)[0]


class Estimator:
    """Watches one job. Feed it every progress row with the monotonic time in seconds."""

    def __init__(self, rates: Rates) -> None:
        self._rates = rates
        self._step: Step | None = None
        self._began_s = 0.0
        self._first_done = self._last_done = 0
        self._totals: dict[Step, int] = {}
        self._fraction = 0.0
        self._waiting_since_s: float | None = None

    def learn(self, rates: Rates) -> None:
        """What has been measured meanwhile, at this job's own steps perhaps."""
        self._rates = rates

    def wait(self, now_s: float) -> None:
        """The job waits for a person: that time belongs to no step."""
        if self._waiting_since_s is None:
            self._waiting_since_s = now_s

    def see(self, job: Job, now_s: float) -> Estimate:
        progress = job.progress
        if progress is None:
            return Estimate(0.0, None)
        if self._waiting_since_s is not None:
            self._began_s += now_s - self._waiting_since_s
            self._waiting_since_s = None
        if progress.step is not self._step or progress.done < self._last_done:
            self._begin(progress, now_s)
        self._last_done = progress.done
        if progress.total:
            self._totals[progress.step] = progress.total
        usual_s = {it: self._usual_s(job, it) for it in STEPS}
        self._fraction = max(self._fraction, _fraction(progress, usual_s))
        if progress.note and not progress.total:  # for its turn, or for a better time
            self.wait(now_s)
            return Estimate(self._fraction, None)
        return Estimate(self._fraction, self._left_s(progress, usual_s, now_s))

    def _begin(self, progress: Progress, now_s: float) -> None:
        """A step, or a new attempt at one: only then may the bar go back."""
        is_later = self._step is None or STEPS.index(progress.step) > STEPS.index(self._step)
        if not is_later:
            self._fraction = 0.0
        self._step, self._began_s = progress.step, now_s
        self._first_done = progress.done

    def _left_s(
        self, progress: Progress, usual_s: dict[Step, float | None], now_s: float
    ) -> float | None:
        later_s = [usual_s[it] for it in STEPS[STEPS.index(progress.step) + 1 :]]
        here_s = self._left_here_s(progress, usual_s[progress.step], now_s - self._began_s)
        known = [it for it in (here_s, *later_s) if it is not None]
        return sum(known) if len(known) == len(later_s) + 1 else None

    def _left_here_s(
        self, progress: Progress, usual_s: float | None, elapsed_s: float
    ) -> float | None:
        done = progress.done - self._first_done
        if progress.total > 0 and done > 0 and elapsed_s >= _SHORTEST_S:
            return (progress.total - progress.done) * elapsed_s / done
        if usual_s is None:
            return None
        # Whoever comes back in the middle has seen none of what was done before.
        unseen = self._first_done / progress.total if progress.total > 0 else 0.0
        return max(0.0, usual_s * (1.0 - unseen) - elapsed_s)

    def _usual_s(self, job: Job, step: Step) -> float | None:
        return self._rates.usual_s(step, kind_of(step, job.choice), self._amount(job, step))

    def _amount(self, job: Job, step: Step) -> int:
        """Of this job, as `StepTime.amount`; 0 as long as nobody knows."""
        if step in (Step.RETRIEVE, Step.COMPOSE):  # a build's own progress counts no Instances
            built = 0 if job.holds is None else job.holds.total
            return self._totals.get(Step.RETRIEVE, built)
        if step in (Step.WRITE, Step.VERIFY):
            return self._totals.get(Step.WRITE, self._totals.get(Step.VERIFY, 0))
        return 1


def _fraction(progress: Progress, usual_s: dict[Step, float | None]) -> float:
    """Of the bar, each step having its share of the time that all of them usually take."""
    shares = {it: seconds + 0.5 for it, seconds in usual_s.items() if seconds is not None}
    if len(shares) < len(STEPS):
        shares = _SHARES
    before = sum(shares[it] for it in STEPS[: STEPS.index(progress.step)])
    part = min(1.0, progress.done / progress.total) if progress.total > 0 else 0.0
    return min(1.0, (before + shares[progress.step] * part) / sum(shares.values()))
