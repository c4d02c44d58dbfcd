"""A few places, given by importance."""

from __future__ import annotations

import threading

import pytest

from kiosk.errors import StoppedError
from kiosk.services.slots import Slots


def never() -> bool:
    return False


def test_places_are_given_by_priority_then_in_order_of_arrival() -> None:
    slots, order = Slots(1), []
    started = threading.Barrier(2)
    release = threading.Event()

    def first() -> None:
        with slots.hold(1, never):
            started.wait()
            release.wait()

    def other(name: str, priority: int) -> None:
        with slots.hold(priority, never):
            order.append(name)

    threads = [threading.Thread(target=first)]
    threads[0].start()
    started.wait()
    for number, (name, priority) in enumerate([("ward", 10), ("late ward", 10), ("patient", 1)]):
        threads.append(threading.Thread(target=other, args=(name, priority)))
        threads[-1].start()
        while len(slots._waiting) <= number:
            threading.Event().wait(0.001)
    release.set()
    for thread in threads:
        thread.join()
    assert order == ["patient", "ward", "late ward"]


def test_who_is_cancelled_leaves_the_line() -> None:
    slots = Slots(1)
    with slots.hold(1, never):
        with pytest.raises(StoppedError), slots.hold(1, lambda: True):
            raise AssertionError
        assert slots._waiting == []
    with slots.hold(1, never):
        assert slots._free == 0
    assert slots._free == 1


def test_a_failing_holder_gives_its_place_back() -> None:
    slots = Slots(1)
    with pytest.raises(ValueError), slots.hold(1, never):
        raise ValueError
    with slots.hold(1, never):
        assert slots._free == 0
