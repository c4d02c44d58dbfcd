"""Minutes left: from the pace seen and from what was measured, never promised without grounds."""

from __future__ import annotations

import dataclasses

import pytest

from kiosk.domain.contents import ObjectCounts
from kiosk.domain.model import Job, Medium, Progress, Step
from kiosk.domain.rates import TIMED, Rates, StepTime
from kiosk.errors import JournalError
from kiosk.lobby.estimate import Estimator, MeasuredRates
from kiosk.services.drawer import queued_note
from tests.fakes.clock import START, FakeClock
from tests.fakes.orders import an_order
from tests.ui.screens import a_job

KINDS = {Step.RETRIEVE: "", Step.COMPOSE: ""}  # all others are a disc's


def at(
    step: Step, done: int = 0, total: int = 0, note: str = "", medium: Medium = Medium.DISC
) -> Job:
    job = a_job(an_order(), medium=medium)
    return dataclasses.replace(job, progress=Progress(step, done, total, note, START))


def known(seconds: float) -> Rates:
    """Each step took as long, for 100 of whatever it counts."""
    return Rates(
        StepTime(step, KINDS.get(step, "disc"), 1 if step is Step.HAND_OVER else 100, seconds)
        for step in TIMED
    )


def test_nothing_is_promised_at_first() -> None:
    estimator = Estimator(Rates())
    assert estimator.see(at(Step.RETRIEVE, 0, 100), 0.0).left_s is None
    assert estimator.see(at(Step.RETRIEVE, 50, 100), 10.0).left_s is None  # later steps unknown
    assert estimator.see(at(Step.HAND_OVER, 0, 0), 20.0).left_s is None


def test_of_the_first_job_after_a_restart_all_is_known() -> None:
    estimator = Estimator(known(60.0))
    assert estimator.see(at(Step.RELEASE), 0.0).left_s == pytest.approx(300)
    assert estimator.see(at(Step.RETRIEVE, 0, 100), 5.0).left_s == pytest.approx(300)


def test_one_step_that_was_never_measured_is_enough_to_promise_nothing() -> None:
    times = [StepTime(step, KINDS.get(step, "disc"), 100, 60.0) for step in TIMED]
    rates = Rates(it for it in times if it.step is not Step.VERIFY)
    estimator = Estimator(rates)
    assert estimator.see(at(Step.WRITE, 50, 100), 0.0).left_s is None
    assert estimator.see(at(Step.HAND_OVER, 0, 1), 10.0).left_s == pytest.approx(6000 / 100 / 100)


def test_a_large_exam_takes_longer_than_a_small_one() -> None:
    small, large = Estimator(known(60.0)), Estimator(known(60.0))
    assert small.see(at(Step.RETRIEVE, 0, 50), 0.0).left_s == pytest.approx(30 + 30 + 180)
    assert large.see(at(Step.RETRIEVE, 0, 500), 0.0).left_s == pytest.approx(300 + 300 + 180)
    # Reading back is known to be as long as soon as the image is.
    assert small.see(at(Step.WRITE, 0, 10), 9.0).left_s == pytest.approx(6 + 6 + 60)
    assert large.see(at(Step.WRITE, 0, 1000), 9.0).left_s == pytest.approx(600 + 600 + 60)


def test_what_a_copy_is_made_of_is_known_from_the_build_before() -> None:
    job = dataclasses.replace(at(Step.RELEASE), holds=ObjectCounts(images=190, reports=10))
    left_s = Estimator(known(60.0)).see(job, 0.0).left_s
    assert left_s == pytest.approx(120 + 120 + 180)


def test_thousandths_of_a_build_are_no_instances() -> None:
    estimator = Estimator(known(60.0))
    estimator.see(at(Step.RETRIEVE, 50, 50), 0.0)
    assert estimator.see(at(Step.COMPOSE, 0, 1000), 1.0).left_s == pytest.approx(30 + 180)


