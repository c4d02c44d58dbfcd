"""Waiting so that everybody sees why: for a time, for a person, for whatever comes first.

Each wait is one durable step around rows of the journal: it looks at them again and again, so it
goes on after a restart and ends at once when the job is cancelled or the process shall stop.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from enum import Enum

from kiosk.domain.model import Order, OrderId, Progress, Question, ReleaseState, Step, Wanted
from kiosk.domain.unfit import Unfit, wanted_note
from kiosk.errors import (
    DriveFaultError,
    JournalError,
    MediumError,
    OrderNotReleasedError,
    Retry,
    SpoolFullError,
    StoppedError,
)
from kiosk.ports import StagingWriter
from kiosk.services.durable import Durable, EngineStopping, Facts, Trouble, run_step
from kiosk.services.parts import EngineParts

log = logging.getLogger(__name__)

# Waiting alone mends these, sooner or later; staff are not called for them.
PATIENT_WITH = frozenset(
    {"archive.unreachable", "archive.aborted", "archive.failed", "journal.failed"}
)
# That much more room is worth another try, although staff have not answered.
_MORE_ROOM_BYTES = 64 << 20
_CANCEL_LOOK_S = 0.5
_CALM_S = 15.0  # between looks into a drive that is at fault and answers


class CancelWatch:
    """`is_cancelled` for a step: asks the journal at most twice a second."""

    def __init__(self, durable: Durable, parts: EngineParts, job_id: OrderId) -> None:
        self._durable, self._parts, self._job_id = durable, parts, job_id
        self._looked_at: float | None = None
        self._is_cancelled = False

    def __call__(self) -> bool:
        """True also when the process shall stop; `run_step` tells both apart."""
        return self._durable.is_stopping() or self.by_request()

    def by_request(self) -> bool:
        """Only what somebody asked for: a disc being written is finished before a stop."""
        now = self._parts.clock.monotonic_s()
        if self._is_cancelled:
            return True
        if self._looked_at is None or now - self._looked_at >= _CANCEL_LOOK_S:
            self._looked_at = now
            try:
                self._is_cancelled = self._parts.jobs.is_cancelled(self._job_id)
            except JournalError as error:  # a disc is not spoiled because the journal is busy
                log.warning("cancellation cannot be looked up: %s", error)
        return self._is_cancelled

    def check(self) -> None:
        """Raises StoppedError, OrderNotReleasedError or EngineStopping."""
        if self._durable.is_stopping():
            raise EngineStopping
        if self.by_request():
            raise StoppedError("cancelled")
        try:
            order = self._parts.orders.get(self._job_id)
        except JournalError as error:
            log.warning("the order cannot be looked up: %s", error)
        else:
            require_released(order)


def require_released(order: Order) -> None:
    """Staff may hold or cancel an order at any time; its job goes no further then.

    Raises:
        OrderNotReleasedError: It is held, cancelled or was collected.
    """
    if order.state is not ReleaseState.RELEASED:
        raise OrderNotReleasedError(f"order {order.order_id} is {order.state.value}")


class ProgressRow:
    """A job's progress as the steps report it; a report that cannot be kept disturbs nothing."""

    def __init__(self, parts: EngineParts, job_id: OrderId) -> None:
        self._parts, self._job_id = parts, job_id

    def put(self, step: Step, done: int, total: int, note: str = "") -> None:
        progress = Progress(step, done, total, note, self._parts.clock.now())
        try:
            self._parts.progress.put(self._job_id, progress)
        except JournalError as error:
            log.warning("progress is not kept: %s", error)


def _never() -> bool:
    return False


class Answer(Enum):
    """How a question to a person ended."""

    GIVEN = "given"  # somebody answered
    SEEN = "seen"  # what was asked for was seen to be done
    LATE = "late"  # neither in time


