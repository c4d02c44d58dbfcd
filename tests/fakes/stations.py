"""Engines in memory."""

from __future__ import annotations

from datetime import datetime

from kiosk.errors import JournalError
from tests.fakes.clock import FakeClock


class FakeStations:
    """Keeps the `Stations` port.

    Args:
        alive: Some engine beats all the time, whatever the station; until `stop`.
    """

    def __init__(self, clock: FakeClock, *, alive: bool = True) -> None:
        self._clock, self._is_alive = clock, alive
        self._beats: dict[str, datetime] = {}
        self.is_away = False  # the journal does not answer
        self.asked: list[str] = []

    def silent_s(self, name: str = "") -> float | None:
        self.asked.append(name)
        if self.is_away:
            raise JournalError("locked")
        if self._is_alive:
            return 0.0
        beats = [at for station, at in self._beats.items() if name in ("", station)]
        if not beats:
            return None
        return max(0.0, (self._clock.now() - max(beats)).total_seconds())

    # What a test makes happen

    def beat(self, name: str) -> None:
        self._beats[name] = self._clock.now()

    def stop(self) -> None:
        """No beat from now on."""
        self._is_alive = False

    def run(self) -> None:
        """Beats again all the time."""
        self._is_alive = True