def test_disc_and_stick_have_times_of_their_own() -> None:
    disc = [StepTime(step, "disc", 100, 60.0) for step in (Step.WRITE, Step.VERIFY)]
    stick = [StepTime(step, "stick", 100, 20.0) for step in (Step.WRITE, Step.VERIFY)]
    ends = [StepTime(Step.HAND_OVER, kind, 1, 0.0) for kind in ("disc", "stick")]
    for medium, seconds in ((Medium.DISC, 120), (Medium.STICK, 40), (Medium.HOUSE_STICK, 40)):
        estimator = Estimator(Rates([*disc, *stick, *ends]))
        seen = estimator.see(at(Step.WRITE, 0, 100, medium=medium), 0.0)
        assert seen.left_s == pytest.approx(seconds)
    nothing_of_sticks = Estimator(Rates([*disc, *ends]))
    assert nothing_of_sticks.see(at(Step.WRITE, 0, 100, medium=Medium.STICK), 0.0).left_s is None


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


@pytest.mark.parametrize(
    ("step", "note"), [(Step.WRITE, queued_note("disc1")), (Step.RETRIEVE, "archive.retry")]
)
def test_waiting_for_a_turn_or_a_better_time_promises_nothing(step: Step, note: str) -> None:
    estimator = Estimator(known(60.0))
    assert estimator.see(at(step, 0, 0, note), 0.0).left_s is None
    assert estimator.see(at(step, 0, 0, note), 900.0).left_s is None
    usual_s = estimator.see(at(step, 0, 100), 901.0).left_s
    assert usual_s is not None
    left_s = estimator.see(at(step, 50, 100), 911.0).left_s  # ten seconds for one half
    assert left_s == pytest.approx(usual_s - 50)


def test_a_second_disc_starts_again() -> None:
    estimator = Estimator(known(60.0))
    estimator.see(at(Step.WRITE, 0, 100), 0.0)
    first = estimator.see(at(Step.WRITE, 90, 100), 90.0)
    again = estimator.see(at(Step.WRITE, 0, 100), 100.0)
    assert again.fraction < first.fraction
    assert estimator.see(at(Step.WRITE, 10, 100), 110.0).left_s == pytest.approx(90 + 120)


def test_whoever_comes_back_in_the_middle_sees_the_pace_since_then() -> None:
    estimator = Estimator(known(60.0))
    assert estimator.see(at(Step.WRITE, 80, 100), 0.0).left_s == pytest.approx(12 + 120)
    assert estimator.see(at(Step.WRITE, 90, 100), 10.0).left_s == pytest.approx(10 + 120)


def test_the_bar_grows_and_ends_at_most_full() -> None:
    for rates in (Rates(), known(30.0)):
        estimator = Estimator(rates)
        fractions = [
            estimator.see(at(step, done, 10), index).fraction
            for index, (step, done) in enumerate((s, d) for s in Step for d in range(11))
        ]
        assert fractions == sorted(fractions)
        assert 0 <= fractions[0] < 0.02
        assert fractions[-1] == pytest.approx(1.0)
    assert estimator.see(at(Step.HAND_OVER, 99, 10), 1000.0).fraction <= 1.0


def test_the_bar_never_goes_back_for_what_is_learned_meanwhile() -> None:
    estimator = Estimator(Rates())
    before = estimator.see(at(Step.WRITE, 90, 100), 0.0).fraction
    estimator.learn(known(60.0))  # writing is less of the way than it seemed
    seen = estimator.see(at(Step.WRITE, 91, 100), 1.0)
    assert seen.left_s is not None
    assert seen.fraction == before
    estimator = Estimator(known(60.0))
    before = estimator.see(at(Step.COMPOSE, 900, 1000), 0.0).fraction
    after = estimator.see(at(Step.WRITE, 0, 10_000), 1.0).fraction  # a hundred times as much
    assert after == before > estimator.see(at(Step.RETRIEVE, 0, 100), 2.0).fraction


def test_rates_are_read_from_time_to_time_and_may_fail() -> None:
    clock, reads = FakeClock(), [known(60.0), None, known(30.0)]

    def read() -> Rates:
        rates = reads.pop(0)
        if rates is None:
            raise JournalError("locked")
        return rates

    measured = MeasuredRates(read, clock)
    assert measured.news() is not None
    assert measured.news() is None
    clock.advance(60)
    assert measured.news() is None  # the journal did not answer
    clock.advance(60)
    assert measured.news() is not None
    assert reads == []
