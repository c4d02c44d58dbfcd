"""What dbos leaves lying: workflows that died inside a living process, and stations that died.

A workflow whose checkpoint could not be written (disk full, database gone) stays "running" without
anybody running it, or ends as ERROR; dbos itself does nothing about either before the next start,
nor about a station that never starts again.
"""

from __future__ import annotations

import logging
from datetime import timedelta

import sqlalchemy as sa

from kiosk.adapters.jobs.client import DbosJobs
from kiosk.adapters.jobs.common import queue_for
from kiosk.adapters.journal import Journal
from kiosk.adapters.journal.engine import translated, writing
from kiosk.adapters.journal.job_rows import ENDED, RunningJob
from kiosk.adapters.journal.tables import jobs
from kiosk.errors import EngineFaultError
from kiosk.services.parts import EngineParts

log = logging.getLogger(__name__)

MAX_RESCUES = 20
"""New runs of one job that the engine lost, before staff must decide."""

MAX_RESUMES = 5
"""Of one workflow by one process."""


class Rescue:
    """Looks at this station's jobs now and then, and at the other stations' heartbeats."""

    def __init__(
        self, journal: Journal, client: DbosJobs, parts: EngineParts, dead_after_s: float
    ) -> None:
        self._journal, self._jobs, self._parts = journal, client, parts
        self._dead_after = timedelta(seconds=dead_after_s)
        self._idle: set[str] = set()
        self._resumed: dict[str, int] = {}

    # --- our own

    def look(self, running: frozenset[str]) -> None:
        """Bring back what is alive in the journal and dead in the engine.

        Args:
            running: Names of the workflows that this process runs just now.
        Raises:
            JournalError: Nothing can be said.
        """
        alive = self._journal.jobs.running()
        if not alive:
            self._idle.clear()
            return
        idle: set[str] = set()
        for job in alive:
            known = self._workflows(job)
            status = known.get(job.workflow_id, ("", "missing"))[1]
            if status not in ("ENQUEUED", "PENDING"):
                self._run_again(job, status)
                continue
            for name, (queue, state) in known.items():
                if state == "PENDING" and name not in running:
                    idle.add(name)
                    if name in self._idle and queue:
                        self._resume(name, queue)
        self._idle = idle

    def _resume(self, name: str, queue: str) -> None:
        """Start again what nobody runs; what never starts is given up, its job runs anew."""
        tries = self._resumed[name] = self._resumed.get(name, 0) + 1
        with translated("written"):
            if tries > MAX_RESUMES:
                log.error("workflow %s does not start: given up", name)
                self._jobs.client.cancel_workflow(name)
                return
            log.error("workflow %s is run by nobody: resumed", name)
            # Without its queue it would go to one that every station serves.
            self._jobs.client.resume_workflow(name, queue_name=queue)

    def _workflows(self, job: RunningJob) -> dict[str, tuple[str, str]]:
        """The job's workflow and its burns: name to queue and status."""
        with translated("read"):
            found = self._jobs.client.list_workflows(
                workflow_id_prefix=job.workflow_id, load_input=False, load_output=False
            )
        mine = (job.workflow_id, f"{job.workflow_id}.")
        return {
            one.workflow_id: (one.queue_name or "", one.status)
            for one in found
            if one.workflow_id == mine[0] or one.workflow_id.startswith(mine[1])
        }

    def _run_again(self, job: RunningJob, status: str) -> None:
        """The engine says it ended, the journal knows it did not: a new run from the top.

        What was delivered counts, what is in a drive is settled: running again is safe.
        """
        if job.rescues >= MAX_RESCUES:
            error = EngineFaultError
            log.error("job %s was lost %d times: given up", job.job_id, job.rescues)
            self._journal.jobs.fail(
                job.job_id,
                job.run,
                status_info=error.status_info,
                error_code=error.code,
                hold_order=False,
            )
            return
        log.error("job %s is %s in the engine: run again", job.job_id, status)
        with writing(self._journal.engine) as connection:
            changed = connection.execute(
                sa.update(jobs)
                .where(
                    jobs.c.job_id == job.job_id,
                    jobs.c.run == job.run,
                    jobs.c.status.not_in(ENDED),
                )
                .values(run=job.run + 1, rescues=job.rescues + 1)
            )
            if changed.rowcount == 1:
                self._jobs.enqueue(connection, job.job_id, job.run + 1, job.priority)

    # --- others

    def take_over(self) -> None:
        """Move a dead station's work here, but never a burn: its disc is in that station's drive.

        Raises:
            JournalError: Nothing can be said.
        """
        now = self._parts.clock.now()
        station = self._journal.station
        for name, beat_at in self._journal.stations.beats().items():
            if name == station or now - beat_at < self._dead_after:
                continue
            if self._journal.stations.take_over(name, station, now - self._dead_after):
                for job in self._journal.jobs.running(name):
                    self._move(job)

    def _move(self, job: RunningJob) -> None:
        known = self._workflows(job)
        if set(known) != {job.workflow_id}:
            return  # a burn was begun, or dbos knows nothing of it: that station's own matter
        if not self._parts.drives.get(self._journal.jobs.get(job.job_id).choice.medium):
            return
        log.warning("job %s is moved here from %s", job.job_id, job.station)
        station = self._journal.station
        with writing(self._journal.engine) as connection:
            moved = connection.execute(
                sa.update(jobs)
                .where(jobs.c.job_id == job.job_id, jobs.c.station == job.station)
                .values(station=station)
            )
        if moved.rowcount == 1:
            with translated("written"):
                self._jobs.client.resume_workflow(
                    job.workflow_id, queue_name=queue_for(station, job.priority)
                )
