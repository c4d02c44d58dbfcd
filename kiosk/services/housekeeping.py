"""What is cleaned up, and when: leftovers at every start, what is over and done once a day."""

from __future__ import annotations

import logging
from datetime import timedelta

from kiosk.ports import Clock, JobBook, Jobs, Spool, StaffCalls
from kiosk.services.parts import EngineParts

log = logging.getLogger(__name__)


def clean_spool(spool: Spool, jobs: JobBook) -> int:
    """Wipe the folders of jobs that have ended or never were; call before any job is begun.

    Returns:
        How many folders went.
    """
    live = set(jobs.live())
    orphans = [job_id for job_id in spool.job_ids() if job_id not in live]
    for job_id in orphans:
        spool.wipe(job_id)
    if orphans:
        log.info("%d spool folders without a job were wiped", len(orphans))
    return len(orphans)


def purge_jobs(jobs: Jobs, clock: Clock, keep_days: int) -> int:
    """Drop the machinery of jobs that ended so long ago; the record stays. Returns their number."""
    return jobs.purge(ended_before=clock.now() - timedelta(days=keep_days))


def purge_calls(calls: StaffCalls, clock: Clock, keep_days: int) -> int:
    """Drop calls for staff that were answered so long ago; the audit trail has them. Returns their
    number.
    """
    return calls.purge(answered_before=clock.now() - timedelta(days=keep_days))


def sweep_reports(parts: EngineParts, keep_days: int) -> None:
    """Remove reports that no medium will need any more; the next time if it cannot be done now."""
    try:
        parts.reports.sweep(parts.clock.now() - timedelta(days=keep_days))
    except OSError as error:
        log.error("reports are not removed: %s", error.strerror)


def sweep_forms(parts: EngineParts) -> None:
    """Purge release forms whose time is over; the next time if it cannot be done now."""
    try:
        parts.forms.sweep()
    except OSError as error:
        log.error("release forms are not purged: %s", error.strerror)
