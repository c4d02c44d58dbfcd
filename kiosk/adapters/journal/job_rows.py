"""Job rows: what was asked for and how it stands. The record, not the engine's machinery."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from kiosk.adapters.journal.audit import SERIOUS_FAILURE, SUCCESS, AuditChain
from kiosk.adapters.journal.engine import reading, writing
from kiosk.adapters.journal.job_facts import JobFacts, delivered, fill_in_facts
from kiosk.adapters.journal.orders import change_state
from kiosk.adapters.journal.passwords import JournalPasswords
from kiosk.adapters.journal.questions import to_question
from kiosk.adapters.journal.tables import (
    jobs,
    orders,
    presence,
    progress,
    questions,
)
from kiosk.domain.model import (
    ExecutionStatus,
    HandOver,
    Job,
    MediaChoice,
    Medium,
    OrderId,
    Priority,
    Progress,
    ReleaseState,
    Step,
)
from kiosk.errors import StoppedError, UnknownJobError
from kiosk.ports import Clock

_ON_THE_WALL = 200
# Asked several times a second: to make a query costs more than to ask it.
_JOB: Final = sa.select(jobs).where(jobs.c.job_id == sa.bindparam("id"))
_IDS: Final[sa.BindParameter[Any]] = sa.bindparam("ids", expanding=True)
_PROGRESS: Final = sa.select(progress).where(progress.c.job_id.in_(_IDS))
_QUESTIONS: Final = sa.select(questions).where(
    questions.c.job_id.in_(_IDS), questions.c.closed_at.is_(None)
)
ENDED = (ExecutionStatus.DONE.value, ExecutionStatus.FAILURE.value)


@dataclass(frozen=True, slots=True)
class RunningJob:
    """What the engine's side needs to find a job's workflow."""

    job_id: OrderId
    station: str
    run: int
    rescues: int
    priority: Priority

    @property
    def workflow_id(self) -> str:
        return workflow_id(self.job_id, self.run)


def workflow_id(job_id: str, run: int) -> str:
    """The engine's name of one run of a job."""
    return f"{job_id}.{run}"


def run_of(workflow: str) -> int:
    """Of which run a workflow is, a burn's as well."""
    return int(workflow.split(".")[1])


def _to_job(row: Any) -> Job:
    how = (bool(row.password_id), row.images_only)
    return Job(
        job_id=OrderId(row.job_id),
        order_id=OrderId(row.order_id),
        choice=MediaChoice(Medium(row.medium), row.copies, HandOver(row.hand_over), *how),
        priority=Priority(row.priority),
        status=ExecutionStatus(row.status),
        status_info=row.status_info,
        error_code=row.error_code,
        progress=None,
        question=None,
        created_at=row.created_at,
        ended_at=row.ended_at,
        wall_number=row.wall_number,
    )


def _fill_in(connection: sa.Connection, found: list[Job]) -> list[Job]:
    """Add progress, open questions and what is on record, with one query each."""
    ids = [job.job_id for job in found]
    at = {
        row.job_id: Progress(Step(row.step), row.done, row.total, row.note, row.updated_at)
        for row in connection.execute(_PROGRESS, {"ids": ids})
    }
    asked = {
        row.job_id: to_question(row, at.get(row.job_id))
        for row in connection.execute(_QUESTIONS, {"ids": ids})
    }
    found = [
        replace(job, progress=at.get(job.job_id), question=asked.get(job.job_id)) for job in found
    ]
    return fill_in_facts(connection, found)


def _is_live(connection: sa.Connection, job_id: OrderId, run: int) -> bool:
    row = connection.execute(
        sa.select(jobs.c.run, jobs.c.status).where(jobs.c.job_id == job_id)
    ).one_or_none()
    if row is None:
        raise UnknownJobError(f"no job {job_id}")
    return row.run == run and row.status not in ENDED


