"""What the engine measures of its steps, for whoever asks how long the next job will take."""

from __future__ import annotations

import logging

from kiosk.domain.model import MediaChoice, Medium, Step
from kiosk.domain.rates import StepTime, kind_of
from kiosk.errors import JournalError
from kiosk.services.parts import EngineParts

log = logging.getLogger(__name__)


class Stopwatch:
    """One attempt at one step, from now on. What ends badly is never kept; trying again is another
    attempt, and the wait before it is nobody's.
    """

    def __init__(self, parts: EngineParts, step: Step, choice: MediaChoice) -> None:
        self._parts, self._step, self._kind = parts, step, kind_of(step, choice)
        self._began_s = parts.clock.monotonic_s()
        self._ended_s: float | None = None
        self._first: int | None = None
        self._last = 0

    def count(self, done: int) -> None:
        """As it is reported; what was there at the first report took no time now."""
        self._first = done if self._first is None else self._first
        self._last = done

    @property
    def counted(self) -> int:
        return self._last - (self._first or 0)

    def stop(self) -> None:
        """The step is over; whether it went well is not known yet."""
        self._ended_s = self._parts.clock.monotonic_s()

    def keep(self, amount: int) -> None:
        """It went well. A time that cannot be kept disturbs nothing.

        Args:
            amount: As `StepTime.amount`; if nothing was to be done, nothing is kept.
        """
        if amount <= 0:
            return
        ended_s = self._parts.clock.monotonic_s() if self._ended_s is None else self._ended_s
        try:
            self._parts.step_times.add(
                StepTime(self._step, self._kind, amount, ended_s - self._began_s)
            )
        except JournalError as error:
            log.warning("the time of a step is not kept: %s", error)


class BurnWatch:
    """Writing and reading back of one medium, from now on."""

    def __init__(self, parts: EngineParts, medium: Medium) -> None:
        self._parts, self._choice = parts, MediaChoice(medium)
        self._write = Stopwatch(parts, Step.WRITE, self._choice)
        self._verify: Stopwatch | None = None

    def reads_back(self) -> None:
        """At every report of it: with the first the writing was over."""
        if self._verify is None:
            self._write.stop()
            self._verify = Stopwatch(self._parts, Step.VERIFY, self._choice)

    def keep(self, image_bytes: int) -> None:
        """The medium is good, and was begun by this attempt."""
        if self._verify is not None:
            self._write.keep(image_bytes)
            self._verify.keep(image_bytes)
