"""The engine's threads for the drives' buttons; udev itself is in tests/integration/udev."""

from __future__ import annotations

import threading
from pathlib import Path

from kiosk.adapters.devices import UdevWatch

PATIENCE_S = 20.0


def test_a_drive_that_takes_its_time_keeps_no_other_one_s_button_waiting() -> None:
    watch = UdevWatch({"disc1": Path("/dev/sr0"), "disc2": Path("/dev/sr1")})
    other_answered, answered_in_time = threading.Event(), []
    has_ended = threading.Event()

    def answer(drive: str) -> None:
        if drive == "disc1":
            answered_in_time.append(other_answered.wait(PATIENCE_S))
            has_ended.set()
        else:
            other_answered.set()

    with watch.answering(answer):
        watch._press(["disc1"])
        watch._press(["disc2"])
        assert has_ended.wait(2 * PATIENCE_S)
    assert answered_in_time == [True]