class JournalJobs(JobFacts):
    """Keeps `kiosk.ports.JobBook` for one station; also the views that everybody reads."""

    def __init__(
        self,
        engine: sa.Engine,
        chain: AuditChain,
        clock: Clock,
        station: str,
        passwords: JournalPasswords,
    ) -> None:
        super().__init__(engine, chain)
        self._passwords = passwords
        self._clock = clock
        self._station = station

    # --- views

    def get(self, job_id: OrderId) -> Job:
        """Raises UnknownJobError."""
        with reading(self._engine) as connection:
            row = connection.execute(_JOB, {"id": job_id}).one_or_none()
            if row is None:
                raise UnknownJobError(f"no job {job_id}")
            return _fill_in(connection, [_to_job(row)])[0]

    def newest(self, *, limit: int = 100) -> list[Job]:
        with reading(self._engine) as connection:
            rows = connection.execute(
                sa.select(jobs).order_by(jobs.c.created_at.desc(), jobs.c.job_id).limit(limit)
            ).all()
            return _fill_in(connection, [_to_job(row) for row in rows])

    def on_the_wall(self, ended_after: datetime) -> list[Job]:
        """Those with a public number that have not ended, or ended after that; oldest first."""
        with reading(self._engine) as connection:
            rows = connection.execute(
                sa.select(jobs)
                .where(
                    jobs.c.wall_number > 0,
                    sa.or_(jobs.c.status.not_in(ENDED), jobs.c.ended_at >= ended_after),
                )
                .order_by(jobs.c.created_at, jobs.c.job_id)
                .limit(_ON_THE_WALL)
            ).all()
            return _fill_in(connection, [_to_job(row) for row in rows])

    # --- the engine's side

    def newest_run(self, job_id: OrderId) -> int:
        """Raises UnknownJobError."""
        with reading(self._engine) as connection:
            run = connection.scalar(sa.select(jobs.c.run).where(jobs.c.job_id == job_id))
        if run is None:
            raise UnknownJobError(f"no job {job_id}")
        return int(run)

    def begin(self, job_id: OrderId, run: int) -> None:
        """PENDING becomes CREATING.

        Raises:
            UnknownJobError: No such job.
            StoppedError: This run of it has ended already.
        """
        with writing(self._engine) as connection:
            if not _is_live(connection, job_id, run):
                raise StoppedError(f"run {run} of job {job_id} has ended")
            connection.execute(
                sa.update(jobs)
                .where(jobs.c.job_id == job_id)
                .values(status=ExecutionStatus.CREATING.value)
            )

    def report(self, job_id: OrderId, *, status_info: str, error_code: str) -> None:
        with writing(self._engine) as connection:
            connection.execute(
                sa.update(jobs)
                .where(jobs.c.job_id == job_id, jobs.c.status.not_in(ENDED))
                .values(status_info=status_info, error_code=error_code)
            )

    def is_cancelled(self, job_id: OrderId) -> bool:
        """Whether somebody asked to end it. Raises UnknownJobError."""
        with reading(self._engine) as connection:
            row = connection.execute(
                sa.select(jobs.c.cancelled_at).where(jobs.c.job_id == job_id)
            ).one_or_none()
        if row is None:
            raise UnknownJobError(f"no job {job_id}")
        return row.cancelled_at is not None

    def is_live(self, job_id: OrderId, run: int) -> bool:
        """Raises UnknownJobError."""
        with reading(self._engine) as connection:
            return _is_live(connection, job_id, run)

    def finish(self, job_id: OrderId, run: int) -> None:
        """DONE, and the order COLLECTED unless staff held or cancelled it since the last copy was
        out; once, later calls change nothing.
        """
        with writing(self._engine) as connection:
            if self._end(connection, job_id, run, ExecutionStatus.DONE, "NORMAL", ""):
                state = connection.scalar(
                    sa.select(orders.c.state).where(orders.c.order_id == job_id).with_for_update()
                )
                if state == ReleaseState.RELEASED.value:
                    change_state(
                        connection, self._chain, job_id, ReleaseState.COLLECTED, actor="engine"
                    )
                self._chain.append(
                    connection, "job.done", actor="engine", subject=job_id, outcome=SUCCESS
                )

    def fail(
        self, job_id: OrderId, run: int, *, status_info: str, error_code: str, hold_order: bool
    ) -> None:
        """FAILURE; once, later calls change nothing."""
        status = ExecutionStatus.FAILURE
        with writing(self._engine) as connection:
            if not self._end(connection, job_id, run, status, status_info, error_code):
                return
            if hold_order:
                change_state(connection, self._chain, job_id, ReleaseState.HELD, actor="engine")
            self._chain.append(
                connection,
                "job.failed",
                actor="engine",
                subject=job_id,
                outcome=SERIOUS_FAILURE,
                details={"code": error_code},
            )

    def _end(
        self,
        connection: sa.Connection,
        job_id: OrderId,
        run: int,
        status: ExecutionStatus,
        status_info: str,
        error_code: str,
    ) -> bool:
        now = self._clock.now()
        ended = connection.execute(
            sa.update(jobs)
            .where(jobs.c.job_id == job_id, jobs.c.run == run, jobs.c.status.not_in(ENDED))
            .values(
                status=status.value, status_info=status_info, error_code=error_code, ended_at=now
            )
        )
        if ended.rowcount == 0:
            return False
        connection.execute(
            sa.update(questions)
            .where(questions.c.job_id == job_id, questions.c.closed_at.is_(None))
            .values(closed_at=now)
        )
        self._passwords.settle(connection, job_id, is_out=delivered(connection, job_id) > 0)
        return True

    def live(self) -> Sequence[OrderId]:
        """This station's jobs that have not ended, oldest first."""
        return [job.job_id for job in self.running()]

    # --- for the queue and the watchdog

    def running(self, station: str | None = None) -> list[RunningJob]:
        """Jobs of a station, by default this one, that have not ended."""
        with reading(self._engine) as connection:
            rows = connection.execute(
                sa.select(jobs)
                .where(jobs.c.station == (station or self._station), jobs.c.status.not_in(ENDED))
                .order_by(jobs.c.created_at)
            ).all()
        return [
            RunningJob(
                OrderId(row.job_id), row.station, row.run, row.rescues, Priority(row.priority)
            )
            for row in rows
        ]

    def purge(self, connection: sa.Connection, ended_before: datetime) -> list[str]:
        """Delete the machinery's rows of jobs that ended before; job rows stay.

        Returns:
            Names of the workflows whose rows the engine may drop too.
        """
        rows = connection.execute(
            sa.select(jobs.c.job_id, jobs.c.run).where(
                jobs.c.status.in_(ENDED), jobs.c.ended_at < ended_before
            )
        ).all()
        ids = [row.job_id for row in rows]
        connection.execute(sa.delete(progress).where(progress.c.job_id.in_(ids)))
        connection.execute(sa.delete(questions).where(questions.c.job_id.in_(ids)))
        connection.execute(sa.delete(presence).where(presence.c.job_id.in_(ids)))
        self._passwords.purge(connection, ids, ended_before)
        return [workflow_id(row.job_id, run) for row in rows for run in range(1, row.run + 1)]
