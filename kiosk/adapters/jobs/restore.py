"""Back to a snapshot of the journal: what it still calls unfinished may have been done since.

A disc that was handed over after the snapshot is unknown to it, and would be made a second time.
So nothing of it goes on by itself: every job is ended, every order held until staff release it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from kiosk.adapters.jobs.client import DbosJobs
from kiosk.adapters.jobs.common import migrate
from kiosk.adapters.journal import Journal
from kiosk.adapters.journal.engine import translated
from kiosk.adapters.journal.snapshots import Snapshot, put_back
from kiosk.domain.model import ExecutionStatus, ReleaseState
from kiosk.errors import JournalDamagedError

_ALL = 1_000_000
_ACTOR = "restore"


@dataclass(frozen=True, slots=True)
class Restored:
    """What became of it.

    Attributes:
        ended: Jobs that were under way in the snapshot.
        held: Orders that staff have to look at and release.
    """

    snapshot: Snapshot
    ended: int
    held: int


def restore(database: Path, open_at: Callable[[Path], Journal]) -> Restored:
    """Put the newest sound snapshot in the place of `database`; call under the station's lock.

    Args:
        open_at: Opens a journal in a file.
    Raises:
        JournalError: There is no sound one, or it cannot be put there; then all is as before.
    """
    counts = (0, 0)

    def prepare(path: Path, used: Snapshot) -> None:
        nonlocal counts
        copy = open_at(path)
        try:
            migrate(copy.engine)
            counts = _settle(copy, used)
        finally:
            copy.close()
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA journal_mode=DELETE")  # all in the one file

    used = put_back(database, datetime.now(UTC), prepare)
    return Restored(used, *counts)


def _settle(journal: Journal, used: Snapshot) -> tuple[int, int]:
    """End all jobs, hold all orders. Returns how many of each."""
    ended = held = 0
    for job in journal.jobs.newest(limit=_ALL):
        if job.status not in (ExecutionStatus.DONE, ExecutionStatus.FAILURE):
            error = JournalDamagedError
            journal.jobs.fail(
                job.job_id,
                journal.jobs.newest_run(job.job_id),
                status_info=error.status_info,
                error_code=error.code,
                hold_order=False,
            )
            ended += 1
    for order in journal.orders.newest(limit=_ALL):
        if order.state is ReleaseState.RELEASED:
            journal.orders.set_state(order.order_id, ReleaseState.HELD, actor=_ACTOR)
            held += 1
    _stop_workflows(journal)
    journal.audit.append(
        "journal.restored",
        actor=_ACTOR,
        subject="",
        outcome=0,
        details={"snapshot": used.path.name, "ended": str(ended), "held": str(held)},
    )
    return ended, held


def _stop_workflows(journal: Journal) -> None:
    jobs = DbosJobs(journal)
    try:
        with translated("written"):
            for status in ("ENQUEUED", "PENDING", "DELAYED"):
                for one in jobs.client.list_workflows(
                    status=status, load_input=False, load_output=False
                ):
                    jobs.client.cancel_workflow(one.workflow_id)
    finally:
        jobs.close()