class Waits:
    """The waits of one workflow.

    Args:
        is_final: What it waits for happens in any case: it can no longer be cancelled.
        drive: At which something is put in or taken out meanwhile; "" if at none.
    """

    def __init__(
        self,
        durable: Durable,
        parts: EngineParts,
        job_id: OrderId,
        *,
        is_final: bool = False,
        drive: str = "",
    ) -> None:
        self._durable, self._parts, self._job_id = durable, parts, job_id
        self._drive = drive
        self._watch = CancelWatch(durable, parts, job_id)
        self._progress = ProgressRow(parts, job_id)
        self._is_final = is_final
        self._failures: dict[str, int] = {}
        self._is_shown = False

    def insist(self, name: str, work: Callable[[], Facts], step: Step) -> Facts:
        """A step that only needs the journal: as often as it takes.

        Raises:
            Trouble: Anything but the journal.
        """
        while True:
            try:
                return run_step(self._durable, name, work)
            except Trouble as trouble:
                if trouble.code != JournalError.code:
                    raise
                self._pause(trouble, step, self._parts.policy.delays_s[0])

    def succeed(self, name: str, work: Callable[[], Facts]) -> Facts:
        """A step that has to go well in the end: the medium is verified or refused already.

        Raises:
            Trouble: The order is not released any more: staff said so, and are not asked.
        """

        def until_clear() -> Facts:
            facts = work()
            if self._is_shown:
                self.clear()
            return facts

        while True:
            try:
                return run_step(self._durable, name, until_clear)
            except Trouble as trouble:
                if trouble.code == OrderNotReleasedError.code:
                    raise
                self.mend(trouble, Step.HAND_OVER)

    def mend(self, trouble: Trouble, step: Step) -> None:
        """Wait until trying again makes sense: by the back-off policy, or for staff.

        The reason stays with the job: who tries again calls `clear` in the step that went well.

        Raises:
            Trouble: It never will, the job was cancelled or its order is not released any more.
        """
        if trouble.retry is Retry.NEVER:
            raise trouble
        failures = self._failures[trouble.code] = self._failures.get(trouble.code, 0) + 1
        is_hopeless = trouble.code not in PATIENT_WITH and failures >= self._parts.policy.attempts
        if trouble.retry is Retry.AFTER_STAFF or is_hopeless:
            is_done = self._mended_by_itself(trouble.code)
            self.ask(Wanted.STAFF, trouble, step, is_done, keeps_reason=True)
            self.recovered()
        else:
            self._pause(trouble, step, self._parts.policy.delay_s(failures), keeps_reason=True)
        self._is_shown = True

    def _mended_by_itself(self, code: str) -> Callable[[], bool]:
        if code == SpoolFullError.code:
            return self._is_roomier()
        if code == DriveFaultError.code and self._drive:
            writer = self._parts.writer(self._drive)
            return writer.is_well if isinstance(writer, StagingWriter) else self._is_back()
        return _never

    def _is_back(self) -> Callable[[], bool]:
        """Whether the drive answers again after it did not: it was unplugged, perhaps. One that
        answers all the time is for staff.
        """
        was_away = False
        calm_until_s = self._parts.clock.monotonic_s()

        def look() -> bool:
            nonlocal was_away, calm_until_s
            writer = self._parts.writer(self._drive)
            if writer is None or self._parts.clock.monotonic_s() < calm_until_s:
                return False
            try:
                writer.inspect()
            except DriveFaultError:
                was_away = True
                return False
            except MediumError as error:
                log.warning("%s cannot be looked into: %s", self._drive, error.code)
                return False
            calm_until_s = self._parts.clock.monotonic_s() + _CALM_S
            return was_away

        return look

    def _is_roomier(self) -> Callable[[], bool]:
        """Whether room was made since it was looked at: another job has ended, perhaps."""
        least: int | None = None

        def look() -> bool:
            nonlocal least
            free = self._parts.spool.free_bytes()
            least = free if least is None else min(least, free)
            return free >= least + _MORE_ROOM_BYTES

        return look

    def recovered(self) -> None:
        """It went well: the next trouble is the first again."""
        self._failures.clear()

    def _pause(
        self, trouble: Trouble, step: Step, delay_s: float, *, keeps_reason: bool = False
    ) -> None:
        def begin() -> Facts:
            self._show(trouble, step, f"{trouble.code.partition('.')[0]}.retry")
            return {"until": (self._parts.clock.now() + timedelta(seconds=delay_s)).isoformat()}

        until = datetime.fromisoformat(run_step(self._durable, "pause.begin", begin)["until"])

        def wait() -> Facts:
            # A clock that was set back must not make it longer than it was meant to be.
            left_s = min((until - self._parts.clock.now()).total_seconds(), delay_s)
            end_s = self._parts.clock.monotonic_s() + left_s
            self._poll(lambda: self._parts.clock.monotonic_s() >= end_s)
            if not keeps_reason:
                self.clear()
            return {}

        run_step(self._durable, "pause", wait)

    def ask(
        self,
        wanted: Wanted,
        trouble: Trouble,
        step: Step,
        is_done: Callable[[], bool] = _never,
        *,
        limit_s: float | None = None,
        keeps_reason: bool = False,
        unfit: Unfit | None = None,
    ) -> Answer:
        """Ask a person, and wait for the answer or until `is_done` sees for itself.

        Args:
            limit_s: No longer than this, counted from the asking over all restarts.
            keeps_reason: Whether the job shows the trouble on until `clear`; else to the end of it.
            unfit: What speaks against the medium that is there.
        Raises:
            Trouble: Cancelled, the order not released any more, or `is_done` raised a KioskError.
        """

        def wait() -> Facts:
            self._show(trouble, step, wanted_note(wanted.value, unfit))
            asked: list[Question] = []
            began_at = self._parts.clock.monotonic_s()
            looked_at = began_at - self._parts.policy.device_poll_s
            seen = self._changes()
            end = Answer.SEEN

            def is_over() -> bool:
                nonlocal looked_at, seen, end
                if not asked:
                    asked.append(self._parts.questions.ask(self._job_id, wanted))
                if self._parts.questions.is_answered(self._job_id, asked[0].number):
                    end = Answer.GIVEN
                    return True
                now, changes = self._parts.clock.monotonic_s(), self._changes()
                if now - looked_at >= self._parts.policy.device_poll_s or changes != seen:
                    looked_at, seen = now, changes
                    if is_done():
                        return True
                waited = (self._parts.clock.now() - asked[0].asked_at).total_seconds()
                # A clock that was set back must not make it longer than it was meant to be.
                if limit_s is not None and max(waited, now - began_at) >= limit_s:
                    end = Answer.LATE
                    return True
                return False

            self._poll(is_over, lambda: self._sleep(seen))
            self._parts.questions.close(self._job_id)
            if not keeps_reason:
                self.clear()
            return {"answer": end.value}

        facts = self.insist(f"ask.{wanted.value}", wait, step)
        return Answer(facts.get("answer", Answer.SEEN.value))  # orders of an earlier version

    def _changes(self) -> int:
        devices = self._parts.devices
        return 0 if devices is None else devices.changes(self._drive)

    def _sleep(self, seen: int | None = None) -> None:
        """Until the next look is due, or until more than `seen` changed at the drive."""
        seconds, devices = self._parts.policy.poll_s, self._parts.devices
        if seen is None or devices is None:
            self._parts.clock.sleep_s(seconds)
        else:
            devices.sleep_s(self._drive, seen, seconds)

    def _poll(self, is_over: Callable[[], bool], sleep: Callable[[], None] | None = None) -> None:
        while True:
            try:
                if is_over():
                    return
            except JournalError as error:
                log.warning("waiting on: %s", error)
            if self._is_final:
                if self._durable.is_stopping():
                    raise EngineStopping
            else:
                self._watch.check()
            (sleep or self._sleep)()

    def _show(self, trouble: Trouble, step: Step, note: str) -> None:
        self._report(trouble.status_info, trouble.code)
        self._progress.put(step, 0, 0, note)

    def clear(self) -> None:
        """Nothing is wrong any more; part of the step that showed it."""
        try:
            job = self._parts.jobs.get(self._job_id)
        except JournalError as error:
            log.warning("the reason cannot be looked up: %s", error)
            return
        if (job.status_info, job.error_code) != ("NORMAL", ""):
            self._report("NORMAL", "")

    def _report(self, status_info: str, error_code: str) -> None:
        try:
            self._parts.jobs.report(self._job_id, status_info=status_info, error_code=error_code)
        except JournalError as error:
            log.warning("the reason %r is not kept: %s", error_code, error)
