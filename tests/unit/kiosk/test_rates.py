"""What measured steps say of the next one."""

from __future__ import annotations

import pytest

from kiosk.domain.model import MediaChoice, Medium, Step
from kiosk.domain.rates import TIMED, Rates, StepTime, kind_of


def written(*times: tuple[int, float], kind: str = "disc") -> Rates:
    """Rates of writing so much in so many seconds."""
    return Rates(StepTime(Step.WRITE, kind, amount, seconds) for amount, seconds in times)


def usual_s(rates: Rates, amount: int = 0) -> float | None:
    return rates.usual_s(Step.WRITE, "disc", amount)


def test_without_a_measurement_of_its_kind_nothing_is_said() -> None:
    for step in TIMED:
        assert Rates().usual_s(step, "") is None
    assert usual_s(written((100, 60.0), kind="stick")) is None
    assert written((100, 60.0)).usual_s(Step.VERIFY, "disc") is None


def test_a_step_that_is_never_entered_takes_no_time() -> None:
    assert Rates().usual_s(Step.CHECK, "") == 0.0


def test_of_one_amount_the_time_is_in_proportion() -> None:
    rates = written((100, 50.0), (100, 60.0), (100, 400.0))
    assert usual_s(rates, 100) == pytest.approx(60.0)
    assert usual_s(rates, 1000) == pytest.approx(600.0)
    assert usual_s(rates) == 60.0


def test_lead_in_and_lead_out_are_not_taken_for_time_by_amount() -> None:
    rates = written(*((amount, 80.0 + amount / 4) for amount in (20, 40, 100, 200)))
    assert usual_s(rates, 10) == pytest.approx(82.5)
    assert usual_s(rates, 600) == pytest.approx(230.0)  # in proportion: more than a thousand


def test_one_that_took_ages_changes_nothing() -> None:
    usual = [(amount, 80.0 + amount / 4) for amount in (20, 40, 60, 100, 150, 200)]
    assert usual_s(written(*usual, (30, 3000.0)), 400) == pytest.approx(180.0, rel=0.05)


def test_nearly_the_same_amounts_promise_nothing_wild() -> None:
    steep, falling = written((100, 60.0), (101, 90.0)), written((100, 90.0), (101, 60.0))
    assert usual_s(steep, 1000) == pytest.approx(750.0, rel=0.02)  # in proportion, not 27060
    assert usual_s(falling, 1000) == pytest.approx(75.0)
    assert usual_s(falling, 1) == pytest.approx(75.0)


def test_kinds() -> None:
    disc, sealed = MediaChoice(Medium.DISC), MediaChoice(Medium.DISC, is_protected=True)
    stick, house = MediaChoice(Medium.STICK), MediaChoice(Medium.HOUSE_STICK)
    assert kind_of(Step.WRITE, disc) == kind_of(Step.WRITE, sealed) == "disc"
    assert kind_of(Step.VERIFY, stick) == kind_of(Step.VERIFY, house) == "stick"
    assert kind_of(Step.RETRIEVE, disc) == kind_of(Step.RETRIEVE, stick) == ""
    assert kind_of(Step.COMPOSE, disc) == ""
    assert kind_of(Step.COMPOSE, sealed) == "protected"
