"""How long the steps of a job take here: what was measured, and what follows from it for a job.

Fixed time (a drive that takes the disc in, lead-in and lead-out, an association) and time by amount
are told apart as soon as amounts differ: a small exam takes a disc nearly as long as one ten times
as large, and its seconds by byte would promise hours to the large one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import median
from typing import Final

from kiosk.domain.model import MediaChoice, Step

TIMED: Final = (Step.RETRIEVE, Step.COMPOSE, Step.WRITE, Step.VERIFY, Step.HAND_OVER)
"""Steps with a time of their own: an order is looked up at once, the check is part of the build."""


@dataclass(frozen=True, slots=True)
class StepTime:
    """One step of some job that ended well.

    Attributes:
        kind: See `kind_of`.
        amount: More than 0: Instances retrieved, Instances built, bytes of the image written or
            read back; 1 for a medium handed over.
        seconds: Without any wait for a person, a drive or a turn.
    """

    step: Step
    kind: str
    amount: int
    seconds: float


def kind_of(step: Step, choice: MediaChoice) -> str:
    """What times of a step are told apart by: "disc" or "stick" at a drive; "protected" for builds
    that are sealed; "" for all else.
    """
    if step is Step.COMPOSE and choice.is_protected:
        return "protected"
    at_drive = (Step.WRITE, Step.VERIFY, Step.HAND_OVER)
    return choice.medium.form if step in at_drive else ""


@dataclass(frozen=True, slots=True)
class _Line:
    """Seconds by amount.

    Attributes:
        median_s: Where the amount is not known.
    """

    median_s: float
    fixed_s: float
    slope: float

    @classmethod
    def through(cls, times: Sequence[StepTime]) -> _Line:
        """Theil and Sen's: the median of all slopes, which no outlier turns.

        It never falls and never rises faster than in proportion: a few times of nearly the same
        amount say nothing of the slope. Of one amount alone the times count as in proportion.
        """
        in_proportion = median(it.seconds / it.amount for it in times)
        slopes = [
            (one.seconds - other.seconds) / (one.amount - other.amount)
            for one, other in combinations(times, 2)
            if one.amount != other.amount
        ]
        slope = min(max(median(slopes), 0.0), in_proportion) if slopes else in_proportion
        fixed_s = max(median(it.seconds - slope * it.amount for it in times), 0.0)
        return cls(median(it.seconds for it in times), fixed_s, slope)


class Rates:
    """What a step usually takes, by steps that were measured lately. Without any it says nothing.

    Args:
        times: A few of each step and kind, in any order.
    """

    def __init__(self, times: Iterable[StepTime] = ()) -> None:
        alike: dict[tuple[Step, str], list[StepTime]] = {}
        for time in times:
            alike.setdefault((time.step, time.kind), []).append(time)
        self._lines = {key: _Line.through(those) for key, those in alike.items()}

    def usual_s(self, step: Step, kind: str, amount: int = 0) -> float | None:
        """Seconds for all of a step; None if none like it was measured.

        Args:
            amount: As `StepTime.amount`; 0 if it is not known: then the median.
        """
        if step not in TIMED:
            return 0.0
        line = self._lines.get((step, kind))
        if line is None:
            return None
        return line.fixed_s + line.slope * amount if amount else line.median_s
