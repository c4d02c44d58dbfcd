"""What a workflow needs of a durable engine, and how errors cross it.

A workflow is run again from its top after every crash; what its steps returned is played back from
the engine's table, so it must decide by nothing else. Steps return `Facts`: plain JSON, ids and
codes, no patient data. An error is a fact too: `Trouble` carries the code, never the text.
"""

from __future__ import annotations

import errno
import logging
import traceback
from collections.abc import Callable
from typing import Any, Protocol

from kiosk.domain.model import Priority
from kiosk.errors import EngineFaultError, KioskError, Retry, SpoolFullError, StoppedError
from kiosk.services.job_log import logged_as

log = logging.getLogger(__name__)

Facts = dict[str, Any]


class EngineStopping(BaseException):
    """The process shall end: nothing is recorded, the step is begun anew by the next process.

    Not an Exception, so that nobody between takes it for a failure.
    """


class Durable(Protocol):
    """One workflow's connection to the engine.

    Attributes:
        job_id: Whose workflow it is.
        run: Which of the job's runs this is, from 1: one more whenever it is placed again.
    """

    @property
    def job_id(self) -> str: ...

    @property
    def run(self) -> int: ...

    def step(self, name: str, work: Callable[[], Facts]) -> Facts:
        """Do it, or play back what it returned before a crash. At least once."""
        ...

    def burn(self, drive: str, number: int, priority: Priority, facts: Facts) -> Facts:
        """Queue `kiosk.services.burn` at a drive of this station and wait for what it returns.

        Args:
            number: Of the burn within this workflow; the same number is the same burn.
        Raises:
            BurnLostError: The engine gave it up.
        """
        ...

    def is_stopping(self) -> bool:
        """Whether the process shall end; waits look at it often."""
        ...


class BurnLostError(Exception):
    """A queued burn ended without an answer: taken out of the queue, or given up."""


class Trouble(Exception):
    """A step's KioskError, as it is played back: what decides, without the text."""

    def __init__(self, code: str, retry: Retry, status_info: str) -> None:
        super().__init__(code)
        self.code, self.retry, self.status_info = code, retry, status_info

    @classmethod
    def of(cls, error: KioskError) -> Trouble:
        return cls(error.code, error.retry, error.status_info)

    def facts(self) -> Facts:
        return {
            "trouble": self.code,
            "retry": self.retry.value,
            "status_info": self.status_info,
        }

    @property
    def is_cancel(self) -> bool:
        return self.code == StoppedError.code


def run_step(durable: Durable, name: str, work: Callable[[], Facts]) -> Facts:
    """One step whose errors are recorded as facts.

    Raises:
        Trouble: The step raised a KioskError, now or before a crash. An OSError for lack of space
            counts as SpoolFullError, anything else unexpected as EngineFaultError.
        EngineStopping: The process shall end.
    """

    def guarded() -> Facts:
        with logged_as(durable.job_id):
            return recorded()

    def recorded() -> Facts:
        try:
            if durable.is_stopping():
                raise EngineStopping
            return work()
        except KioskError as error:
            if isinstance(error, StoppedError) and durable.is_stopping():
                raise EngineStopping from error
            log.warning("step %s: %s: %s", name, error.code, error)
            return Trouble.of(error).facts()
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                log.warning("step %s: no space (errno %s)", name, error.errno)
                return Trouble.of(SpoolFullError("no space")).facts()
            return _fault(name, error)
        except Exception as error:  # noqa: BLE001 - a fault of ours: the job waits for staff
            return _fault(name, error)

    facts = durable.step(name, guarded)
    if "trouble" in facts:
        raise Trouble(facts["trouble"], Retry(facts["retry"]), facts["status_info"])
    return facts


def _fault(name: str, error: Exception) -> Facts:
    # The message could quote what a file said: type and place only.
    where = "".join(traceback.format_tb(error.__traceback__))
    log.error("step %s: unexpected %s\n%s", name, type(error).__name__, where)
    return Trouble.of(EngineFaultError("unexpected fault")).facts()
