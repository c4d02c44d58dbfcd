"""Idle time on the monotonic clock."""

from __future__ import annotations

from kiosk.lobby.inactivity import Idle, Inactivity
from tests.fakes.clock import FakeClock


def test_warns_then_ends() -> None:
    clock = FakeClock()
    idle = Inactivity(clock, warn_s=20)
    idle.start(45)
    seen = []
    for _ in range(50):
        seen.append(idle.state)
        clock.advance(1)
    assert seen.index(Idle.WARN) == 25
    assert seen.index(Idle.OVER) == 45
    idle.touched()
    assert idle.state is Idle.NO
    assert idle.left_s == 45


def test_a_visit_begins_anew_once_when_its_medium_is_made() -> None:
    clock = FakeClock()
    idle = Inactivity(clock, warn_s=20, visit_s=600)
    idle.start(45)
    idle.begin_visit()
    clock.advance(500)
    idle.start(60, is_making=True)
    assert idle.visit_left_s == 600
    clock.advance(400)
    idle.touched()
    idle.start(60, is_making=True)
    assert idle.visit_left_s == 200
    clock.advance(190)
    idle.grant(60)  # and the minute before whose beginning nothing is announced
    assert idle.visit_left_s == 120
    idle.end_visit()
    assert idle.visit_left_s == float("inf")
    idle.grant(60)
    assert idle.visit_left_s == float("inf")


def test_never_ends_without_a_limit() -> None:
    clock = FakeClock()
    idle = Inactivity(clock, warn_s=20)
    idle.start(0)
    clock.advance(10**9)
    assert idle.state is Idle.NO
