"""Minutes left: from the pace seen, and never promised without grounds."""

from __future__ import annotations

import pytest

from kiosk.domain.model import Progress, Step
from kiosk.lobby.estimate import Estimator, StepTimes
from tests.fakes.clock import START


def at(step: Step, done: int = 0, total: int = 0) -> Progress:
    return Progress(step, done, total, "", START)


def known(seconds: float) -> StepTimes:
    times = StepTimes()
    for step in Step:
        times.add(step, seconds)
    return times


def test_nothing_is_promised_at_first() -> None:
    estimator = Estimator(StepTimes())
    assert estimator.see(at(Step.RETRIEVE, 0, 100), 0.0).left_s is None
    assert estimator.see(at(Step.RETRIEVE, 50, 100), 10.0).left_s is None  # later steps unknown
    assert estimator.see(at(Step.HAND_OVER, 0, 0), 20.0).left_s is None


def test_the_pace_of_this_step_and_the_usual_time_of_the_others() -> None:
    estimator = Estimator(known(60.0))
    estimator.see(at(Step.WRITE, 0, 100), 0.0)
    assert estimator.see(at(Step.WRITE, 25, 100), 10.0).left_s == pytest.approx(30 + 120)


def test_before_there_is_a_pace_the_usual_time_counts_down() -> None:
    estimator = Estimator(known(60.0))
    estimator.see(at(Step.WRITE), 0.0)
    assert estimator.see(at(Step.WRITE), 20.0).left_s == pytest.approx(40 + 120)
    assert estimator.see(at(Step.WRITE), 300.0).left_s == pytest.approx(0 + 120)


def test_waiting_for_a_person_is_no_pace() -> None:
    estimator = Estimator(known(60.0))
    estimator.see(at(Step.WRITE, 0, 100), 0.0)
    estimator.wait(1.0)
    estimator.wait(500.0)
    assert estimator.see(at(Step.WRITE, 0, 100), 1001.0).left_s == pytest.approx(59 + 120)
    assert estimator.see(at(Step.WRITE, 50, 100), 1010.0).left_s == pytest.approx(10 + 120)


def test_a_second_disc_starts_again() -> None:
    estimator = Estimator(known(60.0))
    estimator.see(at(Step.WRITE, 0, 100), 0.0)
    first = estimator.see(at(Step.WRITE, 90, 100), 90.0)
    again = estimator.see(at(Step.WRITE, 0, 100), 100.0)
    assert again.fraction < first.fraction
    assert estimator.see(at(Step.WRITE, 10, 100), 110.0).left_s == pytest.approx(90 + 120)


def test_whoever_comes_back_in_the_middle_sees_the_pace_since_then() -> None:
    estimator = Estimator(known(60.0))
    estimator.see(at(Step.WRITE, 80, 100), 0.0)
    assert estimator.see(at(Step.WRITE, 90, 100), 10.0).left_s == pytest.approx(10 + 120)


def test_times_are_learned_only_from_whole_steps() -> None:
    times = StepTimes()
    estimator = Estimator(times)
    estimator.see(at(Step.WRITE, 80, 100), 0.0)  # came back in the middle
    estimator.see(at(Step.VERIFY, 0, 100), 10.0)
    estimator.see(at(Step.HAND_OVER), 50.0)
    estimator.finish(51.0)
    assert times.usual_s(Step.WRITE) is None
    assert times.usual_s(Step.VERIFY) == 40.0
    assert times.usual_s(Step.HAND_OVER) == 1.0


def test_the_bar_grows_and_ends_at_most_full() -> None:
    for times in (StepTimes(), known(30.0)):
        estimator = Estimator(times)
        fractions = [
            estimator.see(at(step, done, 10), index).fraction
            for index, (step, done) in enumerate((s, d) for s in Step for d in range(11))
        ]
        assert fractions == sorted(fractions)
        assert 0 <= fractions[0] < 0.02
        assert fractions[-1] == pytest.approx(1.0)
    assert estimator.see(at(Step.HAND_OVER, 99, 10), 1000.0).fraction <= 1.0
