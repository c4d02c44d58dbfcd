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


def test_never_ends_without_a_limit() -> None:
    clock = FakeClock()
    idle = Inactivity(clock, warn_s=20)
    idle.start(0)
    clock.advance(10**9)
    assert idle.state is Idle.NO
