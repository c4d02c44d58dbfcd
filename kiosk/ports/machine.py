"""The machine itself: time, room for files, who may run."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Protocol

from kiosk.domain.model import OrderId


class Clock(Protocol):
    """Time, replaceable in tests."""

    def now(self) -> datetime: ...  # aware, UTC
    def monotonic_s(self) -> float: ...
    def sleep_s(self, seconds: float) -> None: ...


class Spool(Protocol):
    """A private folder per job."""

    def folder(self, job_id: OrderId) -> Path: ...
    def free_bytes(self) -> int: ...
    def wipe(self, job_id: OrderId) -> None: ...
    def job_ids(self) -> Sequence[OrderId]: ...


class Lock(Protocol):
    """Held for the life of a process."""

    def hold(self) -> AbstractContextManager[None]: ...


class Speech(Protocol):
    """A voice. Never blocks; what cannot be said is not said, and the log says so."""

    def say(self, text: str, *, language: str, volume: int, drops: bool) -> None:
        """Say it after what is being said.

        Args:
            text: Of one person perhaps: it reaches no log and no process arguments.
            language: Such as "de".
            volume: 1 to 5.
            drops: What is being said and what waits is outdated: begin with this at once.
        """
        ...

    def hush(self) -> None:
        """Be silent at once, and forget what was to be said."""
        ...
