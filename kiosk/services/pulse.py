"""Does the engine live? Judged by its heartbeats, the only sign of it that the journal has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from kiosk.ports import Clock, Stations

STALE_S: Final = 30.0
"""Silence after which an engine counts as stopped.

It beats every 5 s, and one beat may be late by a snapshot of the journal or a busy disk: six missed
ones are no accident. A visitor who begins in that time loses nothing: the order waits.
"""


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """What is known of the engine.

    Attributes:
        seen_at: Its last beat, None if it never ran.
        full_folder: The journal's, if its disk is full: then an engine that runs cannot be heard.
    """

    is_running: bool
    seen_at: datetime | None
    full_folder: Path | None = None

    def text(self) -> str:
        """For staff."""
        seen = "never seen" if self.seen_at is None else f"last seen {self.seen_at:%Y-%m-%d %X} UTC"
        if self.is_running:
            return f"an engine is running ({seen})"
        if self.full_folder is None:
            return f"no engine is running ({seen})"
        return (
            f"no engine is heard ({seen}): the disk of {self.full_folder} is full, and one that "
            "runs cannot say so there; make room first"
        )


@dataclass(frozen=True, slots=True)
class Pulse:
    """Feels the pulse of one station's engine.

    Attributes:
        station: "" for any engine of the site.
        full_folder: The journal's folder if its disk is full, else None.
    """

    stations: Stations
    clock: Clock
    station: str = ""
    full_folder: Callable[[], Path | None] = lambda: None

    def feel(self) -> Heartbeat:
        """Raises JournalError: it cannot be told."""
        silent_s = self.stations.silent_s(self.station)
        if silent_s is None:
            return Heartbeat(False, None, self.full_folder())
        seen_at = self.clock.now() - timedelta(seconds=silent_s)
        if silent_s <= STALE_S:
            return Heartbeat(True, seen_at)
        return Heartbeat(False, seen_at, self.full_folder())
