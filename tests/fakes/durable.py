"""A durable engine in memory: what steps returned is played back after a crash on demand."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from kiosk.adapters.journal.job_rows import run_of
from kiosk.domain.model import OrderId, Priority
from kiosk.services.burning import burn
from kiosk.services.durable import BurnLostError, Facts
from kiosk.services.parts import EngineParts
from kiosk.services.workflow import fulfil


class CrashError(BaseException):
    """The process is gone."""


def _die() -> None:
    raise CrashError


class FakeEngine:
    """Runs an order, its burns inside of it, to the end or to the crash.

    Attributes:
        names: Of the steps, in the order in which they were done.
        crash_at: Number of the boundary at which the process dies: each step has one before, one
            when it is done and not recorded, one when it is recorded. 0 for never.
        at_crash: What happens there instead of dying.
        lose_burns: How many burns the engine loses instead of running them.
    """

    def __init__(self, parts: EngineParts, *, crash_at: int = 0) -> None:
        self.parts = parts
        self.names: list[str] = []
        self.crash_at = crash_at
        self.at_crash: Callable[[], None] = _die
        self.boundaries = 0
        self.lose_burns = 0
        self.is_stopped = False
        self._histories: dict[str, list[str]] = {}

    def run(self, job_id: OrderId, run: int = 1) -> None:
        """Raises CrashError at the boundary asked for; call it again, as the next process would."""
        fulfil(_FakeDurable(self, f"{job_id}.{run}"), self.parts, job_id)

    def boundary(self) -> None:
        self.boundaries += 1
        if self.boundaries == self.crash_at:
            self.at_crash()

    def history(self, workflow_id: str) -> list[str]:
        return self._histories.setdefault(workflow_id, [])


class _FakeDurable:
    """Keeps `Durable`; facts go through JSON, as they do in the real one."""

    def __init__(self, engine: FakeEngine, workflow_id: str) -> None:
        self._engine, self._workflow_id = engine, workflow_id
        self._position = 0

    @property
    def job_id(self) -> str:
        return self._workflow_id.partition(".")[0]

    @property
    def run(self) -> int:
        return run_of(self._workflow_id)

    def step(self, name: str, work: Callable[[], Facts]) -> Facts:
        history = self._engine.history(self._workflow_id)
        if self._position == len(history):
            self._engine.boundary()
            facts = work()
            self._engine.boundary()
            history.append(json.dumps({"name": name, "facts": facts}))
            self._engine.names.append(name)
            self._engine.boundary()
        recorded: dict[str, Any] = json.loads(history[self._position])
        assert recorded["name"] == name, "the workflow decided otherwise than before the crash"
        self._position += 1
        return dict(recorded["facts"])

    def burn(self, drive: str, number: int, priority: Priority, facts: Facts) -> Facts:
        assert priority >= 1
        if self._engine.lose_burns:
            self._engine.lose_burns -= 1
            raise BurnLostError
        child = _FakeDurable(self._engine, f"{self._workflow_id}.{number}")
        assert facts["drive"] == drive
        return burn(child, self._engine.parts, json.loads(json.dumps(facts)))

    def is_stopping(self) -> bool:
        return self._engine.is_stopped
