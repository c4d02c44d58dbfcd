"""The engine waits for the right time after a boot, but only where somebody will set it."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from kiosk.adapters import time_sync
from kiosk.adapters.time_sync import TimeService, wait_for_time


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TimeService:
    """A machine with a time service that has not set the clock yet."""
    monkeypatch.setattr(time_sync, "_kernel_says_synchronised", lambda: False)
    (tmp_path / "systemd").mkdir()
    (tmp_path / "timesync").mkdir()
    return TimeService(tmp_path / "systemd", (tmp_path / "timesync",), tmp_path / "done")


class _Watch(threading.Event):
    """Counts the waits, and lets something happen at one of them instead of sleeping."""

    def __init__(self, then: Path | None = None, at: int = 2) -> None:
        super().__init__()
        self.waits, self._then, self._at = 0, then, at

    def wait(self, timeout: float | None = None) -> bool:
        self.waits += 1
        if self._then is not None and self.waits == self._at:
            self._then.touch()
        return self.is_set()


def test_it_waits_until_the_time_is_set(tmp_path: Path, service: TimeService) -> None:
    watch = _Watch(service.done)
    assert wait_for_time(tmp_path, 600.0, watch, service)
    assert watch.waits == 2


def test_the_wait_is_bounded_said_and_not_repeated_in_the_same_boot(
    tmp_path: Path, service: TimeService, caplog: pytest.LogCaptureFixture
) -> None:
    watch = _Watch()
    assert not wait_for_time(tmp_path, 0.01, watch, service)
    assert "nobody has set the time" in caplog.text
    waits = watch.waits
    assert waits
    assert not wait_for_time(tmp_path, 600.0, watch, service)
    assert watch.waits == waits
    (tmp_path / "clock-waited").write_text("another boot")
    assert wait_for_time(tmp_path, 600.0, _Watch(service.done), service)


@pytest.mark.parametrize("missing", ["booted", "services"])
def test_without_systemd_or_a_time_service_it_does_not_wait(
    tmp_path: Path, service: TimeService, missing: str
) -> None:
    (service.booted if missing == "booted" else service.services[0]).rmdir()
    watch = _Watch()
    assert wait_for_time(tmp_path, 600.0, watch, service)
    assert watch.waits == 0


def test_a_stop_ends_it(tmp_path: Path, service: TimeService) -> None:
    stop = threading.Event()
    stop.set()
    assert not wait_for_time(tmp_path, 600.0, stop, service)


def test_the_kernel_answers() -> None:
    assert time_sync._kernel_says_synchronised() in (True, False)
