"""An engine that does nothing by itself: tests say where a job stands."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Sequence
from datetime import datetime

from kiosk.domain.bill import Bill
from kiosk.domain.fee import FeeQuote
from kiosk.domain.model import (
    ExecutionStatus,
    Job,
    MediaChoice,
    OrderId,
    Priority,
    Progress,
    Question,
    Step,
    Wanted,
)
from kiosk.domain.wall import next_number
from kiosk.errors import InvalidValueError, OrderNotReleasedError, UnknownJobError
from tests.fakes.clock import START, FakeClock


class FakeJobs:
    """Keeps the `Jobs` port."""

    def __init__(self, clock: FakeClock | None = None) -> None:
        self.clock = clock
        self.rows: dict[OrderId, Job] = {}
        self.submitted: list[tuple[OrderId, MediaChoice, Priority, str]] = []
        self.answers: list[tuple[OrderId, int]] = []
        self.is_released: Callable[[OrderId], bool] | None = None
        self._questions = self._number = 0
        self._lock = threading.Lock()

    def submit(
        self, order_id: OrderId, choice: MediaChoice, priority: Priority, *, actor: str
    ) -> OrderId:
        with self._lock:
            before = self.rows.get(order_id)
            if before is not None and not before.has_ended:
                if (before.choice.medium, before.choice.copies) != (choice.medium, choice.copies):
                    raise InvalidValueError("it runs already")
                return order_id
            if self.is_released is not None and not self.is_released(order_id):
                raise OrderNotReleasedError("not released")
            self.submitted.append((order_id, choice, priority, actor))
            self.rows[order_id] = Job(
                job_id=order_id,
                order_id=order_id,
                choice=choice,
                priority=priority,
                status=ExecutionStatus.PENDING,
                status_info="NORMAL",
                error_code="",
                progress=None,
                question=None,
                created_at=self._now(),
                ended_at=None,
            )
        return order_id

    def submit_all(
        self,
        order_ids: Sequence[OrderId],
        choice: MediaChoice,
        priority: Priority,
        *,
        actor: str,
        fee: FeeQuote | None = None,
    ) -> tuple[OrderId, ...]:
        if self.is_released is not None and not all(map(self.is_released, order_ids)):
            raise OrderNotReleasedError("not released")
        fresh = [it for it in order_ids if it not in self.rows or self.rows[it].has_ended]
        owed = {it: self.rows[it].owed for it in fresh if it in self.rows}
        kept = {it: old for it, old in owed.items() if fee and old and old.fee.kind is fee.kind}
        exams = len(set(fresh) - set(kept))
        bill = fee and Bill(f"{len(self.submitted):016x}", fee, self._now(), exams)
        self._number = next_number(self._number, frozenset())
        for order_id in order_ids:
            before = self.rows.get(order_id)
            if before is None or before.has_ended:
                self.submit(order_id, choice, priority, actor=actor)
                its = kept.get(order_id, bill)
                self._change(order_id, bill=its, wall_number=self._number)
        return tuple(order_ids)

    def cancel(self, job_id: OrderId, *, actor: str) -> None:
        self.fail(job_id, "job.cancelled")

    def answer(self, job_id: OrderId, number: int) -> None:
        with self._lock:
            self.answers.append((job_id, number))
            job = self._row(job_id)
            if job.question is not None and job.question.number == number:
                self.rows[job_id] = dataclasses.replace(job, question=None)

    def get(self, job_id: OrderId) -> Job:
        with self._lock:
            return self._row(job_id)

    def newest(self, *, limit: int = 100) -> list[Job]:
        return list(self.rows.values())[-limit:]

    def purge(self, *, ended_before: datetime) -> int:
        return 0

    # What a test makes happen

    def at_step(
        self, job_id: OrderId, step: Step, done: int = 0, total: int = 0, note: str = ""
    ) -> None:
        self._change(
            job_id,
            status=ExecutionStatus.CREATING,
            progress=Progress(step, done, total, note, self._now()),
        )

    def ask(self, job_id: OrderId, wanted: Wanted) -> Question:
        self._questions += 1
        question = Question(job_id, self._questions, wanted, self._now())
        delivered = self._row(job_id).delivered + (wanted is Wanted.TAKE_MEDIUM)
        self._change(job_id, question=question, delivered=delivered)
        return question

    def done(self, job_id: OrderId) -> None:
        self._change(
            job_id, status=ExecutionStatus.DONE, progress=None, question=None, ended_at=self._now()
        )

    def fail(self, job_id: OrderId, error_code: str, status_info: str = "PROC_FAILURE") -> None:
        self._change(
            job_id,
            status=ExecutionStatus.FAILURE,
            status_info=status_info,
            error_code=error_code,
            question=None,
            ended_at=self._now(),
        )

    def _change(self, job_id: OrderId, **changes: object) -> None:
        with self._lock:
            self.rows[job_id] = dataclasses.replace(self._row(job_id), **changes)  # type: ignore[arg-type]  # fields by name

    def _row(self, job_id: OrderId) -> Job:
        try:
            return self.rows[job_id]
        except KeyError:
            raise UnknownJobError(job_id) from None

    def _now(self) -> datetime:
        return START if self.clock is None else self.clock.now()
